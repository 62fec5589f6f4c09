"""The zip under test: its bill of materials agrees with its content, which is counted here from the zip's own bytes."""

import hashlib
import json
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from conftest import ROOT

BINARY = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe")
MODEL = (".onnx", ".safetensors")


@pytest.fixture(scope="module")
def archive(surroundings):
    with zipfile.ZipFile(surroundings["AA2_ZIP"]) as opened:
        yield opened


@pytest.fixture(scope="module")
def bill(archive):
    return json.loads(archive.read("sbom.cdx.json"))


def places(component):
    """{place in the zip: sha256} of a component and its parts, for those that are files."""
    found = {part: sha256 for one in component.get("components", ()) for part, sha256 in places(one).items()}
    if "hashes" in component:
        found[component["evidence"]["occurrences"][0]["location"]] = component["hashes"][0]["content"]
    return found


def test_the_bill_names_every_package_by_its_own_metadata(archive, bill):
    inside = set()
    for name in archive.namelist():
        if name.endswith(".dist-info/METADATA"):
            told = message_from_bytes(archive.read(name))
            inside.add((name.rsplit("/", 2)[0], told["Name"], told["Version"]))
    named = {
        (one["evidence"]["occurrences"][0]["location"], one["name"], one["version"])
        for one in bill["components"]
        if one["type"] == "library"
    }
    assert named == inside and {name for _, name, _ in inside} == {"opencv-python-headless", "onnxruntime"}


def test_the_bill_has_the_sha256_of_every_binary_and_model_and_of_nothing_else(archive, bill):
    named = {place: sha256 for one in bill["components"] for place, sha256 in places(one).items()}
    inside = {}
    for name in archive.namelist():
        content = archive.read(name)
        if content.startswith(BINARY) or Path(name).suffix in MODEL or name.endswith("packs/compact/pack.json"):
            inside[name] = hashlib.sha256(content).hexdigest()
    assert named == inside
    assert (
        sum(Path(name).suffix in MODEL for name in inside) == 12
        and sum(name.endswith(".safetensors") for name in inside) == 1
    )


def test_models_are_those_that_models_json_tells_of(archive, bill):
    folder = "embedded/engine/estimate/models/"
    told = json.loads(archive.read(folder + "models.json"))
    named = {
        one["name"]: one["hashes"][0]["content"]
        for one in bill["components"]
        if one["type"] == "machine-learning-model" and "hashes" in one
    }
    assert named == {name: one["sha256"] for name, one in told.items()}


def test_licence_terms_and_copyright_are_in_the_zip(archive, bill):
    for name in ("LICENSE", "THIRD_PARTY.md"):
        assert archive.read(name) == (ROOT / name).read_bytes()
    manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    ours = bill["metadata"]["component"]
    assert manifest["copyright"] == [ours["copyright"]] and (manifest["id"], manifest["version"]) == (
        ours["name"],
        ours["version"],
    )
    assert f"SPDX:{ours['licenses'][0]['license']['id']}" == manifest["license"][0]

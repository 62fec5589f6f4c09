"""The bill of materials names what is staged and nothing else, and THIRD_PARTY.md lists every library and model."""

import hashlib
import json
import struct
from pathlib import Path

import pytest

from tools import package, sbom, wheels
from tools.platforms import PLATFORMS
from tools.telling import Stop

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = {"id": "thing", "version": "3.2", "license": ["SPDX:GPL-3.0-or-later"], "copyright": ["2026 We"]}
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, 62) + bytes(44)
METADATA = "Metadata-Version: 2.1\nName: thing\nVersion: 1.5\nLicense: {}\n\nIt does things.\n"


@pytest.fixture
def stage(tmp_path):
    """One package with one binary, one model, a pack of two files."""
    part = tmp_path / "embedded" / "packages" / "cp311"
    for file, content in {
        part / "thing-1.5.dist-info" / "METADATA": METADATA.format("MIT License").encode(),
        part / "thing" / "fast.so": ELF,
        part / "thing" / "slow.py": b"pass",
    }.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    models, pack = tmp_path / "embedded/engine/estimate/models", tmp_path / "embedded/engine/packs/compact"
    models.mkdir(parents=True)
    pack.mkdir(parents=True)
    (models / "eyes.onnx").write_bytes(b"eyes")
    (models / "models.json").write_text(
        json.dumps(
            {
                "eyes.onnx": {
                    "package": "seer==0.4",
                    "file": "eyes.tflite",
                    "licence": "Apache-2.0",
                    "authors": "Somebody",
                    "changes": "none",
                }
            }
        )
    )
    (pack / "pack.json").write_text('{"name": "small", "license": "GPL-3.0-or-later"}')
    (pack / "w.safetensors").write_bytes(b"weights")
    return tmp_path


def written(stage):
    sbom.write(stage, manifest=MANIFEST, wheels={"cp311": "ab" * 32})
    return json.loads((stage / sbom.FILE).read_text())


def test_every_package_binary_and_model_is_named_with_what_it_is(stage):
    bill = written(stage)
    assert (bill["bomFormat"], bill["specVersion"], bill["metadata"]["component"]["version"]) == (
        "CycloneDX",
        "1.6",
        "3.2",
    )
    thing, eyes, pack = bill["components"]
    assert (thing["name"], thing["version"], thing["purl"]) == ("thing", "1.5", "pkg:pypi/thing@1.5")
    assert thing["licenses"] == [{"license": {"id": "MIT"}}]
    assert thing["externalReferences"][0]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert [(part["name"], part["hashes"][0]["content"]) for part in thing["components"]] == [
        ("fast.so", hashlib.sha256(ELF).hexdigest())
    ]
    assert (eyes["version"], eyes["hashes"][0]["content"]) == ("0.4", hashlib.sha256(b"eyes").hexdigest())
    assert [part["name"] for part in pack["components"]] == ["pack.json", "w.safetensors"]
    assert bill["dependencies"][0]["dependsOn"] == [part["bom-ref"] for part in bill["components"]]


def test_the_same_stage_gives_the_same_bytes_and_another_one_another_number(stage):
    first = written(stage)
    assert written(stage) == first
    (stage / "embedded/engine/estimate/models/eyes.onnx").write_bytes(b"other")
    assert written(stage)["serialNumber"] != first["serialNumber"]


def test_a_licence_without_an_identifier_stops_the_build(stage):
    (stage / "embedded/packages/cp311/thing-1.5.dist-info/METADATA").write_text(METADATA.format("do as you like"))
    with pytest.raises(Stop, match="thing-1.5.dist-info gives its licence as 'do as you like'.*sbom.py"):
        written(stage)


def test_third_party_tells_of_every_library_and_model():
    text = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    for _python, requirement, _digests in wheels.WHEELS.values():
        name, _, version = requirement.partition("==")
        assert any(name in line and f"| {version} |" in line for line in text.splitlines()), requirement
    models = json.loads((ROOT / "engine/estimate/models/models.json").read_text(encoding="utf-8"))
    for name, told in models.items():
        package_name, _, version = told["package"].partition("==")
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}`"))
        assert told["sha256"] in row and told["licence"] in row and version in row and package_name in row.lower()


def test_every_wheel_s_sha256_is_known_for_the_bill():
    for platform in PLATFORMS.values():
        parts = {"any", *(f"cp{version.replace('.', '')}" for version in platform.pythons)}
        assert parts <= set(wheels.digests(platform))


def test_the_licence_is_the_gpl_and_goes_into_the_zip():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in text and "Version 3, 29 June 2007" in text and text.count("\n") > 600
    assert set(package.OUR_TERMS) == {"LICENSE", "THIRD_PARTY.md"}

"""A staged zip -> its bill of materials: CycloneDX 1.6 in JSON, with every package, binary and model that lies in it.

The same stage gives the same bytes: no date, and a serial number made of the content.
"""

import hashlib
import json
import uuid
from email import message_from_string
from pathlib import Path

from .platforms import machine_of
from .telling import Stop

FILE = "sbom.cdx.json"
# What packages write in their METADATA -> the licence's SPDX identifier.
SPDX = {"Apache 2.0": "Apache-2.0", "MIT License": "MIT"}


def write(stage: Path, *, manifest: dict, wheels: dict[str, str]) -> None:
    """Writes FILE into the stage; `wheels`: the sha256 of the wheel that is in each folder of embedded/packages."""
    packages = [
        _package(stage, info, wheels) for info in sorted((stage / "embedded" / "packages").glob("*/*.dist-info"))
    ]
    parts = [*packages, *_models(stage), _pack(stage)]
    ours = {
        "type": "application",
        "bom-ref": manifest["id"],
        "name": manifest["id"],
        "version": manifest["version"],
        "licenses": _licence(manifest["license"][0].removeprefix("SPDX:")),
        "copyright": "; ".join(manifest["copyright"]),
    }
    content = json.dumps([ours, parts]).encode()
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.UUID(bytes=hashlib.sha256(content).digest()[:16], version=4).urn,
        "version": 1,
        "metadata": {"component": ours},
        "components": parts,
        "dependencies": [{"ref": ours["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    (stage / FILE).write_text(json.dumps(bill, indent=1) + "\n")


def _package(stage: Path, info: Path, wheels: dict[str, str]) -> dict:
    """A fetched package by its own METADATA; the binaries of its folder are its parts, those of other makers too."""
    told = message_from_string((info / "METADATA").read_text(encoding="utf-8"))
    name, version, folder = told["Name"], told["Version"], info.parent
    binaries = [file for file in sorted(folder.rglob("*")) if file.is_file() and machine_of(file)]
    return {
        "type": "library",
        "bom-ref": f"{folder.name}/{name}@{version}",
        "name": name,
        "version": version,
        "licenses": _licence(told["License-Expression"] or _identifier(info, told["License"])),
        "purl": f"pkg:pypi/{name}@{version}",
        "externalReferences": [_source(name, version, wheels[folder.name])],
        "evidence": _found_at(stage, folder),
        "components": [_file(stage, file) for file in binaries],
    }


def _models(stage: Path) -> list[dict]:
    """The body models, whose origin models.json gives."""
    folder = stage / "embedded" / "engine" / "estimate" / "models"
    found = []
    for name, told in json.loads((folder / "models.json").read_text(encoding="utf-8")).items():
        package, _, version = told["package"].partition("==")
        file = folder / name
        found.append(
            {
                "type": "machine-learning-model",
                "bom-ref": name,
                "name": name,
                "version": version,
                "publisher": told["authors"],
                "description": f"{told['file']}: {told['changes']}",
                "licenses": _licence(told["licence"]),
                "hashes": _hashes(_sha256(file)),
                "externalReferences": [_source(package, version)],
                "evidence": _found_at(stage, file),
            }
        )
    return found


def _pack(stage: Path) -> dict:
    """Our own weights, file by file."""
    folder = stage / "embedded" / "engine" / "packs" / "compact"
    told = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    return {
        "type": "machine-learning-model",
        "bom-ref": f"pack {told['name']}",
        "name": told["name"],
        "version": _sha256(folder / "pack.json")[:12],
        "licenses": _licence(told["license"]),
        "evidence": _found_at(stage, folder),
        "components": [_file(stage, file) for file in sorted(folder.iterdir()) if file.is_file()],
    }


def _file(stage: Path, file: Path) -> dict:
    place = file.relative_to(stage).as_posix()
    return {
        "type": "file",
        "bom-ref": place,
        "name": file.name,
        "hashes": _hashes(_sha256(file)),
        "evidence": _found_at(stage, file),
    }


def _found_at(stage: Path, place: Path) -> dict:
    return {"occurrences": [{"location": place.relative_to(stage).as_posix()}]}


def _source(package: str, version: str, sha256: str | None = None) -> dict:
    hashes = {"hashes": _hashes(sha256)} if sha256 else {}
    return {"type": "distribution", "url": f"https://pypi.org/project/{package}/{version}/", **hashes}


def _identifier(info: Path, text: str | None) -> str:
    if text not in SPDX:
        raise Stop(
            f"{info.name} gives its licence as {text!r}; write its SPDX identifier into {Path(__file__).name} and "
            "start again."
        )
    return SPDX[text]


def _licence(identifier: str) -> list[dict]:
    return [{"license": {"id": identifier}}]


def _hashes(sha256: str) -> list[dict]:
    return [{"alg": "SHA-256", "content": sha256}]


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

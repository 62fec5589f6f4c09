"""A new setting needs only a line in the table of settings and a field in the contract. Two made-up settings are
written into a copy of the zip; they must appear in the properties, the command's options, the request and the job."""
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import conftest
import pytest

HERE = Path(__file__).parent
ADDED = {
    "settings/table.py": [
        ('SETTINGS = (*_SHOT', '''MADE_UP = (
    Setting("wind", Kind.WHOLE, "Wind", "How hard it blows", 0, 0, 12, option="wind",
            field="settings.wind", zero_is=ZeroIs.NONE),
    Setting("haste", Kind.NUMBER, "Haste", "How fast", 0.25, 0, 1, option="haste", field="haste"))
SETTINGS = (*MADE_UP, *_SHOT''')],
    "embedded/engine/contract/jobs.py": [
        ("    steps: int | None = checked(",
         "    wind: int | None = checked(or_none(whole(1, 12)), default=None)\n    steps: int | None = checked("),
        ("    clothing: float = checked(",
         "    haste: float = checked(number(0, 1), default=0.25)\n    clothing: float = checked(")]}


@pytest.fixture
def changed(tmp_path):
    """The zip with the made-up settings."""
    path = tmp_path / "changed.zip"
    with zipfile.ZipFile(conftest._zip()) as built, zipfile.ZipFile(path, "w") as made:
        for one in built.infolist():
            data = built.read(one)
            for before, after in ADDED.get(one.filename, ()):
                assert data.count(before.encode()) == 1, before
                data = data.replace(before.encode(), after.encode())
            made.writestr(one, data)
    return path


def test_a_setting_follows_from_its_line(changed, tmp_path):
    surroundings = {**os.environ, "AA2_ZIP": str(changed), "BLENDER_USER_RESOURCES": str(tmp_path / "resources")}
    done = subprocess.run([sys.executable, HERE / "made_up_settings.py", tmp_path], capture_output=True, text=True,
                          env=surroundings, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["properties"] == [["INT", "Wind", "How hard it blows (0: automatic)", 0, 0, 12],
                                   ["FLOAT", "Haste", "How fast", 0.25, 0, 1]]
    for place in ("options", "chosen", "request", "job"):
        assert found[place] == [3, 0.5], place

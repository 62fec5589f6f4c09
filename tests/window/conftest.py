"""A Debian root with a Blender and the extension, once for all stories of a run."""
import time

import pytest

from tests.window.home import HOME, RELEASE, furnish
from tools import root
from tools.telling import Missing


@pytest.fixture(scope="session")
def installation():
    """(run, seconds): run(words, timeout) runs Blender, or a screen with Blender, with the extension installed, and
    returns its result; how long Blender took to install the zip."""
    try:
        folder = root.ensure(RELEASE)
    except Missing as missing:
        pytest.skip(str(missing))
    furnish(folder / HOME)

    def run(words, timeout=120):
        return root.run(folder, words, timeout=timeout, BLENDER_USER_RESOURCES=f"/{HOME}/resources", AA2_MEASURE="1")
    began = time.monotonic()
    installed = run(["blender", "--command", "extension", "install-file", "-r", "user_default", "-e",
                     f"/{HOME}/aa2.zip"])
    assert installed.returncode == 0 and "Installed \"aa2_blender\"" in installed.stdout, installed.stdout
    return run, time.monotonic() - began


@pytest.fixture(scope="session")
def blender(installation):
    return installation[0]

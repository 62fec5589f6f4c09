"""Footage of every kind, even damaged, becomes frames on an even timeline; cuts and fields are recognised."""

import struct
import tracemalloc

import cv2
import numpy as np
import pytest

from engine.contract.errors import JobError
from engine.estimate import cuts, footage

SIZE = (96, 64)


def picture(number, size=SIZE):
    """A grey picture that encodes its number, with a bright corner at the top left."""
    drawn = np.full((size[1], size[0], 3), 40 + 8 * (number % 24), np.uint8)
    drawn[:16, :16] = (250, 40, 40)
    return drawn


def write_movie(path, count, *, size=SIZE, fps=25.0, code="mp4v", backend=cv2.CAP_FFMPEG):
    writer = cv2.VideoWriter(str(path), backend, cv2.VideoWriter_fourcc(*code), fps, size)
    assert writer.isOpened()
    for number in range(count):
        writer.write(picture(number, size)[..., ::-1])
    writer.release()
    return path


def numbers_shown(frames):
    """The numbers that the pictures encode."""
    return [round((float(frame.picture[40:, 40:].mean()) - 40) / 8) for frame in frames]


def test_a_movie_comes_whole_and_in_order(tmp_path):
    opened = footage.open_footage(write_movie(tmp_path / "bäum.mp4", 12))
    frames = list(opened.read())
    assert (opened.size, opened.fps, opened.frames, opened.still) == (SIZE, 25.0, 12, False)
    assert [frame.number for frame in frames] == list(range(1, 13)) and numbers_shown(frames) == list(range(12))
    assert frames[0].picture[4, 4, 0] > 200 > frames[0].picture[4, 4, 2]  # RGB
    assert not any(frame.repeated for frame in frames)


def test_odd_sizes(tmp_path):
    opened = footage.open_footage(write_movie(tmp_path / "a.avi", 3, size=(97, 65), code="MJPG",
                                              backend=cv2.CAP_OPENCV_MJPEG))
    assert opened.size == (97, 65) and [f.picture.shape for f in opened.read()] == [(65, 97, 3)] * 3


def test_a_movie_is_turned_as_it_says(tmp_path):
    path = write_movie(tmp_path / "a.mp4", 3)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    quarter = (0, 1 << 16, 0, -(1 << 16), 0, 0, 64 << 16, 0, 1 << 30)  # 90 degrees clockwise, as telephones write it
    data[at:at + 36] = struct.pack(">9i", *quarter)
    path.write_bytes(data)
    opened = footage.open_footage(path)
    frames = list(opened.read())
    assert opened.size == (SIZE[1], SIZE[0]) and frames[0].picture.shape == (SIZE[0], SIZE[1], 3)
    assert frames[0].picture[4, -4, 0] > 200 > frames[0].picture[4, 4, 0]  # the corner moved to the right


def test_a_hole_in_the_times_is_held(tmp_path):
    """A corrupt or missing frame does not shift the frames after it: the frame before is shown in its place."""
    path = write_movie(tmp_path / "a.avi", 12, code="MJPG")
    data = bytearray(path.read_bytes())
    chunks, at = [], data.index(b"movi") + 4
    while data[at:at + 4] == b"00dc":
        chunks.append(at)
        at += 8 + struct.unpack("<I", data[at + 4:at + 8])[0] + (struct.unpack("<I", data[at + 4:at + 8])[0] & 1)
    assert len(chunks) == 12
    data[chunks[5] + 8:chunks[6]] = bytes(chunks[6] - chunks[5] - 8)
    path.write_bytes(data)
    frames = list(footage.open_footage(path).read())
    assert numbers_shown(frames) == [0, 1, 2, 3, 4, 4, 6, 7, 8, 9, 10, 11]
    assert [frame.number for frame in frames if frame.repeated] == [6]


def test_a_movie_cut_off_gives_what_there_is(tmp_path):
    path = write_movie(tmp_path / "a.avi", 12, code="MJPG")
    data = path.read_bytes()
    path.write_bytes(data[:data.index(b"movi") + (len(data) - data.index(b"movi")) // 2])
    shown = numbers_shown(footage.open_footage(path).read())
    assert 3 <= len(shown) < 12 and shown == list(range(len(shown)))


class Uneven:
    """A capture with pictures at times of its own, as FFmpeg gives them for a telephone's video."""

    def __init__(self, times):
        self._times, self._at = times, -1

    def read(self):
        self._at += 1
        return self._at < len(self._times), picture(self._at) if self._at < len(self._times) else None

    def get(self, _):
        return self._times[self._at]

    def set(self, *_):
        pass

    def release(self):
        pass


@pytest.mark.parametrize("times, shown", [
    ([0, 41, 79, 120, 160], [0, 1, 2, 3, 4]),          # a clock with jitter
    ([0, 40, 160, 200], [0, 1, 1, 1, 2, 3]),           # a hole
    ([0, 20, 40, 60, 80], [0, 2, 4]),                  # twice as many as needed
    ([1000, 1040, 1080], [0, 1, 2]),                   # does not begin at 0
    ([0, 0, 0, 0], [0, 1, 2, 3]),                      # no times at all
    ([float("nan")] * 3, [0, 1, 2]),
])
def test_uneven_times_become_even(tmp_path, monkeypatch, times, shown):
    path = write_movie(tmp_path / "a.mp4", 2)
    opened = footage.open_footage(path)
    monkeypatch.setattr(footage.cv2, "VideoCapture", lambda _: Uneven(times))
    assert numbers_shown(opened.read()) == shown


def test_pictures_in_the_order_of_their_numbers(tmp_path):
    for number in (2, 10, 1):
        cv2.imwrite(str(tmp_path / f"shot{number}.png"), picture(number)[..., ::-1].astype(np.uint16) * 257)
    (tmp_path / "notes.txt").write_text("not a picture")
    opened = footage.open_footage(tmp_path)
    assert opened.frames == 3 and numbers_shown(opened.read()) == [1, 2, 10]


def test_a_broken_picture_in_the_middle_is_held(tmp_path):
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(number))
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:40])
    frames = list(footage.open_footage(tmp_path).read())
    assert [frame.repeated for frame in frames] == [False, False, True, False]
    assert numbers_shown(frames) == [0, 1, 1, 3]


def test_a_still(tmp_path):
    cv2.imwrite(str(tmp_path / "a.jpg"), picture(3))
    opened = footage.open_footage(tmp_path / "a.jpg")
    assert opened.still and len(list(opened.read())) == 1


@pytest.mark.parametrize("name, data, code, words", [
    ("gone.mp4", None, "footage_missing", "does not exist"), ("a.mp4", b"", "footage_unreadable", "is empty"),
    ("a.mp4", b"no movie at all" * 50, "footage_unreadable", "none of its pictures can be read"),
    ("a.png", b"\x89PNG\r\n\x1a\n", "footage_unreadable", "no whole picture")])
def test_what_cannot_be_read_is_named(tmp_path, name, data, code, words):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(JobError, match=words) as failure:
        footage.open_footage(tmp_path / name)
    assert failure.value.code == code and name in failure.value.message


def test_an_empty_folder_and_a_tiny_picture(tmp_path):
    with pytest.raises(JobError, match="contains no pictures"):
        footage.open_footage(tmp_path)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((5, 100, 3), np.uint8))
    with pytest.raises(JobError, match="at least 16 pixels"):
        footage.open_footage(tmp_path)


def test_pictures_of_another_size_are_refused_by_name(tmp_path):
    cv2.imwrite(str(tmp_path / "1.png"), picture(1))
    cv2.imwrite(str(tmp_path / "2.png"), picture(2, (80, 64)))
    with pytest.raises(JobError, match="2.png: expected 96x64"):
        list(footage.open_footage(tmp_path).read())


def test_memory_stays_flat(tmp_path):
    """A slow reader makes the decoder wait."""
    opened = footage.open_footage(write_movie(tmp_path / "a.mp4", 200, size=(320, 240)))
    tracemalloc.start()
    for frame in opened.read():
        last = frame.number
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert last == 200 and peak < 15 * 320 * 240 * 3


def test_reading_may_be_left_off(tmp_path):
    frames = footage.open_footage(write_movie(tmp_path / "a.mp4", 50)).read()
    next(frames)
    frames.close()  # hangs if the thread does not end


def rooms(count=2):
    rng = np.random.default_rng(2)
    return [cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (160, 120), interpolation=cv2.INTER_CUBIC)
            for _ in range(count)]


def test_a_cut_is_found_and_nothing_else():
    first, second = rooms()
    shots = [np.roll(first, 3 * k, axis=1) for k in range(15)] + [np.roll(second, -3 * k, axis=1) for k in range(15)]
    finder = cuts.CutFinder()
    assert [k for k, shot in enumerate(shots) if finder.is_cut(shot)] == [15]


def test_fast_motion_and_light_are_no_cuts():
    room, finder = rooms()[0], cuts.CutFinder()
    for k in range(12):
        shot = np.clip(room * (1.0 - 0.03 * k), 0, 255).astype(np.uint8)
        cv2.circle(shot, (20 + 12 * k, 60), 30, (200, 30, 30), -1)
        assert not finder.is_cut(shot)


def test_fields_are_seen():
    room = cv2.GaussianBlur(rooms()[0], (0, 0), 1)
    moved = np.roll(room, 6, axis=1)
    combed = moved.copy()
    combed[1::2] = np.roll(room, 10, axis=1)[1::2]
    assert cuts.is_combed(room, combed) and not cuts.is_combed(room, moved) and not cuts.is_combed(room, room)

"""Who in a picture is a person, who of several is meant, and who is offered."""

import io
from pathlib import Path

import cv2
import numpy as np
import performer_shot as shots
import pytest

from engine.conditions.poses import read_poses
from engine.contract import messages, telling
from engine.contract.skeleton import BODY_INDEX
from engine.door import answer as door
from engine.estimate import detector, everybody, people, performer, personhood
from engine.estimate.follow import Choice, Follower
from tests.unit.test_estimate import looked_at, opened

SITUATIONS = Path(__file__).parents[1] / "situations"
BEHIND, SITTING = "from_behind_511.png", "sitting_renoir.jpg"


def pasted(canvas, *pieces):
    """(h, w, 3) uint8 grey with (picture, (x, y), scale) laid into it, whole."""
    result = np.full((*canvas, 3), 150, np.uint8)
    for picture, (x, y), scale in pieces:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        result[y:y + small.shape[0], x:x + small.shape[1]] = small
    return result


def large_behind_small_front():
    """A woman of 330 pixels, seen from behind, at x = 250, and a bystander 90 pixels wide who faces the camera."""
    return pasted((520, 800), (opened(SITUATIONS / BEHIND), (0, 0), 2.0), (shots.read("front"), (560, 200), 0.4))


def behind_a_sign():
    """26 pictures: a man goes to the right, behind a sign of 150 pixels. From the ninth on, another man goes to the
    left, in front of it."""
    his, others = (shots.figure(scale=0.55, tint=tint) for tint in ((1, 0.6, 0.6), (0.7, 0.7, 1)))
    pictures = []
    for k in range(26):
        picture = shots.laid(shots.room((560, 260)), (10 + 16 * k, 20), his)[0]
        picture[:, 230:380] = (120, 130, 125)
        pictures.append(picture if k < 8 else shots.laid(picture, (306 - 12 * k, 26), others)[0])
    return pictures


def neck(person):
    return person.body[BODY_INDEX["neck"], :2]


def test_a_shoe_is_nobody():
    """The landmarks are sure of a solid body in it; in the mirror, it is another one."""
    picture = opened(shots.FIGURES / "tennis_shoe.png")
    found = looked_at(picture)
    assert personhood.is_body(found, picture) and not personhood.is_same_mirrored(found, picture, threads=1)
    assert people.find_joints(picture, threads=1) is None and people.find_boxes(picture, threads=1) == []


def test_a_shoe_in_footage_is_nobody(tmp_path):
    picture = opened(shots.FIGURES / "tennis_shoe.png")
    told = []
    done = performer.estimate(messages.Estimate(str(tmp_path / "job"), shots.as_folder(tmp_path / "in", [picture])),
                              emit=told.append, threads=1)
    assert done.passed == 1 and "nobody_found" in [event.code for event in told if isinstance(event, messages.Warned)]


@pytest.mark.parametrize("name", [BEHIND, SITTING, "robe_jerusalem.jpg", "head_and_shoulders_hopper.jpg",
                                  "drawing_police_woman.png"])
def test_who_is_hard_to_see_is_a_person(name):
    picture = opened(SITUATIONS / name)
    person = people.find_joints(picture, threads=1)
    assert person is not None and person.others == 0 and len(people.find_boxes(picture, threads=1)) == 1


def test_the_nearest_is_meant_and_everybody_offered():
    picture = large_behind_small_front()
    boxes, person = people.find_boxes(picture, threads=1), people.find_joints(picture, threads=1)
    assert [round(box[0], -1) for box in boxes] == [190, 570], "a woman from behind is offered, and comes first"
    assert abs(neck(person)[0] - 252) < 10 and person.height_px > 300 and person.others == 1


def test_who_sits_counts_by_the_height_he_has_standing():
    sitting, standing = opened(SITUATIONS / SITTING), shots.read("back")
    picture = pasted((420, 760), (sitting, (300, 10), 0.5), (standing, (20, 20), 0.4))
    person = people.find_joints(picture, threads=1)
    assert np.hypot(*(neck(person) - (548, 106))) < 15 and person.others == 1, "he sits in front"
    picture = pasted((700, 900), (sitting, (600, 10), 0.3), (standing, (20, 20), 1.7))
    assert neck(people.find_joints(picture, threads=1))[0] < 400, "he sits behind"


def test_in_footage_the_nearest_is_followed(tmp_path):
    folder = shots.as_folder(tmp_path / "film", [large_behind_small_front()] * 2)
    performer.estimate(messages.Estimate(str(tmp_path / "job"), folder, hands=False), emit=lambda event: None,
                       threads=1)
    mask = shots.picture_of(tmp_path / "job", "mask", 1) > 127
    assert mask[:, 180:330].sum() > 10_000 and not mask[:, 550:].any()


def test_who_comes_from_behind_a_sign_is_not_followed(tmp_path):
    told = []
    film = shots.as_movie(tmp_path / "film.avi", behind_a_sign(), fps=12.0)
    performer.estimate(messages.Estimate(str(tmp_path / "job"), film, hands=False, box=(10, 20, 150, 230)),
                       emit=told.append, threads=1)
    found = [figures[0].body[BODY_INDEX["neck"], 0] - 70 if figures else None
             for figures in read_poses(tmp_path / "job", 26)]
    assert not any(found[11:18]), "another man is seen, and he is hidden"
    assert all(abs(x - (10 + 16 * k)) < 15 for k, x in list(enumerate(found))[20:]), "he is found again by his clothes"
    doubtful = next(event.frames for event in told if getattr(event, "code", "") == "performer_doubtful")
    assert set(doubtful) & set(range(12, 20)), doubtful


def test_a_portrait_has_no_legs():
    answer = door._joints(str(SITUATIONS / "head_and_shoulders_hopper.jpg"), people.find_joints)
    assert answer.missing == ("hips", "legs") and answer.others == 0


def test_the_search_is_bounded_where_nobody_is(monkeypatch):
    """A minute of an empty room, then somebody comes in. All windows in each frame that is tried were 4375; and who
    comes in is found."""
    room, searched, seen = shots.room((640, 360)), [], []
    come = shots.laid(room, (200, 60), shots.figure(scale=0.6))[0]
    look = everybody.people_at

    def people_at(picture, windows, *rest, **known):
        searched.append(len(windows))
        return [] if picture is room else look(picture, windows, *rest, **known)
    monkeypatch.setattr(everybody, "people_at", people_at)
    Follower(read=lambda number: come if number > 1488 else room, keep=lambda number, *rest: seen.append(number),
             choice=Choice(), fps=25.0, threads=1).follow(range(1, 1501))
    assert sorted(seen) == list(range(1489, 1501)) and 500 < sum(searched) < 1300
    assert 125 * sum(map(len, detector.levels(room))) == 4375


def test_a_cut_out_is_looked_at_on_several_backdrops():
    """On grey alone, one of the joints that are seen in the whole picture is not seen in the cut-out."""
    picture = opened(SITUATIONS / "dress_1663.png")
    whole = people.find_joints(picture, threads=1)
    person = people.find_joints(np.dstack([picture, np.where(whole.mask > 0.5, 255, 0).astype(np.uint8)]), threads=1)
    assert (person.body[whole.body[:, 3] > 0, 3] > 0).all()
    assert np.median(np.hypot(*(person.body[:, :2] - whole.body[:, :2]).T)) < 0.0057 * whole.height_px


def test_the_command_line_names_the_frames_without_the_performer():
    stream = io.StringIO()
    telling.Teller(stream).tell(messages.Warned("job", "performer_lost", "The performer is not found.", (3, 4, 5, 9)))
    assert stream.getvalue() == "Warning: The performer is not found. Frames 3-5, 9.\n"

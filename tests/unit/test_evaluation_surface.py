"""Rows with the body surface: what they are given, which alpha is measured, and the rows that need no network."""
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from fake_runtime import fake_engine

from engine.conditions.frames import read_picture, write_picture
from engine.contract import files, jobs
from engine.door.answer import Host
from engine.estimate.people import Person
from lab.evaluation.bare import bare, laid_frames, relit
from lab.evaluation.clips import read_clip
from lab.evaluation.generate import generate
from lab.evaluation.measure import measure, read_truth
from lab.evaluation.rows import FULL, Row, beside, estimated, made_by
from lab.training.clip_folder import write_clip

FRAMES, SIZE = 3, (128, 128)
SEED = 63 + 64 * 5


def finder(folder):
    """A function that finds the right person in the clip's reference, with the true joints, depths and matte, like a
    perfect pose model."""
    person = json.loads((folder / "reference_pose.json").read_text())["frames"][0]["people"][0]
    matte = read_picture(folder / "reference_matte.png").astype(np.float32) / 255
    found = Person(np.array(person["body"], np.float32), person["height_px"], matte)
    return lambda picture: found


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    base = tmp_path_factory.mktemp("clips")
    for k, variant in enumerate(("insertion", "replacement")):
        write_clip(base / variant, SEED, frames=FRAMES, variant=variant, masked=k == 1, shape=SIZE)
    return base


@pytest.fixture(params=("insertion", "replacement"))
def clip(request, folders):
    return read_clip(folders / request.param)


def engine_for(clip):
    return Host(fake_engine(), finder(clip.folder))


def test_the_reference_is_an_opaque_picture_with_joints_in_two_dimensions(clip, tmp_path):
    engine = engine_for(clip)
    known = replace(clip,
                    job=replace(clip.job, reference=replace(clip.job.reference, depths=(2.0,) * 20, height_px=1.0)))
    generate(known, engine, tmp_path)
    reference = jobs.read(tmp_path).reference
    assert reference.joints == clip.job.reference.joints and reference.depths is None
    assert reference.height_px == pytest.approx(engine.find_joints(None).height_px, abs=0.1)
    assert read_picture(tmp_path / reference.file).shape[-1] == 3


def test_what_is_known_of_the_reference_is_never_read(clip, tmp_path):
    """With the truth of another clip, and with none, every row makes the same frames."""
    engine = engine_for(clip)
    spoilt = shutil.copytree(clip.folder, tmp_path / "clip")
    write_picture(files.path(spoilt, "reference_matte.png"), np.zeros(SIZE, np.uint8))
    told = json.loads((spoilt / "reference_pose.json").read_text())
    for joint in told["frames"][0]["people"][0]["body"]:
        joint[2] *= 3
    (spoilt / "reference_pose.json").write_text(json.dumps(told))
    makers = {"full": lambda one, folder: generate(one, engine, folder), "bare": lambda one, folder: bare(one, engine)}
    true = {name: make(clip, tmp_path / "true" / name) for name, make in makers.items()}
    for state in ("spoilt", "gone"):
        if state == "gone":
            (spoilt / "reference_matte.png").unlink()
            (spoilt / "reference_pose.json").unlink()
        for name, make in makers.items():
            other = make(read_clip(spoilt), tmp_path / state / name)
            assert all((a.character == b.character).all() for a, b in zip(true[name], other, strict=True))
            laid_frames.cache_clear()


def test_the_alpha_measured_is_the_one_that_is_laid(clip, tmp_path):
    """In an insertion, it is the layer's own alpha; for a patch, it is the character's alpha as it would be laid on a
    clean plate."""
    made = generate(clip, engine_for(clip), tmp_path)
    surface = bare(clip, engine_for(clip))
    for number, (one, drawn) in enumerate(zip(made, surface, strict=True), 1):
        stored = read_picture(files.picture(tmp_path, files.FRAMES, number)).astype(np.float32) / 255
        assert np.abs(one.character - stored).max() < 1e-6
        if clip.job.clean_plate:
            assert (one.visible == one.character[..., 3]).all()
        else:
            assert (one.character[..., 3] > 0.5).sum() > 1.2 * (one.visible > 0.5).sum()
        both = (one.visible > 0.5) & (drawn.visible > 0.5)
        assert both.sum() > 0.9 * (drawn.visible > 0.5).sum() > 100
        assert (one.unheld[..., 3] >= one.character[..., 3]).all()


def test_the_limb_warp_makes_other_frames_and_only_what_falls_back_is_counted(clip, tmp_path, monkeypatch):
    monkeypatch.setattr("lab.evaluation.measure.found_joints", lambda picture: None)
    engine = engine_for(clip)
    before = generate(clip, engine, tmp_path / "before", surface=False)
    now = generate(clip, engine, tmp_path / "now")
    assert all(one.limb_warp for one in before) and not any(one.limb_warp for one in now)
    assert np.abs(before[0].character - now[0].character).max() > 0.1
    truth = read_truth(clip, engine)
    assert measure(truth, Row(FULL), now)["falls_back"] == 0
    assert measure(truth, Row(FULL), before)["falls_back"] == 1
    assert np.isnan(measure(truth, Row("shipped", surface=False), before)["falls_back"])


def test_what_the_network_painted_itself_is_counted(clip, tmp_path, monkeypatch):
    monkeypatch.setattr("lab.evaluation.measure.found_joints", lambda picture: None)
    engine = engine_for(clip)
    made = generate(clip, engine, tmp_path / "now")
    assert all(0 <= own <= every and every > 100 for own, every in (one.painted for one in made))
    assert generate(clip, engine, tmp_path / "now")[0].painted == made[0].painted, "kept with the frames"
    assert generate(clip, engine, tmp_path / "before", surface=False)[0].painted is None
    halves = [replace(one, painted=(one.painted[1] / 2, one.painted[1])) for one in made]
    assert measure(read_truth(clip, engine), Row(FULL), halves)["parts"]["painted %"] == pytest.approx(50)


def test_what_the_reference_does_not_show_is_measured_by_itself(clip, tmp_path, monkeypatch):
    monkeypatch.setattr("lab.evaluation.measure.found_joints", lambda picture: None)
    engine = engine_for(clip)
    truth, made = read_truth(clip, engine), generate(clip, engine, tmp_path)
    whole = np.stack([one.character for one in truth.regions])
    assert truth.unsure.any() and whole[truth.unsure].all() and (whole & ~truth.unsure).any()

    def spoilt(where):
        found = measure(truth, Row(FULL), [replace(one, character=np.where(w[..., None], 0, one.character))
                                           for one, w in zip(made, where, strict=True)])
        return found["character_psnr"], found["unsure_psnr"]
    as_made, sure, unsure = (spoilt(where) for where in (truth.unsure & False, whole & ~truth.unsure, truth.unsure))
    assert sure[1] == as_made[1] != unsure[1] and sure[0] != as_made[0] != unsure[0]


def test_a_reference_without_joints_falls_back(clip, tmp_path):
    nobody = Host(fake_engine(), lambda picture: None)
    unknown = replace(clip, job=replace(clip.job, reference=jobs.Reference(clip.job.reference.file)))
    assert all(one.limb_warp for one in generate(unknown, nobody, tmp_path))


def test_the_bare_surface_has_no_shadow_and_nothing_beside_it(clip):
    for one, laid in zip(bare(clip, engine_for(clip)), laid_frames(clip.folder, clip.references, engine_for(clip)),
                         strict=True):
        assert (one.shadow == 1).all() and not one.limb_warp
        assert (one.visible == one.character[..., 3]).all() and (one.visible <= 1 - laid.holdout + 1 / 255).all()
        assert np.abs(one.unheld[..., 3] - laid.alpha).max() < 1 / 255
        length = np.linalg.norm(laid.normal, axis=-1)
        assert np.abs(length[laid.alpha == 1] - 1).max() < 0.02 and not length[laid.alpha == 0].any()


@pytest.mark.parametrize("light", ["gain", "light"])
def test_a_fitted_light_is_found_again(clip, light):
    """If the truth is the surface under a light of the fitted kind, the fit has no error."""
    laid = laid_frames(clip.folder, clip.references, engine_for(clip))
    factors = np.array([0.9, 0.7, 0.5], np.float32)
    slopes = np.float32(0.1 if light == "light" else 0) * np.arange(9, dtype=np.float32).reshape(3, 3) / 9

    class Lit:
        colour = staticmethod(lambda kind, k: laid[k - 1].colour * (factors + laid[k - 1].normal @ slopes.T))
        grey = staticmethod(lambda kind, k: np.ones(SIZE, np.float32))
    for number, (one, was) in enumerate(zip(relit(laid, Lit, light), laid, strict=True), 1):
        there = was.alpha > 0.5
        assert np.abs(one.colour
                      - Lit.colour("", number))[there].max() < 1e-3 < np.abs(was.colour - one.colour)[there].max()
        assert (one.alpha == was.alpha).all()


def test_each_ceiling_is_nearer_to_the_truth(clip, monkeypatch, tmp_path):
    monkeypatch.setattr("lab.evaluation.measure.found_joints", lambda picture: None)
    engine = engine_for(clip)
    truth = read_truth(clip, engine)
    monkeypatch.setattr("lab.evaluation.rows.engine_of", lambda weights: engine)
    found = {row.name: measure(truth, row, made_by(row, None, clip, tmp_path)) for row in beside((None,))}
    plain, gain, lit = (found[name]["character_psnr"] for name in ("surface_only", "oracle_gain", "oracle_light"))
    assert plain < gain + 0.02 and gain < lit + 0.02 and plain < lit
    assert found["oracle_light"]["matte_iou"] == found["surface_only"]["matte_iou"] > 0.6


def test_what_is_to_be_found_is_not_given(clip, tmp_path, monkeypatch):
    """With "reference", the joints of the reference are not given. With "performer", the frames' joints and masks are
    not given either: `estimate` finds them, and the objects' depths follow the person whom it found."""
    asked = []
    engine = engine_for(clip)
    found = generate(clip, engine, tmp_path / "reference", found="reference")
    assert jobs.read(tmp_path / "reference").reference == jobs.Reference(clip.job.reference.file) \
        and not found[0].limb_warp

    def stand_in(request, *, emit, threads):
        """Finds the truth, but twice as far away."""
        folder = tmp_path / "performer"
        asked.append(sorted(path.name for path in folder.iterdir()))
        told = json.loads((clip.folder / files.POSE).read_text())
        for frame in told["frames"]:
            for joint in frame["people"][0]["body"]:
                joint[2] *= 2
        (folder / files.POSE).write_text(json.dumps(told))
    monkeypatch.setattr("lab.evaluation.generate.estimate", stand_in)
    assert not generate(clip, engine, tmp_path / "performer", found="performer")[0].limb_warp
    job = jobs.read(tmp_path / "performer")
    assert asked == [["job.json", "objects", clip.job.reference.file, "source"]] and job.reference.joints is None
    assert job.objects.near == pytest.approx(2 * clip.job.objects.near) \
        and job.objects.far == pytest.approx(2 * clip.job.objects.far)


def test_only_clips_with_a_performer_are_asked_for_one(clip):
    *others, last = [*beside((None,)), *estimated((None,))]
    assert last.measures(clip) == (clip.variant == "replacement") and all(row.measures(clip) for row in others)


def test_nothing_may_change_outside_of_the_rows_own_region(clip, tmp_path, monkeypatch):
    """A frame says where it was made. A layer beyond that region counts as an error, whatever the truth's region is."""
    monkeypatch.setattr("lab.evaluation.measure.found_joints", lambda picture: None)
    engine = engine_for(clip)
    truth, made = read_truth(clip, engine), generate(clip, engine, tmp_path)
    assert all(one.region.any() and not one.region.all() for one in made)
    everywhere = [replace(one, character=np.dstack([one.character[..., :3], np.ones(SIZE, np.float32)]))
                  for one in made]
    assert measure(truth, Row(FULL), everywhere)["outside_max_diff"] > 20
    asked = [replace(one, region=np.ones(SIZE, bool)) for one in everywhere]
    assert measure(truth, Row(FULL), asked)["outside_max_diff"] == 0

"""What follows from the chosen engine's weights: the guidance, the size of the crop, and what only that engine knows.
The weights are a manifest alone, which is all that panels and requests read."""
import json

import pytest
from drawn import drawn

WAN = {"format": 3, "engine": "wan-vace", "default_steps": 50, "window": 81, "overlap": 5, "guidance": 5.0,
       "shapes": ["480x832", "832x480", "640x640"],
       "variants": {"bf16": {"files": [], "needs": {"device_base_mb": 8000.0}},
                    "fp8": {"files": [], "needs": {"device_base_mb": 5000.0}}}}
OWN = ["prompt", "negative_prompt", "variant", "shows_surface"]


@pytest.fixture
def weights(part, tmp_path):
    """Names a folder with this manifest in the preferences."""
    preferences = part("settings.preferences").of_this_machine()

    def name(engine, manifest):
        (tmp_path / engine).mkdir()
        (tmp_path / engine / "pack.json").write_text(json.dumps(manifest))
        setattr(preferences, part("settings.preferences").weights_setting(engine), str(tmp_path / engine))
        return tmp_path / engine
    yield name
    for engine in ("wan-vace", "wan-animate", "sd15-aa2"):
        setattr(preferences, part("settings.preferences").weights_setting(engine), "")


def test_the_embedded_engine_gets_what_it_got_before(shot, part, asked):
    """The job's settings are the contract's defaults, so its keys stay."""
    jobs = part("embedded.engine.contract.jobs")
    assert asked(shot).request.settings == jobs.Settings()
    for form, size in (("standing", "192x352"), ("square", "256x256"), ("lying", "352x192")):
        shot.aa2.shape = form
        assert asked(shot).request.settings == jobs.Settings(shape=size)
    shot.aa2.prompt = "A dancer."       # stays from another engine
    assert asked(shot).request.settings.engines is None


def test_guidance_and_crop_follow_the_weights(shot, weights, part, asked):
    weights("wan-vace", WAN)
    shot.aa2.engine = "wan-vace"
    settings = asked(shot).request.settings
    assert (settings.guidance, settings.shape, settings.engines) == (5.0, "auto", None)
    for form, size in (("standing", "480x832"), ("square", "640x640"), ("lying", "832x480")):
        shot.aa2.shape = form
        assert asked(shot).request.settings.shape == size
        assert f"{size} pixels" in drawn(part("panels.look").Look, shot).all_of("label")
    shot.aa2.guidance = 1.0
    assert asked(shot).request.settings.guidance == 1.0


def test_weights_that_a_command_names_count(shot, weights, part):
    """`--pack` replaces the preferences', also for what automatic means."""
    weights("wan-vace", WAN)
    other = weights("other", {**WAN, "guidance": 3.0, "shapes": ["96x176"]})
    shot.aa2.engine, shot.aa2.shape = "wan-vace", "standing"
    settings = part("settings.request_of").request_of(shot, str(other)).settings
    assert (settings.guidance, settings.shape) == (3.0, "96x176")
    _scene, request = part("cli.asking").asked(scene=shot.name, pack=str(other))
    assert request.settings == settings


def test_what_only_an_engine_knows_is_shown_and_asked_for_it_only(shot, weights, part, asked):
    weights("wan-vace", WAN)
    weights("wan-animate", {**WAN, "engine": "wan-animate"})
    look = part("panels.look").Look
    shown = {}
    for engine in ("compact", "sd15-aa2", "wan-vace", "wan-animate"):
        shot.aa2.engine = engine
        layout = drawn(look, shot)
        shown[engine] = [name for name in layout.all_of("prop") if name in OWN]
        assert ("Forms in the folder: bf16, fp8" in layout.all_of("label")) == engine.startswith("wan")
    assert shown == {"compact": [], "sd15-aa2": [], "wan-vace": OWN, "wan-animate": OWN[:3]}
    shot.aa2.prompt, shot.aa2.variant, shot.aa2.shows_surface = "A dancer.", "fp8", False
    shot.aa2.engine = "wan-vace"
    assert asked(shot).request.settings.engines == {
        "wan-vace": {"prompt": "A dancer.", "variant": "fp8", "surface": False}}
    shot.aa2.engine = "wan-animate"
    assert asked(shot).request.settings.engines == {"wan-animate": {"prompt": "A dancer.", "variant": "fp8"}}


def test_a_prompt_and_a_form_are_in_the_job_and_its_key(shot, weights, part, asked, tmp_path):
    jobs = part("embedded.engine.contract.jobs")
    weights("wan-vace", WAN)
    shot.aa2.engine = "wan-vace"
    keys = set()
    for number, (prompt, variant) in enumerate((("", ""), ("A dancer.", ""), ("A dancer.", "fp8"))):
        shot.aa2.prompt, shot.aa2.variant = prompt, variant
        folder = tmp_path / str(number)
        for _slice in part("gather.job").gather(asked(shot).request, folder):
            pass
        job = jobs.read(folder)
        assert job.settings == asked(shot).request.settings
        keys.add(jobs.key(job, [], "0"))
    assert len(keys) == 3


def test_a_form_counts_in_the_memory_that_the_panel_shows(shot, weights, part, asked):
    folder = weights("wan-vace", WAN)
    cost, shot.aa2.engine = part("cost"), "wan-vace"
    found = []
    for variant in ("", "bf16", "fp8"):
        shot.aa2.variant = variant
        work = cost.work(5, (320, 240), asked(shot).request.settings, folder)
        found.append(work.reckoning.device(5))
    assert found == [0.0, 8000.0, 5000.0], "without a name, that of the manifest"

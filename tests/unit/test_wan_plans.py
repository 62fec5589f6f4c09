"""What the Wan engines know before a weight is opened: their facts, their settings, and how the weights may lie in
memory."""
import dataclasses

import pytest

from engine.conditions.styles import STYLES
from engine.contract.errors import JobError
from engine.contract.jobs import Settings
from engine.engines.base import Gives, Want
from engine.engines.choose import kind_of
from engine.engines.wan.memory import Lying, Parts, chosen, plans, smaller
from engine.engines.wan.own_settings import PROMPT, read_own
from engine.packs.engine_manifest import EngineManifest, Variant
from engine.packs.pack_file import File

NAMES = ("wan-vace", "wan-animate")
# A 14 B transformer of 16 bits in 40 blocks.
LARGE = Parts(28_000.0, {"vae": 500.0, "image_encoder": 1200.0}, 40, 5120, 96)
FORMAT = ((480, 832), 81)


def manifest(name, **changed):
    file = File("0" * 64, 10)
    fields = {"format": 3, "engine": name, "name": "x", "license": "none", "window": 81, "overlap": 5,
              "default_steps": 30, "guidance": 5.0, "shapes": ((480, 832), (832, 480)),
              "files": {"transformer/w.safetensors": file, "q8.gguf": file},
              "variants": {"bf16": _variant("transformer/w.safetensors"), "fp8": _variant("transformer/w.safetensors"),
                           "q8": _variant("q8.gguf")}}
    return EngineManifest(**{**fields, **changed})


def _variant(*files):
    return Variant(files)


def settings(name, own=None, **fields):
    return Settings(engine=name, engines={name: own or {}}, **fields)


@pytest.mark.parametrize("name", NAMES)
def test_facts(name):
    facts = kind_of(name).facts(manifest(name), settings(name))
    assert (facts.name, facts.window, facts.overlap, facts.frame_step, facts.size_step) == (name, 81, 5, 4, 16)
    assert facts.gives is Gives.PATCH and facts.holds_after and facts.region.block == 16
    assert facts.shapes == ((480, 832), (832, 480)) and facts.guidance == 5.0
    assert facts.pose_style in STYLES and facts.region.fade == 12.5, "the same share of the crop as in the embedded one"
    assert (Want.FACE in facts.wants) == (name == "wan-animate") and (Want.WARP in facts.wants) == (name == "wan-vace")
    short = kind_of(name).facts(manifest(name), settings(name, window=1))
    assert (short.window, short.overlap) == (1, 0)


@pytest.mark.parametrize("own, said", [({"prompt": 3}, "prompt"), ({"steps": 3}, "steps: unknown field"),
                                       ({"variant": "q2"}, "expected one of bf16, fp8, q8"),
                                       ({"surface": 1}, "surface")])
def test_wrong_settings_are_named(own, said):
    with pytest.raises(JobError, match=said) as failure:
        kind_of("wan-vace").facts(manifest("wan-vace"), settings("wan-vace", own))
    assert failure.value.code == "settings_invalid"


@pytest.mark.parametrize("changed", [{"shapes": ((480, 830),)},
                                     {"variants": {"huge": _variant("transformer/w.safetensors")}}])
def test_a_pack_that_says_too_little_is_refused(changed):
    with pytest.raises(JobError) as failure:
        kind_of("wan-vace").facts(manifest("wan-vace", **changed), settings("wan-vace"))
    assert failure.value.code == "pack_invalid"


def test_settings_without_anything_are_the_usual_ones():
    own = read_own({})
    assert (own.prompt, own.negative, own.variant, own.surface) == (PROMPT, "", None, True)


@pytest.mark.parametrize("form", ["float32", "bf16", "fp8", "gguf"])
def test_plans_go_from_fast_to_small(form):
    found = plans(LARGE, form, *FORMAT)
    assert [plan.lying for plan in found] == list(Lying)
    needs = [plan.device_mb for plan in found]
    assert needs == sorted(needs, reverse=True) and needs[-1] < needs[0] / 3
    weights = LARGE.transformer_mb * (2 if form == "float32" else 1)
    assert all(plan.host_mb > weights for plan in found), "the process reads them before they lie on the device"


def test_a_smaller_form_needs_less():
    needs = [plans(LARGE, form, *FORMAT)[0].device_mb for form in ("float32", "bf16", "fp8")]
    assert needs[0] > 1.8 * needs[1] and needs[1] > 1.5 * needs[2]


def test_a_longer_window_and_a_larger_crop_need_more():
    short, long = (plans(LARGE, "bf16", (480, 832), frames)[2].device_mb for frames in (81, 161))
    large = plans(LARGE, "bf16", (720, 1280), 161)[2].device_mb
    assert short < long < large


def test_the_fastest_plan_that_fits_is_chosen():
    found = plans(LARGE, "bf16", *FORMAT)
    for plan in found:
        assert chosen(found, plan.device_mb) is plan
    assert chosen(found, None) is found[0], "on a processor, all lies in one place"


def test_what_fits_nowhere_names_the_next_smaller_form():
    found = plans(LARGE, "bf16", *FORMAT)
    with pytest.raises(JobError, match="MB are free") as failure:
        chosen(found, found[-1].device_mb - 1)
    assert failure.value.code == "out_of_memory" and "fp8" in failure.value.remedy


def test_running_out_names_the_next_smaller_plan():
    whole, parts, blocks = plans(LARGE, "fp8", *FORMAT)
    assert Lying.PARTS.value in smaller(whole) and Lying.BLOCKS.value in smaller(parts) and "gguf" in smaller(blocks)
    last = dataclasses.replace(blocks, form="gguf")
    assert "shorter window" in smaller(last) and "as gguf" not in smaller(last)

"""The table of settings agrees with the contract about the same fields: ranges, defaults, choices."""

import dataclasses

import pytest

from engine.engines.choose import ENGINES
from engine.engines.wan.own_settings import OwnSettings
from tests.unit.add_on import part

table, jobs = part("settings.table"), part("embedded.engine.contract.jobs")
NONE = table.ZeroIs.NONE
OWN = {one.name: one for one in dataclasses.fields(jobs.Job)}
GENERATION = {one.name: one for one in dataclasses.fields(jobs.Settings)}
LARGEST = 2**31 - 1  # the largest whole number in Blender


def field_of(one):
    name = one.field.removeprefix("settings.")
    return (GENERATION if name != one.field else OWN)[name]


def of_job():
    """Settings that the contract checks."""
    return [one for one in table.SETTINGS if one.field and not one.engines]


def takes(one, value) -> bool:
    """Whether the contract accepts a setting's value."""
    value = None if one.zero_is is NONE and value == 0 else (value,) if one.is_keyed else value
    try:
        field_of(one).metadata["check"](value)
    except ValueError:
        return False
    return True


def test_every_generation_setting_of_the_contract_is_in_the_table():
    """All but what only one engine knows: such settings come with their engine."""
    assert table.GENERATION.keys() == GENERATION.keys() - {"engines"}


def test_names_and_options_are_told_once():
    names = [one.name for one in table.SETTINGS]
    options = [one.option for one in table.SETTINGS if one.option]
    assert len(set(names)) == len(names) and len(set(options)) == len(options) == len(table.OPTIONS)


@pytest.mark.parametrize("one", of_job(), ids=lambda one: one.name)
def test_the_contract_takes_the_whole_range_and_no_more(one):
    """A mask may grow further in a job than in the panel, because nobody needs that much there; the same goes for the
    seed."""
    wider = {"mask_grow": (-10000, 10000), "mask_feather": (0, 10000), "seed": (0, 2**63 - 1)}
    if one.name == "shape":     # the panel says which form, and the weights which size
        assert takes(one, "auto") and takes(one, "480x832") and not takes(one, "standing")
    elif one.choices:
        assert all(takes(one, choice) for choice, _label, _tooltip in one.choices) and not takes(one, "An other")
    elif one.kind in (table.Kind.WHOLE, table.Kind.NUMBER):
        high = LARGEST if one.high is None else one.high
        assert takes(one, one.low) and takes(one, high)
        low, high = wider.get(one.name, (one.low, high))
        assert not takes(one, low - 1) and not takes(one, high + 1)
    else:
        assert one.kind is table.Kind.FLAG and takes(one, True) and takes(one, False)


@pytest.mark.parametrize("one", of_job(), ids=lambda one: one.name)
def test_the_default_is_the_contracts(one):
    chosen = one.choices[0][0] if one.choices and one.default is None else one.default
    has_none = one.zero_is is not table.ZeroIs.ZERO or one.is_keyed
    assert chosen == (0 if has_none else field_of(one).default)


def test_every_engine_is_offered():
    """The contract takes any name; which engines there are, the engine's code says."""
    assert [choice for choice, _label, _tooltip in table.GENERATION["engine"].choices] == list(ENGINES)


def test_what_only_some_engines_know_is_what_they_read():
    """The default is not written, so it has to be the engine's own; an empty text is none."""
    own = {one.name: one for one in dataclasses.fields(OwnSettings)}
    assert table.OF_ENGINES.keys() == own.keys()
    for field, one in table.OF_ENGINES.items():
        assert set(one.engines) <= {"wan-vace", "wan-animate"} and one.field == f"own.{field}"
        assert one.kind is table.Kind.TEXT if one.default is None else one.default == own[field].default
        own[field].metadata["check"]("some" if one.default is None else not one.default)
    assert own["prompt"].default in table.OF_ENGINES["prompt"].tooltip and not own["negative"].default
    assert own["variant"].default is None


def test_what_was_not_tried_is_said_where_it_is_chosen():
    """Nobody here had real weights of these engines, or a graphics card."""
    for name, _label, tooltip in table.ENGINES[1:]:
        assert "not with real ones, and not on a graphics card" in tooltip, name
    for field in ("prompt", "surface"):
        assert "not tried with real weights" in table.OF_ENGINES[field].tooltip
    assert "No form was tried on a graphics card" in table.OF_ENGINES["variant"].tooltip


def test_every_mask_use_of_the_contract_is_offered():
    offered = table.OPTIONS["mask_use"].choices
    assert [choice for choice, _label, _tooltip in offered] == [use.name for use in table.MaskUse]
    assert sorted(use.value for use in table.MaskUse) == sorted(jobs.MASK_USES)


def test_the_request_has_the_jobs_fields():
    """It also has the job's checks: both refuse the same values."""
    fields = {one.name: one for one in dataclasses.fields(part("gather.request").Request)}
    assert set(table.PASSED) == {"clothing", "retarget"}
    for name in table.PASSED:
        assert (fields[name].default, fields[name].metadata["check"]) == (OWN[name].default,
                                                                          OWN[name].metadata["check"])

"""Labels and tooltips of all operators and settings, by Blender's guidelines for interfaces."""
import re
from pathlib import Path

import bpy
import pytest

SMALL = {"a", "an", "and", "as", "for", "from", "in", "of", "or", "the", "to", "with", "bit"}      # "PNG 8 bit"
# Labels that several settings have, because they mean the same of different things.
SHARED = {"First", "Last", "Reference", "Automatic", "Steps", "Guidance", "Window", "Threads"}


@pytest.fixture
def said(blank, part):
    """[(where, label, tooltip)] of all operators, and of all properties and choices that have a label."""
    found = []
    for cls in part("operators").CLASSES:
        kind = getattr(bpy.ops.aa2, cls.bl_idname.partition(".")[2]).get_rna_type()
        found += [(cls.bl_idname, kind.name, kind.description), *_of(cls.bl_idname, kind.properties)]
    groups = [blank.aa2.bl_rna, part("settings.preferences").of_this_machine().bl_rna]
    groups += [one.fixed_type for one in groups[0].properties if one.type == "COLLECTION"]
    for group in groups:
        found += _of(group.identifier, group.properties)
    return found


def _of(owner, properties):
    for one in properties:
        if one.identifier in ("rna_type", "name", "bl_idname") or one.name == one.identifier:
            continue        # nobody sees these
        where = f"{owner}.{one.identifier}"
        yield where, one.name, one.description
        if one.type == "ENUM" and one.identifier != "joint":        # a joint's name says it all
            yield from ((f"{where} {choice.identifier}", choice.name, choice.description)
                        for choice in one.enum_items)


def test_tooltips_are_sentences_without_a_full_stop(said):
    assert len(said) > 150
    wrong = [(where, tooltip) for where, _label, tooltip in said
             if not re.match(r"[A-Z0-9]", tooltip) or tooltip.endswith((".", "!", " ")) or "  " in tooltip
             or len(tooltip.split()) < 2]
    assert not wrong


def test_labels_are_titles(said, part):
    labels = [(where, label) for where, label, _tooltip in said]
    labels += [(cls.__name__, cls.bl_label) for cls in part("panels").CLASSES]
    presets = part("gather.presets").PRESETS        # called as whoever made them calls them
    small = [(where, label) for where, label in labels if label not in presets
             and any(word.islower() and word not in SMALL for word in re.findall(r"[\w']+", label))]
    ended = [(where, label) for where, label in labels if label.endswith(".") and not label.endswith("...")]
    assert not small and not ended


def test_words_are_spelt_as_blender_spells_them(said):
    assert not [(where, label, tooltip) for where, label, tooltip in said
                if re.search(r"colour|centre|grey|metre", f"{label} {tooltip}", re.IGNORECASE)]


def test_a_label_means_one_thing(said):
    """Two settings with one label would not be told apart in a search, nor in a driver's or an operator's list."""
    labels = [label for where, label, _tooltip in said if where.startswith("AA2_") and " " not in where]
    assert {label for label in labels if labels.count(label) > 1} <= SHARED


def test_all_rows_are_without_decorators(part):
    """Blender animates no settings of a strip, so a dot beside them would promise what it cannot do."""
    rooms = Path(part("panels").__file__).parent
    setting = {path.name for path in rooms.glob("*.py") if "use_property_decorate" in path.read_text()}
    assert setting == {"drawing.py"}

"""Every code of an error and of a warning is known, and none is listed that nobody uses."""
import ast
from pathlib import Path

from engine.contract.errors import CODES, WARNINGS

ROOT = Path(__file__).parents[2]
SOURCES = [path for room in ("engine", "aa2_blender", "lab") for path in sorted((ROOT / room).rglob("*.py"))]


def texts(path):
    """All strings of a file but the tables of errors.py."""
    return {node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def first_texts(path, function, place):
    """The strings that a file gives to a function at a place of its arguments."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == function \
                and len(node.args) > place and isinstance(node.args[place], ast.Constant):
            yield node.args[place].value


def test_what_is_warned_of_is_listed_and_what_is_listed_is_warned_of():
    sent = {code for path in SOURCES for code in first_texts(path, "Warned", 1)}
    said = {code for path in SOURCES if path.parent.name == "estimate" for function in ("say", "warn")
            for code in first_texts(path, function, 0)}
    assert sent | said == set(WARNINGS) and len(sent) >= 4 and len(said) >= 8


def test_every_code_of_an_error_is_used():
    used = set().union(*(texts(path) for path in SOURCES if path.name != "errors.py"))
    used |= {code for path in SOURCES if path.name == "errors.py" for code in first_texts(path, "JobError", 0)}
    assert set(CODES) <= used, set(CODES) - used

"""How long our source files and functions may be (CONTRIBUTING.md), so that each can be read in one sitting."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("aa2_blender", "engine", "lab", "tools", "tests")
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 50


def sources():
    """Path below ROOT -> text."""
    paths = [ROOT / "build.py", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def functions(text):
    """(name, lines with its decorators) of every function, however deeply nested."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, node.end_lineno - first + 1


def test_no_file_is_long():
    counts = {place: len(text.splitlines()) for place, text in sources().items()}
    assert {place.split("/")[0] for place in counts} == {"build.py", *FOLDERS}
    assert not {place: count for place, count in counts.items() if count > MOST_LINES}


def test_no_function_is_long():
    assert not [f"{place}: {name}: {count} lines" for place, text in sources().items()
                for name, count in functions(text) if count > MOST_LINES_OF_A_FUNCTION]

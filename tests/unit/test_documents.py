"""Documents, docstrings and comments name only what exists: relative links, paths of files, cited headings.

A path may begin at a room, as in the code: `conditions/mask.py` stands for the file whose path ends so.
"""

import ast
import io
import os
import re
import tokenize
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tools import environments

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".build", ".git", "dist", "demo_output", "__pycache__", ".pytest_cache", ".ruff_cache"}
OLD_PATHS = "Old and new paths"  # a section with this heading names files that have moved
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"(?<![\w/.*~-])((?:(?:\.\.?|[\w*-][\w.*-]*)/)*[\w*-]+\.(?:py|md))(?![\w(/]|\.\w)")
CITED = re.compile(r'([\w./-]+\.md), ("[^"]+"(?: and "[^"]+")*)')


def files():
    """Every file of the checkout as a path from its root."""
    found = []
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if name not in NOT_OURS]
        found += [(Path(folder) / name).relative_to(ROOT).as_posix() for name in names]
    return sorted(found)


FILES = files()
DOCUMENTS = [name for name in FILES if name.endswith(".md")]
SOURCES = [name for name in FILES if name.endswith(".py")]
TOLD = {
    name.split("/", count)[-1] for name in FILES for count in range(name.count("/") + 1)
}  # each file, with its path from every room above it


def exists(named, beside=""):
    """Whether the checkout has the named file; `beside`: the folder of the file that names it."""
    places = {
        named,
        os.path.normpath(os.path.join(beside, named)),
    }
    return bool(places & TOLD) or "*" in named and any(fnmatch(told, named) for told in TOLD)


def headings(document):
    text = re.sub(r"```.*?```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL)
    return [line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")]


def anchors(document):
    """The headings as a link names them: lower case, hyphens for spaces, no other signs."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings(document)}


def words_of(source):
    """The docstrings and comments of a Python file; a comment of several lines counts as one."""
    text = (ROOT / source).read_text(encoding="utf-8")
    tree = ast.parse(text)
    found = [
        ast.get_docstring(node)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    comments = [
        token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]
    return "\n".join([*filter(None, found), " ".join(comments)])


def text_of(document):
    """The text without the section that names old paths."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.sub(rf"(?ms)^(#+) {OLD_PATHS}$.*?(?=^\1 |\Z)", "", text)


def missing(text, beside):
    """What the text names but does not exist. A file that a command in a code block writes may have any name."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    gone = [named for named in NAMED.findall(text) if "/" in named and not exists(named, beside)]
    gone += [named for named in NAMED.findall(prose) if "/" not in named and not exists(named, beside)]
    for document, cited in CITED.findall(text):
        place = next((file for file in DOCUMENTS if file == document or file.endswith("/" + document)), None)
        gone += [
            f'{document}, "{one}"'
            for one in re.findall(r'"([^"]+)"', cited.replace("\n", " "))
            if place is None or " ".join(one.split()) not in headings(place)
        ]
    return gone


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_links_and_names_what_is_there(document):
    beside, text = os.path.dirname(document), text_of(document)
    for target in LINK.findall(text):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            place = os.path.normpath(os.path.join(beside, path)) if path else document
            assert (ROOT / place).exists(), f"{document} links to {target}"
            assert not anchor or anchor in anchors(place), f"{document}: {place} has no heading {anchor}"
    assert missing(text, beside) == []


@pytest.mark.parametrize("source", SOURCES)
def test_docstrings_and_comments_name_what_is_there(source):
    assert missing(words_of(source), os.path.dirname(source)) == []


@pytest.mark.parametrize(
    "text, gone",
    [
        ("as conditions/mask.py and docs/method.md have it", []),
        ("see tests/unit/test_building_*.py", []),
        ("in conditions/gone.py", ["conditions/gone.py"]),
        ("(shared/gone.md 5)", ["shared/gone.md"]),
        ("from ../gone.py.", ["../gone.py"]),
        ('docs/method.md, "Two plates"', []),
        ('docs/method.md, "Two\n    plates" and "Layers"', []),
        ('method.md, "Ten plates"', ['method.md, "Ten plates"']),
        ("https://example.org/page.md", []),
    ],
)
def test_the_check_tells_what_is_gone(text, gone):
    assert missing(text, "docs") == gone


def test_pre_commit_runs_a_pinned_ruff_and_the_one_of_the_tests():
    pinned = re.findall(r"ruff==[\d.]+", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    ours = {
        one
        for _python, requirements in environments.ENVIRONMENTS.values()
        for one in requirements
        if one.startswith("ruff")
    }
    assert len(pinned) == 1 and ours == set(pinned)

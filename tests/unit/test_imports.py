"""Who may import whom (docs/architecture.md), read from the source files, so that the test needs no package
installed."""
import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "onnx", "safetensors"}
WITH_THE_WEIGHTS = HEAVY | {"diffusers", "transformers", "PIL"}     # imported when an engine opens, not before
# The first rule whose path is the beginning of a file's path counts: (path, packages that it may import besides the
# standard library).
ENGINE_RULES = (
    ("engine/contract/", set()),
    ("engine/packs/manifest.py", set()),
    ("engine/packs/", {"numpy"}),
    ("engine/engines/base.py", {"numpy"}),
    ("engine/engines/choose.py", set()),
    ("engine/engines/windows.py", set()),
    ("engine/engines/compact/runtimes/ort.py", {"numpy", "onnxruntime"}),
    ("engine/engines/compact/runtimes/pytorch.py", {"numpy", "torch"}),
    ("engine/engines/compact/runtimes/", {"numpy"}),
    ("engine/engines/compact/nets/model.py", {"torch", "safetensors"}),
    ("engine/engines/compact/nets/", {"torch"}),
    ("engine/engines/sd15/nets/", {"torch"}),
    ("engine/engines/sd15/", {"numpy", "cv2", "torch", "diffusers", "transformers", "safetensors"}),
    ("engine/engines/wan/", {"numpy", "torch", "diffusers", "transformers", "safetensors", "gguf", "PIL"}),
    ("engine/estimate/", {"numpy", "cv2", "onnxruntime"}),
    ("engine/", {"numpy", "cv2"}),
)
LAB_RULES = (
    ("lab/clips/", {"numpy", "aa2_blender"}),
    ("lab/evaluation/perceptual.py", {"numpy", "cv2", "torch", "stlpips_pytorch", "engine"}),
    ("lab/evaluation/sheet.py", {"numpy", "cv2", "PIL", "engine"}),
    ("lab/evaluation/comparable_sheet.py", {"numpy", "cv2", "PIL", "engine"}),
    ("lab/evaluation/colour.py", {"numpy"}),
    ("lab/evaluation/body_parts.py", {"numpy", "engine"}),
    ("lab/evaluation/", {"numpy", "cv2", "engine"}),
    ("lab/", {"numpy", "cv2", "engine"} | HEAVY),
)
# How the body models came here: run by hand, in an environment that it makes itself.
MADE_BY_HAND = {"convert_models.py": {"numpy", "onnx", "flatbuffers", "tensorflow"}}
BLENDER_MODULES = {"bpy", "bpy_extras", "mathutils", "bmesh", "gpu", "gpu_extras", "blf", "addon_utils"}


def sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def name(path):
    return path.relative_to(ROOT).as_posix()


def imports(path):
    """(level, dotted name) of every import anywhere in a file; level 0 is absolute."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from ((node.level, f"{module}.{alias.name}".strip(".")) for alias in node.names)


def at_start(path):
    """The full names of what a file imports when it is imported, not inside its functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {child for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Lambda))
              for child in ast.walk(node)}
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(tree):
        if node in inside or not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
            continue
        above = ".".join(package[:len(package) - node.level]) if node.level else ""
        for alias in node.names:
            yield ".".join(part for part in (above, node.module, alias.name) if part)


def foreign(path):
    """The packages outside the standard library that a file imports."""
    return {dotted.partition(".")[0] for level, dotted in imports(path) if level == 0} - set(sys.stdlib_module_names)


def allowed(path, rules=ENGINE_RULES):
    return next(packages for prefix, packages in rules if name(path).startswith(prefix))


@pytest.mark.parametrize("path", sources("engine"), ids=name)
def test_engine_files_import_only_what_their_room_may(path):
    assert foreign(path) <= allowed(path)


@pytest.mark.parametrize("path", sources("engine"), ids=name)
def test_engine_imports_itself_relatively(path):
    assert "engine" not in foreign(path), "the engine is staged inside the extension: imports have to be relative"


@pytest.mark.parametrize("path", sources("aa2_blender"), ids=name)
def test_add_on_files_import_blender_numpy_and_the_contract(path):
    assert foreign(path) <= BLENDER_MODULES | {"numpy"}
    for level, dotted in imports(path):
        if level and "embedded" in dotted.split("."):
            assert dotted.startswith("embedded.engine.contract"), dotted


@pytest.mark.parametrize("path", sources("lab"), ids=name)
def test_lab_files_import_only_what_their_room_may(path):
    blender = BLENDER_MODULES if name(path).startswith("lab/clips/") else set()
    assert foreign(path) <= allowed(path, LAB_RULES) | blender


@pytest.mark.parametrize("path", [*sources("tools"), ROOT / "build.py"], ids=name)
def test_the_build_needs_nothing_installed(path):
    more = MADE_BY_HAND.get(path.name, {"bpy"} if path.name == "generate.py" else set())
    assert foreign(path) <= {"tools"} | more


def test_the_inside_of_an_engine_is_its_own():
    """Jobs, conditions, layers and the door know engines/base.py; only a manifest knows the sizes of its networks."""
    engines = {folder.name for folder in (ROOT / "engine/engines").iterdir() if (folder / "__init__.py").exists()}
    reaching = {(name(path), dotted) for path in sources("engine") for dotted in at_start(path)
                for engine in engines if dotted.startswith(f"engine.engines.{engine}.")
                and not name(path).startswith(f"engine/engines/{engine}/")}
    assert "compact" in engines and reaching == {
        ("engine/packs/manifest.py", "engine.engines.compact.nets.sizes.Sizes")}


def test_no_circle_of_imports():
    """No file that a file imports at its start imports that file back. So each can be read, and loaded, from its
    beginning."""
    ahead = {path: {file for dotted in at_start(path) for file in _files(dotted) if file.name != "__init__.py"} - {path}
             for folder in ("aa2_blender", "engine", "lab", "tools") for path in sources(folder)}
    while leaves := [path for path, files in ahead.items() if not files & ahead.keys()]:
        for path in leaves:
            del ahead[path]
    assert not sorted(map(name, ahead)), "these import each other, or what does"


@pytest.mark.parametrize("start",
                         ["engine/__main__.py", "engine/door/serve.py", "engine/job/run.py", "engine/job/preview.py"])
def test_nothing_heavy_is_reached_when_the_engine_starts(start):
    found = reached(start)
    assert not {package: path for package, path in found.items() if package in HEAVY}


@pytest.mark.parametrize("start", ["engine/engines/wan/vace.py", "engine/engines/wan/animate.py"])
def test_an_engine_for_graphics_cards_imports_its_packages_with_its_weights(start):
    assert not reached(start).keys() & WITH_THE_WEIGHTS


def test_the_runtime_on_pytorch_reaches_no_package_that_packs_are_made_with():
    """The artist's Python has torch and numpy; onnx and safetensors are for people who make packs."""
    assert reached("engine/engines/compact/runtimes/pytorch.py").keys() - set(sys.stdlib_module_names) \
        == {"torch", "numpy", "engine"}


def reached(start):
    """The packages that are imported with a file, also through our other files -> a file that imports them."""
    seen, waiting, packages = set(), [ROOT / start], {}
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for dotted in at_start(path):
            packages.setdefault(dotted.partition(".")[0], name(path))
            waiting += _files(dotted)
    return packages


def _files(dotted):
    """Our files that run when a dotted name is imported."""
    parts = dotted.split(".")
    places = [ROOT.joinpath(*parts[:count]) for count in range(1, len(parts) + 1)]
    found = [file for place in places for file in (place / "__init__.py", place.with_suffix(".py"))]
    return [file for file in found if file.is_file()]


def parsers(path):
    """Lines of a file that parse JSON with Python's own module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        is_call = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "json" \
            and node.attr in ("load", "loads", "JSONDecoder")
        if is_call or isinstance(node, ast.ImportFrom) and node.module == "json":
            yield node.lineno


def test_only_the_bounded_reader_parses_json():
    """Untrusted bytes are read in one place: within limits, and with one error for everything that can be wrong."""
    assert {name(path) for folder in ("engine", "aa2_blender") for path in sources(folder) if list(parsers(path))} \
        == {"engine/contract/json_reader.py"}


def test_no_room_of_leftovers():
    banned = {"utils", "helpers", "common", "misc", "manager"}
    assert not [path for folder in ("aa2_blender", "engine", "tests") for path in sources(folder)
                if path.stem in banned]

"""One command for each task: `python build.py zip | repo | link | demo | test | bench | score | clips | env |
generate`."""
import argparse
import functools
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

if sys.version_info < (3, 11):      # noqa: UP036  an older Python gets a message
    sys.exit(f"build.py needs Python 3.11 or later, and this is {sys.version.split()[0]}; start it with a newer one.")

from tools import clips_data, debian, environments, limits, links, package, platforms, reports, repository, root
from tools.environments import BLENDERS, BUILD, DEMO_BLENDER, ROOT
from tools.telling import Missing, Stop, say

TIERS = ("lint", "unit", "torch", "window", "e2e", "blender", "farm")
PLAIN = ("unit", "torch")   # tiers that need no zip; their files run side by side
ALONE = ("lint", *PLAIN)    # tiers that use every core by themselves; of the others, several run at once
LINTERS = {"ruff": ["check", "--no-cache"], "basedpyright": []}    # name -> its arguments
FARM = "farm"               # the environment with the tools that run farm jobs, and the tier that needs them
NEVER_SKIPPED = ("bpy-4.5.15", "bpy-5.2.3")
MOST_CRASHES = 20           # how often Blender may crash in one run of `clips`
MOST_PROCESSES = 4          # of the unit tests: each needs a gigabyte
MOST_TIERS = 2              # tested at once: each needs a core and a gigabyte
LARGE_CLIPS = 8             # of `score --large`
LIT_CLIPS = 16              # of `score --light`
_MAKING = threading.Lock()  # environments and zips are made by one at a time


def main() -> int:
    """Run one task. Returns its exit code, or 1 and one sentence if the task could not be done."""
    parser = _parser()
    arguments, rest = parser.parse_known_args()
    if "rest" in arguments:             # these arguments are for another program; the first may be an option
        arguments.rest = rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return arguments.task(arguments)
    except Stop as stop:
        print(f"build.py: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("build.py: stopped by the keyboard", file=sys.stderr)
        return 130


def make_zip(arguments: argparse.Namespace) -> int:
    names = platforms.PLATFORMS if arguments.platform == "all" else [arguments.platform]
    for name in names:
        print(package.make(name))
    return 0


def make_repository(arguments: argparse.Namespace) -> int:
    names = [name for name, one in platforms.PLATFORMS.items() if name == one.name]
    chosen = names if arguments.platform == "all" else [arguments.platform]
    print(repository.make(arguments.folder.resolve(), [package.make(name) for name in chosen]))
    return 0


def make_links(arguments: argparse.Namespace) -> int:
    print(links.make(arguments.folder.resolve() if arguments.folder else None))
    return 0


def make_environment(arguments: argparse.Namespace) -> int:
    for name in environments.ENVIRONMENTS if arguments.name == "all" else [arguments.name]:
        print(environments.ensure(name))
    return 0


def run_demo(arguments: argparse.Namespace) -> int:
    debian.ensure(debian.FILMS)
    return _in_blender(["tests/demo/demo.py", *arguments.rest])


def run_bench(arguments: argparse.Namespace) -> int:
    python = environments.ensure("engine")
    rest = ["--json", str(arguments.json.resolve())] if arguments.json else []
    return _call(python, ["tests/bench/bench.py", *rest], _surroundings(package.make(platforms.here()), DEMO_BLENDER))


def run_score(arguments: argparse.Namespace) -> int:
    """Run `lab score` in the environment that has the perceptual measure; clips and frames are kept in .build/."""
    threads = arguments.workers or os.cpu_count()
    if arguments.light:
        _render_held_out("blender", LIT_CLIPS, threads)
        _light_clips(arguments, threads)
    elif arguments.large:
        _render_held_out("large", min(arguments.clips, LARGE_CLIPS), threads, "--frames", "4", "--size", "1024", "1024")
    else:
        _render_held_out("blender", arguments.clips // 2, threads)
    command = ["-m", "lab", "score", "--cache", str(BUILD / "score"), "--clips", str(arguments.clips)]
    command += ["--references", arguments.references]
    command += ["--workers", str(arguments.workers)] if arguments.workers else []
    for name in ("json", "markdown", "sheet", "ablations", "comparables"):
        path = getattr(arguments, name)
        command += [f"--{name}", str(path.resolve())] if path else []
    command += ["--pack", *(str(path.resolve()) for path in arguments.pack)] if arguments.pack else []
    command += [*["--all"] * arguments.all, *["--large"] * arguments.large, *["--light"] * arguments.light]
    return _call(environments.ensure("score"), command, _surroundings(None, DEMO_BLENDER))


def _light_clips(arguments: argparse.Namespace, threads: int) -> None:
    """Cut the clips of `score --light`, and render the light of their scenes."""
    cut = ["-m", "lab", "score", "--light", "--cut", "--cache", str(BUILD / "score"), "--clips", str(arguments.clips)]
    if _call(environments.ensure("score"), cut, _surroundings(None, DEMO_BLENDER)) != 0:
        raise Stop("the clips could not be cut")
    wanted = [str(BUILD / "score" / "light"), "--light", "--threads", str(threads)]
    try:
        code = run_clips(argparse.Namespace(rest=wanted))
    except Missing as missing:
        raise Stop(f"the light of the clips cannot be rendered: {missing}") from None
    if code != 0:
        raise Stop("the light of the clips could not be rendered")


def run_clips(arguments: argparse.Namespace) -> int:
    """Render in the demo's Blender; the extension is not installed there."""
    python = environments.ensure(DEMO_BLENDER)
    folder = [str(Path(name).resolve()) for name in arguments.rest[:1] if not name.startswith("-")]
    command = ["-m", "lab", "clips", *folder, *arguments.rest[len(folder):]]
    if not {"-h", "--help"} & set(arguments.rest):
        moved = clips_data.motions()
        command += ["--data", str(clips_data.bodies(python)), *(["--motions", str(moved)] if moved else [])]
    for _ in range(MOST_CRASHES):
        code = _call(python, command, _surroundings(None, DEMO_BLENDER))
        if code in (0, 1, 2):           # it ended by itself
            return code
        say(f"Blender crashed ({code}); going on with the clips that are not there yet")
    raise Stop(f"Blender crashed {MOST_CRASHES} times; what is finished stays, and the same command goes on")


def _render_held_out(folder: str, count: int, threads: int, *more: str) -> None:
    """Render the clips of Blender's world that are scored. If this machine cannot render them, score says that they are
    missing."""
    if not count:
        return
    wanted = [str(BUILD / "score" / folder), "--held-out", "--clips", str(count), "--threads", str(threads), *more]
    try:
        run_clips(argparse.Namespace(rest=wanted))
    except Missing as missing:
        say(f"no clips of Blender's world: {missing}")


def run_generate(arguments: argparse.Namespace) -> int:
    return _in_blender(["tools/generate.py", *arguments.rest])


def run_tests(arguments: argparse.Namespace) -> int:
    """Run the linters, the unit tests and those with torch, then the other tiers, some at once, each in its own pytest
    process: e2e and farm once, blender once for each bpy, window in Debian's Blender. If Blender itself crashes, its
    tests run once more, and the crash is told again at the end: a test that fails always fails the run. The last lines
    show the tests that failed once more, below the pages of all tiers, and then say which tiers failed."""
    limits.look_for_room(ROOT)
    tiers = ["window"] if arguments.window else [arguments.tier] if arguments.tier else TIERS
    release = arguments.window or root.TESTED
    names = {"lint": list(LINTERS), "blender": [f"bpy-{arguments.bpy}"] if arguments.bpy else BLENDERS,
             "torch": ["torch"], "farm": [FARM], "window": [release]}
    jobs = [(tier, name) for tier in tiers for name in names.get(tier, ["engine"])]
    beside = [job for job in jobs if job[0] not in ALONE]
    failed, tests, skipped, crashed = [], [], [], []
    for tier, name, ended in itertools.chain(
            _ended([job for job in jobs if job[0] in ALONE], 1),
            _ended(beside, min(os.cpu_count() or 1, MOST_TIERS, len(beside)))):
        title = f"{tier} tests with {name}"
        try:
            code = ended()
            if code < 0 and tier == "blender":
                crashed.append(f"{title}: {_signal(code)}")
                _shout(f"CRASHED: {crashed[-1]}; what Blender said last is above. Once more:")
                code = _tested(tier, name)
            if code != 0:
                failed.append(f"{title}: {_signal(code)}" if code < 0 else title)
                tests += reports.failed_tests(_report(tier, name))
        except Missing as missing:
            _shout(f"SKIPPED: {title}: {missing}")
            (failed if _must_run(name) else skipped).append(title)
        except Stop as stop:
            _shout(f"FAILED: {title}: {stop}")
            failed.append(title)
    for text in tests:
        say(f"failed: {text}")
    for title in skipped:
        say(f"skipped: {title}")
    for title in crashed:
        say(f"CRASHED, and was run once more: {title}")
    for title in failed:
        say(f"FAILED: {title}")
    return 1 if failed else 0


def _signal(code: int) -> str:
    """How a process ended that left no exit code of its own."""
    return f"ended by {signal.Signals(-code).name}"


def _report(tier: str, name: str) -> Path:
    """The file in which pytest tells how each of these tests ended."""
    return BUILD / "tested" / f"{tier}-{name}.xml"


def _ended(jobs: list[tuple[str, str]], at_once: int) -> Iterator[tuple[str, str, Callable[[], int]]]:
    """Run each tier with each name, so many `at_once`; yields both and what gives the exit code or raises. If several
    run, the output of each is shown when it ends."""
    if at_once <= 1:
        for tier, name in jobs:
            yield tier, name, functools.partial(_tested, tier, name)
        return
    with ThreadPoolExecutor(at_once) as pool, tempfile.TemporaryDirectory() as folder:
        running = {}
        try:
            for tier, name in jobs:
                output = Path(folder, f"{tier}-{name}.txt")
                running[pool.submit(_tested, tier, name, output)] = tier, name, output
            for done in as_completed(running):
                tier, name, output = running[done]
                if output.exists():
                    print(output.read_text(errors="replace"), end="", flush=True)
                yield tier, name, done.result
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            limits.end_all()
            raise


def _tested(tier: str, name: str, output: Path | None = None) -> int:
    title = f"{tier} tests with {name}"
    return _lint(name, title) if tier == "lint" else _pytest(tier, name, title, output)


def _must_run(name: str) -> bool:
    """Whether it fails the run if this environment is missing. A Debian root may be missing: it cannot be made without
    the right to mount, which many a CI lacks. So may the farm's tools, which are others' programs."""
    if name in (*root.RELEASES, FARM):
        return False
    return name in (*NEVER_SKIPPED, *LINTERS, "engine", "torch") or os.environ.get("CI") == "true"


def _shout(text: str) -> None:
    print(f"\n{'=' * 100}\n{text}\n{'=' * 100}\n", flush=True)


def _lint(name: str, title: str) -> int:
    """Run one of LINTERS, by the rules in pyproject.toml. basedpyright reads the packages of the environment
    `engine`."""
    python, packages = environments.ensure("lint"), []
    if name == "basedpyright":
        packages = ["--pythonpath", str(environments.ensure("engine"))]
        links.for_checker(ROOT, ROOT / "dist" / "typed" / links.NAME)
    say(title)
    code = _call(python, ["-m", name, *LINTERS[name], *packages], {},
                 lambda line, **more: limits.run(line, title, seconds=limits.LINT_S, **more))
    if code != 0 and name == "ruff":
        say(f"mend what ruff names above; `{python} -m ruff check --fix` mends what is marked [*]")
    return code


def _pytest(tier: str, name: str, title: str, output: Path | None = None) -> int:
    """Run a tier's tests. output: the file for what they say, None for the terminal."""
    folder = ROOT / "tests" / tier
    if not any(folder.glob("test_*.py")):
        raise Stop(f"{folder} holds no test; the {tier} tier cannot be empty.")
    told, shown = {}, []
    if tier == "window":
        root.ensure(name)
        told, shown = {"AA2_WINDOW": name}, ["-raP"]    # report what was clicked, and the times
    with _MAKING:
        if tier == FARM:
            told = {"AA2_FARM": str(environments.ensure(FARM))}
        python = environments.ensure(name if tier in ("blender", "torch") else "engine")
        archive = None if tier in PLAIN else package.make(root.ZIPS[name] if tier == "window" else platforms.here())
    limit = limits.TIERS[tier]
    if tier in PLAIN:       # one file per process at a time, each on one core: half the time on two cores
        shown = ["-n", str(min(os.cpu_count() or 1, MOST_PROCESSES)), "--dist", "loadfile"]
        told["OMP_NUM_THREADS"] = "1"
    report = _report(tier, name)
    report.unlink(missing_ok=True)
    command = ["-m", "pytest", "-q", "--durations=8", f"--junitxml={report}", *limit.for_pytest(), *shown, str(folder)]
    say(title)
    with _MAKING:
        told |= _surroundings(archive, name if tier == "blender" else DEMO_BLENDER)
    return _call(python, command, told, lambda line, **more: limits.run(line, title, seconds=limit.tier,
                                                                       output=output, **more))


def _in_blender(command: list[str]) -> int:
    archive = package.make(platforms.here())
    return _call(environments.ensure(DEMO_BLENDER), command, _surroundings(archive, DEMO_BLENDER))


def _surroundings(archive: Path | None, blender: str) -> dict[str, str]:
    """The environment variables for our own scripts and tests: the zip, a bpy's Python, and an empty user folder for
    Blender."""
    told = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    if archive:
        told["AA2_ZIP"] = str(archive)
        told["AA2_BPY_PYTHON"] = str(environments.ensure(blender))
        told["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="resources-", dir=_fresh_home())
    return told


def _fresh_home() -> Path:
    folder = BUILD / "blender"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _call(python: Path, command: list[str], told: dict[str, str], run=subprocess.call) -> int:
    script = ROOT / command[0]
    if command[0] != "-m" and not script.exists():
        raise Stop(f"{script} is not there; is this a whole checkout?")
    try:
        return run([str(python), *command], cwd=ROOT, env={**os.environ, **told})
    finally:
        if "BLENDER_USER_RESOURCES" in told:
            shutil.rmtree(told["BLENDER_USER_RESOURCES"], ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build.py", description=__doc__)
    tasks = parser.add_subparsers(required=True, metavar="TASK")

    def add(name, task, text, **more):
        one = tasks.add_parser(name, help=text, description=text, **more)
        one.set_defaults(task=task)
        return one

    def add_open(name, task, text):
        """A task whose own program reads what follows."""
        add(name, task, text, add_help=False).set_defaults(rest=[])

    one = add("zip", make_zip, "build and validate the extension in dist/")
    one.add_argument("--platform", default=platforms.here(), help=f"{', '.join(platforms.PLATFORMS)} or all")
    one = add("repo", make_repository, "make a folder that Blender adds as a repository by its address (index.json)")
    one.add_argument("folder", type=Path)
    one.add_argument("--platform", default="all", help="one platform's zip alone")
    one = add("link", make_links, "link the checkout into Blender's extensions: edit, F3, Reload Scripts, with no zip")
    one.add_argument("folder", type=Path, nargs="?",
                     help="a repository's folder (default: the newest Blender's extensions/user_default)")
    add_open("demo", run_demo, "install the zip in a fresh Blender, generate the demo shot, fill demo_output/: "
                               "build.py demo --help")
    one = add("test", run_tests, "run the tests, all tiers and all Blender versions unless told otherwise")
    one.add_argument("--tier", choices=TIERS)
    one.add_argument("--bpy", metavar="VERSION", help="one version only, such as 4.5.15")
    one.add_argument("--window", choices=root.RELEASES, help="only the window's tests, in this Debian's Blender")
    one = add("bench", run_bench, "measure the speed and print a table")
    one.add_argument("--json", type=Path, metavar="FILE", help="write the numbers too")
    one = add("score", run_score, "measure the embedded model on the held-out clips (docs/evaluation.md); resumes")
    _add_score_options(one)
    add_open("clips", run_clips,
             "render clips of Blender's world: build.py clips FOLDER --help (docs/training.md); resumes")
    one = add("env", make_environment, "make one environment (or all) and print its Python")
    one.add_argument("name", choices=[*environments.ENVIRONMENTS, "all"])
    add_open("generate", run_generate, "generate a shot in the bpy module: build.py generate SHOT.blend --help")
    return parser


def _add_score_options(one: argparse.ArgumentParser) -> None:
    one.add_argument("--json", type=Path, metavar="FILE", help="write the numbers")
    one.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")
    one.add_argument("--sheet", type=Path, metavar="FOLDER", help="write a sheet of clips and three moving pictures")
    one.add_argument("--clips", type=int, default=64, metavar="N", help="the first N clips only")
    one.add_argument("--references", choices=("first", "second"), default="first",
                     help="how the references are exposed (docs/training.md)")
    one.add_argument("--pack", type=Path, nargs="+", metavar="FOLDER", help="other packs: the first is `full`")
    one.add_argument("--ablations", type=Path, metavar="FOLDER", help="what `lab train ablations` made")
    one.add_argument("--comparables", type=Path, metavar="FOLDER",
                     help="instead, the ideas of the paper's rivals: what `lab train comparables` made")
    one.add_argument("--all", action="store_true",
                     help="the pasted and estimated rows too, and one for each ablation given")
    one.add_argument("--large", action="store_true", help="instead, Blender's clips at 1024x1024: outlines and detail")
    one.add_argument("--light", action="store_true",
                     help="instead, Blender's clips in the light that the product reads from their scenes")
    one.add_argument("--workers", type=int, help="processes, of one thread each (default: one a core)")


if __name__ == "__main__":
    sys.exit(main())

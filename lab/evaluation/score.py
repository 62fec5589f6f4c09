"""`python -m lab score`: measures weights on the held-out clips (docs/evaluation.md).

    python -m lab score [--json FILE] [--markdown FILE] [--sheet FOLDER] [--clips 64] [--pack FOLDER ...]
    python -m lab score --all [--ablations FOLDER]          the estimated and the pasted rows, and the ablations that
                                                            `train ablations` made, too
    python -m lab score --large                             eight clips at 1024x1024
    python -m lab score --light                             sixteen clips of five frames, lit by their own scenes
    python -m lab score --comparables FOLDER [--quick-set]  what `train comparables --run FOLDER` made, against ours
    python -m lab score --quick WEIGHTS [--blender FOLDER] [--steps 1 4 20]
                                                            a line each on a few other clips, in a minute on one core

If you start it again, it reuses the frames that exist.
"""

import argparse
import os
import sys
from pathlib import Path

from engine.contract.errors import JobError

from .clips import REFERENCES, ClipError
from .held_out import CLIPS


def main(arguments: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.clips < 1 or options.workers < 1:
        parser.error("--clips and --workers: expected at least 1")
    if options.quick_set and not options.comparables:
        parser.error("--quick-set: expected together with --comparables")
    os.environ["OMP_NUM_THREADS"] = "1"  # torch's; read when it is first imported
    try:
        if options.quick:
            from .quick import quick
            for steps in options.steps:
                print(quick(options.quick, options.blender, options.cache, steps=steps,
                            references=options.references), flush=True)
        else:
            from .table import make_table
            make_table(options)
        return 0
    except (ClipError, JobError) as error:
        print(f"score: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("score: stopped; frames that are made stay, start it again to go on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="engine score", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")
    parser.add_argument("--sheet", type=Path, metavar="FOLDER",
                        help="write a sheet of the first 16 clips and three moving pictures")
    parser.add_argument("--clips", type=int, default=CLIPS, metavar="N",
                        help="the first N of the set; half from each world")
    parser.add_argument("--pack", type=Path, nargs="+", default=[], metavar="FOLDER",
                        help="packs, or folders with weights.safetensors: the first is `full`, each other a row of "
                             "its name")
    parser.add_argument("--ablations", type=Path, metavar="FOLDER",
                        help="what `train ablations` made: `full` is then its fork")
    parser.add_argument("--all", action="store_true", help="the estimated and the pasted rows, and with "
                        "--ablations a row for each of these, too")
    parser.add_argument("--large", action="store_true",
                        help="instead, Blender's clips at 1024x1024: outlines and detail")
    parser.add_argument("--light", action="store_true",
                        help="instead, Blender's clips in the light that the product reads from their scenes")
    parser.add_argument("--comparables", type=Path, metavar="FOLDER",
                        help="instead, the ideas of the paper's rivals that `train comparables` made")
    parser.add_argument("--quick-set", action="store_true",
                        help="with --comparables: the clips of --quick, by which ideas are chosen, instead")
    parser.add_argument("--cut", action="store_true", help="with --light: only cut the clips whose light is rendered")
    parser.add_argument("--blender", type=Path, metavar="FOLDER", help="held-out clips of Blender's world")
    parser.add_argument("--references", choices=REFERENCES, default=REFERENCES[0],
                        help="how references are exposed: on the figure, or by their own light (docs/training.md)")
    parser.add_argument("--cache", type=Path, default=Path(".build/score"), help="where clips and frames are kept")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes, of one thread each")
    parser.add_argument("--quick", type=Path, metavar="WEIGHTS", help="a weights.safetensors or a pack's folder")
    parser.add_argument("--steps", type=int, nargs="+", default=[None], help="with --quick: a line for each of these")
    return parser

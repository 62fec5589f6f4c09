"""`python -m engine score`: measures weights on the held-out clips.

    python -m engine score --quick WEIGHTS [--clips FOLDER]     one line, in two minutes on one core
"""

import argparse
import os
import sys
from pathlib import Path

from ..contract.errors import JobError
from .clips import ClipError


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="engine score", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", type=Path, metavar="WEIGHTS", help="a weights.safetensors or a pack's folder")
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="clips to take instead of the fast world's own")
    parser.add_argument("--cache", type=Path, default=Path(".build/score"), help="where clips and frames are kept")
    options = parser.parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import cv2
    cv2.setNumThreads(1)
    try:
        from .quick import quick
        print(quick(options.quick, options.clips, options.cache))
        return 0
    except (ClipError, JobError) as error:
        print(f"score: {error}", file=sys.stderr)
        return 1

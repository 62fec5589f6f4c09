"""The reported peak is the engine's own: not too low, and without the memory of its parent."""

import os
import subprocess
import sys

import numpy as np

from engine.job.memory import peak_mb

CHILD = "import sys; sys.path.insert(0, sys.argv[1])\nfrom engine.job.memory import peak_mb\nprint(peak_mb())"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def test_what_was_needed_once_counts():
    before = peak_mb()
    block = np.ones(120_000_000, np.uint8)
    del block
    assert peak_mb() >= max(before, 120)


def test_the_parents_memory_does_not_count():
    block = np.ones(300_000_000, np.uint8)
    said = subprocess.run([sys.executable, "-c", CHILD, ROOT], capture_output=True, text=True, check=True).stdout
    assert block.size and float(said) < 100

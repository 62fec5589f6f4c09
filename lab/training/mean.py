"""Several weights of one parent's line -> their weighted mean, which is often better and more robust than each of them
(Wortsman 2022).

    python -m lab train mean A.safetensors 0.6 B.safetensors 0.4 --to OUT.safetensors
"""

import argparse
import math
from pathlib import Path

from safetensors.torch import load_file

from engine.engines.compact.nets.model import save_weights


def mean(shares: list[tuple[Path, float]]) -> dict:
    """{name: float32 tensor}. Raises ValueError where files differ in what they hold,
    or the shares do not add up to 1."""
    if not math.isclose(sum(share for _, share in shares), 1.0, abs_tol=1e-6):
        raise ValueError(f"shares: expected a sum of 1, got {sum(share for _, share in shares):g}")
    total: dict = {}
    for path, share in shares:
        stored = load_file(path)
        if total and {k: v.shape for k, v in stored.items()} != {k: v.shape for k, v in total.items()}:
            raise ValueError(f"{path}: expected the very weights that {shares[0][0]} has; these are of other networks")
        total = {name: total.get(name, 0) + share * tensor.float() for name, tensor in stored.items()}
    return total


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lab train mean", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="+", metavar="FILE SHARE",
                        help="a weights.safetensors and its share, several times")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        shares = [(Path(name), float(share))
                  for name, share in zip(options.weights[::2], options.weights[1::2], strict=True)]
    except ValueError:
        parser.error("expected files and shares in turn")
    options.to.parent.mkdir(parents=True, exist_ok=True)
    save_weights(mean(shares), options.to)
    return 0

"""Are the shipped scorer's heat maps the same on another processor? Prints what to compare.

    python benchmarks/portability.py
    valgrind --tool=none python benchmarks/portability.py

Valgrind hides all instructions beyond AVX2, so that onnxruntime takes the ways of processors
without AVX-512 and without products of 8 bits. The whole numbers of the shipped scorer come out
the same; the sums of a network in floats (`--model`) need not.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnxruntime

from augcli.attention.scorer import Scorer

SIDES = ((112, 112), (375, 500), (500, 333), (32, 32), (64, 48))


def main() -> None:
    """Print the hash of the heat maps of drawn pictures, large and small."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="the shipped scorer if not given")
    given = parser.parse_args()
    scorer = Scorer(given.model)
    found = hashlib.sha256()
    for seed, (height, width) in enumerate(SIDES):
        # Blocks: OpenCV draws smooth pictures a little otherwise on other processors.
        blocks = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
        picture = blocks.repeat(9, axis=0).repeat(9, axis=1)[:height, :width]
        found.update(scorer.heat_map(np.ascontiguousarray(picture)).tobytes())
    print(f"onnxruntime {onnxruntime.__version__}: {found.hexdigest()}")


if __name__ == "__main__":
    main()

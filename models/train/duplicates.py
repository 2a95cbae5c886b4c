"""Look for masked photos among the other pictures: `python -m models.train.duplicates --help`.

A photo of the fold that is held out must not be among the other pictures, mirrored or not.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .pictures import Image, masked_photos, pictures

SIDE = 16
BATCH = 1024


def signature(image: Image) -> NDArray[np.float32]:
    """Give a picture's 16 x 16 grey levels, minus their mean, as a vector of length 1."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    centred = small - small.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6), np.float32)


def highest(images: Iterable[Image], known: NDArray[np.float32]) -> tuple[int, float]:
    """Give the number of images and the highest correlation with a known signature."""
    mirrored = known.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(-1, SIDE * SIDE)
    both = np.concatenate([known, mirrored]).T
    signatures = np.stack([signature(image).ravel() for image in images])
    starts = range(0, len(signatures), BATCH)
    parts = (signatures[start : start + BATCH] @ both for start in starts)
    return len(signatures), max(float(part.max()) for part in parts)


def main() -> None:
    """Print the highest correlation for photos and small pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="as for models.train")
    data = parser.parse_args().data
    known = np.stack([signature(p.image).ravel() for p in masked_photos(data / "objects")])
    for name in ("photos", "small"):
        count, best = highest(pictures(data / name), known)
        print(f"{name}: {count:,} pictures, highest correlation {best:.3f} (1 is the same picture)")


if __name__ == "__main__":
    main()

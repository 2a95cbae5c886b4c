"""Look for masked photos among the other pictures: `python -m models.train.duplicates --help`.

A photo of a fold that is held back must not be among the other pictures, mirrored or not.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .pictures import Image, masked_photos, pictures

SIDE = 16


def signature(image: Image) -> NDArray[np.float32]:
    """Give a picture's 16 x 16 grey levels, minus their mean, as a vector of length 1."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    centred = small - small.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6), np.float32).ravel()


def alike(images: Iterable[Image], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give each image's highest correlation with a known signature or its mirror image."""
    mirrored = known.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(-1, SIDE * SIDE)
    both = np.concatenate([known, mirrored]).T
    return np.array([(signature(image) @ both).max() for image in images], np.float32)


def main() -> None:
    """Print the highest correlations for each tar or folder of pictures."""
    parser = argparse.ArgumentParser(prog="python -m models.train.duplicates", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="as for the training")
    data = parser.parse_args().data
    known = np.stack([signature(image) for image, _ in masked_photos(data / "objects")])
    sources = {"masked": (image for image, _ in masked_photos(data / "masked"))}
    for name in ("photos", "small"):
        for place in sorted((data / name).iterdir()):
            sources[f"{name}/{place.name}"] = pictures(place)
    for name, images in sources.items():
        found = alike(images, known)
        highest = ", ".join(f"{place}: {found[place]:.3f}" for place in np.argsort(-found)[:3])
        print(f"{name}: {len(found)} pictures, most alike {highest}", flush=True)


if __name__ == "__main__":
    main()

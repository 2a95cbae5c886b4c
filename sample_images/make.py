"""Make the sample photographs from pictures in installed packages.

Usage: python make.py FOLDER

Nothing is downloaded: the pictures are part of the wheels. The shipped files were made with
Python 3.11, scikit-image 0.26.0, matplotlib 3.11.2, scipy 1.11.4 (newer releases may not have
the raccoon) and pillow 13.0.0; these versions make the same bytes again.
"""

import bz2
import io
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageCms

LONG_SIDE = 480
JPEG_QUALITY = 88

Box = tuple[int, int, int, int]


class Sample(NamedTuple):
    """One file to write: its path, the picture that it is cropped from, and the crop."""

    file: str
    source: str
    box: Box | None = None  # left, top, right, bottom in source pixels; None: all of it


SAMPLES = (
    Sample("animal/cat.jpg", "skimage/data/chelsea.png"),
    Sample("animal/cat_face.png", "skimage/data/chelsea.png", (96, 20, 356, 300)),
    Sample("animal/raccoon.jpg", "scipy/misc/face.dat"),
    Sample("animal/raccoon_face.jpg", "scipy/misc/face.dat", (430, 20, 950, 600)),
    Sample("person/astronaut.jpg", "skimage/data/astronaut.png", (10, 0, 360, 512)),
    Sample("person/astronaut_face.png", "skimage/data/astronaut.png", (118, 4, 332, 214)),
    Sample("person/officer.jpg", "matplotlib/mpl-data/sample_data/grace_hopper.jpg"),
    Sample("person/photographer.jpg", "skimage/data/camera.png", (0, 40, 360, 512)),
    Sample("space/galaxies.jpg", "skimage/data/hubble_deep_field.jpg"),
    Sample("space/galaxies_near.jpg", "skimage/data/hubble_deep_field.jpg", (640, 420, 860, 640)),
    Sample("space/launch_pad.jpg", "skimage/data/rocket.jpg"),
    Sample("space/rocket.jpg", "skimage/data/rocket.jpg", (245, 90, 400, 410)),
    Sample("thing/coffee_cup.jpg", "skimage/data/coffee.png"),
    Sample("thing/helmet.jpg", "skimage/data/astronaut.png", (266, 336, 512, 512)),
    Sample("thing/shuttle_model.jpg", "skimage/data/astronaut.png", (344, 0, 484, 300)),
    Sample("thing/spoon.jpg", "skimage/data/coffee.png", (290, 196, 440, 346)),
)


def open_source(source: str) -> Image.Image:
    """Open `source`, a path that begins with the name of an installed package."""
    package, _, inside = source.partition("/")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed")
    path = Path(spec.origin).parent / inside
    if not path.is_file():
        raise SystemExit(f"this version of {package} has no {inside}")
    if path.suffix == ".dat":  # scipy stores the raccoon as compressed RGB bytes
        return Image.frombytes("RGB", (1024, 768), bz2.decompress(path.read_bytes()))
    picture = Image.open(path)
    picture.load()
    profile = picture.info.get("icc_profile")
    if profile is None:
        return picture
    # The rocket is Adobe RGB: without its profile the colours would look dull.
    converted = ImageCms.profileToProfile(
        picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    )
    assert converted is not None  # None only for conversion in place
    return converted


def write(sample: Sample, folder: Path) -> None:
    """Crop, shrink and write one sample, without the metadata of its source."""
    picture = open_source(sample.source)
    if sample.box is not None:
        picture = picture.crop(sample.box)
    scale = min(1.0, LONG_SIDE / max(picture.size))
    if scale < 1.0:
        size = (round(picture.width * scale), round(picture.height * scale))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    picture.info.clear()
    target = folder / sample.file
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".png":
        picture.save(target, optimize=True)
    else:
        picture.save(target, quality=JPEG_QUALITY, optimize=True, icc_profile=None)


def main() -> None:
    """Write all samples below the folder named on the command line."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python make.py FOLDER")
    for sample in SAMPLES:
        write(sample, Path(sys.argv[1]))


if __name__ == "__main__":
    main()

"""What augcli is measured against: the floor and what a user would otherwise write.

    python benchmarks/peers.py NAME INPUT OUT [--processes N] [--classifier FILE]

Every contender reads a folder of class folders, augments each image once, writes it with the
same settings of the codec and adds a row to a CSV table. The floor only decodes and encodes.
Prints one line of JSON: how many images, and images a second between the first and the last.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple

QUALITY = 95
PNG_LEVEL = 3

Made = Callable[[str, str], None]
"""Reads the first path and writes the second."""


class Options(NamedTuple):
    """What a process has to know."""

    name: str
    folder: str
    out: str
    files: list[str]
    classifier: str


def parameters(path: str) -> list[int]:
    """Return OpenCV's settings, those that augcli writes with."""
    import cv2  # noqa: PLC0415 - each contender pays for what it imports

    if path.endswith(".png"):
        strategy = cv2.IMWRITE_PNG_STRATEGY_DEFAULT
        return [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL, cv2.IMWRITE_PNG_STRATEGY, strategy]
    factor = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    return [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]


def _read(path: str) -> Any:
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    with open(path, "rb") as file:
        return cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)


def _write(path: str, image: Any) -> None:
    import cv2  # noqa: PLC0415

    encoded = cv2.imencode(os.path.splitext(path)[1], image, parameters(path))[1]
    with open(path, "wb") as file:
        file.write(encoded)


def floor(_: Options) -> Made:
    """Decode and encode: no image can cost less."""
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(1)

    def make(source: str, target: str) -> None:
        _write(target, _read(source))

    return make


def coarse_dropout(_: Options) -> Made:
    """One hole by albumentations."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations  # noqa: PLC0415
    import cv2  # noqa: PLC0415

    drop = albumentations.CoarseDropout(
        num_holes_range=(1, 1), hole_height_range=(0.25, 0.25), hole_width_range=(0.25, 0.25), p=1
    )

    def make(source: str, target: str) -> None:
        image = cv2.cvtColor(_read(source), cv2.COLOR_BGR2RGB)
        _write(target, cv2.cvtColor(drop(image=image)["image"], cv2.COLOR_RGB2BGR))

    return make


def pillow(_: Options) -> Made:
    """One hole by Pillow."""
    from PIL import Image  # noqa: PLC0415

    def make(source: str, target: str) -> None:
        with Image.open(source) as found:
            image = found.convert("RGB")
        side = max(1, min(image.size) // 4)
        left, top = random.randrange(image.width), random.randrange(image.height)
        hole = (left, top, min(left + side, image.width), min(top + side, image.height))
        image.paste((124, 116, 104), hole)
        if target.endswith(".png"):
            image.save(target, compress_level=PNG_LEVEL)
        else:
            image.save(target, quality=QUALITY, subsampling="4:2:0")

    return make


def attentive(options: Options) -> Made:
    """Attentive CutMix as published: a classifier of 224 x 224 looks at every donor."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415
    import onnx  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415

    cv2.setNumThreads(1)
    graph = onnx.load(options.classifier)
    keys = {one.key: one.value for one in graph.metadata_props}
    features = keys["features"].strip('"')
    graph.graph.output.append(onnx.helper.make_empty_tensor_value_info(features))
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    entry, side, grid = session.get_inputs()[0].name, 224, 7

    def make(source: str, target: str) -> None:
        base = _read(source)
        donor = _read(os.path.join(options.folder, random.choice(options.files)))
        look = cv2.cvtColor(cv2.resize(donor, (side, side)), cv2.COLOR_BGR2RGB)
        batch = look.transpose(2, 0, 1)[None].astype(np.float32) / 255
        heat = session.run([features], {entry: batch})[0][0].mean(axis=0)
        chosen = np.zeros(grid * grid, np.uint8)
        chosen[np.argsort(heat.ravel())[-6:]] = 1
        size = base.shape[1], base.shape[0]
        mask = cv2.resize(chosen.reshape(grid, grid), size, interpolation=cv2.INTER_NEAREST)
        fitted = cv2.resize(donor, size)
        _write(target, np.where(mask[..., None] == 1, fitted, base))

    return make


MAKERS: dict[str, Callable[[Options], Made]] = {
    "floor": floor,
    "albumentations": coarse_dropout,
    "albumentations-pool": coarse_dropout,
    "pillow": pillow,
    "attentive": attentive,
}


class Span(NamedTuple):
    """When one process wrote its first and its last image, and the rows of its table."""

    first: float
    last: float
    rows: list[tuple[str, str]]


def _target(options: Options, path: str) -> str:
    stem, extension = os.path.splitext(path)
    return f"{options.out}/{stem}-{options.name}{extension}"


def work(options: Options, files: list[str]) -> Span:
    """Make the images of one slice of the files."""
    make = MAKERS[options.name](options)
    first = 0.0
    rows = []
    for path in files:
        target = _target(options, path)
        make(f"{options.folder}/{path}", target)
        first = first or time.time()
        rows.append((target, path.partition("/")[0]))
    return Span(first, time.time(), rows)


class _One:
    """One image of a pool, with what its process keeps."""

    options: Options
    make: Made


def _begin(options: Options) -> None:
    _One.options, _One.make = options, staticmethod(MAKERS[options.name](options))


def _one(path: str) -> tuple[float, str, str]:
    target = _target(_One.options, path)
    _One.make(f"{_One.options.folder}/{path}", target)
    return time.time(), target, path.partition("/")[0]


def run(options: Options, processes: int) -> Span:
    """Make all images; only albumentations has a pool that hands out images one by one."""
    if processes == 1:
        return work(options, options.files)
    if options.name.endswith("-pool"):
        with multiprocessing.Pool(processes, _begin, (options,)) as pool:
            made = list(pool.imap_unordered(_one, options.files, chunksize=16))
        times = [one[0] for one in made]
        return Span(min(times), max(times), [one[1:] for one in made])
    slices = [(options, options.files[start::processes]) for start in range(processes)]
    with multiprocessing.Pool(processes) as pool:
        spans = pool.starmap(work, [one for one in slices if one[1]], chunksize=1)
    rows = [row for span in spans for row in span.rows]
    return Span(min(one.first for one in spans), max(one.last for one in spans), rows)


def listed(folder: str) -> list[str]:
    """Return the files of all class folders, sorted."""
    return sorted(
        f"{label}/{name}"
        for label in os.listdir(folder)
        for name in os.listdir(f"{folder}/{label}")
    )


def main() -> None:
    """Run one contender and print its rate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=MAKERS)
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--classifier", default="")
    given = parser.parse_args()
    files = listed(given.folder)
    for label in {path.partition("/")[0] for path in files}:
        os.makedirs(f"{given.out}/{label}", exist_ok=True)
    span = run(
        Options(given.name, given.folder, given.out, files, given.classifier), given.processes
    )
    if given.name != "floor":
        with open(f"{given.out}/metadata.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("file_name", "label"), *span.rows])
    rate = (len(files) - 1) / max(span.last - span.first, 1e-9)
    print(json.dumps({"images": len(files), "images_per_second": rate}))


if __name__ == "__main__":
    main()

"""How well scorers find the object: the table of models/README.md.

Over 300 lines, because it is a script of its own that needs nothing of the other benchmarks.

    python benchmarks/attention.py --objects DIR --models DIR [--prepared] [--also NAME=FILE ...]

`--objects` holds list.csv, photos/ and masks/ (white = object); `--models` holds classifiers in
ONNX and, if there is one, attention-teacher.onnx. Photos of `--fold` alone are looked at. With
`--prepared`, scorers that `augcli scorer prepare` makes of the classifiers are judged, in place of
maps that are computed here: the table of docs/scorers.md.

A photo and its mask are squashed to a square and cut into 7 x 7 cells; the coverage of a cell is
its share of object pixels. For each scorer:

- P: mean coverage of a map's 6 highest cells, mean over photos (precision@6);
- S: skill, (P - random) / (oracle - random): 0 for blind choice, 1 for the 6 best cells;
- pt: pointing, the share of photos whose highest cell is covered by more than half;
- off: the same on a crop of 70 % of both sides, at the corner that puts the object's centroid
  furthest from the middle while half of its pixels stay. A prior for the middle fails here.
- ms: per image, the network alone, one thread, batches of 16, the best of several.

Standard errors are from 2,000 bootstrap samples of photos.
"""

import argparse
import csv
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

import augcli
from augcli.attention.device import computes_in_integers

GRID, TOP, SIDE, SMALL = 7, 6, 224, 32
Floats = NDArray[np.float32]
Scores = Callable[[list["Sample"]], Floats]
PREPARED: dict[str, dict[str, object]] = {
    "default": {},
    "--map mean": {"map": "mean"},
    "--map cam": {"map": "cam"},
    "--raw": {"raw": True},
    "--raw --map mean": {"raw": True, "map": "mean"},
    "--raw --map cam": {"raw": True, "map": "cam"},
}
"""Ways to prepare a scorer, as the command line writes them and as Python does."""


@dataclass(frozen=True)
class Sample:
    """A photo (RGB), its mask (0 or 1) and the coverage of its cells."""

    image: NDArray[np.uint8]
    mask: Floats
    cells: Floats

    @classmethod
    def of(cls, image: NDArray[np.uint8], mask: Floats) -> "Sample":
        """Count the coverage of each cell."""
        fine = cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        step = SIDE // GRID
        cells = fine.reshape(GRID, step, GRID, step).mean(axis=(1, 3))
        return cls(image, mask, np.asarray(cells, np.float32))


def read_samples(folder: Path, folds: set[int]) -> list[Sample]:
    """Read the photos and masks of some folds."""
    found = []
    with (folder / "list.csv").open(newline="", encoding="utf-8") as file:
        names = [row["id"] for row in csv.DictReader(file) if int(row["fold"]) in folds]
    for name in names:
        image = cv2.imread(str(folder / "photos" / f"{name}.jpg"), cv2.IMREAD_COLOR)
        mask = cv2.imread(str(folder / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        if image is None or mask is None:
            raise SystemExit(f"no photo or no mask for {name} under {folder}")
        rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        found.append(Sample.of(rgb, (mask > 127).astype(np.float32)))
    return found


def off_centre(sample: Sample) -> Sample:
    """Cut the corner crop that puts the object furthest from the middle."""
    height, width = sample.mask.shape
    crop_height, crop_width = round(height * 0.7), round(width * 0.7)
    total = max(float(sample.mask.sum()), 1.0)
    crops = []
    for top in (0, height - crop_height):
        for left in (0, width - crop_width):
            window = slice(top, top + crop_height), slice(left, left + crop_width)
            mask = sample.mask[window]
            rows, columns = np.nonzero(mask)
            kept = len(rows) / total
            distance = 0.0
            if len(rows):
                distance = float(
                    np.hypot(
                        (rows.mean() + 0.5) / crop_height - 0.5,
                        (columns.mean() + 0.5) / crop_width - 0.5,
                    )
                )
            # Half of the object must stay; if no corner leaves that, the corner that leaves most.
            crops.append(((1.0, distance) if kept >= 0.5 else (0.0, kept), window))
    window = max(crops, key=lambda crop: crop[0])[1]
    return Sample.of(np.ascontiguousarray(sample.image[window]), sample.mask[window].copy())


# Maps from heat maps -----------------------------------------------------------------------


def blurred(maps: Floats, sigma: float, centre: float) -> Floats:
    """Blur maps, scale each to a highest value of 1, add a Gaussian of two cells at the middle."""
    out = []
    for each in maps:
        smooth = cv2.GaussianBlur(each, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        out.append(smooth / max(float(smooth.max()), 1e-9) + centre * gaussian())
    return np.stack(out)


def gaussian() -> Floats:
    """Give the centre prior: a Gaussian with a standard deviation of two cells."""
    axis = np.arange(GRID) - (GRID - 1) / 2
    return np.exp(-(axis[:, None] ** 2 + axis[None, :] ** 2) / (2 * 2.0**2)).astype(np.float32)


def fixed(one: Floats) -> Scores:
    """Give every photo the same map."""
    return lambda samples: np.broadcast_to(one, (len(samples), GRID, GRID)).astype(np.float32)


def pooled(image: Floats) -> Floats:
    """Average a map of any size to the grid."""
    return np.asarray(cv2.resize(image, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)


def gradient(samples: list[Sample]) -> Floats:
    """Score cells by the length of the Sobel gradient of the grey picture."""
    out = []
    for sample in samples:
        small = cv2.resize(sample.image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        out.append(
            pooled(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)))
        )
    return np.stack(out)


# Networks ----------------------------------------------------------------------------------


class Network:
    """An ONNX network with its metadata; keys are read with and without `augcli.`."""

    def __init__(self, file: Path) -> None:
        model = onnx.load(str(file))
        self.file = file
        self.keys = {p.key.removeprefix("augcli."): p.value for p in model.metadata_props}
        output = self.keys.get("features") or model.graph.output[0].name
        if output not in {each.name for each in model.graph.output}:
            model.graph.output.append(
                onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None)
            )
        self.output = output
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        if not computes_in_integers(file):
            # 8-bit weights are computed in float: about twice as fast, and no change otherwise.
            options.add_session_config_entry("session.disable_quant_qdq", "1")
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self.input = self.session.get_inputs()[0].name
        self.bytes = self.session.get_inputs()[0].type == "tensor(uint8)"
        self.side = int(self.session.get_inputs()[0].shape[2])
        self.top = 255.0 if "255" in self.keys.get("range", "") else 1.0
        self.mean, self.std = (
            np.array(json.loads(f"[{self.keys.get(key, default).strip('[]')}]"), np.float32)
            for key, default in (("mean", "0, 0, 0"), ("std", "1, 1, 1"))
        )

    def batch(self, samples: Iterable[Sample]) -> Floats | NDArray[np.uint8]:
        """Squash photos to the size and range that the network takes."""
        small = []
        for sample in samples:
            height, width = sample.image.shape[:2]
            shrinks = height >= self.side and width >= self.side
            how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            small.append(cv2.resize(sample.image, (self.side, self.side), interpolation=how))
        if self.bytes:
            return np.stack(small)
        pixels = np.stack(small).astype(np.float32) * np.float32(self.top / 255)
        return np.ascontiguousarray(((pixels - self.mean) / self.std).transpose(0, 3, 1, 2))

    def __call__(self, samples: list[Sample]) -> Floats:
        """Give the last maps, (N, channels, h, w) or (N, h, w)."""
        outputs = [
            self.session.run([self.output], {self.input: self.batch(samples[i : i + 16])})[0]
            for i in range(0, len(samples), 16)
        ]
        return np.asarray(np.concatenate(outputs), np.float32)

    def milliseconds(self, repeats: int) -> float:
        """Time batches of 16 and give the best, per image."""
        rng = np.random.default_rng(0)
        noise = rng.random((16, 3, self.side, self.side), np.float32)
        pixels: Floats | NDArray[np.uint8] = noise * np.float32(self.top)
        if self.bytes:
            pixels = np.ascontiguousarray((noise * 255).astype(np.uint8).transpose(0, 2, 3, 1))
        names = [self.session.get_outputs()[0].name] if "scores" in self.output else [self.output]
        best = float("inf")
        for _ in range(repeats):
            began = time.perf_counter()
            self.session.run(names, {self.input: pixels})
            best = min(best, time.perf_counter() - began)
        return best / 16 * 1000


def heat_maps(network: Network) -> Scores:
    """Take a scorer's output as it is."""
    return lambda samples: network(samples).reshape(len(samples), GRID, GRID)


def classifier_maps(network: Network, kind: str) -> Scores:
    """Make maps of a classifier's last features: their mean, length, or blurred length."""

    def scores(samples: list[Sample]) -> Floats:
        features = network(samples)
        if kind == "channel mean":
            flat = features.mean(axis=1)
        else:
            flat = np.sqrt(np.square(features).sum(axis=1))
        # A classifier of 5 x 5 or 4 x 4 cells is enlarged to the grid.
        maps = np.stack([cv2.resize(each, (GRID, GRID)) for each in flat])
        return maps if kind != "L2 + blur 1.2 + centre 0.2" else blurred(maps, 1.2, 0.2)

    return scores


# Figures -----------------------------------------------------------------------------------


def coverage_of_best(maps: Floats, cells: Floats, count: int) -> Floats:
    """Give the mean coverage of each map's highest cells; ties go by cell number."""
    order = np.argsort(-maps.reshape(len(maps), -1), axis=1, kind="stable")[:, :count]
    chosen = np.take_along_axis(cells.reshape(len(cells), -1), order, axis=1)
    return np.asarray(chosen.mean(axis=1), np.float32)


class Judge:
    """Holds the photos of one kind and gives the figures of a scorer."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples
        self.cells = np.stack([sample.cells for sample in samples])
        self.oracle = coverage_of_best(self.cells, self.cells, TOP)
        self.random = self.cells.mean(axis=(1, 2))
        rng = np.random.default_rng(0)
        self.draws = rng.integers(0, len(samples), (2000, len(samples)))

    def figures(self, maps: Floats) -> dict[str, float]:
        """Give P, S, its standard error, and pt."""
        precision = coverage_of_best(maps, self.cells, TOP)

        def skill(index: NDArray[np.int64] | slice) -> NDArray[np.float64]:
            means = [
                each[index].mean(axis=-1, dtype=np.float64)
                for each in (precision, self.random, self.oracle)
            ]
            return np.asarray((means[0] - means[1]) / (means[2] - means[1]))

        return {
            "P": float(precision.mean()),
            "S": float(skill(slice(None))),
            "error": float(skill(self.draws).std()),
            "pt": float((coverage_of_best(maps, self.cells, 1) > 0.5).mean()),
        }


def rows(
    options: argparse.Namespace, training: list[Sample]
) -> Iterable[tuple[str, Scores, Network | None]]:
    """Give each method with its name, and its network if it has one."""
    rng = np.random.default_rng(0)
    yield "random", lambda s: rng.random((len(s), GRID, GRID), np.float32), None
    yield "centre prior, Gaussian of 2 cells", fixed(gaussian()), None
    fitted = np.mean([sample.cells for sample in training], axis=0)
    yield "centre prior, fitted to the other folds", fixed(fitted.astype(np.float32)), None
    yield "gradient energy (Sobel)", gradient, None
    for file in sorted(options.models.glob("*.onnx")) if options.models else []:
        network = Network(file)
        if "features" not in network.keys:
            yield f"{file.stem} (the teacher)", heat_maps(network), network
            continue
        if options.prepared:
            yield from prepared(file)
            continue
        for kind in ("channel mean", "L2", "L2 + blur 1.2 + centre 0.2"):
            yield f"{file.stem}, {kind}", classifier_maps(network, kind), network
    for name, file in [each.split("=", 1) for each in options.also]:
        network = Network(Path(file))
        scores = heat_maps(network)
        yield name, of_small(scores) if network.side < SIDE // 2 else scores, network
    network = Network(options.scorer)
    yield "**augcli's scorer**", heat_maps(network), network
    yield "the same, photos of 32 x 32", of_small(heat_maps(network)), network
    network = Network(options.scorer.with_name("attention-small.onnx"))
    yield "**augcli's scorer for small images**, 32 x 32", of_small(heat_maps(network)), network


def of_small(scores: Scores) -> Scores:
    """Let a scorer see photos of 32 x 32 pixels only."""

    def small(sample: Sample) -> Sample:
        image = cv2.resize(sample.image, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
        return Sample(np.asarray(image, np.uint8), sample.mask, sample.cells)

    return lambda samples: scores([small(sample) for sample in samples])


def prepared(classifier: Path) -> Iterable[tuple[str, Scores, Network]]:
    """Give the scorers that augcli makes of a classifier."""
    with tempfile.TemporaryDirectory() as folder:
        for words, how in PREPARED.items():
            made = augcli.prepare_scorer(classifier, out=f"{folder}/{words}.onnx", **how)
            network = Network(Path(made.file))
            yield f"{classifier.stem}, {words}", heat_maps(network), network


def parse() -> argparse.Namespace:
    """Read the command line."""
    here = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--objects", type=Path, required=True)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--scorer", type=Path, default=here / "models" / "attention.onnx")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--prepared", action="store_true", help="judge prepared scorers")
    parser.add_argument("--fold", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=60, help="timings, of which the best counts")
    return parser.parse_args()


def processor() -> str:
    """Return the name of the processor, or of its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "")


def main() -> None:
    """Print the table."""
    options = parse()
    cv2.setNumThreads(1)
    whole = read_samples(options.objects, {options.fold})
    training = read_samples(options.objects, set(range(5)) - {options.fold})
    judges = Judge(whole), Judge([off_centre(sample) for sample in whole])
    print(
        f"{processor()}, {platform.system()}, Python {platform.python_version()}, "
        f"onnxruntime {onnxruntime.__version__}, OpenCV {cv2.__version__}"
    )
    print(
        f"`python benchmarks/{Path(sys.argv[0]).name} {' '.join(sys.argv[1:])}`\n"
        f"fold {options.fold}, {len(whole)} photos; "
        f"{options.scorer.name}: {options.scorer.stat().st_size:,} bytes, "
        f"recipe {Network(options.scorer).keys.get('recipe', 'not told')}"
    )
    bounds = [f"{j.random.mean():.3f} / {j.oracle.mean():.3f}" for j in judges]
    print(f"random / oracle P: {bounds[0]}; off-centre {bounds[1]}\n")
    print("| method | P | S | pt | off P | off S | off pt | ms |")
    print("|---|---|---|---|---|---|---|---|")
    for name, scores, network in rows(options, training):
        cells = []
        for judge in judges:
            f = judge.figures(scores(judge.samples))
            cells.append(f"{f['P']:.3f} | {f['S']:.3f} ± {f['error']:.3f} | {f['pt']:.2f}")
        spent = f"{network.milliseconds(options.repeats):.2f}" if network else ""
        print(f"| {name} | {' | '.join(cells)} | {spent} |", flush=True)


if __name__ == "__main__":
    main()

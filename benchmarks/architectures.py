"""What `augcli scorer prepare` finds in usual architectures: the table of docs/scorers.md.

Over 300 lines, because it is a script of its own that needs nothing of the other benchmarks.

    python benchmarks/architectures.py [--libraries torchvision timm] [--exporters ...] [--only ...]

Networks of torchvision and timm are made with random weights, exported to ONNX and prepared, once
for each kind of map. Random weights say nothing of how good a map is: what is told is whether the
right layer was found, and whether the map is the one that NumPy computes of that layer. Needs
torch, torchvision, timm and onnxscript.

- "layer" is right where the tensor holds what PyTorch's last module with places gave (or that
  after a ReLU), told by hooks on the modules;
- a map is right where the scorer's numbers are those of NumPy and OpenCV, computed of that tensor
  as onnxruntime gives it for the classifier that was exported, before it was prepared;
- `cam` is right only where, besides, the weights of PyTorch's last linear layer times the mean
  features are its class scores, or the class scores are the mean of the features.
"""

import argparse
import gc
import importlib
import platform
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

import augcli
from augcli.attention.device import first_line
from augcli.attention.graph import Graph
from augcli.classifiers.prepare import PreparedScorer
from augcli.errors import UsageError

Floats = NDArray[np.float64]
GRID = 7
MAPS = ("l2", "mean", "cam", "tokens")
EXPORTERS = ("legacy", "dynamo")
NETWORKS = {
    "torchvision": (
        "alexnet convnext_tiny densenet121 efficientnet_b0 googlenet inception_v3 maxvit_t "
        "mnasnet0_5 mobilenet_v2 mobilenet_v3_small regnet_y_400mf resnet18 resnet50 "
        "shufflenet_v2_x0_5 squeezenet1_1 swin_t vgg11_bn vit_b_16 "
    ),
    "timm": (
        "convnext_atto deit_tiny_distilled_patch16_224 deit_tiny_patch16_224 "
        "edgenext_xx_small efficientnet_lite0 levit_128s mobilenetv3_small_050 mobilevit_xxs "
        "nfnet_l0 poolformer_s12 resnet18 swin_tiny_patch4_window7_224 vit_tiny_patch16_224 "
    ),
}
OTHER_SIDES = {"inception_v3": 299, "mobilevit_xxs": 256, "edgenext_xx_small": 256}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass
class Case:
    """A network, how it was exported, and what came of it."""

    library: str
    name: str
    exporter: str
    found: str = ""
    layer: str = ""
    maps: dict[str, str] = field(default_factory=dict)


@dataclass
class Known:
    """What PyTorch says of one image: its last features, class scores, and class layer.

    Where a layer norm made the features, what it made them of is in `features` too.
    """

    image: NDArray[np.uint8]
    features: list[Floats]
    scores: Floats
    weights: Floats
    bias: Floats


def main() -> None:
    """Export, prepare and compare; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--libraries", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--exporters", nargs="+", choices=EXPORTERS, default=list(EXPORTERS))
    parser.add_argument("--only", nargs="+", metavar="NETWORK", help="These networks alone.")
    parser.add_argument("--keep", type=Path, help="Folder that keeps the exported classifiers.")
    parser.add_argument("--batch", choices=("any", "one"), default="any", help="Images at once.")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cases = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for library in given.libraries:
            names = NETWORKS[library].split()
            for name in [one for one in names if one in (given.only or names)]:
                cases += examine(library, name, given.exporters, folder, given.batch == "any")
                gc.collect()
    print("\n".join(table(cases)))
    versions = [
        f"{name} {load(name).__version__}"
        for name in ("torch", *given.libraries, "onnx", "onnxruntime")
    ]
    print(
        f"\naugcli {augcli.__version__}, Python {platform.python_version()}, " + ", ".join(versions)
    )


def examine(
    library: str, name: str, exporters: list[str], folder: Path, any_number: bool
) -> list[Case]:
    """Return what comes of a network by each exporter."""
    torch.manual_seed(0)
    side = OTHER_SIDES.get(name, 224)
    network = made(library, name)
    settle(network, side)
    known = ask(network, side)
    cases = []
    for exporter in exporters:
        case = Case(library, name, exporter)
        cases.append(case)
        kept = f"{library}-{name}-{exporter}-{'any' if any_number else 'one'}.onnx"
        path = folder / kept
        try:
            if not path.exists():
                export(network, exporter, side, path, any_number)
        except Exception as error:  # PyTorch has a class for each cause and no common base
            case.found = f"not exported: {first_line(error)}"
        else:
            judge(case, path, known)
        print(
            "|".join([library, name, exporter, case.found, case.layer, str(case.maps)]), flush=True
        )
    return cases


def load(library: str) -> ModuleType:
    """Import a library of networks.

    torchvision built for another torch can't load its own operators. Classifiers need none, but
    it describes some on import, which therefore must be known.
    """
    try:
        return importlib.import_module(library)
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor a, Tensor b, float c) -> Tensor")
        for name in [one for one in sys.modules if one.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        return importlib.import_module(library)


def made(library: str, name: str) -> torch.nn.Module:
    """Return a network with random weights."""
    if library == "timm":
        return load("timm").create_model(name, pretrained=False)
    extra = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load("torchvision").models.get_model(name, weights=None, **extra)


def settle(network: torch.nn.Module, side: int) -> None:
    """Give batch norms the statistics of random images, so that features neither die nor grow."""
    norms = [
        one
        for one in network.modules()
        if isinstance(one, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d)
    ]
    for one in norms:
        one.momentum = None
    if norms:
        with torch.no_grad():
            network.train()(torch.randn(4, 3, side, side))
    network.eval()


def ask(network: torch.nn.Module, side: int) -> Known:
    """Return what PyTorch says of one image."""
    image = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    places: list[torch.Tensor] = []
    normed: list[tuple[torch.Tensor, torch.Tensor]] = []
    layers: list[torch.nn.Module] = []

    def look(module: torch.nn.Module, given: Any, gave: Any) -> None:
        if isinstance(gave, torch.Tensor) and has_places(gave.shape):
            places.append(gave)
            if isinstance(module, torch.nn.LayerNorm):
                normed.append((given[0], gave))
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            layers.append(module)

    hooks = [one.register_forward_hook(look) for one in network.modules()]
    with torch.no_grad():
        scores = network(torch.from_numpy(as_input(image)))
    for one in hooks:
        one.remove()
    last = layers[-1]
    weights = last.weight.detach().numpy().astype(np.float64)
    bias = np.zeros(len(weights)) if last.bias is None else last.bias.detach().numpy()
    features = [places[-1]]
    if normed and normed[-1][1].data_ptr() == places[-1].data_ptr():  # moved, perhaps
        features += normed[-1]
    return Known(
        image,
        [one[0].numpy().astype(np.float64) for one in features],
        scores[0].numpy().astype(np.float64),
        weights.reshape(len(weights), -1),
        bias,
    )


def has_places(shape: torch.Size) -> bool:
    """Return whether a tensor has more than one place: a map, or tokens."""
    if len(shape) == 4:
        return sum(one > 1 for one in shape[1:]) >= 2
    return len(shape) == 3 and min(shape[1:]) > 1


def as_input(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the tensor that torchvision makes of an image of the right size."""
    scaled = (image / 255 - MEAN) / DEVIATION
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32)


def export(
    network: torch.nn.Module, exporter: str, side: int, path: Path, any_number: bool
) -> None:
    """Export a network as its library's documentation says."""
    names: dict[str, Any] = {"input_names": ["image"], "output_names": ["scores"]}
    if exporter == "dynamo":
        if any_number:
            names["dynamic_shapes"] = ({0: torch.export.Dim("N")},)
        names |= {"dynamo": True, "external_data": False, "verbose": False}
        example = torch.zeros(2 if any_number else 1, 3, side, side)
    else:
        if any_number:
            names["dynamic_axes"] = {"image": {0: "N"}, "scores": {0: "N"}}
        names["dynamo"] = False
        example = torch.zeros(1, 3, side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (example,), str(path), **names)


def judge(case: Case, path: Path, known: Known) -> None:
    """Prepare a scorer for each kind of map and compare."""
    out = path.with_name(f"scorer-{path.name}")
    for kind in MAPS:
        if case.found and kind == "tokens":
            break  # they are for what has no map
        if kind in ("mean", "cam") and not case.found:
            continue
        try:
            found = augcli.prepare_scorer(
                path, out=out, map=kind, raw=True, preset="imagenet", overwrite=True, grid=GRID
            )
        except UsageError as error:
            case.maps[kind] = str(error).removeprefix(f"{path}: ")
            continue
        tensor = fetch(path, found.tensor, as_input(known.image))
        case.found = case.found or described(found)
        case.layer = max(case.layer, compared(tensor, known), key=len)
        (scored,) = Graph(out).scores([known.image])
        case.maps[kind] = agreement(scored, expected(kind, tensor, found, known))
        if found.batch:
            case.maps[kind] += ", one at a time"
    out.unlink(missing_ok=True)


def described(found: PreparedScorer) -> str:
    """Return what was found, in words."""
    text = f"{found.channels:,} x {found.height} x {found.width}, {found.layout}"
    return f"{text} ({found.tensor})"


def fetch(path: Path, name: str, image: NDArray[np.float32]) -> Floats:
    """Return a tensor that the classifier makes of an image, by onnxruntime."""
    model = onnx.load(str(path))
    if name not in {one.name for one in model.graph.output}:
        model.graph.output.append(onnx.ValueInfoProto(name=name))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    first = session.get_inputs()[0]
    kind = np.float16 if first.type == "tensor(float16)" else np.float32
    (gave,) = session.run([name], {first.name: image.astype(kind)})
    return np.asarray(gave[0], np.float64)


def compared(tensor: Floats, known: Known) -> str:
    """Return whether a tensor is PyTorch's last one, in any layout."""
    for last in known.features:
        for one in (last, np.maximum(last, 0)):
            for turned in (one, np.moveaxis(one, 0, -1), np.moveaxis(one, -1, 0)):
                if turned.shape == tensor.shape and agreement(turned, tensor) == "right":
                    return "right"
    return f"WRONG: PyTorch's last has {known.features[0].shape}"


def agreement(found: NDArray[Any], wanted: NDArray[Any] | None) -> str:
    """Return ``right`` where two arrays are the same but for rounding."""
    if wanted is None:
        return "WRONG: not linear in the features"
    if found.shape != wanted.shape:
        return f"WRONG: {found.shape}, not {wanted.shape}"
    difference = float(np.abs(found - wanted).max() / (np.abs(wanted).max() or 1))
    return "right" if difference < 2e-3 else f"WRONG by {difference:.2g}"


def expected(kind: str, tensor: Floats, found: PreparedScorer, known: Known) -> Floats | None:
    """Return the map (7, 7) that NumPy and OpenCV make of the features."""
    if kind == "tokens":
        first = len(tensor) - found.height * found.width
        patches = tensor[first:]
        whole = tensor[0] if first else patches.mean(axis=0)
        lengths = np.linalg.norm(patches, axis=1) * np.linalg.norm(whole)
        plain = (patches @ whole / lengths).reshape(found.height, found.width)
        return fitted(plain)
    if tensor.ndim == 2:
        tensor = tensor[len(tensor) - found.height * found.width :].T.reshape(
            -1, found.height, found.width
        )
    features = tensor.transpose(2, 0, 1) if found.layout == "NHWC" else tensor
    plain_maps: dict[str, Callable[[], Floats | None]] = {
        "l2": lambda: np.asarray(np.sqrt((features**2).sum(axis=0))),
        "mean": lambda: np.asarray(features.mean(axis=0)),
        "cam": lambda: activation(features, known),
    }
    plain_map = plain_maps[kind]()
    return None if plain_map is None else fitted(plain_map)


def activation(features: Floats, known: Known) -> Floats | None:
    """Return the class activation map; None where the class scores are not linear in it."""
    powers = np.exp(known.scores - known.scores.max())
    likely = powers / powers.sum()
    pooled = features.mean(axis=(1, 2))
    if pooled.shape == known.scores.shape and agreement(pooled, known.scores) == "right":
        return np.asarray(np.einsum("k,khw->hw", likely, features))
    if known.weights.shape[1] == features.size:
        scores = known.weights @ features.ravel()
        plain = ((likely @ known.weights).reshape(features.shape) * features).sum(axis=0)
    elif known.weights.shape[1] == len(pooled):
        scores = known.weights @ pooled
        plain = np.einsum("c,chw->hw", likely @ known.weights, features)
    else:
        return None
    linear = agreement(scores + known.bias, known.scores) == "right"
    return np.asarray(plain) if linear else None


def fitted(plain: Floats) -> Floats:
    """Fit a map to the grid as OpenCV does: averaged if it is larger, else enlarged."""
    larger = min(plain.shape) >= GRID
    how = cv2.INTER_AREA if larger else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plain, (GRID, GRID), interpolation=how))


def table(cases: list[Case]) -> list[str]:
    """Return the table, in Markdown."""
    lines = [
        "| network | exporter | found | layer | " + " | ".join(f"`{one}`" for one in MAPS) + " |",
        "|---" * (4 + len(MAPS)) + "|",
    ]
    for case in cases:
        told = [in_short(case.maps.get(one, "")) for one in MAPS]
        cells = [f"{case.library} {case.name}", case.exporter, case.found, case.layer, *told]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def in_short(told: str) -> str:
    """Return the cell of the table; the reason of a refused map is printed above it."""
    return told if not told or told.startswith(("right", "WRONG")) else "refused"


if __name__ == "__main__":
    main()

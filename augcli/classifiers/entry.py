"""The way in: what a classifier takes, and what is put in front so that a scorer takes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from augcli.augmentations.size import size_frame
from augcli.classifiers.classifier_graph import PREFIX, GraphBuilder
from augcli.classifiers.options import numbers_in, parse_mean, parse_range, parse_std
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    import onnx

    from augcli.classifiers.options import Numbers, PrepareOptions
    from augcli.classifiers.read import Classifier

DEFAULT_SIDE, LARGEST_SIDE = 224, 4096
PRESETS: dict[str, dict[str, Any]] = {
    "imagenet": {"range": (0, 1), "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    "tf": {"range": (-1, 1)},
    "caffe": {"range": (0, 255), "mean": (103.939, 116.779, 123.68), "order": "BGR"},
    "unit": {"range": (0, 1)},
}
NOTHING = {"mean": (0, 0, 0), "std": (1, 1, 1), "range": (0, 1), "order": "RGB"}
KEYS = frozenset({"input_size", "mean", "std", "range", "channel_order", "layout", "features"})
"""Metadata of a classifier that say what it takes and gives; a scorer's own take their place."""


class Entry(NamedTuple):
    """What a scorer takes, and how that becomes what the classifier takes.

    Attributes:
        name: Of the classifier's input.
        kind: Type of its elements, as ONNX numbers them.
        nhwc: Whether its channels are last.
        frame: Height and width to which images are squashed.
        batch: How many images it takes at once; 0 for any number.
        scaling: Values of ``range``, ``mean`` and ``std``.
        order: RGB or BGR.
    """

    name: str
    kind: int
    nhwc: bool
    frame: Frame
    batch: int
    scaling: dict[str, Numbers]
    order: str

    @property
    def pixels(self) -> bool:
        """Whether the scorer takes pixels as they are, uint8 with channels last."""
        from onnx import TensorProto  # noqa: PLC0415

        return self.kind == TensorProto.UINT8

    def metadata(self) -> dict[str, Any]:
        """Return what a scorer's file says of its input."""
        told = {} if self.pixels else self.scaling
        return {"input_size": list(self.frame), "channel_order": self.order} | {
            key: list(value) for key, value in told.items()
        }


def agree(classifier: Classifier, options: PrepareOptions) -> Entry:
    """Agree on what the scorer takes: options first, then a preset, then what the file says.

    Raises:
        ScorerError: The classifier takes no image, or nothing says how its pixels are scaled.
        ParameterError: ``size`` is not the one size that the classifier takes.
    """
    from onnx import TensorProto  # noqa: PLC0415

    found, shape = _image(classifier)
    kind = found.type.tensor_type.elem_type
    kinds = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.UINT8)
    words = f"{TensorProto.DataType.Name(kind).lower()} {_shape_in_words(found)}"
    if len(shape) != 4 or kind not in kinds:
        raise classifier.refused(
            f"takes {words}, but a classifier of images takes numbers in four dimensions, "
            "(N, 3, H, W) or (N, H, W, 3)"
        )
    file = _told(classifier)
    nhwc = shape[1] != 3 and (shape[3] == 3 or "NHWC" in file.get("layout", "").upper())
    channels = shape[3] if nhwc else shape[1]
    if channels not in (0, 3):
        raise classifier.refused(f"takes {words}, {channels} channels, not the 3 of an image")
    sides = shape[1:3] if nhwc else shape[2:]
    frame = _frame(classifier, options, file, sides)
    scaling, order = _scaling(classifier, options, file, pixels=kind == TensorProto.UINT8)
    return Entry(found.name, kind, nhwc, frame, shape[0], scaling, order)


def fix_size(model: onnx.ModelProto, entry: Entry, batch: int | str) -> None:
    """Give the classifier's input the size of the images and a number of them."""
    (found,) = [one for one in model.graph.input if one.name == entry.name]
    height, width = entry.frame
    sides = (height, width, 3) if entry.nhwc else (3, height, width)
    for dimension, value in zip(found.type.tensor_type.shape.dim, (batch, *sides), strict=True):
        dimension.Clear()
        if isinstance(value, str):
            dimension.dim_param = value
        else:
            dimension.dim_value = value


def put_in_front(model: onnx.ModelProto, entry: Entry, opset: int) -> list[onnx.NodeProto]:
    """Make the input what a scorer takes; return the nodes from there to the classifier."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    wanted = TensorProto.UINT8 if entry.pixels else TensorProto.FLOAT
    if (wanted, entry.pixels) == (entry.kind, entry.nhwc):
        return []
    (found,) = model.graph.input
    batch = found.type.tensor_type.shape.dim[0]
    height, width = entry.frame
    shape: list[Any] = [batch.dim_param or batch.dim_value]
    shape += [height, width, 3] if entry.pixels else [3, height, width]
    image = helper.make_tensor_value_info(f"{PREFIX}image", wanted, shape)
    drawing = GraphBuilder(opset, f"{PREFIX}before/")
    last = image.name
    if entry.kind != wanted:
        last = drawing.add("Cast", last, to=entry.kind)
    if entry.nhwc != entry.pixels:
        perm = [0, 2, 3, 1] if entry.nhwc else [0, 3, 1, 2]
        last = drawing.add("Transpose", last, perm=perm)
    # The last node takes the name by which the classifier knows its input.
    drawing.nodes[-1].output[0] = entry.name
    del model.graph.input[:]
    model.graph.input.append(image)
    return drawing.nodes


def _image(classifier: Classifier) -> tuple[onnx.ValueInfoProto, list[int]]:
    """Return the one input and its dimensions, 0 where they are free."""
    graph = classifier.model.graph
    # Old files list their weights among the inputs.
    weights = {one.name for one in graph.initializer}
    for place in reversed(range(len(graph.input))):
        if graph.input[place].name in weights:
            del graph.input[place]
    if weights:
        classifier.model.ir_version = max(classifier.model.ir_version, 4)
    if len(graph.input) != 1:
        names = ", ".join(one.name for one in graph.input)
        raise classifier.refused(
            f"takes {len(graph.input)} inputs ({names}), but a classifier of images takes one"
        )
    (found,) = graph.input
    return found, [one.dim_value for one in found.type.tensor_type.shape.dim]


def _shape_in_words(found: onnx.ValueInfoProto) -> str:
    sides = [one.dim_param or str(one.dim_value or "?") for one in found.type.tensor_type.shape.dim]
    return f"({', '.join(sides)})"


def _told(classifier: Classifier) -> dict[str, str]:
    """Return what the file says of its input, with or without ``augcli.`` before the key."""
    found = {}
    for one in classifier.model.metadata_props:
        key = one.key.removeprefix("augcli.")
        if key in KEYS and (key not in found or one.key != key):
            found[key] = one.value.strip().strip('"')
    return found


def _frame(
    classifier: Classifier, options: PrepareOptions, file: dict[str, str], sides: list[int]
) -> Frame:
    height, width = (side or None for side in sides)
    wanted: Frame | None = None
    if options.size:
        wanted = size_frame(options.size)
        fits = height in (None, wanted.height) and width in (None, wanted.width)
        if not fits:
            raise ParameterError(
                "size", f"is {options.size}, but the classifier takes only {width}x{height}"
            )
    elif "input_size" in file:
        wanted = _frame_of_text(classifier, file["input_size"])
    default = wanted or Frame(height or DEFAULT_SIDE, width or DEFAULT_SIDE)
    frame = Frame(height or default.height, width or default.width)
    if max(frame) > LARGEST_SIDE:
        raise classifier.refused(
            f"takes images of {frame.width} x {frame.height}, but a scorer's are of at most "
            f"{LARGEST_SIDE:,} pixels a side; set --size"
        )
    return frame


def _frame_of_text(classifier: Classifier, text: str) -> Frame:
    try:
        numbers = [int(one) for one in numbers_in(text)]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or min(numbers) < 1:
        raise classifier.refused(
            f"says input_size {text!r}, but must say height and width; set --size"
        )
    return Frame(numbers[0], numbers[-1])


def _scaling(
    classifier: Classifier, options: PrepareOptions, file: dict[str, str], *, pixels: bool
) -> tuple[dict[str, Numbers], str]:
    readers: dict[str, Callable[[Any], Numbers]] = {
        "range": parse_range,
        "mean": parse_mean,
        "std": parse_std,
    }
    known: dict[str, Any] = {}
    for name, read in readers.items():
        if name in file and not options.preset:
            try:
                known[name] = read(file[name])
            except ValueError as error:
                raise classifier.refused(f"says a {name} that {error}; set --{name}") from None
    order = file.get("channel_order", "RGB").upper() if not options.preset else "RGB"
    chosen = {**NOTHING, "order": order, **known, **PRESETS.get(options.preset or "", {})}
    for name in ("range", "mean", "std", "order"):
        if getattr(options, name) is not None:
            known[name] = chosen[name] = getattr(options, name)
    if not (known or options.preset or pixels):
        raise classifier.refused(
            "nothing in the file says how pixels are scaled; add --preset imagenet (torchvision, "
            "most of timm), tf (-1..1), caffe or unit (0..1), or --range, --mean and --std"
        )
    if chosen["order"] not in ("RGB", "BGR"):
        raise classifier.refused(f"says channel_order {chosen['order']!r}; set --order RGB or BGR")
    scaling = {name: tuple(float(one) for one in chosen[name]) for name in readers}
    return scaling, str(chosen["order"])


def as_texts(values: dict[str, Any]) -> dict[str, str]:
    """Return metadata as a scorer's file holds them: JSON texts by ``augcli.`` keys."""
    return {f"augcli.{key}": json.dumps(value) for key, value in values.items()}

"""The image input: what a classifier takes, and nodes that make it of what a scorer takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.augmentations.size import size_frame
from augcli.classifiers.classifier_graph import PREFIX, GraphBuilder
from augcli.classifiers.options import numbers_in
from augcli.classifiers.scaling import choose_scaling
from augcli.errors import ParameterError
from augcli.pixels.frame import Frame

if TYPE_CHECKING:
    import onnx

    from augcli.classifiers.options import ClassifierOptions, Numbers
    from augcli.classifiers.read import Classifier

DEFAULT_SIDE, LARGEST_SIDE = 224, 4096
GREY_WEIGHTS = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a grey image (ITU-R BT.601), as Pillow and OpenCV use them."""
METADATA_KEYS = frozenset(
    {"input_size", "mean", "std", "range", "channel_order", "layout", "features"}
)
"""Metadata of a classifier about its input and output; a scorer has its own in their place."""


class ImageInput(NamedTuple):
    """The input of a classifier, and what is done to an image for it.

    Attributes:
        name: Name of the classifier's input.
        kind: Type of its elements, a number of ``onnx.TensorProto.DataType``.
        grey: Whether it takes grey images, with one channel.
        nhwc: Whether its channels are last.
        frame: Height and width to which images are squashed.
        batch: Images that the classifier takes at once; 0 for any number.
        scaling: Values of ``range``, ``mean`` and ``std``, those of three channels.
        order: Order of the channels, RGB or BGR.
    """

    name: str
    kind: int
    grey: bool
    nhwc: bool
    frame: Frame
    batch: int
    scaling: dict[str, Numbers]
    order: str

    @property
    def pixels(self) -> bool:
        """Whether the scorer takes unscaled pixels, uint8 with channels last."""
        from onnx import TensorProto  # noqa: PLC0415

        return self.kind == TensorProto.UINT8

    @property
    def channels(self) -> int:
        """How many channels the classifier takes."""
        return 1 if self.grey else 3

    def metadata(self) -> dict[str, Any]:
        """Return the scorer's metadata about its input."""
        scaling = {} if self.pixels else self.scaling
        return {"input_size": list(self.frame), "channel_order": self.order} | {
            key: list(value) for key, value in scaling.items()
        }


def choose_input(classifier: Classifier, options: ClassifierOptions) -> ImageInput:
    """Choose what is done to an image: by the options, then a preset, then the file's metadata.

    Raises:
        ScorerError: The classifier takes no image, or nothing says how its pixels are scaled.
        ParameterError: ``size`` is not a size that the classifier takes.
    """
    from onnx import TensorProto  # noqa: PLC0415

    declared, shape = _only_input(classifier)
    kind = declared.type.tensor_type.elem_type
    kinds = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.UINT8)
    words = f"{TensorProto.DataType.Name(kind).lower()} {_shape_in_words(declared)}"
    if len(shape) != 4 or kind not in kinds:
        raise classifier.refused(
            f"takes {words}, but a classifier of images takes float or uint8 in four dimensions, "
            "(N, 3, H, W) or (N, H, W, 3), or with 1 in place of 3 for grey images"
        )
    metadata = _read_metadata(classifier)
    nhwc = _is_nhwc(shape, metadata)
    channels = (shape[3] if nhwc else shape[1]) or 3
    if channels not in (1, 3):
        raise classifier.refused(
            f"takes {words}, {channels} channels, but a classifier of images takes 3 (RGB) or 1 "
            "(grey)"
        )
    sides = shape[1:3] if nhwc else shape[2:]
    frame = _frame(classifier, options, metadata, sides)
    if shape[0] * frame.height * frame.width > LARGEST_SIDE**2:
        raise classifier.refused(
            f"takes exactly {shape[0]} images at once; export it for one image, or for any number"
        )
    grey, pixels = channels == 1, kind == TensorProto.UINT8
    scaling, order = choose_scaling(classifier, options, metadata, grey=grey, pixels=pixels)
    return ImageInput(declared.name, kind, grey, nhwc, frame, shape[0], scaling, order)


def _is_nhwc(shape: list[int], metadata: dict[str, str]) -> bool:
    """Return whether the channels of an input are last: three of them, or one of a grey image."""
    for channels in (3, 1):
        if channels in (shape[1], shape[3]):
            return shape[1] != channels
    return "NHWC" in metadata.get("layout", "").upper()


def set_input_size(model: onnx.ModelProto, image_input: ImageInput, batch: int | str) -> None:
    """Declare the size of the images, and their number, in the classifier's input."""
    (declared,) = [value for value in model.graph.input if value.name == image_input.name]
    height, width = image_input.frame
    channels = image_input.channels
    sides = (height, width, channels) if image_input.nhwc else (channels, height, width)
    for dimension, value in zip(declared.type.tensor_type.shape.dim, (batch, *sides), strict=True):
        dimension.Clear()
        if isinstance(value, str):
            dimension.dim_param = value
        else:
            dimension.dim_value = value


def add_input_nodes(
    model: onnx.ModelProto, image_input: ImageInput, opset: int
) -> list[onnx.NodeProto]:
    """Replace the input by the scorer's; return the nodes that make the classifier's of it."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    wanted = TensorProto.UINT8 if image_input.pixels else TensorProto.FLOAT
    same = (wanted, image_input.pixels) == (image_input.kind, image_input.nhwc)
    if same and not image_input.grey:
        return []
    (declared,) = model.graph.input
    batch = declared.type.tensor_type.shape.dim[0]
    height, width = image_input.frame
    shape: list[Any] = [batch.dim_param or batch.dim_value]
    shape += [height, width, 3] if image_input.pixels else [3, height, width]
    image = helper.make_tensor_value_info(f"{PREFIX}image", wanted, shape)
    builder = GraphBuilder(opset, f"{PREFIX}before/")
    last = image.name
    if image_input.grey:
        last = _add_grey(builder, last, image_input)
    elif image_input.kind != wanted:
        last = builder.add("Cast", last, to=image_input.kind)
    if image_input.nhwc != image_input.pixels:
        perm = [0, 2, 3, 1] if image_input.nhwc else [0, 3, 1, 2]
        last = builder.add("Transpose", last, perm=perm)
    # The last node's output gets the name of the classifier's former input.
    builder.nodes[-1].output[0] = image_input.name
    del model.graph.input[:]
    model.graph.input.append(image)
    model.graph.initializer.extend(builder.constants)
    return builder.nodes


def _add_grey(builder: GraphBuilder, image: str, image_input: ImageInput) -> str:
    """Add the nodes that make a grey image, of the classifier's type, of an RGB image."""
    from onnx import TensorProto  # noqa: PLC0415

    if not image_input.pixels:
        weights = builder.constant(np.reshape(GREY_WEIGHTS, (1, 3, 1, 1)))
        grey = builder.reduce("ReduceSum", builder.add("Mul", image, weights), [1], keep=True)
        return builder.add("Cast", grey, to=image_input.kind)
    numbers = builder.add("Cast", image, to=TensorProto.FLOAT)
    grey = builder.add("MatMul", numbers, builder.constant(np.reshape(GREY_WEIGHTS, (3, 1))))
    # Rounded to the nearest level, as Pillow does.
    rounded = builder.add("Floor", builder.add("Add", grey, builder.constant(0.5)))
    return builder.add("Cast", rounded, to=image_input.kind)


def _only_input(classifier: Classifier) -> tuple[onnx.ValueInfoProto, list[int]]:
    """Return the only input and its dimensions, 0 where they are free."""
    graph = classifier.model.graph
    # Old files list their weights among the inputs.
    weights = {tensor.name for tensor in graph.initializer}
    for index in reversed(range(len(graph.input))):
        if graph.input[index].name in weights:
            del graph.input[index]
    if weights:
        classifier.model.ir_version = max(classifier.model.ir_version, 4)
    if len(graph.input) != 1:
        names = ", ".join(value.name for value in graph.input)
        raise classifier.refused(
            f"takes {len(graph.input)} inputs ({names}), but a classifier of images takes one"
        )
    (declared,) = graph.input
    return declared, [side.dim_value for side in declared.type.tensor_type.shape.dim]


def _shape_in_words(declared: onnx.ValueInfoProto) -> str:
    sides = [
        side.dim_param or str(side.dim_value or "?") for side in declared.type.tensor_type.shape.dim
    ]
    return f"({', '.join(sides)})"


def _read_metadata(classifier: Classifier) -> dict[str, str]:
    """Return the file's metadata about its input; keys with ``augcli.`` in front count more."""
    metadata = {}
    for entry in classifier.model.metadata_props:
        key = entry.key.removeprefix("augcli.")
        if key in METADATA_KEYS and (key not in metadata or entry.key != key):
            metadata[key] = entry.value.strip().strip('"')
    return metadata


def _frame(
    classifier: Classifier, options: ClassifierOptions, metadata: dict[str, str], sides: list[int]
) -> Frame:
    height, width = (side or None for side in sides)
    wanted: Frame | None = None
    if options.size:
        wanted = size_frame(options.size)
        fits = height in (None, wanted.height) and width in (None, wanted.width)
        if not fits:
            raise ParameterError(
                "size",
                f"is {options.size}, but the classifier takes only "
                f"{width or 'any'}x{height or 'any'}",
            )
    elif "input_size" in metadata:
        wanted = _frame_of_text(classifier, metadata["input_size"])
    default = wanted or Frame(height or DEFAULT_SIDE, width or DEFAULT_SIDE)
    frame = Frame(height or default.height, width or default.width)
    if max(frame) > LARGEST_SIDE:
        raise classifier.refused(
            f"takes images of {frame.width} x {frame.height}, but a scorer takes at most "
            f"{LARGEST_SIDE:,} pixels a side; set `size`"
        )
    return frame


def _frame_of_text(classifier: Classifier, text: str) -> Frame:
    try:
        numbers = [int(number) for number in numbers_in(text)]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or min(numbers) < 1:
        raise classifier.refused(
            f"has the metadata input_size {text!r}, not height and width; set `size`"
        )
    return Frame(numbers[0], numbers[-1])


def as_texts(values: dict[str, Any]) -> dict[str, str]:
    """Return metadata as they are in a scorer's file: JSON texts by keys with ``augcli.``."""
    return {f"augcli.{key}": json.dumps(value) for key, value in values.items()}

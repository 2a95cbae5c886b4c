"""Writing a scorer's file: under a temporary name, tried, and only then renamed.

A scorer for any number of images at once is preferred. Where the classifier was exported for a
fixed number, some of its reshapes hold this number; they are changed, and changed back where the
result does not work.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from augcli.classifiers.classifier_graph import PREFIX
from augcli.classifiers.read import is_prepared
from augcli.classifiers.trial import WrongInBatches, try_out
from augcli.errors import OutputError
from augcli.files import replacing, write_file

if TYPE_CHECKING:
    import onnx

    from augcli.attention.scorer import Scorer
    from augcli.classifiers.classifier_graph import ClassifierGraph
    from augcli.classifiers.options import ClassifierOptions
    from augcli.classifiers.read import Classifier

ANY_NUMBER = "N"
"""Name of the dimension where a graph takes any number of images."""


class Published(NamedTuple):
    """A scorer that was written.

    Attributes:
        sha256: SHA-256 of its file.
        size: Bytes of its file.
        batch: Images that it takes at once; 0 for any number.
    """

    sha256: str
    size: int
    batch: int


class BatchReshapes:
    """The reshapes of a graph that have the number of images as a constant.

    Args:
        graph: The classifier's.
        batch: The number of images that it was exported for; 0 for any.
    """

    def __init__(self, graph: ClassifierGraph, batch: int) -> None:
        self._fixed: dict[str, str] = {}
        self._free: dict[str, onnx.TensorProto] = {}
        for node in graph.model.graph.node if batch else ():
            self._add(graph, node, batch)

    def free(self, model: onnx.ModelProto) -> None:
        """Let them copy the number of images from their input."""
        known = {tensor.name for tensor in model.graph.initializer}
        for node in model.graph.node:
            shape = self._free.get(node.output[0])
            if shape is not None:
                node.input[1] = shape.name
                if shape.name not in known:
                    model.graph.initializer.append(shape)

    def restore(self, model: onnx.ModelProto) -> None:
        """Let them have the constant again that they were exported with."""
        for node in model.graph.node:
            if node.output[0] in self._fixed:
                node.input[1] = self._fixed[node.output[0]]

    def _add(self, graph: ClassifierGraph, node: onnx.NodeProto, batch: int) -> None:
        """Remember a node if it is such a reshape."""
        from onnx import numpy_helper  # noqa: PLC0415

        if node.op_type != "Reshape" or not graph.sources(node):
            return
        shape = graph.constant(node.input[1])
        allows_zero = any(
            attribute.name == "allowzero" and attribute.i for attribute in node.attribute
        )
        if shape is None or not shape.size or shape[0] != batch or allows_zero:
            return
        # In a reshape, 0 stands for the size that the input has.
        copying = np.array([0, *shape[1:]], np.int64)
        name = node.output[0]
        self._fixed[name] = node.input[1]
        self._free[name] = numpy_helper.from_array(copying, f"{PREFIX}shape-of-{name}")


def check_target(classifier: Path, options: ClassifierOptions) -> None:
    """Check that the scorer can be written to ``options.out``.

    Raises:
        OutputError: The folder is missing, or the file exists and must not be replaced.
    """
    out = options.out
    if not out.parent.is_dir():
        raise OutputError(f"`out` {out}: the folder {out.parent} does not exist")
    if out.is_dir():
        raise OutputError(f"`out` {out}: is a folder; give a file, such as scorer.onnx")
    if out.exists() and classifier.exists() and out.samefile(classifier):
        raise OutputError(f"`out` {out}: is the classifier itself; give another file")
    if os.path.lexists(out) and not options.overwrite:
        raise OutputError(f"`out` {out}: exists already; add `overwrite` or give another file")
    _check_replaceable(out)


def _check_replaceable(out: Path) -> None:
    """Check that a file, if there is one, is a scorer that augcli made.

    Raises:
        OutputError: It is another file, so it is not replaced.
    """
    if os.path.lexists(out) and not is_prepared(out):
        raise OutputError(
            f"`out` {out}: is no scorer that augcli made, and augcli replaces no other file; give "
            "another, or remove this file"
        )


def publish(
    classifier: Classifier,
    exported_for: int,
    reshapes: BatchReshapes,
    options: ClassifierOptions,
) -> Published:
    """Write the scorer under a temporary name, try it, and rename it to ``options.out``.

    Args:
        classifier: Holds the graph, which is the scorer's by now.
        exported_for: Images that the classifier takes at once; 0 for any number.
        reshapes: Those that may have to change for any number of images.
        options: Say where to write.

    Raises:
        ScorerError: The scorer does not work; nothing was written.
        OutputError: The file can't be written.
    """
    try:
        with replacing(options.out) as name:
            path = Path(name)
            scorer, batch = _first_that_works(classifier, exported_for, reshapes, path, options)
            size = path.stat().st_size
            # Somebody else may have put another file there meanwhile.
            _check_replaceable(options.out)
    except OSError as error:
        raise OutputError(f"`out` {options.out}: can't be written ({error.strerror})") from None
    return Published(scorer.sha256, size, batch)


def _first_that_works(
    classifier: Classifier,
    exported_for: int,
    reshapes: BatchReshapes,
    path: Path,
    options: ClassifierOptions,
) -> tuple[Scorer, int]:
    """Write a scorer for any number of images (0), else for one; return it and the number."""
    reshapes.free(classifier.model)
    _write(classifier, path, ANY_NUMBER)
    try:
        return try_out(classifier, path, options.grid, batches=True), 0
    except WrongInBatches:
        if exported_for > 1:
            raise classifier.refused(
                f"takes exactly {exported_for} images at once; export it for one image, or for "
                "any number"
            ) from None
    reshapes.restore(classifier.model)
    _write(classifier, path, 1)
    return try_out(classifier, path, options.grid, batches=False), 1


def _write(classifier: Classifier, path: Path, batch: int | str) -> None:
    model = classifier.model
    for tensor in (*model.graph.input, *model.graph.output):
        _set_batch(tensor, batch)
    try:
        content = model.SerializeToString(deterministic=True)
    except ValueError as error:  # more than the 2 GiB of protobuf
        raise classifier.refused(f"is too large for one ONNX file ({error})") from None
    write_file(path, content)


def _set_batch(tensor: onnx.ValueInfoProto, batch: int | str) -> None:
    dimension = tensor.type.tensor_type.shape.dim[0]
    dimension.Clear()
    if isinstance(batch, str):
        dimension.dim_param = batch
    else:
        dimension.dim_value = batch

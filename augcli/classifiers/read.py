"""Reading a classifier's file, which is not trusted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from augcli.attention.device import open_session
from augcli.attention.model_file import ModelFileError, model_sha256
from augcli.errors import ScorerError, UsageError
from augcli.files import MODEL_LIMIT, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import onnx

    from augcli.classifiers.options import ClassifierOptions

MEGABYTE = 1_000_000
PREPARED = "prepared"
"""Key of the metadata, after ``augcli.``, that every scorer has which augcli made."""


class Classifier(NamedTuple):
    """A classifier's file and its content.

    Attributes:
        path: The file.
        model: Its content, with all weights.
        sha256: Identifies it; see :func:`augcli.attention.model_file.model_sha256`.
        size: Bytes of the file and of the other files with weights.
    """

    path: Path
    model: onnx.ModelProto
    sha256: str
    size: int

    def refused(self, problem: str) -> ScorerError:
        """Return the error that names this classifier and says what is wrong with it."""
        return ScorerError(f"{self.path}: {problem}")


def need_onnx() -> None:
    """Check that the package onnx is installed.

    Raises:
        UsageError: It can't be imported; the message says how to install it.
    """
    try:
        import onnx  # noqa: F401, PLC0415 - only this room needs it
    except ImportError:
        raise UsageError(
            "preparing a scorer needs the package onnx: pip install 'augcli[scorer]', or "
            "pip install onnx"
        ) from None


def read_classifier(path: Path, options: ClassifierOptions) -> Classifier:
    """Read a classifier.

    Raises:
        ScorerError: It is missing, too large, not ONNX, or has weights in other files that must
            not be read.
    """
    import onnx  # noqa: PLC0415

    if not path.is_file():
        problem = "is not a file" if path.exists() else "does not exist"
        raise ScorerError(f"{path}: {problem}; give the path of an ONNX classifier")
    _check_size(path, path.stat().st_size, options)
    try:
        model = onnx.load_model_from_string(read_file(path, MODEL_LIMIT).data)
    except OSError as error:
        raise ScorerError(f"{path}: can't be read ({error.strerror})") from None
    except Exception:  # protobuf's DecodeError, from a package that augcli doesn't depend on
        raise ScorerError(f"{path}: is not ONNX; export the classifier as .onnx first") from None
    if not model.graph.node or not model.opset_import:
        raise ScorerError(f"{path}: is not ONNX: it holds no graph")
    size = path.stat().st_size + _read_other_files(path, model, options)
    identity = _check_it_loads(path)
    if model.functions:
        from onnx import inliner  # noqa: PLC0415

        model = inliner.inline_local_functions(model)
    return Classifier(path, model, identity, size)


def is_prepared(path: Path) -> bool:
    """Return whether a file is a scorer that augcli made of a classifier."""
    import onnx  # noqa: PLC0415

    try:
        model = onnx.load_model_from_string(read_file(path, MODEL_LIMIT).data)
    except Exception:  # it can't be read, or is no ONNX
        return False
    return any(entry.key == f"augcli.{PREPARED}" for entry in model.metadata_props)


def _check_it_loads(path: Path) -> str:
    """Check that onnxruntime loads the file: then the graph is sound, which all else relies on.

    Returns:
        What identifies the file.
    """
    try:
        open_session(path)
        return model_sha256(path)
    except ModelFileError as error:
        raise ScorerError(f"{path}: {error.problem}") from None


def _check_size(path: Path, size: int, options: ClassifierOptions) -> None:
    if size > options.max_model_size * MEGABYTE:
        raise ScorerError(
            f"{path}: has {size / MEGABYTE:,.0f} MB, more than the {options.max_model_size:,} MB "
            "of `max_model_size` (2,000 is the most that an ONNX file can hold)"
        )


def _read_other_files(path: Path, model: onnx.ModelProto, options: ClassifierOptions) -> int:
    """Read the weights that lie in other files, if that is allowed; return their bytes."""
    from onnx import external_data_helper  # noqa: PLC0415

    functions = (node for function in model.functions for node in function.node)
    everywhere = (*tensors(model.graph), *_tensors_of_nodes(functions))
    external = [tensor for tensor in everywhere if external_data_helper.uses_external_data(tensor)]
    if not external:
        return 0
    names = {
        entry.value
        for tensor in external
        for entry in tensor.external_data
        if entry.key == "location"
    }
    if not options.allow_external_data:
        shown = ", ".join(sorted(names)[:3])
        raise ScorerError(
            f"{path}: has weights in other files ({shown}); add `allow_external_data` if you "
            "trust them, or export the classifier into one file"
        )
    folder = os.path.realpath(path.parent)
    for name in sorted(names):
        _check_location(path, folder, name)
    size = sum(os.path.getsize(os.path.join(folder, name)) for name in names)
    _check_size(path, path.stat().st_size + size, options)
    try:
        for tensor in external:
            external_data_helper.load_external_data_for_tensor(tensor, folder)
            tensor.data_location = tensor.DEFAULT
            del tensor.external_data[:]
    except Exception as error:  # onnx has a class for each cause and no common base
        raise ScorerError(
            f"{path}: has weights in other files that can't be read ({error})"
        ) from None
    return size


def _check_location(path: Path, folder: str, name: str) -> None:
    """Check that weights lie in a plain file inside the classifier's folder."""
    location = os.path.join(folder, name)
    if os.path.isabs(name) or os.path.realpath(location) != os.path.normpath(location):
        raise ScorerError(f"{path}: has weights in {name!r}, which is a link or an absolute path")
    if not os.path.normpath(location).startswith(folder.rstrip(os.sep) + os.sep):
        raise ScorerError(f"{path}: has weights in {name!r}, which is outside of its folder")
    if not os.path.isfile(location):
        raise ScorerError(f"{path}: has weights in {name!r}, which is missing")


def tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor in a graph, also those of its nodes and of graphs inside them."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _tensors_of_nodes(graph.node)


def _tensors_of_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            one = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
            for sparse in (*one, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from tensors(inner)

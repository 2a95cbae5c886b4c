"""A classifier's file, read without trusting it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from augcli.attention.device import open_session
from augcli.attention.model_file import file_sha256
from augcli.errors import ScorerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import onnx

    from augcli.classifiers.options import PrepareOptions

MEGABYTE = 1_000_000


class Classifier(NamedTuple):
    """A classifier's file and what is in it.

    Attributes:
        path: The file.
        model: Its content, with all weights.
        sha256: Of the file; weights in other files are not part of it.
        size: Bytes, with those of other files.
    """

    path: Path
    model: onnx.ModelProto
    sha256: str
    size: int

    def refused(self, found: str) -> ScorerError:
        """Return the error that names this classifier."""
        return ScorerError(f"{self.path}: {found}")


def need_onnx() -> None:
    """Say how onnx is installed, where it is missing.

    Raises:
        UsageError: It can't be imported.
    """
    try:
        import onnx  # noqa: F401, PLC0415 - only preparing and counting need it
    except ImportError:
        raise UsageError(
            "preparing a scorer needs the package onnx: pip install 'augcli[scorer]', or "
            "pip install onnx"
        ) from None


def read_classifier(path: Path, options: PrepareOptions) -> Classifier:
    """Read a classifier.

    Raises:
        ScorerError: It is missing, too large, not ONNX, or has weights in other files that it
            may not have.
    """
    import onnx  # noqa: PLC0415

    if not path.is_file():
        what = "is not a file" if path.exists() else "does not exist"
        raise ScorerError(f"{path}: {what}; give the path of an ONNX classifier")
    _check_size(path, path.stat().st_size, options)
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except OSError as error:
        raise ScorerError(f"{path}: can't be read ({error.strerror})") from None
    except Exception:  # a DecodeError of protobuf, which augcli does not know
        raise ScorerError(f"{path}: is not ONNX; export the classifier as .onnx first") from None
    if not model.graph.node or not model.opset_import:
        raise ScorerError(f"{path}: is not ONNX: it holds no graph")
    size = path.stat().st_size + _read_other_files(path, model, options)
    _check_it_loads(path)
    if model.functions:
        from onnx import inliner  # noqa: PLC0415

        model = inliner.inline_local_functions(model)
    return Classifier(path, model, file_sha256(path), size)


def _check_it_loads(path: Path) -> None:
    """Let onnxruntime judge: what it loads is sound, and the rest can rely on that."""
    try:
        open_session(path)
    except ScorerError as error:
        raise ScorerError(str(error).removeprefix("--model ")) from None


def _check_size(path: Path, size: int, options: PrepareOptions) -> None:
    if size > options.max_model_size * MEGABYTE:
        raise ScorerError(
            f"{path}: has {size / MEGABYTE:,.0f} MB, more than the {options.max_model_size:,} MB "
            "of --max-model-size (2,000 is the most that an ONNX file can hold)"
        )


def _read_other_files(path: Path, model: onnx.ModelProto, options: PrepareOptions) -> int:
    """Read the weights that lie in other files, if they may; return the bytes of these."""
    from onnx import external_data_helper  # noqa: PLC0415

    outside = [one for one in tensors(model.graph) if external_data_helper.uses_external_data(one)]
    if not outside:
        return 0
    names = {
        entry.value for one in outside for entry in one.external_data if entry.key == "location"
    }
    shown = ", ".join(sorted(names)[:3])
    if not options.allow_external_data:
        raise ScorerError(
            f"{path}: keeps weights in other files ({shown}); add --allow-external-data if you "
            "trust them, or export the classifier into one file"
        )
    folder = os.path.realpath(path.parent)
    for name in sorted(names):
        place = os.path.join(folder, name)
        if os.path.isabs(name) or os.path.realpath(place) != os.path.normpath(place):
            raise ScorerError(f"{path}: wants weights from {name!r}, which is a link or absolute")
        if not os.path.normpath(place).startswith(folder.rstrip(os.sep) + os.sep):
            raise ScorerError(f"{path}: wants weights from {name!r}, outside of its folder")
        if not os.path.isfile(place):
            raise ScorerError(f"{path}: wants weights from {name!r}, which is not there")
    size = sum(os.path.getsize(os.path.join(folder, name)) for name in names)
    _check_size(path, path.stat().st_size + size, options)
    try:
        for one in outside:
            external_data_helper.load_external_data_for_tensor(one, folder)
            one.data_location = one.DEFAULT
            del one.external_data[:]
    except Exception as error:  # onnx has a class for each cause and no common base
        raise ScorerError(
            f"{path}: has weights in other files that can't be read ({error})"
        ) from None
    return size


def tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor that a graph holds, also those of its nodes and of graphs in them."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from tensors(inner)

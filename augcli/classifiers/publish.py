"""A scorer's file written: under a temporary name, tried out, and only then given its own."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from augcli.classifiers.batch import ANY
from augcli.classifiers.trial import WrongInBatches, try_out
from augcli.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

    from augcli.attention.scorer import Scorer
    from augcli.classifiers.batch import Reshapes
    from augcli.classifiers.options import PrepareOptions
    from augcli.classifiers.read import Classifier


class Published(NamedTuple):
    """A scorer that was written.

    Attributes:
        sha256: Of its file.
        size: Bytes of its file.
        batch: Images that it takes at once; 0 for any number.
    """

    sha256: str
    size: int
    batch: int


def check_out(classifier: Path, options: PrepareOptions) -> None:
    """Check that the scorer may be written.

    Raises:
        OutputError: It may not: something is there, or would be lost.
    """
    out = options.out
    if not out.parent.is_dir():
        raise OutputError(f"--out {out}: the folder {out.parent} does not exist")
    if out.is_dir():
        raise OutputError(f"--out {out}: is a folder; give a file, such as scorer.onnx")
    if out.exists() and classifier.exists() and out.samefile(classifier):
        raise OutputError(f"--out {out}: is the classifier itself; give another file")
    if os.path.lexists(out) and not options.overwrite:
        raise OutputError(f"--out {out}: is there already; add --overwrite or give another file")


def publish(
    classifier: Classifier, exported_for: int, reshapes: Reshapes, options: PrepareOptions
) -> Published:
    """Write the scorer, try it out, and give it its name.

    Args:
        classifier: Has become the scorer.
        exported_for: How many images it took at once; 0 for any number.
        reshapes: What may keep it from taking any number.
        options: Say where to.

    Raises:
        ScorerError: It is of no use; nothing was written.
        OutputError: It can't be written.
    """
    temporary = options.out.with_name(f".{options.out.name}-{os.getpid()}")
    try:
        found, batch = _first_that_works(classifier, exported_for, reshapes, temporary, options)
        size = temporary.stat().st_size
        temporary.replace(options.out)
    except OSError as error:
        raise OutputError(f"--out {options.out}: can't be written ({error.strerror})") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return Published(found.sha256, size, batch)


def _first_that_works(
    classifier: Classifier,
    exported_for: int,
    reshapes: Reshapes,
    path: Path,
    options: PrepareOptions,
) -> tuple[Scorer, int]:
    """Write a scorer for any number of images (0), else for one; return it and the number."""
    reshapes.free(classifier.model)
    _write(classifier, path, ANY)
    try:
        return try_out(classifier, path, options.grid, batches=True), 0
    except WrongInBatches:
        if exported_for > 1:
            raise classifier.refused(
                f"takes {exported_for} images at once and nothing else; export it for one image, "
                "or for any number"
            ) from None
    reshapes.fix(classifier.model)
    _write(classifier, path, 1)
    return try_out(classifier, path, options.grid, batches=False), 1


def _write(classifier: Classifier, path: Path, batch: int | str) -> None:
    model = classifier.model
    for one in (*model.graph.input, *model.graph.output):
        _set_batch(one, batch)
    try:
        content = model.SerializeToString(deterministic=True)
    except ValueError as error:  # more than the 2 GiB of protobuf
        raise classifier.refused(f"is too large for one ONNX file ({error})") from None
    path.write_bytes(content)


def _set_batch(tensor: onnx.ValueInfoProto, batch: int | str) -> None:
    dimension = tensor.type.tensor_type.shape.dim[0]
    dimension.Clear()
    if isinstance(batch, str):
        dimension.dim_param = batch
    else:
        dimension.dim_value = batch

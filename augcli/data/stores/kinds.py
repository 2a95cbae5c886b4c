"""Kinds of containers, by the names of files: what opening INPUT needs to know of each store."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from augcli.data.stores.contents import container_files
from augcli.files import open_file

if TYPE_CHECKING:
    from augcli.data.stores.contents import ContainerFile

NPY: Final = ".npy"
NPZ: Final = ".npz"
_PARQUET: Final = ".parquet"
_TABLES: Final = frozenset({"metadata.parquet"})
"""Files that describe pictures beside them."""
IDX: Final = re.compile(r".*(images?|labels?)[-._]idx(\d)[-._]ubyte(\.gz)?", re.IGNORECASE)
"""Files of MNIST, such as ``train-images-idx3-ubyte.gz``."""
CIFAR_BINARY: Final = re.compile(r"((data_batch(_\d+)?|test_batch)|(train|test))\.bin")
"""Batches of CIFAR as bytes."""
_CIFAR_PICKLE: Final = re.compile(r"((train_)?data_batch(_\d+)?|val_data|test_batch|train|test)")
_PICKLE_STARTS: Final = (b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5", b"(dp", b"(d.", b"}q")


def parquet_files(place: str, out: str | None = None) -> list[ContainerFile]:
    """Return the Parquet files of INPUT; none where it is something else."""
    return container_files(place, _is_parquet, out)


def array_files(place: str, out: str | None = None) -> list[ContainerFile]:
    """Return the files of arrays of INPUT; none where it is something else.

    A file that is named as a batch of CIFAR must begin as pickles do.
    """
    return [
        file
        for file in container_files(place, _is_array, out)
        if not _CIFAR_PICKLE.fullmatch(file.leaf) or _begins_as_pickle(file.path)
    ]


def _is_parquet(name: str) -> bool:
    return name.lower().endswith(_PARQUET) and name.lower() not in _TABLES


def _is_array(name: str) -> bool:
    if name.lower().endswith((NPZ, NPY)):
        return True
    return any(pattern.fullmatch(name) for pattern in (IDX, CIFAR_BINARY, _CIFAR_PICKLE))


def _begins_as_pickle(path: str) -> bool:
    try:
        with open_file(path) as file:
            return file.read(3).startswith(_PICKLE_STARTS)
    except OSError:
        return False

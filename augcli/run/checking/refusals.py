"""What is refused before a run begins, because it could not end well."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import numpy as np

from augcli.attention.device import AUTO, CPU
from augcli.data.manifest_formats.columns import MOST_CLASSES
from augcli.data.manifest_formats.parquet_manifest import check_pyarrow
from augcli.errors import InputError, UsageError
from augcli.plan.plan import Wanted
from augcli.recipes.chain import Chain

if TYPE_CHECKING:
    from augcli.data.stores.sources import Sources
    from augcli.files import Place
    from augcli.recipes.options import RunOptions


def check_surroundings(*paths: Place | None) -> None:
    """Refuse what would make every path mean something else; the first thing that a verb does.

    Raises:
        UsageError: The current folder is gone, or file names are not read as UTF-8.
    """
    try:
        os.getcwd()
    except FileNotFoundError:
        if not all(path is None or path.is_absolute() for path in paths):
            raise UsageError(
                "the current folder was removed; go to another one, or give whole paths"
            ) from None
    encoding = sys.getfilesystemencoding()
    if encoding.lower().replace("-", "") != "utf8":
        raise UsageError(
            f"Python reads file names as {encoding} here, so the manifest would hold other names; "
            "set LC_ALL=C.UTF-8 or PYTHONUTF8=1"
        )


def check_options(options: RunOptions) -> None:
    """Refuse options that ask for what can't be.

    Raises:
        UsageError: Outputs that no memory holds, or what nodes of a cluster can't do.
    """
    _check_size(options)
    _check_engine(options)


def check_reach(sources: Sources, options: RunOptions) -> None:
    """Refuse sources that the nodes of a cluster can't read.

    Raises:
        InputError: They were unpacked on this machine.
    """
    if sources.are_unpacked and options.engine == "ray" and options.address != "local":
        raise InputError(
            f"INPUT {sources.root} is compressed and was unpacked on this machine, where other "
            "nodes can't read it; unpack it on the disk that they share, or leave out `engine`"
        )


def check_manifest(sources: Sources, options: RunOptions) -> None:
    """Refuse a manifest that can't be written, or that nobody could use.

    Raises:
        UsageError: A package is missing, or there are too many classes for a weight of each.
    """
    if options.manifest == "parquet":
        check_pyarrow("`manifest` parquet")
    most, there = MOST_CLASSES.get(options.soft_label), len(sources.classes)
    if most is not None and there > most:
        raise UsageError(
            f"`soft_label` {options.soft_label} has a weight for each class in every row, but "
            f"INPUT has {there:,} classes and at most {most:,} are allowed; use `soft_label` json"
        )


def check_labels(chain: Chain, sources: Sources, wanted: Wanted, options: RunOptions) -> None:
    """Refuse to mix images whose labels or classes don't allow it.

    Raises:
        InputError: A source has no label, or there is no donor of the class that is wanted.
    """
    if chain.mixer_at is None:
        return
    if sources.are_many and options.pair != "any":
        raise InputError(
            f"`pair` {options.pair} needs images of one class each, but these may have several; "
            "use `pair` any"
        )
    # A donor comes from the split of the base.
    giving = np.full(len(sources), wanted.copies.any())
    if sources.splits:
        split_of = np.asarray(sources.split_of)
        giving = np.isin(split_of, np.unique(split_of[wanted.copies > 0]))
    label_of = np.asarray(sources.label_of)
    # Where there may be several classes, there may also be none.
    if not sources.are_many:
        is_empty = np.array([not label.weights for label in sources.labels], np.bool_)
        unlabelled = giving & is_empty[label_of]
        if unlabelled.any():
            raise InputError(
                f"{chain.name} mixes labels, but {sources.paths[int(unlabelled.argmax())]!r} has "
                "none: put the images of each class into a folder of its own, or give `labels` "
                "table.csv with the columns file_name,label"
            )
    if np.count_nonzero(giving) == 1:
        path = sources.paths[int(giving.argmax())]
        raise InputError(f"{chain.name} mixes two images, but INPUT holds only one: {path!r}")
    if options.pair == "different":
        heaviest = {sources.labels[number].heaviest for number in np.unique(label_of[giving])}
        if len(heaviest) == 1:
            raise InputError(
                "`pair` different needs images of two classes, but all are of "
                f"{heaviest.pop()!r}; use `pair` any"
            )


def _check_size(options: RunOptions) -> None:
    """Refuse outputs that no memory holds.

    Raises:
        UsageError: Each output would have more pixels than a source may have.
    """
    frame = options.frame
    pixels = frame.height * frame.width if frame else 0
    if pixels > options.max_pixels:
        raise UsageError(
            f"`size` {options.size} is {pixels:,} pixels; at most {options.max_pixels:,} are "
            "allowed (`max_pixels`)"
        )


def _check_engine(options: RunOptions) -> None:
    """Refuse what the nodes of a cluster can't do.

    Raises:
        UsageError: Something of this machine alone is asked for.
    """
    if options.engine == "processes":
        return
    if options.shard is not None:
        raise UsageError(
            f"`shard` {options.shard} is not for `engine` {options.engine}; leave out one of them"
        )
    if options.device == AUTO:
        raise UsageError(
            "`device` auto is not for `engine` ray: nodes would score on different ones; give cpu, "
            "or a GPU such as cuda"
        )
    if options.task_gpus is not None and options.device == CPU:
        raise UsageError(
            "`task_gpus` is of no use where images are scored on processors; give `device` cuda "
            "or another GPU too"
        )
    if options.gpus_of_task > 1 and options.gpus_of_task % 1:
        raise UsageError(
            f"`task_gpus` is {options.gpus_of_task:g}; Ray gives a part of one GPU, or whole GPUs"
        )
    if options.workers == 0:
        raise UsageError("`workers` 0 is this process alone; leave it out with `engine` ray")
    from augcli.work.ray_pool import check_installed  # noqa: PLC0415 - an extra

    check_installed()

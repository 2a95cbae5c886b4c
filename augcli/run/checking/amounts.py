"""What a run is to make of each source, by its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from augcli.data.sinks.opening import holds_arrays
from augcli.data.splits import is_chosen
from augcli.errors import InputError, ParameterError, near_miss
from augcli.plan.amounts import MOST_COPIES, Amounts, copies_of_sources
from augcli.plan.plan import ORIGINALS, Wanted
from augcli.recipes.option_values import class_names, copies_by_class

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from augcli.data.stores.sources import Sources
    from augcli.plan.jobs import Original
    from augcli.recipes.options import RunOptions


def as_they_are(sources: Sources, options: RunOptions) -> Wanted:
    """Return that each source becomes an output, unchanged."""
    kind = rest_original(options)
    return Wanted.of(sources, 0, kind if sources.are_files else "encode")


def wanted_of(sources: Sources, options: RunOptions) -> Wanted:
    """Return what is to be made of each source.

    Args:
        sources: All of them.
        options: Which splits and classes are augmented, and how many outputs there are.

    Raises:
        InputError: A split or class that is named is not there, or nothing is left to be made.
        ParameterError: Two options contradict each other.
    """
    amounts = _amounts(sources, options)
    augmented = in_chosen_splits(sources, options.splits)
    if len(sources) and not augmented.any():
        there = ", ".join(sources.splits)
        raise InputError(f"INPUT has no split {options.splits!r}; give `splits` of: {there}")
    copies = copies_of_sources(sources, augmented, amounts, options.seed)
    if copies.max(initial=0) > MOST_COPIES:
        raise ParameterError("per_class", f"asks for more than {MOST_COPIES:,} copies of an image")
    kinds = [options.originals, rest_original(options)]
    if not sources.are_files or holds_arrays(options.to):
        kinds = ["encode" if kind == "copy" else kind for kind in kinds]
    own, rest = map(ORIGINALS.index, kinds)
    originals = np.where(augmented, own, rest).astype(np.uint8)
    return Wanted(copies, originals)


def are_chosen(options: RunOptions) -> bool:
    """Return whether options say how many outputs there are, for classes or in all."""
    chosen = (options.per_class, options.total, options.copies_of)
    return any((*chosen, options.only_classes, options.skip_classes))


def in_chosen_splits(sources: Sources, chosen: str) -> NDArray[np.bool_]:
    """Return for each source whether its split is augmented: bool (n,); all without splits.

    Args:
        sources: All of them.
        chosen: The option ``splits``.
    """
    if not sources.splits:
        return np.ones(len(sources), np.bool_)
    are_chosen = np.array([is_chosen(split, chosen) for split in sources.splits])
    included: NDArray[np.bool_] = are_chosen[np.array(sources.split_of, np.int64)]
    return included


def rest_original(options: RunOptions) -> Original:
    """Return how the sources of splits that are not augmented become outputs."""
    if options.rest == "skip":
        return "none"
    as_outputs = options.rest == "encode" or options.size is not None or options.format != "same"
    return "encode" if as_outputs or holds_arrays(options.to) else "copy"


def _amounts(sources: Sources, options: RunOptions) -> Amounts:
    if options.total is not None and (options.per_class or options.copies_of):
        other = "per_class" if options.per_class else "copies_of"
        raise ParameterError("total", f"can't be given together with `{other}`")
    if options.per_class is not None and sources.are_many:
        raise ParameterError(
            "per_class", "needs images of one class each; give `copies` or `total`"
        )
    copies_of = copies_by_class(options.copies_of) if options.copies_of else {}
    only, skip = class_names(options.only_classes), class_names(options.skip_classes)
    _check_classes(sources, copies_of, "copies_of")
    _check_classes(sources, only, "only_classes")
    _check_classes(sources, skip, "skip_classes")
    return Amounts(
        copies=options.copies,
        per_class=options.per_class,  # type: ignore[arg-type]  # its parser gives no other text
        total=options.total,
        copies_of=copies_of,
        only_classes=only,
        skip_classes=skip,
        with_originals=options.originals != "none",
    )


def _check_classes(sources: Sources, names: Iterable[str], option: str) -> None:
    known = set(sources.classes)
    for name in names:
        if name not in known:
            raise InputError(
                f"`{option}` names class {name!r}, which INPUT does not have"
                f"{near_miss(name, sources.classes)}"
            )

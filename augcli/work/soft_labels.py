"""The soft label of an output: what the manifest says of its donor."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from augcli.plan.jobs import Source


class SoftLabels(NamedTuple):
    """The manifest's columns that come from the donor."""

    weight_a: float = 1.0
    label_b: str = ""
    weight_b: float = 0.0
    source_b: str = ""


def soft_labels(
    base: Source, donor: Source | None = None, donated: tuple[float, float] | None = None
) -> SoftLabels:
    """Return the soft label of an output.

    Args:
        base: The source that received.
        donor: The source that gave, if any.
        donated: What of the output is the donor's, and all there is.
    """
    if donor is None or donated is None:
        return SoftLabels()
    if donor.label == base.label:
        return SoftLabels(source_b=donor.path)
    given, total = donated
    # Both from counts, so that each is the nearest number to its true value.
    return SoftLabels((total - given) / total, donor.label, given / total, donor.path)

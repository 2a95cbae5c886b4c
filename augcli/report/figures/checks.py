"""Checks: what a person should look at first, in a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from augcli.report.words import percent
from augcli.run.showing.lines import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from augcli.report.figures.figures import Figures

IMBALANCED: Final = 3.0
"""A largest class of more than so many times the smallest is named."""
GROWN: Final = 1.25
"""So is an imbalance that became so many times what it was."""
MOST_SLIGHT: Final = 0.8
"""Share of hardly mixed outputs above which a person should look; of MixUp with its usual alpha of
0.2, 58 % are so."""
SAME_PLACE: Final = 0.9
"""A place of the frame that is replaced in a larger share of all outputs is named."""
ENOUGH: Final = 50
"""Outputs below which a share says little."""
OVERUSED: Final = 10
"""A donor of more than so many times the median is named."""


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: In a few words; the same for every data set.
        state: ``good``, ``look`` where a person should look at it, or ``wrong``.
        text: What was found, in a sentence.
        section: The part of the page that shows it.
    """

    name: str
    state: str
    text: str
    section: str


def checks(figures: Figures, recorded: int | None) -> list[Check]:
    """Return what was looked at, what is wrong first.

    Args:
        figures: Of the data set.
        recorded: How many outputs run.json counts; None where it does not say.
    """
    order = ("wrong", "look", "good")
    return sorted(_all(figures, recorded), key=lambda check: order.index(check.state))


def _all(figures: Figures, recorded: int | None) -> Iterator[Check]:
    yield _complete(figures, recorded)
    yield _failures(figures)
    yield _labels(figures)
    if len(figures.splits) > 1:
        yield _apart(figures)
    yield _duplicates(figures)
    if len([one for one in figures.classes if one.name]) > 1:
        yield _balance(figures)
        yield _missing(figures)
    if figures.donor_weights.total:
        yield _weights(figures)
    if figures.measured >= ENOUGH:
        yield _places(figures)
    if figures.donors:
        yield _donors(figures)


def _complete(figures: Figures, recorded: int | None) -> Check:
    if recorded is not None and recorded != figures.images:
        text = (
            f"The manifest has {counted(figures.images, 'row')}, but run.json counts "
            f"{recorded:,}: run the same command again to write it anew."
        )
        return Check("Rows", "wrong", text, "made")
    if figures.unreadable:
        text = f"{counted(figures.unreadable, 'draw')} can't be read: somebody changed the table."
        return Check("Rows", "wrong", text, "made")
    return Check("Rows", "good", f"All {counted(figures.images, 'row')} are there.", "made")


def _failures(figures: Figures) -> Check:
    if not figures.failed:
        return Check("Failures", "good", "No image failed.", "failures")
    text = f"{counted(figures.failed, 'image')} failed; most often: {figures.failures[0].reason}."
    return Check("Failures", "look", text, "failures")


def _labels(figures: Figures) -> Check:
    if figures.unsound:
        text = f"{counted(figures.unsound, 'label')} don't hold shares that sum to 1."
        return Check("Labels", "wrong", text, "classes")
    without = next((one.outputs for one in figures.classes if not one.name), 0)
    if without:
        text = f"{counted(without, 'output')} have no class."
        return Check("Labels", "look", text, "classes")
    return Check("Labels", "good", "The weights of each label are sound.", "classes")


def _apart(figures: Figures) -> Check:
    sources, groups = figures.shared_sources, figures.shared_groups
    if not sources and not groups:
        return Check("Splits", "good", "No source and no group is in two splits.", "splits")
    leaks = [counted(n, noun) for n, noun in ((sources, "source"), (groups, "group")) if n]
    text = (
        f"{' and '.join(leaks)} in two splits: what a network is tested with, it has seen. "
        "augcli verify names the files."
    )
    return Check("Splits", "wrong", text, "splits")


def _duplicates(figures: Figures) -> Check:
    found = figures.duplicates
    if not found.sets:
        return Check("Duplicates", "good", "No two files are the same.", "duplicates")
    text = f"{counted(found.images, 'file')} can be spared, being the same as others"
    worse = [
        f"{counted(count, 'set')} {words}"
        for count, words in (
            (found.across_splits, "across splits"),
            (found.conflicting, "with different classes"),
        )
        if count
    ]
    state = "wrong" if worse else "look"
    return Check("Duplicates", state, f"{'; '.join([text, *worse])}.", "duplicates")


def _balance(figures: Figures) -> Check:
    before, after = figures.imbalance_before, figures.imbalance_after
    if after is None:
        return Check("Balance", "look", "One class has all the weight.", "classes")
    text = f"The largest class has {after:,.3g} times the weight of the smallest"
    if before is not None:
        text += f" (sources: {before:,.3g} times)"
    grown = before is not None and after > GROWN * before
    state = "look" if after > IMBALANCED or grown else "good"
    return Check("Balance", state, f"{text}.", "classes")


def _missing(figures: Figures) -> Check:
    empty = [one for one in figures.classes if one.name and not one.weight]
    if not empty:
        return Check("Classes", "good", "Every class has outputs.", "classes")
    text = f"{len(empty):,} of {len(figures.classes):,} classes have no weight."
    return Check("Classes", "look", text, "classes")


def _weights(figures: Figures) -> Check:
    mixes = figures.donor_weights.total
    slight, heavy = figures.slight / mixes, figures.heavy / mixes
    text = f"Donors have {percent(figures.donor_weights.mean or 0.0)} of the weight on average"
    if heavy:
        text += f", and half or more in {percent(heavy)} of the mixes"
    if slight:
        text += f"; in {percent(slight)} one of the two pictures has less than 5 %"
    state = "look" if slight > MOST_SLIGHT else "good"
    return Check("Donor weights", state, f"{text}.", "mixing")


def _places(figures: Figures) -> Check:
    most = max(share for row in figures.places for share in row)
    least = min(share for row in figures.places for share in row)
    if most > SAME_PLACE and least < most / 2:
        text = f"One place of the frame is replaced in {percent(most)} of the outputs."
        return Check("Places", "look", text, "places")
    text = f"No place of the frame is replaced in more than {percent(most)} of the outputs."
    return Check("Places", "good", text, "places")


def _donors(figures: Figures) -> Check:
    donors = figures.donors
    assert donors
    name, uses = donors.most[0]
    text = f"{counted(donors.used, 'donor')}; the most used gave to {counted(uses, 'output')}."
    if uses > OVERUSED * max(1.0, donors.median):
        return Check("Donors", "look", f"{text[:-1]}: {name}.", "donors")
    return Check("Donors", "good", text, "donors")

"""The targets, and whether the figures meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from contenders import CUTOUT, FLOOR, SCORING, STORED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rounds import Figures
    from scale import Finished, Planned
    from watch import Watched

RATIOS = {
    CUTOUT: {"photos": 0.95, "small": 0.70, "large": 0.95},
    SCORING: {"photos": 0.75, "small": 0.25, "large": 0.88},
    STORED: {"photos": 0.90, "small": 0.60, "large": 0.92},
}


class Target(NamedTuple):
    """One target.

    Attributes:
        what: In words.
        wanted: The bound, as text.
        reached: The figure, as text.
        met: Whether it holds; None where this run did not measure it.
    """

    what: str
    wanted: str
    reached: str
    met: bool | None


class Measured(NamedTuple):
    """Everything that one run of the benchmark measured; empty where it was left out."""

    figures: dict[str, list[Figures]]
    titles: dict[str, str]
    curve: list[Planned]
    start_up: tuple[float, float]
    finished: Finished | None
    memories: list[Watched]
    stages: dict[tuple[str, str], dict[str, float]]


def at_least(what: str, wanted: float, reached: float | None) -> Target:
    """Return a target of at least a number."""
    if reached is None:
        return Target(what, f"at least {wanted:.2f}", "not measured", None)
    return Target(what, f"at least {wanted:.2f}", f"{reached:.2f}", reached >= wanted)


def at_most(what: str, wanted: float, reached: float, unit: str) -> Target:
    """Return a target of at most a number."""
    return Target(what, f"at most {wanted:g}{unit}", f"{reached:.4g}{unit}", reached <= wanted)


def targets(measured: Measured) -> Iterator[Target]:
    """Yield all targets."""
    for title, wanted in RATIOS.items():
        for scenario, bound in wanted.items():
            if scenario in measured.figures:
                one = _of(measured, scenario, title)
                what = f"{title}, {measured.titles[scenario]}: ratio to the floor"
                yield at_least(what, bound, one.ratio if one else None)
    for scenario, figures in measured.figures.items():
        yield from _ahead(measured.titles[scenario], figures)
    yield from _scaling(measured)
    yield from _costs(measured)


def _of(measured: Measured, scenario: str, title: str) -> Figures | None:
    figures = measured.figures.get(scenario, [])
    return next((one for one in figures if one.contender.title == title), None)


def _ahead(title: str, figures: list[Figures]) -> Iterator[Target]:
    """Yield that augcli is ahead of all others, start-up included."""
    by_title = {one.contender.title: one for one in figures}
    mixing = [one for one in figures if one.contender.peer == "attentive"]
    dropping = [one for one in figures if one.contender.peer not in ("", "floor", "attentive")]
    for ours, others in ((CUTOUT, dropping), (SCORING, mixing)):
        if others and ours in by_title:
            best = max(others, key=lambda one: one.wall)
            what = f"{ours}, {title}, start-up included, against {best.contender.title}"
            yield at_least(what, 1.0, by_title[ours].wall / best.wall)


def _scaling(measured: Measured) -> Iterator[Target]:
    for scenario, title in measured.titles.items():
        rates = {one.contender.title: one.rate for one in measured.figures.get(scenario, [])}
        if "augcli cutout, 1 worker" in rates:
            floor = rates[FLOOR] / rates["floor, one process"]
            what = f"cutout, {title}: 2 workers against 1 (the floor: {floor:.2f})"
            wanted = min(1.85, floor)
            yield at_least(what, wanted, rates[CUTOUT] / rates["augcli cutout, 1 worker"])


def _costs(measured: Measured) -> Iterator[Target]:
    empty, shown = measured.start_up
    if shown:
        yield at_most("augcli --help above an empty Python", 0.15, shown - empty, " s")
    if measured.memories:
        few, many = measured.memories
        # The first of the two has the larger pictures, the second the longer list.
        listed = many.images * 300
        apart = abs(many.peak - listed - few.peak) / max(1, few.peak)
        what = f"peak memory, {few.images:,} photos against {many.images:,} small images, apart by"
        yield at_most(what, 10, 100 * apart, "%")
        yield at_most("peak memory with the scorer", 600, max(few.peak, many.peak) / 1e6, " MB")
        yield at_most(f"first image of {few.images:,} photos, cutmix", 1, few.first, " s")
    if measured.curve:
        last = measured.curve[-1]
        yield at_most(f"listing, ring and shards of {last.sources:,} sources", 15, last.total, " s")
        yield at_most("memory of the list of sources", 300, last.bytes_each, " bytes each")
    if measured.finished:
        whole, again, few = measured.finished
        yield at_most(f"second run on {whole.images:,} finished outputs", 5, again.wall, " s")
        growth = 100 * (few.rate / whole.rate - 1)
        what = f"cost of an image at {whole.images:,} outputs above that at {few.images:,}"
        yield at_most(what, 5, growth, "%")

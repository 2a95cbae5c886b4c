"""The targets, and whether the figures meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from contenders import CUTOUT, FLOOR, IN_CONTAINERS, SCORING, STORED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from results import Measured
    from rounds import Figures

RATIOS = {
    CUTOUT: {"photos": 0.92, "small": 0.50, "large": 1.15, "png": 1.0},
    SCORING: {"photos": 0.62, "small": 0.25, "large": 0.95, "png": 0.92},
    STORED: {"photos": 0.82, "small": 0.40, "large": 1.05, "png": 0.95},
    **{title: {"small": 1.0} for title in IN_CONTAINERS},
}
AHEAD = {"photos": 1.3, "small": 1.3}
"""How far augcli cutout is ahead of all others at least, start-up included; 1 elsewhere."""


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
        yield from _ahead(measured.titles[scenario], figures, AHEAD.get(scenario, 1.0))
    yield from _scaling(measured)
    yield from _costs(measured)


def _of(measured: Measured, scenario: str, title: str) -> Figures | None:
    figures = measured.figures.get(scenario, [])
    return next((one for one in figures if one.contender.title == title), None)


def _ahead(title: str, figures: list[Figures], wanted: float) -> Iterator[Target]:
    """Yield that augcli is ahead of all others, start-up included."""
    by_title = {one.contender.title: one for one in figures}
    mixing = [one for one in figures if one.contender.peer == "attentive"]
    dropping = [one for one in figures if one.contender.peer not in ("", "floor", "attentive")]
    for ours, others, bound in ((CUTOUT, dropping, wanted), (SCORING, mixing, 1.0)):
        if others and ours in by_title:
            best = max(others, key=lambda one: one.wall)
            what = f"{ours}, {title}, start-up included, against {best.contender.title}"
            yield at_least(what, bound, by_title[ours].wall / best.wall)


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
    if len(measured.growth) > 1:
        few, *_, last = measured.growth
        for one in measured.growth:
            if one.outputs == 100_000:
                yield at_most("second run on 100,000 finished outputs", 5, one.again, " s")
        rise = 100 * (few.rate / last.rate - 1)
        what = f"cost of an image at {last.outputs:,} outputs above that at {few.outputs:,}"
        yield at_most(what, 5, rise, "%")

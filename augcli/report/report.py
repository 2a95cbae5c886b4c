"""Reports: one HTML page on an output folder, or on two."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from augcli.errors import UsageError
from augcli.files import is_url, real_place
from augcli.report.comparison import OfSources, compared
from augcli.report.listing import listed_classes, options_shown
from augcli.report.page import LIMIT, MARK, check_installed, rendered
from augcli.report.pictures.gallery import entries_of
from augcli.report.place import check_place, write_file_for_people
from augcli.report.view import view_of
from augcli.report.words import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from augcli.report.comparison import Comparison
    from augcli.report.view import Place, View

    Say = Callable[[str], None]
    MakePage = Callable[[], tuple[bytes, int]]
    """Gives a page, and how many pictures it shows."""

Shown = TypeVar("Shown")


@dataclass(frozen=True)
class Reported:
    """A report that was made.

    Attributes:
        content: What is reported: a data set, or two.
        page: Path of the page; empty where none was written.
        bytes: Of the page.
        pictures: How many outputs it shows.
    """

    content: View | Comparison
    page: str = ""
    bytes: int = 0
    pictures: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON can hold them."""
        return {"page": self.page or None, **self.content.to_json()}


def report(
    outs: Sequence[Place],
    page: Place | None = None,
    *,
    against: Place | None = None,
    model: Place | None = None,
    with_page: bool = True,
    say: Say = lambda _: None,
) -> Reported:
    """Report on an output folder, or compare two.

    Args:
        outs: One output folder of augcli, or two.
        page: Where the page is written; by default beside the first folder.
        against: INPUT: bases, donors and heat maps are shown too.
        model: The scorer of the run, for heat maps; the shipped one where None.
        with_page: Whether a page is written; without, only the figures are computed.
        say: Called with what takes long.

    Raises:
        OutputError: A folder is no complete output folder of augcli, or the page can't be written.
        InputError: INPUT can't be listed.
        UsageError: There are more than two folders, or a page is wanted and the package jinja2 is
            missing.
    """
    if not 1 <= len(outs) <= 2:
        raise UsageError(f"a report is on one folder or compares two, but {len(outs)} are given")
    path = _checked_page(page, outs) if with_page else ""
    content: View | Comparison
    if len(outs) == 1:
        content, make = _data_set(outs[0], against, model, say)
    else:
        content, make = _comparison(outs, against, say)
    if not with_page:
        return Reported(content)
    data, pictures = make()
    write_file_for_people(path, "report", data)
    return Reported(content, path, len(data), pictures)


def _data_set(
    out: Place, against: Place | None, model: Place | None, say: Say
) -> tuple[View, MakePage]:
    """Return a data set, and what makes the page on it."""
    view = view_of(out, against, say=say)

    def make() -> tuple[bytes, int]:
        results = view.results(None if model is None else Path(model))
        entries = entries_of(view, view.chosen, results)
        if against and entries and not any(entry.base for entry in entries):
            made_of = shown(str(view.record.identity.get("input")))
            say(f"INPUT {against} has no source of these outputs; they were made of {made_of}")
        why = results.why_no_heat_maps
        return _within_limit(
            lambda some: rendered(
                "report.html",
                view=view,
                entries=some,
                without_maps=why,
                listed=listed_classes(view.figures),
                options=options_shown(view),
            ),
            entries,
        )

    return view, make


def _comparison(
    outs: Sequence[Place], against: Place | None, say: Say
) -> tuple[Comparison, MakePage]:
    """Return two data sets side by side, and what makes the page on them."""
    chosen = OfSources(), OfSources()
    first, second = (
        view_of(out, against, one.add, say) for out, one in zip(outs, chosen, strict=True)
    )
    pairs = chosen[0].common(chosen[1])
    comparison = compared(first, second, pairs)

    def make() -> tuple[bytes, int]:
        # Both have the same base, which is shown once.
        left = entries_of(first, [pair[0] for pair in pairs], first.results())
        right = entries_of(
            second, [pair[1] for pair in pairs], second.results(without_sources=True)
        )
        return _within_limit(
            lambda some: rendered("compare.html", comparison=comparison, pairs=some),
            list(zip(left, right, strict=True)),
        )

    return comparison, make


def _within_limit(
    render: Callable[[list[Shown]], bytes], entries: list[Shown]
) -> tuple[bytes, int]:
    """Return a page that is not too large, with fewer pictures where it must be.

    Their number is halved until the page fits: pictures of noise and endless names are rare.
    """
    while True:
        data = render(entries)
        if len(data) <= LIMIT or not entries:
            return data, len(entries)
        entries = entries[: len(entries) // 2]


def _checked_page(page: Place | None, outs: Sequence[Place]) -> str:
    """Return where the page is written.

    Raises:
        OutputError: Something else lies there, or it would lie in an output folder.
        UsageError: The package jinja2 is missing.
    """
    check_installed()
    if page is None:
        places = [os.fspath(out) for out in outs]
        # A page on what lies in a bucket is written into the folder where the command runs.
        folders = [
            real_place(place) if is_url(place) else os.path.abspath(place) for place in places
        ]
        names = [os.path.basename(folder) or "out" for folder in folders]
        beside = "" if is_url(places[0]) else os.path.dirname(folders[0])
        path = os.path.abspath(os.path.join(beside, f"{'-and-'.join(names)}-report.html"))
    else:
        path = os.path.abspath(os.fspath(page))
    check_place(path, "report", lambda start: start.startswith(MARK))
    return path

"""The page that the benchmark writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contenders import PROCESSES, QUALITY
from peers import PNG_LEVEL
from results import PACKAGES, About, Measured
from stages import STAGES
from targets import targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rounds import Figures

INTRODUCTION = """# Performance

An output image can't cost less than one decode and one encode. The **floor** does nothing else:
it reads bytes, decodes and encodes with OpenCV, and writes, in {processes} processes, without a
hash, a table or a rename. The ratios below are ratios to the floor.

All contenders take the same files, write JPEG with quality {quality} and 4:2:0, PNG with level
{level}, and add a row for each image to a CSV table. Each round runs all of them, each time in
another order; the figures are medians of {rounds} rounds. `make bench` repeats it and writes this
page, `make bench-compare A=FILE B=FILE` compares the results of two runs; those of this page are in
`benchmarks/results/{file}`.

{machine}
All files are in memory (/dev/shm), so that no disk is measured.
"""

RATES = """
*images/s* is measured from the first written image to the last, *whole* from the start of the
process to its end. A contender that would need more than 3 s for a run gets fewer of the same
files; its *whole* is then calculated for all files, from its start-up, its end and its rate.
"""

STAGE_TEXT = """
## Where the time goes

Microseconds per image, measured by cProfile in one process (`--workers 0`). The profiler slows
Python code, not the libraries, so Python's share looks larger than it is. *other* is time spent on
an image in none of the stages.
"""

MISSED_TEXT = """
Why augcli is slower than the floor, where it is:

- **Photos.** The floor decodes and encodes too. *apply* for cutmix is also the mask that is counted
  and the resizing of what is pasted; *encode* includes the conversion from RGB to the BGR of
  OpenCV; *hash* is mostly the SHA-256 of the output; *score* is the network and the resizing to its
  112 x 112 pixels. The rest is Python, which is slower between photos than between small pictures,
  because each photo displaces it from the processor's caches.
- **32x32.** For the floor, such a picture costs hardly more than a few dozen Python calls. Naming,
  drawing, hashing, renaming and recording it takes as many, though up to 64 small pictures go
  through each stage together. No single stage stands out.
- **Two workers** share two cores with a third process, which plans and counts.

augcli reuses the memory of a picture for the next one, which the floor releases and allocates each
time. Therefore large pictures can be faster than the floor.
"""

CURVE_TEXT = """
## Long lists

A generated list, without files: listing sorts it and finds the classes, the ring hashes every path
and is cut into shards.
"""


CREW_TEXT = """
## Workers

Images/s of cutout with different numbers of workers, medians of rounds in turns. The machine has
{cores} cores.
"""

GROWTH_TEXT = """
## More and more outputs

Cutout of 32 x 32 in one folder tree. *end* is what comes after the last image: the parts become
tables. The second run finds every output in its place and makes nothing. Memory is that of all
processes together.
"""


def page(measured: Measured) -> str:
    """Return docs/performance.md."""
    parts = [
        INTRODUCTION.format(
            processes=PROCESSES,
            quality=QUALITY,
            level=PNG_LEVEL,
            rounds=measured.about.rounds,
            machine=measured.about,
            file=measured.about.file_name,
        ),
        "\n## Targets\n\n",
        table(
            ("target", "wanted", "reached", "met"),
            ((*one[:3], _met(one.met)) for one in targets(measured)),
        ),
        "\n## Side by side\n",
        RATES,
        *(_side_by_side(measured.titles[name], one) for name, one in measured.figures.items()),
    ]
    if measured.stages:
        parts += [STAGE_TEXT, "\n", _stages(measured), MISSED_TEXT]
    if measured.curve:
        rows = (
            (f"{one.sources:,}", *(f"{each:.3f} s" for each in one[1:4]), f"{one.bytes_each:.0f}")
            for one in measured.curve
        )
        head = ("sources", "listing", "ring", "shards", "bytes each")
        parts += [CURVE_TEXT, "\n", table(head, rows)]
    if measured.crews:
        text = CREW_TEXT.format(cores=measured.about.cores)
        parts += [text, "\n", _crews(measured)]
    if measured.growth:
        parts += [GROWTH_TEXT, "\n", _growth(measured)]
    parts += _costs(measured)
    return "".join(parts)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    cells = [list(head)]
    lines = ["| " + " | ".join(cells[0]) + " |\n", "|" + "---|" * len(cells[0]) + "\n"]
    lines += ["| " + " | ".join(row) + " |\n" for row in rows]
    return "".join(lines)


def write_between(page: Path | None, name: str, text: str) -> None:
    """Put text between the two marks of a page; print it if there is no page.

    Args:
        page: Has the lines ``<!-- name: begin -->`` and ``<!-- name: end -->``.
        name: What the marks name.
        text: Whole lines.
    """
    if page is None:
        print(text)
        return
    begin, end = (f"<!-- {name}: {place} -->\n" for place in ("begin", "end"))
    head, begun, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ended, tail = rest.partition(end)
    assert begun, f"{page} lacks the line {begin}"
    assert ended, f"{page} lacks the line {end}"
    page.write_text(f"{head}{begin}{text}{end}{tail}", encoding="utf-8")


def machine(command: str, packages: Iterable[str] = PACKAGES) -> str:
    """Describe the machine, the versions, the command and the date."""
    return str(About.here(command, packages=packages))


def _met(met: bool | None) -> str:
    return "" if met is None else "yes" if met else "**no**"


def _side_by_side(title: str, figures: list[Figures]) -> str:
    head = (
        *("contender", "processes", "images", "images/s", "of the floor", "whole: images/s"),
        *("whole: of the floor", "CPU ms an image", "peak MB", "first image s"),
    )
    rows = (
        (
            *(one.contender.title, str(one.contender.processes), f"{one.images:,}"),
            *(f"{one.rate:,.1f}", f"**{one.ratio:.3f}**"),
            *(f"{one.wall:,.1f}", f"{one.wall_ratio:.3f}"),
            *(f"{one.cpu * 1000:.3g}", f"{one.peak / 1e6:.0f}" if one.peak else ""),
            f"{one.first:.2f}",
        )
        for one in figures
    )
    return f"\n### {title}\n\n{table(head, rows)}"


def _stages(measured: Measured) -> str:
    head = ("", *STAGES, "sum")
    rows = (
        (
            what,
            *(f"{found[stage]:,.0f}" for stage in STAGES),
            f"{sum(found.values()):,.0f}",
        )
        for what, found in measured.stages.items()
    )
    return table(head, rows)


def _crews(measured: Measured) -> str:
    names = list(measured.crews[0].rates)
    rows = (
        (str(one.workers), *(f"{one.rates[name]:,.0f}" for name in names)) for one in measured.crews
    )
    return table(("workers", *(measured.titles[name] for name in names)), rows)


def _growth(measured: Measured) -> str:
    head = ("outputs", "images/s", "µs an image", "end s", "peak MB", "second run s", "its peak MB")
    rows = (
        (
            *(f"{one.outputs:,}", f"{one.rate:,.0f}", f"{1e6 / one.rate:.1f}", f"{one.end:.2f}"),
            *(f"{one.peak / 1e6:.0f}", f"{one.again:.2f}", f"{one.again_peak / 1e6:.0f}"),
        )
        for one in measured.growth
    )
    return table(head, rows)


def _costs(measured: Measured) -> Iterator[str]:
    yield "\n## Memory, start and end\n\n"
    rows = []
    for one in measured.memories:
        what = f"cutmix with the scorer over {one.images:,} images: peak memory of all processes"
        rows.append((what, f"{one.peak / 1e6:.0f} MB"))
        rows.append((f"first of {one.images:,} images written", f"{one.first:.2f} s"))
    empty, shown = measured.start_up
    rows.append(("an empty Python", f"{empty:.3f} s"))
    rows.append(("`augcli --help`", f"{shown:.3f} s"))
    yield table(("what", "figure"), rows)

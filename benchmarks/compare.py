"""How the results of two runs of the benchmark differ.

    python benchmarks/compare.py benchmarks/results/A.json benchmarks/results/B.json

Ratios to the floor of the same run can be compared between machines, images a second can't.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from report import table
from results import Measured


def compared(first: Measured, second: Measured) -> list[tuple[str, ...]]:
    """Return a row for each contender that both runs have: ratios, and the second by the first."""
    rows = []
    for scenario, figures in first.figures.items():
        others = {one.contender.title: one for one in second.figures.get(scenario, [])}
        for one in figures:
            other = others.get(one.contender.title)
            if other:
                ratios = (
                    f"{one.ratio:.3f}",
                    f"{other.ratio:.3f}",
                    f"{other.ratio / one.ratio:.2f}",
                )
                rates = (f"{one.rate:,.0f}", f"{other.rate:,.0f}", f"{other.rate / one.rate:.2f}")
                rows.append((first.titles[scenario], one.contender.title, *ratios, *rates))
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("first", type=Path, metavar="A")
    parser.add_argument("second", type=Path, metavar="B")
    given = parser.parse_args()
    first, second = Measured.load(given.first), Measured.load(given.second)
    print(f"A: {first.about}\n\nB: {second.about}\n")
    head = ("pictures", "contender", "floor A", "floor B", "B / A")
    print(table((*head, "images/s A", "images/s B", "B / A"), compared(first, second)))


if __name__ == "__main__":
    main()

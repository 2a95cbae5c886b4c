"""Tables for people fit in 80 columns, whatever is in them."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from augcli.cli.tables import table_lines

names = st.lists(st.text(max_size=120), min_size=1, max_size=5)


def columns(line: str) -> int:
    wide = [unicodedata.east_asian_width(letter) in "WF" for letter in line]
    narrow = [not unicodedata.combining(letter) for letter in line]
    return sum(2 if two else one for two, one in zip(wide, narrow, strict=True))


@given(names, st.integers(0, 30), st.integers(0, 10**12))
def test_no_line_is_wider_than_a_terminal(rows: list[str], count: int, number: int) -> None:
    header = ["class", *(f"split {n}" for n in range(count))]
    lines = table_lines(header, [[name, *[f"{number:,}"] * count] for name in rows])
    assert len(lines) == len(rows) + 1
    assert all(columns(line) <= 80 for line in lines)
    assert all(line.isprintable() for line in lines)


def test_columns_without_room_are_left_out_and_said() -> None:
    lines = table_lines(["class", *["x" * 20] * 6], [["cat", *["1"] * 6]])
    assert lines[0].endswith("  …")
    assert lines[0].count("x" * 20) < 6


def test_wide_letters_are_aligned() -> None:
    lines = table_lines(["class", "has"], [["猫", "1"], ["dog", "22"]])
    assert lines == ["class  has", "猫       1", "dog     22"]

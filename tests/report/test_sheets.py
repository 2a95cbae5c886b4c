"""Sheets: contact sheets of an output folder, and how sheets are drawn and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import augcli
from augcli.errors import OutputError, ParameterError
from augcli.report.contact_sheet import contact_sheet
from augcli.report.pictures.gallery import Part
from augcli.report.sheets.draw import MARGIN, PARTS, draw
from augcli.report.sheets.lettering import cut, lettered
from augcli.report.sheets.publish import checked_sheet_place, write_sheet
from augcli.report.sheets.sheet import Sheet, Tile, wrapped
from augcli.report.sheets.sixel import sixels
from augcli.report.sheets.tiles import SIDE, small
from tests.photos import read
from tests.report.sets import HOSTILE, hostile_table

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def out(photos: Path, tmp_path: Path) -> Path:
    augcli.augment(photos, augcli.CutMix(), out=tmp_path / "out", workers=0, format="png")
    return tmp_path / "out"


def test_results_alone_are_those_of_the_files(out: Path) -> None:
    sheet = contact_sheet(out, rows=2)
    assert [len(row) for row in sheet.rows] == [4, 4]
    assert sheet.subtitle == "8 outputs of 9"
    for tile in (tile for row in sheet.rows for tile in row):
        assert tile is not None
        assert tile.image is not None
        assert np.array_equal(tile.image, small(read(out / tile.caption)))
        assert sum(part.weight for part in tile.parts) == pytest.approx(1)


def test_with_its_input_each_row_has_base_donor_and_result(out: Path, photos: Path) -> None:
    sheet = contact_sheet(out, photos, rows=3)
    assert sheet.headings == ("base", "donor", "result")
    rows = {row.source_a: row for row in augcli.read(out).rows}
    for base, donor, result in sheet.rows:
        assert base is not None
        assert donor is not None
        assert result is not None
        assert base.image is not None
        assert result.image is not None
        row = rows[base.caption]
        assert donor.caption == row.source_b
        assert np.array_equal(base.image, small(read(photos / row.source_a)))
        assert np.array_equal(result.image, small(read(out / row.file_name)))


def test_a_set_without_mixes_has_no_column_for_donors(photos: Path, tmp_path: Path) -> None:
    augcli.augment(photos, augcli.Cutout(), out=tmp_path / "out", workers=0, originals="copy")
    sheet = contact_sheet(tmp_path / "out", photos)
    assert sheet.headings == ("base", "result")
    assert sheet.subtitle == "6 outputs of 9"


def test_a_missing_output_leaves_its_place(out: Path) -> None:
    for file in out.glob("cat/*"):
        file.unlink()
    tiles = [tile for row in contact_sheet(out, rows=3).rows for tile in row if tile]
    missing = [tile.caption for tile in tiles if tile.image is None]
    assert missing
    assert all(name.startswith("cat/") for name in missing)
    assert draw(contact_sheet(out, rows=3)).width > SIDE


def test_what_is_no_output_is_refused(photos: Path, out: Path) -> None:
    with pytest.raises(OutputError, match="is not an output folder of augcli"):
        contact_sheet(photos)
    with pytest.raises(ParameterError, match="rows is 51, but must be a number from 1 to 50"):
        contact_sheet(out, rows=51)


def test_hostile_names_are_drawn(tmp_path: Path) -> None:
    table = hostile_table(tmp_path / "hostile", HOSTILE)
    augcli.augment(table, augcli.MixUp(), out=tmp_path / "out", workers=0)
    sheet = contact_sheet(tmp_path / "out", table, rows=30)
    texts = [part.name for row in sheet.rows for tile in row if tile for part in tile.parts]
    texts += [tile.caption for row in sheet.rows for tile in row if tile]
    assert all(text.isprintable() and len(text) <= 200 for text in texts)
    assert draw(sheet).width == 2 * MARGIN + 3 * SIDE + 2 * 16


def test_the_label_bar_is_as_long_as_the_weights() -> None:
    tile = Tile(
        np.zeros((40, SIDE, 3), np.uint8),
        "",
        (Part("a", 0.75, 0.0, 0.75), Part("b", 0.25, 0.75, 0.25)),
    )
    pixels = np.array(draw(Sheet("t", "", ("",), [[tile]])))
    for colour, share in zip(PARTS, (0.75, 0.25), strict=False):
        same = (pixels == tuple(bytes.fromhex(colour[1:]))).all(axis=2)
        # The bar is the longest run of its colour; the key is a small square.
        assert same.sum(axis=1).max() == share * SIDE


def test_text_is_cut_in_its_middle_to_the_width_there_is() -> None:
    for width in range(1, 30):
        assert len(cut("a name of 27 characters.jpg", width, len)) <= width
    assert cut("", 5, len) == ""


def test_letters_that_no_font_has_are_written_in_ascii() -> None:
    text, font = lettered("\U0001f9ff a", 13)
    assert text == "\\U0001f9ff a"
    assert font.getlength(text) > 0


def test_longer_rows_become_several() -> None:
    sheet = Sheet("t", "", ("a", "b", "c"), [[Tile(None), None, Tile(None, "x")]] * 2)
    found = wrapped(sheet, 2)
    assert [[tile and tile.title for tile in row] for row in found.rows] == [["a", None], ["c"]] * 2
    assert draw(found).size[0] == 2 * MARGIN + 2 * SIDE + 16
    assert wrapped(sheet, 3) is sheet


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_sheet_is_replaced_and_nothing_else_is(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"sheet.{ending}"
    for side in (20, 30):
        write_sheet(Image.new("RGB", (side, side)), checked_sheet_place(path))
        assert read(path).shape == (side, side, 3)
    Image.new("RGB", (20, 20)).save(path)
    with pytest.raises(OutputError, match="is no sheet of augcli; give another file with `out`"):
        checked_sheet_place(path)


def test_places_that_are_wrong_are_refused(tmp_path: Path, out: Path) -> None:
    with pytest.raises(ParameterError, match=r"must end in .png or .jpg"):
        checked_sheet_place(tmp_path / "sheet.gif")
    with pytest.raises(OutputError, match=r"lies in .*, an output of augcli"):
        checked_sheet_place(out / "sheet.png")
    with pytest.raises(OutputError, match="can't be written"):
        write_sheet(Image.new("RGB", (2, 2)), checked_sheet_place(tmp_path / "no" / "sheet.png"))


def test_sixels_show_the_picture() -> None:
    """What they draw, read back as a terminal would."""
    random = np.random.default_rng(1)
    colours = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], np.uint8)
    pixels = colours[random.integers(0, 4, (13, 17))]
    assert np.array_equal(drawn_by(sixels(Image.fromarray(pixels))), pixels)


def drawn_by(text: str) -> Any:
    """Return the pixels that sixels draw."""
    body = text.removeprefix('\x1bP0;1q"1;1;').removesuffix("\x1b\\")
    width, _, body = body.partition(";")
    height = int(body.partition("#")[0])
    body = body[body.index("#") :]
    canvas = np.zeros((height + 6, int(width), 3), np.uint8)
    palette: dict[int, list[int]] = {}
    top = left = at = 0
    colour: list[int] = []

    def number() -> int:
        nonlocal at
        start = at
        while at < len(body) and body[at].isdigit():
            at += 1
        return int(body[start:at])

    while at < len(body):
        char = body[at]
        at += 1
        if char == "#":
            which = number()
            if body[at] == ";":
                values = []
                for _ in range(4):
                    at += 1
                    values.append(number())
                palette[which] = [round(value * 2.55) for value in values[1:]]
            else:
                colour = palette[which]
        elif char == "$":
            left = 0
        elif char == "-":
            left, top = 0, top + 6
        else:
            count = 1
            if char == "!":
                count = number()
                char = body[at]
                at += 1
            for row in range(6):
                if (ord(char) - 63) >> row & 1:
                    canvas[top + row, left : left + count] = colour
            left += count
    return canvas[:height]

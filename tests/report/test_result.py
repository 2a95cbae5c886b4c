"""Pictures of the gallery: sources, heat maps, outlines, and the lines that make one alone."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

import augcli
from augcli.errors import InputError, OutputError, ParameterError, ScorerError
from augcli.report.pictures.choice import Choice
from augcli.report.pictures.outline import outline
from augcli.report.pictures.thumbnails import fitted, thumbnails
from augcli.report.report import report
from augcli.report.view import view_of
from tests.command import ROOT
from tests.photos import class_folders, picture, read, rows, save
from tests.report.pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from augcli.pixels.frame import Mask
    from augcli.report.pictures.outline import Outline
    from tests.report.conftest import Made


def drawn(found: Outline) -> Mask:
    """Return the mask that the path of an outline encloses."""
    mask = np.zeros((found.height, found.width), np.uint8)
    for loop in found.path.split("M")[1:]:
        points, text = [], loop.replace("V", " V").replace("H", " H").replace("z", "").split()
        x, y = int(text[0]), int(text[1])
        points.append((x, y))
        for word in text[2:]:
            x, y = (x, int(word[1:])) if word[0] == "V" else (int(word[1:]), y)
            points.append((x, y))
        one = np.zeros_like(mask)
        xs, ys = [x for x, _ in points], [y for _, y in points]
        # A loop of corners of pixels: all pixels whose centres it encloses.
        contour = np.array(points, np.float32)
        for row in range(min(ys), max(ys)):
            for column in range(min(xs), max(xs)):
                centre = (column + 0.5, row + 0.5)
                one[row, column] = cv2.pointPolygonTest(contour, centre, False) > 0
        mask ^= one
    return mask


def test_an_outline_encloses_the_region_exactly() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[2:9, 3:11] = 1
    mask[4:6, 5:7] = 0
    mask[12:20, 20:30] = 1
    found = outline(mask)
    assert found
    assert (drawn(found) == mask).all()


def test_nothing_and_everything_have_no_outline() -> None:
    assert outline(None) is None
    assert outline(np.zeros((4, 4), np.uint8)) is None
    assert outline(np.ones((4, 4), np.uint8)) is None


def test_a_region_with_very_many_corners_is_not_drawn() -> None:
    dots = np.indices((200, 200)).sum(axis=0) % 2
    found = outline(dots.astype(np.uint8))
    assert found
    assert found.path == ""


def test_thumbnails_keep_to_their_bytes_by_losing_quality() -> None:
    noise = picture(0, 200, 200)
    (large,), (small,) = thumbnails([noise], 10**6), thumbnails([noise], 12_000)
    assert len(small.uri) <= 12_000 < len(large.uri)


def test_a_tiny_picture_is_kept_exactly() -> None:
    tiny = picture(1, 32, 32)
    (found,) = thumbnails([tiny], 10**6)
    data = np.frombuffer(base64.b64decode(found.uri.partition(",")[2]), np.uint8)
    assert (np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1] == tiny).all()
    assert fitted(tiny, 64) is tiny


def test_the_python_lines_of_a_picture_make_it_alone(dropped: Made) -> None:
    for entry in dropped.page.entries[:3]:
        code = entry.one("pre").one("code")
        names: dict[str, Any] = {}
        exec("".join(str(child) for child in code.children), names)
        file_name = entry.all("img")[0].attributes["alt"]
        assert (names["image"] == read(dropped.out / file_name)).all()


def test_with_against_base_and_donor_are_shown_and_outlined(mixed: Made) -> None:
    shown = {row["file_name"]: row for row in rows(mixed.out)}
    for entry in mixed.page.entries:
        result, *sources = entry.all("img")
        row = shown[result.attributes["alt"]]
        wanted = [f"base {row['source_a']}"]
        wanted += [f"donor {row['source_b']}"] * bool(row["source_b"])
        assert [one.attributes["alt"] for one in sources] == wanted


def test_without_against_the_page_says_so(mixed: Made, tmp_path: Path) -> None:
    report([mixed.out], tmp_path / "page.html")
    page = Page.read(tmp_path / "page.html")
    assert "without the images that they were made of" in page.section("pictures").text
    assert all(len(entry.all("img")) == 1 for entry in page.entries)


def test_an_attentive_mix_shows_the_heat_map_of_the_donor(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2}, side=80)
    out = tmp_path / "out"
    augcli.augment(source, augcli.CutMix(), out=out, workers=0)
    view = view_of(out, source)
    results = view.results()
    for chosen in view.chosen:
        found = results.of(chosen.row)
        assert found.scored == "donor"
        donor = read(source / chosen.row.source_b)
        assert found.heat_map is not None
        assert found.heat_map == pytest.approx(augcli.heat_map(donor), abs=1e-6)


def test_heat_maps_need_the_scorer_of_the_run(tmp_path: Path, scorer: Path) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2}, side=80)
    out = tmp_path / "out"
    augcli.augment(source, augcli.CutMix(), out=out, workers=0, model=scorer)
    view = view_of(out, source)
    assert view.results().of(view.chosen[0].row).heat_map is None
    assert view.results().why_no_heat_maps == "the run had another scorer; give it with `model`"
    assert view.results(scorer).of(view.chosen[0].row).heat_map is not None
    with pytest.raises(ParameterError, match="not the scorer of the run"):
        view.results(ROOT / "models" / "attention.onnx")
    with pytest.raises(ScorerError):
        view.results(tmp_path / "none.onnx")
    report([out], tmp_path / "page.html", against=source)
    assert "Heat maps are not shown" in Page.read(tmp_path / "page.html").section("pictures").text


def test_a_missing_output_and_a_missing_source_are_named(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 3})
    out = tmp_path / "out"
    augcli.augment(source, augcli.MixUp(), out=out, workers=0)
    first = rows(out)[0]
    (out / first["file_name"]).unlink()
    (source / first["source_a"]).unlink()
    view = view_of(out, source)
    (problems,) = [
        view.results().of(one.row).problems
        for one in view.chosen
        if one.row.file_name == first["file_name"]
    ]
    assert [one.partition(" can't")[0] for one in problems] == ["the output", "a source"]


@pytest.mark.parametrize("to", ["webdataset", "parquet"])
def test_outputs_in_containers_are_shown_too(tmp_path: Path, to: str) -> None:
    source = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    out = tmp_path / "out"
    augcli.augment(source, augcli.Cutout(patch=6, fill="black"), out=out, workers=0, to=to)
    view = view_of(out, source)
    found = [view.results().of(one.row) for one in view.chosen]
    assert len(found) == 6
    assert all(one.result is not None and not one.problems for one in found)


def test_the_choice_does_not_depend_on_the_order_of_rows(mixed: Made) -> None:
    chosen = []
    listed = list(augcli.read(mixed.out).rows)
    for order in (listed, listed[::-1]):
        choice = Choice(most=9)
        for row in order:
            choice.add(row, listed.index(row))
        chosen.append([one.row.file_name for one in choice.rows()])
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 9


def test_every_class_and_method_is_among_many_rows(tmp_path: Path) -> None:
    counts = {"many": 60, "rare": 1, "few": 2}
    for label, count in counts.items():
        for at in range(count):
            save(tmp_path / "photos" / label / f"{at}.png", picture(at, 9, 9))
    out = tmp_path / "out"
    augcli.augment(
        tmp_path / "photos",
        augcli.Cutout(patch=3, fill="black"),
        out=out,
        workers=0,
        originals="copy",
    )
    choice = Choice(most=12)
    for number, row in enumerate(augcli.read(out).rows):
        choice.add(row, number)
    shown = choice.rows()
    assert {one.row.label.heaviest for one in shown} == set(counts)
    assert {one.row.method for one in shown} == {"cutout", "original"}


def test_remake_refuses_what_it_can_not_make(dropped: Made, tmp_path: Path) -> None:
    name = rows(dropped.out)[0]["file_name"]
    with pytest.raises(ParameterError, match="no output of that name"):
        augcli.remake(dropped.out, "cat/none.png", against=dropped.source)
    with pytest.raises(OutputError, match="does not exist"):
        augcli.remake(tmp_path / "nowhere", name, against=dropped.source)
    other = class_folders(tmp_path / "other", {"emu": 2})
    with pytest.raises(InputError, match="can't be used"):
        augcli.remake(dropped.out, name, against=other)

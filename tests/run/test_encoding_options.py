"""``--subsampling`` and ``--png-level``: in the outputs, in the run's identity, in verifying."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import JpegImagePlugin

import augcli
from augcli.errors import OutputError
from tests.photos import picture, read, rows

if TYPE_CHECKING:
    from pathlib import Path

MIX = augcli.AttentiveCutMix(top_n=9)
SAMPLING = {0: "444", 1: "422", 2: "420", -1: "one channel"}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """INPUT: JPEGs of several samplings, named by them, and a PNG."""
    folder = tmp_path / "photos" / "cat"
    folder.mkdir(parents=True)
    for number, name in enumerate(("444", "422", "420")):
        sampling = ":".join(name)
        image = Pillow.fromarray(picture(number, 40, 56))
        image.save(folder / f"{name}.jpg", quality=90, subsampling=sampling)
    Pillow.fromarray(picture(4, 40, 56)).convert("L").save(folder / "grey.jpg")
    Pillow.fromarray(picture(5, 40, 56)).save(folder / "drawn.png")
    return folder.parent


def run(source: Path, out: Path, scorer: Path, **options: Any) -> None:
    augcli.augment(source, MIX, out=out, model=scorer, workers=0, **options)


def samplings(out: Path) -> dict[tuple[str, str], str]:
    """Return the sampling of each output, by its base and method."""
    found = {}
    for row in rows(out):
        with JpegImagePlugin.JpegImageFile(io.BytesIO((out / row["file_name"]).read_bytes())) as it:
            sampling = SAMPLING[JpegImagePlugin.get_sampling(it)]
        base = row["source_a"].removeprefix("cat/").partition(".")[0]
        found[base, row["method"]] = sampling
    return found


@pytest.mark.parametrize("wanted", [None, "same", "420", "444"])
def test_outputs_have_the_sampling_that_is_asked_for(
    mixed: Path, tmp_path: Path, scorer: Path, wanted: str | None
) -> None:
    out = tmp_path / "out"
    given = {"subsampling": wanted} if wanted else {}
    run(mixed, out, scorer, format="jpg", originals="encode", **given)
    kept = "444" if wanted in (None, "same") else wanted
    others = "420" if wanted in (None, "same") else wanted
    expected = {"444": kept, "422": others, "420": others, "grey": others, "drawn": others}
    by_method = {
        (name, method): sampling
        for name, sampling in expected.items()
        for method in ("cutmix", "original")
    }
    # Its donor is in colour.
    assert samplings(out) == {**by_method, ("grey", "original"): "one channel"}
    found = augcli.verify(out, against=mixed)
    assert (found.remade, found.identical, found.problems) == (10, 10, [])


def test_full_resolution_keeps_the_edges_of_cells(tmp_path: Path, scorer: Path) -> None:
    red, blue = np.zeros((2, 56, 56, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    for name, image in (("red", red), ("blue", blue)):
        (tmp_path / "flat" / name).mkdir(parents=True)
        Pillow.fromarray(image).save(tmp_path / "flat" / name / "a.png")
    bleeding = {}
    for sampling in ("420", "444"):
        run(tmp_path / "flat", tmp_path / sampling, scorer, format="jpg", subsampling=sampling)
        run(tmp_path / "flat", tmp_path / "exact", scorer, format="png", overwrite=True)
        exact = {row["source_a"]: row["file_name"] for row in rows(tmp_path / "exact")}
        bleeding[sampling] = max(
            np.abs(
                read(tmp_path / sampling / row["file_name"]).astype(int)
                - read(tmp_path / "exact" / exact[row["source_a"]])
            ).max()
            for row in rows(tmp_path / sampling)
        )
    assert bleeding["444"] < bleeding["420"] / 2


def test_png_levels_change_sizes_and_no_pixel(mixed: Path, tmp_path: Path, scorer: Path) -> None:
    sizes, pixels = {}, []
    for level in (None, 0, 3, 9):
        out = tmp_path / f"level-{level}"
        given = {} if level is None else {"png_level": level}
        run(mixed, out, scorer, format="png", **given)
        files = [out / row["file_name"] for row in rows(out)]
        sizes[level] = sum(one.stat().st_size for one in files)
        pixels.append([read(one).tolist() for one in files])
        found = augcli.verify(out, against=mixed)
        assert (found.identical, found.problems) == (5, [])
    assert sizes[0] > sizes[3] > sizes[9]
    assert sizes[None] == sizes[3]
    assert all(one == pixels[0] for one in pixels)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("subsampling", "444", "subsampling was same and is 444"),
        ("png_level", 9, "png_level was 3 and is 9"),
    ],
)
def test_another_value_on_the_same_folder_is_refused(
    mixed: Path, tmp_path: Path, scorer: Path, option: str, value: Any, words: str
) -> None:
    run(mixed, tmp_path / "out", scorer)
    with pytest.raises(OutputError, match=words):
        run(mixed, tmp_path / "out", scorer, **{option: value})

"""``white_level`` in runs, heat maps and verifying: 12-bit data in 16-bit files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow

import augcli
from augcli.data.codecs import decoding
from augcli.errors import OutputError, ParameterError
from augcli.recipes.options import RunOptions
from augcli.run.heatmaps import make_heat_maps
from augcli.run.messages import Message, Notice, Summary
from augcli.run.options import HeatMapOptions
from tests.photos import class_folders, picture, read, rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

MIX = augcli.AttentiveCutMix(top_n=9)
DARK = "16-bit picture that uses only levels up to 4,095 of 65,535; see `white_level`"


def deep(folder: Path, bits: int = 16) -> Path:
    """Make 16-bit pictures of grey that use the lowest bits only, as PNG and TIFF."""
    for label in ("ill", "well"):
        (folder / label).mkdir(parents=True)
        for number in range(3):
            values = picture(number + 3 * (label == "well"), 30, 40)[..., 0].astype(np.uint16)
            full = (values << 8 | values) >> (16 - bits)
            ending = "tif" if number == 1 else "png"
            Pillow.fromarray(full.astype(np.uint16)).save(folder / label / f"{number}.{ending}")
    return folder


@pytest.fixture
def twelve(tmp_path: Path) -> Path:
    """INPUT: 12-bit data in 16-bit files."""
    return deep(tmp_path / "twelve", 12)


def run(source: Path, out: Path, **options: Any) -> tuple[Summary, list[Message]]:
    messages: list[Message] = []

    def listen(message: Message) -> None:
        messages.append(message)

    summary = augcli.augment(
        source,
        MIX,
        out=out,
        workers=0,
        listener=listen,
        **options,
    )
    return summary, messages


def images(out: Path) -> dict[str, Any]:
    return {row["source_a"]: read(out / row["file_name"]) for row in rows(out)}


@pytest.mark.parametrize("white_level", [4095, "4095", "auto"])
def test_12_bits_come_out_as_16_bits_do(
    twelve: Path, tmp_path: Path, scorer: Path, white_level: Any
) -> None:
    out, full = tmp_path / "out", tmp_path / "full-out"
    summary, _ = run(twelve, out, model=scorer, white_level=white_level, originals="encode")
    run(deep(tmp_path / "full"), full, model=scorer, originals="encode")
    assert summary.remarks == {"16-bit reduced to 8-bit": 6}
    assert images(out).keys() == images(full).keys()
    for path, image in images(out).items():
        assert np.array_equal(image, images(full)[path])
    # The heat maps chose the same cells.
    assert [row["draw"] for row in rows(out)] == [row["draw"] for row in rows(full)]
    verified = augcli.verify(out, against=twelve)
    assert (verified.identical, verified.problems) == (12, [])


def test_without_it_they_are_reported(twelve: Path, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "out"
    summary, _ = run(twelve, out)
    assert summary.remarks == {"16-bit reduced to 8-bit": 6, DARK: 6}
    full, _ = run(deep(tmp_path / "full"), tmp_path / "full-out")
    assert full.remarks == {"16-bit reduced to 8-bit": 6}
    end = cli("cutout", twelve, "--out", tmp_path / "another")
    assert f"note: {DARK.replace('`white_level`', '--white-level')} (6 images)" in end.err


def test_an_estimate_stays(twelve: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _, messages = run(twelve, out, white_level="auto", limit=4)
    words = "white level of 16-bit images, estimated: 4,095 of 65,535"
    assert Notice(words) in messages
    record = json.loads((out / "run.json").read_text())
    assert (record["white_level"], record["identity"]["white_level"]) == (4095, "auto")
    before = images(out)
    # A picture with higher levels comes; the outputs of the others stay as they are.
    Pillow.fromarray(np.full((30, 40), 65535, np.uint16)).save(twelve / "ill" / "0.png")
    first = out / rows(out)[0]["file_name"]
    first.unlink()
    _, messages = run(twelve, out, white_level="auto", limit=4)
    assert Notice(words) not in messages
    assert json.loads((out / "run.json").read_text())["white_level"] == 4095
    unchanged = [row for row in rows(out) if "ill/0.png" not in (row["source_a"], row["source_b"])]
    assert unchanged
    for row in unchanged:
        if row["source_a"] in before:
            assert np.array_equal(read(out / row["file_name"]), before[row["source_a"]])
    assert augcli.verify(out, against=twelve).problems == []
    with pytest.raises(OutputError, match="white_level was auto and is 4095"):
        run(twelve, out, white_level=4095, limit=4)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_estimate_and_apply_the_same(twelve: Path, tmp_path: Path, workers: int) -> None:
    run(twelve, tmp_path / "alone", white_level="auto")
    augcli.augment(twelve, MIX, out=tmp_path / "many", workers=workers, white_level="auto")
    alone, many = rows(tmp_path / "alone"), rows(tmp_path / "many")
    assert [row["sha256"] for row in alone] == [row["sha256"] for row in many]


@pytest.mark.parametrize(("bits", "white_level"), [(6, 255), (9, 511), (10, 1023), (14, 16383)])
def test_the_estimate_is_a_number_of_whole_bits(
    tmp_path: Path, bits: int, white_level: int
) -> None:
    folder, out = deep(tmp_path / "photos", bits), tmp_path / "out"
    run(folder, out, white_level="auto")
    assert json.loads((out / "run.json").read_text())["white_level"] == white_level


def test_pictures_of_8_bits_are_not_touched(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    plain, given, auto = (tmp_path / name for name in ("plain", "given", "auto"))
    run(folder, plain)
    run(folder, given, white_level=4095)
    run(folder, auto, white_level="auto")
    assert json.loads((auto / "run.json").read_text())["white_level"] == 65535
    hashes = [[row["sha256"] for row in rows(out)] for out in (plain, given, auto)]
    assert hashes[0] == hashes[1] == hashes[2]


def test_the_mean_colour_is_that_of_scaled_pictures(twelve: Path, tmp_path: Path) -> None:
    means = []
    for number, (folder, level) in enumerate([(twelve, "auto"), (deep(tmp_path / "full"), 65535)]):
        out = tmp_path / f"out-{number}"
        augcli.augment(folder, augcli.Cutout(), out=out, workers=0, white_level=level)
        means.append(json.loads((out / "run.json").read_text())["mean_colour"])
    assert means[0] == means[1]
    assert min(means[0]) > 60


def test_a_dry_run_estimates_it_too(twelve: Path, tmp_path: Path, cli: Cli, scorer: Path) -> None:
    out = tmp_path / "out"
    command = ("cutmix", twelve, "--out", out, "--model", scorer, "--white-level", "auto")
    planned = json.loads(cli(*command, "--dry-run", "--json").out)["rows"]
    assert not out.exists()
    assert cli(*command).code == 0
    made = {row["file_name"]: row["sha256"] for row in rows(out)}
    assert {row["file_name"]: row["sha256"] for row in planned} == made


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Brightness of each picture that was decoded."""
    seen: list[int] = []
    real = decoding.decode

    def watched(*arguments: Any, **options: Any) -> Any:
        decoded = real(*arguments, **options)
        seen.append(int(decoded.image.max()))
        return decoded

    monkeypatch.setattr("augcli.work.reading.decode", watched)
    return seen


def test_stored_heat_maps_are_those_of_scaled_pictures(
    twelve: Path, tmp_path: Path, scorer: Path, scored: list[int]
) -> None:
    def stored(name: str, **options: Any) -> Path:
        file = tmp_path / name
        make_heat_maps(twelve, HeatMapOptions(out=file, model=scorer, workers=0, **options))
        return file

    dark = stored("dark.npz")
    assert max(scored) < 16
    scored.clear()
    bright = stored("bright.npz", white_level="auto")
    assert len(scored) == 6
    assert max(scored) > 200
    for maps, missing in ((bright, 0), (dark, 6)):
        out = tmp_path / f"out-{missing}"
        _, messages = run(twelve, out, model=scorer, heatmaps=maps, white_level=4095)
        texts = [message.text for message in messages if isinstance(message, Notice)]
        assert [text for text in texts if "are not in" in text] == [
            text for text in texts if text.startswith(f"{missing} images are not in")
        ]
        assert any("are not in" in text for text in texts) is bool(missing)
    hashes = [[row["sha256"] for row in rows(tmp_path / f"out-{n}")] for n in (0, 6)]
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("value", [0, 65536, "12bit", -1, 1.5, True, ""])
def test_other_white_levels_are_refused(value: Any) -> None:
    for options in (RunOptions, HeatMapOptions):
        with pytest.raises(ParameterError, match=r"white_level is .* 1 to 65535, or auto"):
            options(white_level=value)


def test_an_estimate_of_nothing_is_not_reported(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    _, messages = run(folder, tmp_path / "out", white_level="auto")
    assert not [message for message in messages if isinstance(message, Notice)]

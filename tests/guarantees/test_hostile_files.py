"""Every file that augcli reads may hold anything: it is used, damaged, or refused in a sentence.

Each test tries a list of values in every place of a file. All are small: a value that takes much
memory or time today would end the tests.
"""

from __future__ import annotations

import contextlib
import copy
import gzip
import hashlib
import io
import json
import os
import random
import struct
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import augcli
from augcli.attention.heat_map_file import HeatMaps
from augcli.attention.map_table import MapTable
from augcli.augmentations import REGISTRY
from augcli.classifiers.options import ClassifierOptions
from augcli.cli.options import CommandOptions
from augcli.data.manifest import read_failures, write_table
from augcli.data.manifest_formats.columns import COLUMNS, SOFT_COLUMNS
from augcli.data.manifest_formats.csv_manifest import read_csv
from augcli.data.output import FOLDED_PARTS
from augcli.data.run_record import RunRecord
from augcli.errors import EXIT_BUG, HeatMapsError, InputError, ParameterError, RecipeError
from augcli.files import parse_json, parse_toml
from augcli.params import declared
from augcli.plan.part import MOST_SHARDS, Part, ShardName
from augcli.plan.ring import shards_for
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.run.options import HeatMapOptions
from tests.data.tables.labelled import labelled
from tests.guarantees.test_attacks import change_parts
from tests.photos import class_folders, tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Cli

DEEP = "[" * 100_000 + "]" * 100_000
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**400), 0.5, -0.5, 1e308, "", "x"),
    *("\x1b[31m", "\u202eabc", "\ud800", "a\nb", "a\0b", "../x", "/etc/passwd", "9" * 5000),
    *([], [[]], [1, 2, 3], ["a"] * 1000, {}, {"a": 1}, {"a": {"b": [{}]}}, {"": None}),
]
ODD_TEXTS = [DEEP, "NaN", "-Infinity", "1e999", "9" * 5000, "{", '"\\ud800"', '{"a":1,"a":2}']


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value in nested tables and lists."""
    yield path
    inner: list[Any] = list(content.items()) if isinstance(content, dict) else []
    if isinstance(content, list):
        inner = list(enumerate(content[:3]))
    for key, value in inner:
        yield from places(value, (*path, key))


def changed(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy with another value in one place."""
    if not path:
        return value
    whole = copy.deepcopy(content)
    inside = whole
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return whole


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """INPUT and a complete OUT."""
    folder = tmp_path_factory.mktemp("hostile")
    photos = class_folders(folder / "photos", {"cat": 4, "dog": 3})
    augcli.augment(photos, augcli.Cutout(fill="black"), out=folder / "out", workers=0)
    return photos, folder / "out"


def test_a_record_of_any_content_is_one_or_is_refused(made: tuple[Path, Path]) -> None:
    content = json.loads((made[1] / "run.json").read_bytes())
    RunRecord.from_json(content)
    for place in places(content):
        for value in ODD:
            try:
                record = RunRecord.from_json(changed(content, place, value))
            except ValueError:
                continue
            assert all(isinstance(name, str) for name in record.folders)
            assert isinstance(record.counts["images"] if record.counts else 0, int)
            json.dumps(record.identity)
            record.to_bytes()


def test_no_more_shards_are_taken_than_the_largest_set_gets() -> None:
    assert shards_for(2**29) == MOST_SHARDS
    assert ShardName.parse(f"0-0000000-of-{MOST_SHARDS}") is None  # it is not written so
    assert ShardName.parse(f"0-00000-of-{MOST_SHARDS}")
    assert ShardName.parse(f"0-00000-of-{2 * MOST_SHARDS}") is None


@pytest.mark.parametrize("text", [*ODD_TEXTS, '{"identity": ' + "[" * 900 + "]" * 900 + "}"])
def test_no_command_fails_over_a_record_of_odd_text(
    cli: Cli, made: tuple[Path, Path], text: str, tmp_path: Path
) -> None:
    photos, out = made
    (tmp_path / "out").mkdir()
    for name, data in tree(out).items():
        (tmp_path / "out" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "out" / name).write_bytes(data)
    (tmp_path / "out/run.json").write_text(text)
    for words in (("status",), ("verify",), ("cutout", photos, "--fill", "black", "--out")):
        end = cli(*words, tmp_path / "out")
        assert (end.code, end.out) == (2, "")
        assert len(end.err) < 1000


def test_commands_take_a_record_whose_identity_was_changed(
    cli: Cli, made: tuple[Path, Path], tmp_path: Path
) -> None:
    photos, out = made
    content = json.loads((out / "run.json").read_bytes())
    chance = random.Random(0)
    cases = [
        (("identity", *place), value) for place in places(content["identity"]) for value in ODD
    ]
    before = (out / "run.json").read_bytes()
    try:
        for place, value in chance.sample(cases, 25):
            text = json.dumps(changed(content, place, value))
            (out / "run.json").write_text(text)
            for words in (
                ("verify", out, "--against", photos),
                ("cutout", photos, "--fill", "black", "--dry-run", "--out", out),
            ):
                end = cli(*words)
                assert end.code in (0, 1, 2), (place, value, end.err)
    finally:
        (out / "run.json").write_bytes(before)


def test_parts_of_any_content_are_parts_or_damaged(made: tuple[Path, Path]) -> None:
    body = gzip.decompress((made[1] / FOLDED_PARTS).read_bytes()).splitlines()[0]
    content = json.loads(body)
    for place in places(content):
        for value in ODD:
            part = _part(json.dumps(changed(content, place, value)))
            if part:
                part.to_bytes()
    for text in ODD_TEXTS:
        assert _part(text) is None


def _part(text: str) -> Part | None:
    line = text.encode() + b"\n"
    last = json.dumps({"sha256": hashlib.sha256(line).hexdigest()}, separators=(",", ":"))
    return Part.from_bytes(line + last.encode() + b"\n")


def test_parts_that_unpack_to_any_size_are_damaged(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augcli.plan.parts.LONGEST_LINE", 100_000)
    out = tmp_path / "out"
    command = ("cutout", photos, "--fill", "black", "--out", out)
    assert cli(*command).code == 0
    clean = tree(out)
    (out / FOLDED_PARTS).write_bytes(gzip.compress(b"{" * 10_000_000))
    assert cli("status", out).code == 0
    assert cli(*command).code == 0
    assert tree(out) == clean


def test_numbers_in_parts_that_no_float_holds(cli: Cli, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("cutout", photos, "--fill", "black", "--out", out)
    assert cli(*command).code == 0
    clean = tree(out)
    for value in (10**400, 2**70):

        def change(part: dict[str, Any], size: int = value) -> None:
            part["made"][0][1] = size

        change_parts(out, change)
        assert cli(*command).code == 0
        assert tree(out) == clean


MANIFEST_ROW = ["cat/a-0ff50eee-cutout-0.jpg", "cat", "1.0", "", "0.0", "cat/a.jpg", "", "cutout"]
MANIFEST_ROW += ["{}", "8", "8", "0", "00"]


def _csv(header: Any, *rows: Any) -> bytes:
    file = io.BytesIO()
    write_table(file, header, rows)
    return file.getvalue()


def test_a_manifest_of_any_content_is_read_or_refused() -> None:
    soft = [MANIFEST_ROW[0], '{"cat": 1}', *MANIFEST_ROW[5:]]
    texts = [*ODD_TEXTS, *(value for value in ODD if isinstance(value, str)), '{"a": 1e400}']
    texts += [json.dumps(value) for value in ODD]
    for columns, row in ((COLUMNS, MANIFEST_ROW), (SOFT_COLUMNS, soft)):
        assert len(list(read_csv(io.BytesIO(_csv(columns, row))))) == 1
        for at in range(len(row)):
            for text in texts:
                if "\ud800" in text:
                    continue
                cells = [*row[:at], text, *row[at + 1 :]]
                try:
                    rows = list(read_csv(io.BytesIO(_csv(columns, cells))))
                except ValueError:
                    continue
                assert all(each.label.is_sound in (True, False) for each in rows)
                json.dumps(rows[0].label.to_json()).encode()
                "".join(rows[0].label.classes).encode()
    for read in (read_csv, read_failures):
        for data in (b"\xff\xfe", b"a" * 100, b'"', b"," * 100_000, b"source,stage,reason\n1,2\n"):
            with pytest.raises(ValueError, match=r"\w"):
                list(read(io.BytesIO(data)))


def test_a_line_of_any_length_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augcli.data.manifest.LONGEST_ROW", 1000)
    monkeypatch.setattr("augcli.data.tables.formats.LONGEST_ROW", 1000)

    class Endless(io.RawIOBase):
        left = 1000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            self.left -= 1
            assert self.left, "all of it was read"
            buffer[:] = b"a" * len(buffer)
            return len(buffer)

    with pytest.raises(ValueError, match="a line has more than 1,000 characters"):
        list(read_csv(io.BufferedReader(Endless())))
    for data in (b"a" * 2000, b'"' + b"a\n" * 2000, b"file_name,label\n" + b"," * 2000):
        with pytest.raises(InputError, match="is not a CSV table") as error:
            labelled(data)
        assert len(str(error.value)) < 500


def test_a_label_table_of_any_content_is_read_or_refused() -> None:
    texts = [value for value in ODD if isinstance(value, str) and "\ud800" not in value]
    for text in [*texts, *ODD_TEXTS]:
        for row in ([text, "cat"], ["a.jpg", text], ["a.jpg", "cat", text]):
            for header in (["file_name", "label"], ["label", "file_name", text], [text]):
                with contextlib.suppress(InputError):
                    labelled(_csv(header, row))
    with pytest.raises(InputError) as refused:
        labelled(b"a," * 100_000)
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize(
    "weights", ['{"cat": 2}', '{"cat": 0.5}', '{"cat": 1e999}', '{"cat": -1, "dog": 2}', '{"":1}']
)
def test_an_output_with_wrong_weights_is_no_input(
    cli: Cli, photos: Path, tmp_path: Path, weights: str
) -> None:
    out = tmp_path / "out"
    assert cli("cutout", photos, "--fill", "black", "--out", out).code == 0
    with (out / "metadata.csv").open("rb") as file:
        rows = list(read_csv(file))
    cells = [(row.file_name, weights, *row[2:]) for row in rows]
    (out / "metadata.csv").write_bytes(_csv(SOFT_COLUMNS, *cells))
    end = cli("mixup", out, "--out", tmp_path / "more")
    if weights == '{"":1}':
        assert end.code in (0, 2)
        return
    assert (end.code, end.out) == (2, "")
    assert "metadata.csv" in end.err


TOMLS = [
    "a" + ".a" * 100_000 + " = 1",
    '"a"' + '."a"' * 100_000 + " = 1",
    "[a" + ".a" * 100_000 + "]",
    "[[a" + " . 'a'" * 100_000 + "]]",
    "[" * 100_000,
    "copies = " + "[" * 100_000 + "]" * 100_000,
    "a = " + "{a = " * 50_000 + "1" + "}" * 50_000,
    "copies = " + "9" * 5000,
    "copies = 0x" + "f" * 5000,
    "seed = 0x" + "f" * 5000,
    "prob = 0x" + "f" * 5000,
    "seed = 0x" + "f" * 900,
    "prob = 1e999",
    "prob = nan",
    "copies = inf",
    "a" * 1_000_000 + " = 1",
    '"' * 1_000_000,
    "#" * 2_000_000,
    "fill = '" + "a" * 1_000_000 + "'",
    "copies = 9999-99-99",
    "\x1b[31m = 1",
    "'\u202ea' = 1",
]


@pytest.mark.parametrize("number", range(len(TOMLS)))
def test_toml_beyond_measure_is_refused(
    cli: Cli, photos: Path, tmp_path: Path, number: int
) -> None:
    text = TOMLS[number]
    path = tmp_path / "file.toml"
    path.write_text(text)
    for words in (
        ("cutout", photos, "--dry-run", "--config", path),
        ("recipe", "check", path),
        ("run", path, photos, "--dry-run"),
    ):
        end = cli(*words)
        assert (end.code, end.out) == (2, "")
    with pytest.raises(RecipeError):
        Recipe.parse(text)


def test_values_of_toml_that_are_long_are_still_read() -> None:
    dots = ", ".join(["0.5"] * 1000)
    assert parse_toml(f"a = [{dots}]")["a"] == [0.5] * 1000
    assert parse_toml('a = "' + "x. " * 100 + '"')


@pytest.mark.parametrize(
    "owner", [RunOptions, CommandOptions, HeatMapOptions, ClassifierOptions, *REGISTRY]
)
def test_options_of_any_value_are_taken_or_refused(owner: type[Any]) -> None:
    words = ["nan", "inf", "1e999", "-1", "1_000", "٣", "9" * 5000, "1..2", "0x10", "\udcff", " "]
    values: list[Any] = [*ODD, *words, float("nan"), float("inf"), b"x", 16**5000, object()]
    for field in declared(owner):
        for value in values:
            try:
                owner(**{field.name: value})
            except ParameterError as error:
                assert error.message  # noqa: PT017 - most values are refused
            if isinstance(value, str):
                try:
                    field.value_of_text(value)
                except ParameterError:
                    continue


def test_variables_of_any_value_are_taken_or_refused(
    cli: Cli, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(1)
    words = ["\udcff", "\x1b[31m", "nan", "9" * 5000, "-1", "[", "\u202e", "/dev/null", "1e999"]
    fields = [*declared(RunOptions), *declared(CommandOptions), *declared(REGISTRY[0])]
    cases = [(field.name, word) for field in fields for word in words]
    for name, word in chance.sample(cases, 50):
        with monkeypatch.context() as patch:
            patch.setenv(f"AUGCLI_{name.upper()}", word)
            end = cli(REGISTRY[0].name, photos, "--dry-run")
        assert end.code in (0, 2), (name, word, end.err)
        assert end.code != EXIT_BUG
        assert [char for char in end.err if not char.isprintable() and char != "\n"] == []


def npz(**arrays: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in arrays.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), data)
    return file.getvalue()


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def good_arrays() -> dict[str, bytes]:
    about = json.dumps({"format": 1, "scorer": "0" * 64, "grid": 2, "poolable": True}).encode()
    return {
        "about": npy(_header("|u1", f"({len(about)},)"), about),
        "paths": npy(_header("|u1", "(6,)"), b"a.jpg\0"),
        "hashes": npy(_header("|u1", "(1, 32)"), bytes(32)),
        "maps": npy(_header("<f2", "(1, 2, 2)"), np.ones(4, "<f2").tobytes()),
    }


def _header(kind: str, shape: str) -> str:
    return f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"


def test_heat_maps_of_any_content_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "maps.npz"
    path.write_bytes(npz(**good_arrays()))
    assert list(HeatMaps.load(path)) == ["a.jpg"]
    shapes = ["(1000000000000,)", "(-1,)", "(1, -32)", "(0, 10000000000, 10000000000)", "(True,)"]
    shapes += ["(" * 3000 + ")" * 3000, "-" * 9000 + "1", "()", "(1.5,)", "[1]", "(1, 2, 3, 4)"]
    headers = [_header("|u1", shape) for shape in shapes] + [
        _header("<f2", each) for each in shapes
    ]
    headers += [_header(kind, "(1, 2, 2)") for kind in ("|O", "<f8", "|S0", "V99999999999", "x")]
    headers += ["{", "{}", "x" * 60_000, "[" * 9000, "\xff\0"]
    for name, data in good_arrays().items():
        for header in headers:
            _refused(path, {name: npy(header, data[-8:])})
        for cut in (0, 5, 9, 40):
            _refused(path, {name: data[:cut]})
    for text in (*ODD_TEXTS, *(json.dumps(value) for value in ODD)):
        _about(path, text)
    fields = {"format": 1, "scorer": "0" * 64, "grid": 2, "poolable": True}
    for key in fields:
        for value in ODD:
            about = {**fields, key: value}
            may_be_good = key == "poolable" or value == 1 or isinstance(value, str)
            _about(path, json.dumps(about), may_be_good=may_be_good)


def _about(path: Path, text: str, *, may_be_good: bool = False) -> None:
    data = text.encode()
    arrays = {"about": npy(_header("|u1", f"({len(data)},)"), data)}
    _refused(path, arrays, may_be_good=may_be_good)


def _refused(path: Path, arrays: dict[str, bytes], *, may_be_good: bool = False) -> None:
    path.write_bytes(npz(**{**good_arrays(), **arrays}))
    for check in (True, False):
        try:
            HeatMaps.open(path, check=check)
        except HeatMapsError:
            continue
        assert may_be_good or not check, arrays


def test_a_table_of_maps_gives_no_infinity(tmp_path: Path) -> None:
    with MapTable(str(tmp_path / "maps"), "ab" * 32, (2, 2), 10) as table:
        table.put(b"k" * 32, np.array([[1, np.inf], [3, np.nan]], np.float32))
        assert table.get(b"k" * 32) is None


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_a_table_of_maps_is_a_file(tmp_path: Path) -> None:
    with MapTable(str(tmp_path / "maps"), "ab" * 32, (2, 2), 10) as table:
        path = table.path
    Path(path).unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="regular file"):
        MapTable(str(tmp_path / "maps"), "ab" * 32, (2, 2), 10)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "9" * 5000, DEEP])
def test_json_holds_numbers_only(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_json(text.encode())


SMALL = ("classes.txt", "metadata.csv", "errors.csv", FOLDED_PARTS)


@pytest.mark.parametrize("name", SMALL)
def test_any_bytes_in_a_table_of_out_are_named_by_verify(
    cli: Cli, photos: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    assert cli("cutout", photos, "--fill", "black", "--out", out).code == 0
    contents: list[bytes] = [b"\0" * 1000, b"\xff" * 1000, b"\x1f\x8b" + b"a" * 100, b'"']
    contents += [text.encode() for text in ODD_TEXTS] + [b"\n" * 100_000, b"\x1b[2J\xe2\x80\xae,\n"]
    for content in contents:
        (out / name).write_bytes(content)
        end = cli("verify", out)
        assert end.code in (1, 2), content[:40]
        assert [char for char in end.err if not char.isprintable() and char != "\n"] == []

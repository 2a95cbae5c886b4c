"""Sources that are huge, cut short, rewritten meanwhile, or take more memory than there is."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import struct
import subprocess
import sys
import textwrap
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from augcli.data.codecs.decoding import NO_END, decode
from augcli.errors import UnreadableImage
from augcli.files import Folder, read_checked
from augcli.run.remake import Remaker
from augcli.work.writing import Writer
from tests.command import PATIENCE, environment
from tests.photos import picture, tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from augcli.data.stores.sources import Source
    from tests.conftest import Cli

needs_sparse_files = pytest.mark.skipif(sys.platform == "win32", reason="needs sparse files")
PHOTO = Pillow.fromarray(picture(1, 40, 52))
REASON = "not enough memory for this image"


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    PHOTO.save(file, kind, **options)
    return file.getvalue()


def failures(out: Path) -> dict[str, tuple[str, str]]:
    """Return stage and reason by source."""
    with (out / "errors.csv").open(encoding="utf-8", newline="") as file:
        return {row["source"]: (row["stage"], row["reason"]) for row in csv.DictReader(file)}


def sparse(path: Path, size: int, head: bytes = b"") -> Path:
    path.write_bytes(head)
    os.truncate(path, size)
    return path


# Size and first bytes.


@needs_sparse_files
def test_a_huge_file_that_is_no_picture_is_refused_by_its_first_bytes(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparse(photos / "cat/900.jpg", 20 << 30)
    sizes: list[int] = []
    read = os.read

    def watched(descriptor: int, size: int) -> bytes:
        sizes.append(size)
        return read(descriptor, size)

    monkeypatch.setattr(os, "read", watched)
    out = tmp_path / "out"
    assert cli("cutmix", photos, "--out", out, "--max-bytes", 1 << 40).code == 1
    stage, reason = failures(out)["cat/900.jpg"]
    assert stage == "decode"
    assert reason.startswith("a file that begins with zero bytes only, which augcli does not read")
    assert max(sizes) < 1 << 20


@needs_sparse_files
@pytest.mark.parametrize("verb", ["cutmix", "heatmaps"])
def test_a_file_above_max_bytes_is_refused_before_it_is_read(
    cli: Cli, photos: Path, scorer: Path, tmp_path: Path, verb: str
) -> None:
    sparse(photos / "cat/900.jpg", 3 << 30, saved("JPEG"))
    out = tmp_path / ("out" if verb == "cutmix" else "maps.npz")
    errors = out if verb == "cutmix" else tmp_path / "maps-errors.csv"
    tracemalloc.start()
    end = cli(verb, photos, "--model", scorer, "--out", out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert end.code == 1
    assert peak < 64 << 20
    if verb == "heatmaps":
        errors.rename(tmp_path / "errors.csv")
    assert failures(out if verb == "cutmix" else tmp_path) == {
        "cat/900.jpg": (
            "decode",
            "a JPEG image of 3,221,225,472 bytes; at most 1,073,741,824 are allowed (`max_bytes`)",
        )
    }


def test_max_bytes_belongs_to_the_command_and_verify_keeps_it(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ("cutout", photos, "--fill", "black", "--out", out)
    assert cli(*command, "--max-bytes", 100).code == 1
    assert len(failures(out)) == 9
    end = cli(*command)
    assert (end.code, "max_bytes was 100 and is 1073741824" in end.err) == (2, True)
    assert cli(*command, "--overwrite").code == 0
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    record["identity"]["max_bytes"] = 100
    (out / "run.json").write_text(json.dumps(record), encoding="utf-8")
    end = cli("verify", out, "--against", photos)
    assert end.code == 1
    assert "a source can't be used: a PNG image of" in end.err


def test_a_size_that_no_format_holds_is_refused_before_decoding(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    """One row of 100 million pixels would take 2.6 GB before its output can't be written."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))
        )

    for number, sides in enumerate([(100_000_000, 1), (1, 100_000_000)]):
        (photos / f"cat/90{number}.png").write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">LLBBBBB", *sides, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(100_000_001)))
            + chunk(b"IEND", b"")
        )
    out = tmp_path / "out"
    tracemalloc.start()
    assert cli("cutout", photos, "--fill", "black", "--out", out).code == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20
    assert failures(out) == {
        "cat/900.png": (
            "encode",
            "an output of 100,000,000 x 1 pixels; png holds at most 1,000,000 a side",
        ),
        "cat/901.png": (
            "encode",
            "an output of 1 x 100,000,000 pixels; png holds at most 1,000,000 a side",
        ),
    }


@pytest.mark.parametrize(
    ("options", "code"), [(["--format", "webp"], 1), (["--size", "16x8", "--format", "webp"], 0)]
)
def test_sides_are_those_of_the_output(
    cli: Cli, photos: Path, tmp_path: Path, options: list[str], code: int
) -> None:
    Pillow.fromarray(picture(1, 4, 16_384)).save(photos / "cat/900.png")
    assert cli("cutmix", photos, "--out", tmp_path / "out", *options).code == code


def test_a_size_option_that_a_format_does_not_hold_decodes_nothing(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("augcli.work.reading.decode", refuse)
    out = tmp_path / "out"
    size = ["--size", "65501x8", "--format", "jpg", "--fill", "black"]
    assert cli("cutout", photos, "--out", out, *size).code == 1
    assert set(failures(out).values()) == {
        ("encode", "an output of 65,501 x 8 pixels; jpg holds at most 65,500 a side")
    }


def test_a_size_that_no_memory_holds_is_refused(cli: Cli, photos: Path, tmp_path: Path) -> None:
    end = cli("cutout", photos, "--out", tmp_path / "out", "--size", 99_999)
    assert (end.code, end.out) == (2, "")
    assert "--size 99999x99999 is 9,999,800,001 pixels; at most 100,000,000 are allowed" in end.err
    assert not (tmp_path / "out").exists()


def test_what_is_too_large_for_an_output_can_still_be_a_donor(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    Pillow.fromarray(picture(1, 4, 16_384)).save(photos / "cat/900.png")
    out = tmp_path / "out"
    assert cli("mixup", photos, "--out", out, "--format", "webp").code == 1
    assert list(failures(out)) == ["cat/900.png"]
    with (out / "metadata.csv").open(encoding="utf-8", newline="") as file:
        donors = [row["source_b"] for row in csv.DictReader(file)]
    assert "cat/900.png" in donors


# Memory.


def starved(path: str, error: Exception) -> Callable[[pytest.MonkeyPatch, Path], None]:
    """Let one source's decoding raise an error."""

    def patch(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        wanted = (folder / path).read_bytes()

        def short(data: bytes, **options: Any) -> object:
            if data == wanted:
                raise error
            return decode(data, **options)

        monkeypatch.setattr("augcli.work.reading.decode", short)

    return patch


ERRORS = [
    MemoryError(),
    cv2.error("OpenCV(5.0.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate"),
    OSError("out of memory error when reading image file"),
    RuntimeError("bad allocation"),
    RuntimeError("[ONNXRuntimeError] : 6 : Failed to allocate memory for requested buffer of size"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("verb", ["cutmix", "heatmaps"])
def test_memory_that_runs_out_while_decoding_is_a_failure_of_that_image(
    cli: Cli,
    photos: Path,
    scorer: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    verb: str,
) -> None:
    starved("cat/001.png", error)(monkeypatch, photos)
    out = tmp_path / ("out" if verb == "cutmix" else "maps.npz")
    end = cli(verb, photos, "--model", scorer, "--out", out)
    assert end.code == 1
    if verb == "heatmaps":
        (tmp_path / "maps-errors.csv").rename(tmp_path / "errors.csv")
    table = failures(out if verb == "cutmix" else tmp_path)
    assert table == {"cat/001.png": ("memory", REASON)}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_memory_that_runs_out_while_scoring_is_a_failure_of_that_image(
    cli: Cli,
    photos: Path,
    scorer: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    """The donor is scored: its base gets another one, and is no failure itself."""
    from augcli.attention.scorer import Scorer

    wanted = decode((photos / "cat/001.png").read_bytes()).image
    heat_map = Scorer.heat_map

    def short(self: Scorer, image: Any, grid: int | None = None) -> Any:
        if np.array_equal(image, wanted):
            raise error
        return heat_map(self, image, grid)

    monkeypatch.setattr(Scorer, "heat_map", short)
    out = tmp_path / "out"
    assert cli("cutmix", photos, "--model", scorer, "--out", out).code in (0, 1)
    if (out / "errors.csv").exists():
        assert failures(out) == {"cat/001.png": ("memory", REASON)}
    end = cli("cutout", photos, "--at", "attended", "--model", scorer, "--out", tmp_path / "drop")
    assert end.code == 1
    assert failures(tmp_path / "drop") == {"cat/001.png": ("memory", REASON)}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_memory_that_runs_out_while_encoding_is_a_failure_of_that_image(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    encode = Writer.encode

    def short(self: Writer, base: Source, *rest: Any) -> Any:
        if base.path == "cat/001.png":
            raise error
        return encode(self, base, *rest)

    out = tmp_path / "out"
    monkeypatch.setattr(Writer, "encode", short)
    assert cli("cutout", photos, "--out", out).code == 1
    assert failures(out) == {"cat/001.png": ("memory", REASON)}
    monkeypatch.undo()
    monkeypatch.setenv("AUGCLI_WORKERS", "0")
    assert cli("cutout", photos, "--out", out).code == 0
    assert not (out / "errors.csv").exists()


def test_memory_that_runs_out_while_verifying_is_a_problem_of_that_output(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert cli("cutout", photos, "--out", out).code == 0
    make = Remaker.make

    def short(self: Remaker, row: Any) -> Any:
        if row.source_a == "cat/001.png":
            raise MemoryError
        return make(self, row)

    monkeypatch.setattr(Remaker, "make", short)
    end = cli("verify", out, "--against", photos)
    assert end.code == 1
    assert f"can't be made again: {REASON}" in end.err


@needs_sparse_files
def test_a_huge_file_in_place_of_an_output_is_a_problem_of_that_output(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert cli("cutout", photos, "--out", out).code == 0
    output = next(path for path in sorted(out.rglob("*.png")))
    sparse(output, 20 << 30)
    end = cli("verify", out)
    assert end.code == 1
    assert f"{output.name}: can't be read (has {20 << 30:,} bytes, more than" in end.err


def test_memory_that_runs_out_between_images_is_a_sentence(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("augcli.plan.part.Part.to_bytes", short)
    end = cli("cutout", photos, "--fill", "black", "--out", tmp_path / "out")
    assert end.code == 3
    assert "memory ran out between two images" in end.err


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_only_the_image_that_needs_too_much_memory_fails(photos: Path, tmp_path: Path) -> None:
    """In a process with a real limit, with a picture that is too large for it as base and donor."""
    side = 9000
    Pillow.new("L", (side, side)).save(photos / "cat/900.png", compress_level=1)
    code = f"""
        import resource, sys
        import augcli
        from augcli import MixUp, augment
        augment({str(photos)!r}, MixUp(), out={str(tmp_path / "warm")!r}, workers=0, limit=2)
        pages = int(open("/proc/self/statm").read().split()[0])
        limit = pages * resource.getpagesize() + (150 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        augment({str(photos)!r}, MixUp(), out={str(tmp_path / "out")!r}, workers=0)
    """
    end = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert end.returncode == 0, end.stderr
    assert failures(tmp_path / "out") == {"cat/900.png": ("memory", REASON)}
    assert len((tmp_path / "out/metadata.csv").read_text(encoding="utf-8").splitlines()) == 10


# Files whose end is missing.


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 90}),
        ("JPEG", {"quality": 90, "progressive": True}),
        ("JPEG", {"quality": 30, "restart_marker_rows": 1}),
        ("GIF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_a_file_whose_end_is_zeros_is_refused(
    kind: str, options: dict[str, Any], part: float
) -> None:
    """As a copy leaves it that was interrupted, or a disk that was full."""
    data = saved(kind, **options)
    length = int(len(data) * part)
    with pytest.raises(UnreadableImage):
        decode(data[:length] + bytes(len(data) - length))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
def test_a_file_that_is_cut_short_is_refused(kind: str) -> None:
    data = saved(kind)
    for length in range(len(data) - 40, len(data) - 2):
        with pytest.raises(UnreadableImage):
            decode(data[:length])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
@pytest.mark.parametrize("more", [b"\0" * 64, b"\0\0\0\x18ftypmp42", b"\0" * 5_000_000])
def test_bytes_after_the_end_are_allowed(kind: str, more: bytes) -> None:
    """Phones put a video behind a photo."""
    data = saved(kind)
    assert np.array_equal(decode(data + more).image, decode(data).image)


def test_a_png_without_its_end_marker_is_refused() -> None:
    data = saved("PNG")
    for missing in range(1, 13):
        with pytest.raises(UnreadableImage, match="a PNG image that is cut short"):
            decode(data[:-missing])


def test_a_gif_without_its_trailer_is_refused() -> None:
    data = saved("GIF")
    for cut in (data[:-1], data[:-1] + b"\0", data[: len(data) // 2] + b"\0" * 9):
        with pytest.raises(UnreadableImage, match="a GIF image that is cut short"):
            decode(cut)


def smooth(seed: int) -> bytes:
    """Return a JPEG; of some, a decoder needs no byte after the last row."""
    file = io.BytesIO()
    small = Pillow.fromarray(picture(seed, 5, 4)).resize((64, 64))
    small.save(file, "JPEG", restart_marker_blocks=1)
    return file.getvalue()


def is_readable(data: bytes) -> bool:
    try:
        decode(data)
    except UnreadableImage:
        return False
    return True


def test_a_jpeg_without_its_end_marker_is_a_remark(cli: Cli, photos: Path, tmp_path: Path) -> None:
    data = next(data for data in map(smooth, range(80)) if is_readable(data[:-2]))
    found = decode(data[:-2])
    assert found.notes == (NO_END,)
    assert np.array_equal(found.image, decode(data).image)
    with pytest.raises(UnreadableImage, match="a JPEG image that is cut short"):
        decode(data[:-2] + bytes(16))
    (photos / "cat/900.jpg").write_bytes(data[:-2])
    end = cli("cutout", photos, "--out", tmp_path / "out")
    assert (end.code, NO_END in end.err) == (0, True)


# Sources that change while they are read.


@pytest.mark.parametrize("change", ["rewritten", "longer", "shorter"])
def test_a_source_that_is_rewritten_while_it_is_read_is_no_mixture(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    source = photos / "cat/001.png"
    whole = source.read_bytes()
    other = whole[:-12] + b"\0\0\0\0IEND" + whole[-4:]
    identity = source.stat().st_ino
    read = os.read
    changed: list[str] = []

    def interrupted(descriptor: int, size: int) -> bytes:
        if os.fstat(descriptor).st_ino != identity or changed:
            return read(descriptor, size)
        changed.append(change)
        half = read(descriptor, len(whole) // 2)
        rest = {"rewritten": other, "longer": other + b"more", "shorter": other[:-1]}[change]
        source.write_bytes(rest)
        return half + read(descriptor, size - len(half))

    monkeypatch.setattr(os, "read", interrupted)
    out = tmp_path / "out"
    end = cli("cutout", photos, "--fill", "black", "--out", out)
    assert end.code == 1
    assert failures(out) == {"cat/001.png": ("read", "changed during the run; run again")}
    monkeypatch.undo()
    monkeypatch.setenv("AUGCLI_WORKERS", "0")
    source.write_bytes(whole)
    assert cli("cutout", photos, "--fill", "black", "--out", out).code == 0


def test_a_file_that_grows_for_ever_is_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    monkeypatch.setattr(os, "read", lambda _, size: b"x" * size)
    with pytest.raises(OSError, match="grows beyond"):
        read_checked(path, 10 << 20, lambda *_: None)


# Other files of a run.


@pytest.mark.parametrize("verb", ["cutmix", "heatmaps"])
def test_a_file_of_maps_that_is_cut_short_in_use_is_a_sentence(
    cli: Cli, photos: Path, scorer: Path, tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = tmp_path / "maps.npz"
    assert cli("heatmaps", photos, "--model", scorer, "--out", maps).code == 0
    from augcli.work.source_maps import SourceMaps

    key = SourceMaps.key

    def cut(self: SourceMaps, data: bytes) -> bytes:
        os.truncate(maps, 100)
        return key(self, data)

    monkeypatch.setattr(SourceMaps, "key", cut)
    given = ["--heatmaps", maps, "--out", tmp_path / "out"] if verb == "cutmix" else ["--out", maps]
    end = cli(verb, photos, "--model", scorer, *given)
    assert end.code == 3
    assert f"{maps}: was changed while it was used" in end.err


def test_a_disk_without_room_for_files_is_not_reported_as_bytes(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    real = os.statvfs

    def none_left(path: Any) -> Any:
        values = list(real(path))
        values[5:8] = [1000, 0, 0]
        return os.statvfs_result(values)

    monkeypatch.setattr(Folder, "publish", full)
    monkeypatch.setattr(os, "statvfs", none_left)
    end = cli("cutout", photos, "--fill", "black", "--out", tmp_path / "out")
    assert end.code == 3
    assert "the disk of OUT can hold no more files" in end.err
    assert "MB" not in end.err


@pytest.mark.parametrize("nth", range(12))
def test_no_verb_leaves_an_unfinished_file_under_its_name(
    cli: Cli,
    photos: Path,
    scorer: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nth: int,
) -> None:
    """Where the n-th write takes half of its bytes and the next none, as on a full disk."""
    overlays, recipe = tmp_path / "overlays", tmp_path / "recipe.toml"
    shown = ["--overlay", overlays]
    maps = ("heatmaps", photos, "--model", scorer, "--out", tmp_path / "maps.npz", *shown)
    commands = [maps, ("recipe", "init", "--out", recipe)]
    for command in commands:
        assert cli(*command).code == 0
    clean = tree(overlays), recipe.read_bytes()
    for path in (*overlays.rglob("*.jpg"), recipe):
        path.unlink()
    write, calls = os.write, 0

    def half(descriptor: int, data: Any) -> int:
        nonlocal calls
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return write(descriptor, data)  # a pipe is on no disk
        calls += 1
        if calls <= nth:
            return write(descriptor, data)
        if calls == nth + 1:
            return write(descriptor, bytes(data)[: len(data) // 2])
        raise OSError(28, "No space left on device")

    for command, code in zip(commands, (3, 2), strict=True):
        calls = 0
        monkeypatch.setattr(os, "write", half)
        end = cli(*command)
        monkeypatch.undo()
        monkeypatch.setenv("AUGCLI_WORKERS", "0")
        assert end.code in (0, code)
    assert tree(overlays).items() <= clean[0].items()
    assert not recipe.exists() or recipe.read_bytes() == clean[1]
    assert not list(tmp_path.glob(".*"))

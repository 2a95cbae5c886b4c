"""docs/images.md gives the reasons for refused images that augcli really gives."""

from __future__ import annotations

import os
import re
import struct
import sys
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from augcli.errors import NO_MEMORY
from tests.data.codecs.pictures import tiff
from tests.docs.pages import ROOT
from tests.photos import picture, rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


def huge_png(width: int = 50_000, height: int = 50_000) -> bytes:
    """Return a PNG that declares so many pixels and has none."""
    head = b"IHDR" + struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">L", 13) + head
    return start + struct.pack(">L", zlib.crc32(head)) + b"\0\0\0\0IEND\xaeB`\x82"


def test_the_reasons_are_those_of_real_files(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    folder = tmp_path / "bad" / "cat"
    folder.mkdir(parents=True)
    photo, other = (Pillow.fromarray(picture(seed, 40, 40)) for seed in (1, 2))
    photo.save(folder / "good.jpg")
    whole = (folder / "good.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "no_end.jpg").write_bytes(whole[:-2])
    photo.save(folder / "damaged.png")
    broken = bytearray((folder / "damaged.png").read_bytes())
    (folder / "cut.png").write_bytes(broken[: len(broken) // 2])
    broken[60:90] = bytes(30)
    (folder / "damaged.png").write_bytes(broken)
    photo.save(folder / "animated.png", save_all=True, append_images=[other])
    photo.save(folder / "pages.tif", save_all=True, append_images=[other])
    Pillow.fromarray(np.zeros((9, 9), np.float32)).save(folder / "float.tif")
    photo.save(folder / "moving.gif", save_all=True, append_images=[other])
    (folder / "scan.jpg").write_bytes(bytes(128) + b"DICM")
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (folder / "bands.tif").write_bytes(tiff(bytes(9), 8, 13, t262=1))
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("no image", encoding="utf-8")
    (folder / "web.jpg").write_text("<!DOCTYPE html><title>404</title>", encoding="utf-8")
    (folder / "huge.png").write_bytes(huge_png())
    (folder / "narrow.png").write_bytes(huge_png(1, 100_000_000))
    with (folder / "large.tif").open("wb") as file:
        file.write(b"II*\0")
        file.truncate(3 << 30)
    if sys.platform == "linux":
        with open(os.path.join(os.fsencode(folder), b"\xff.jpg"), "wb") as file:
            file.write(whole)

    assert cli("cutout", tmp_path / "bad").code == 1
    out = tmp_path / "bad-cutout"
    assert len(rows(out)) == 1
    # No file takes more memory than any machine has.
    reasons = [*(row["reason"] for row in rows(out, "errors.csv")), NO_MEMORY]
    page = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
    table = page.partition("| file | reason in errors.csv |\n")[2].partition("\n\n")[0]
    cells = [line.split("|")[2] for line in table.splitlines()[1:]]
    named = [reason for cell in cells for reason in re.findall("`([^`]*)`", cell)]
    assert len(named) >= 13
    for words in named:
        assert sys.platform != "linux" or any(
            words.removeprefix("… ") in reason for reason in reasons
        ), words

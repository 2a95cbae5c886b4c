"""The file of ``--config`` is read from any editor that saves UTF-8, and named where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.photos import rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

TEXT = 'seed = 3\n\n[cutout]\nfill = "black"\npatch = 4\ncopies = 2\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_options_may_begin_with_a_byte_order_mark(
    cli: Cli, photos: Path, tmp_path: Path, encoding: str, newline: str
) -> None:
    path = tmp_path / "options.toml"
    path.write_text(TEXT, encoding=encoding, newline=newline)
    assert cli("cutout", photos, "--out", tmp_path / "out", "--config", path).code == 0
    assert len(rows(tmp_path / "out")) == 18


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT.encode("utf-16"), "is UTF-16 text; save it as UTF-8\n"),
        (TEXT.encode("utf-16-le"), "is UTF-16 text; save it as UTF-8\n"),
        (TEXT.encode("utf-32"), "is UTF-32 text; save it as UTF-8\n"),
        (b'fill = "gr\xfcn"\n', "is not UTF-8 text (byte 0xfc in line 1); save it as UTF-8\n"),
    ],
)
def test_options_of_another_encoding_are_refused_with_its_name(
    cli: Cli, photos: Path, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "options.toml"
    path.write_bytes(content)
    end = cli("cutout", photos, "--out", tmp_path / "out", "--config", path)
    assert (end.code, end.err) == (2, f"augcli: --config {path}: {words}")
    assert not (tmp_path / "out").exists()

"""Output folders for reports."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from tests.photos import class_folders, picture, save

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SCRIPT = "<script>document.title='hacked'</script>"
HOSTILE = (
    *(SCRIPT, '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "{% raw %}", "javascript:alert(1)"),
    *("' onmouseover='alert(1)", "</style><script>alert(1)</script>", "]]>", "<!--", "-->"),
    *("&lt;b&gt;", "\u202eevil", "\u2066\u2069", "a\x00b", "\x1b[31mred", "tab\there", "\ufeff"),
    *("שלום", "مرحبا", "猫", "e\u0301" * 40, "\U0001f600", " blank ", "x" * 5_000, "\ufffe"),
)
"""Names and labels that must stay text."""


def unequal_splits(folder: Path) -> Path:
    """INPUT with two splits and classes of different sizes."""
    class_folders(folder / "train", {"cat": 6, "dog": 3, "emu": 2})
    return class_folders(folder / "val", {"cat": 2, "dog": 1, "emu": 1}).parent


def hostile_table(folder: Path, labels: Sequence[str]) -> Path:
    """INPUT as a table whose labels and file names come from somebody unfriendly."""
    folder.mkdir()
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "label"])
        for at, label in enumerate(labels):
            name = f"{at:02d} {label[:40]}".replace("/", "_").replace("\x00", "").strip() + ".png"
            save(folder / name, picture(at, 24, 32))
            table.writerow([name, label])
    return folder / "labels.csv"


def change_record(out: Path, **changes: Any) -> None:
    """Change values of run.json."""
    path = out / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, **changes}), encoding="utf-8")

"""The tests that docs/guarantees.md names are there."""

from __future__ import annotations

import re

from tests.command import ROOT

FOLDERS = ("", "tests/guarantees", "tests/run/cluster")
"""Where a name is looked for, as the page says."""


def test_every_test_that_the_guarantees_name_is_there() -> None:
    page = (ROOT / "docs/guarantees.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`((?:tests/)?[\w/]*test_\w+\.py|tests/[\w/]+)`", page))
    assert len(names) > 40
    missing = [
        name for name in names if not any((ROOT / folder / name).exists() for folder in FOLDERS)
    ]
    assert not missing

"""Labels: how two of them mix, and tables that are no plain files."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.data.labels import Label
from tests import strategies  # noqa: F401 - the profile
from tests.photos import rows

if TYPE_CHECKING:
    from tests.conftest import Cli


def test_a_missing_table_is_reported(cli: Cli, photos: Path, tmp_path: Path) -> None:
    end = cli("cutout", photos, "--labels", tmp_path / "none.csv")
    assert end.code == 2
    assert f"--labels {tmp_path}/none.csv: can't be read (No such file or directory)" in end.err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_table_may_come_through_a_pipe(cli: Cli, photos: Path, tmp_path: Path) -> None:
    names = sorted(path.relative_to(photos).as_posix() for path in photos.glob("*/*"))
    content = "file_name,label\n" + "".join(f"{name},emu\n" for name in names)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_text, args=(content,)).start()
    command = ["cutout", photos, "--out", tmp_path / "out", "--fill", "black", "--labels"]
    assert cli(*command, pipe).code == 0
    assert {row["label_a"] for row in rows(tmp_path / "out")} == {"emu"}
    (tmp_path / "file.csv").write_text(content)
    assert "nothing to do" in cli(*command, tmp_path / "file.csv").err


def soft(*weights: float) -> Label:
    total = sum(weights)
    return Label(
        tuple((name, weight / total) for name, weight in zip("abc", weights, strict=False))
    )


def test_two_classes_weigh_what_was_counted() -> None:
    mixed = Label.of("cat").mixed(Label.of("dog"), 6144, 50176)
    assert mixed == Label((("cat", (50176 - 6144) / 50176), ("dog", 6144 / 50176)))


def test_a_class_keeps_its_weight_when_it_is_mixed_with_itself() -> None:
    assert Label.of("cat").mixed(Label.of("cat"), 7, 49) == Label.of("cat")


def test_a_donor_that_shows_nothing_stays_in_the_label() -> None:
    assert Label.of("cat").mixed(Label.of("dog"), 0, 49).weights == (("cat", 1.0), ("dog", 0.0))


def test_soft_labels_mix_class_by_class() -> None:
    mixed = soft(3, 1).mixed(soft(0, 1, 1), 1, 2)
    assert mixed.to_json() == {"a": 0.375, "b": 0.375, "c": 0.25}
    assert (mixed.heaviest, str(mixed)) == ("a", "a 0.375, b 0.375, c 0.25")


positive = st.integers(1, 10**6)


@given(base=st.tuples(positive, positive), donor=st.tuples(positive, positive), given_=positive)
def test_a_mixed_label_sums_to_one(
    base: tuple[int, int], donor: tuple[int, int], given_: int
) -> None:
    mixed = soft(*base).mixed(soft(*donor), given_, 10**6)
    assert sum(mixed.to_json().values()) == pytest.approx(1, abs=1e-12)
    assert Label.from_json(mixed.to_json()) == mixed

"""Label tables: every row is used or told by name."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.data.label_table import apply_labels, read_labels
from augcli.data.labels import Label
from augcli.data.stores.sources import Sources
from augcli.errors import InputError
from tests import strategies  # noqa: F401 - the profile
from tests.photos import rows

if TYPE_CHECKING:
    from tests.conftest import Cli


TABLE = Path("labels.csv")


def parsed(content: str | bytes) -> dict[str, str]:
    return read_labels(TABLE, data_of(content))


def data_of(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


@pytest.mark.parametrize(
    "content",
    [
        "file_name,label\na.jpg,cat\nb/c.jpg,dog\n",
        "file_name,label\r\na.jpg,cat\r\nb/c.jpg,dog",
        "\ufefffile_name,label\na.jpg,cat\nb/c.jpg,dog\n",
        "label,split,file_name\ncat,train,a.jpg\n\ndog,test,b/c.jpg\n",
        'file_name,label\n"a.jpg","cat"\nb/c.jpg,dog\na.jpg,cat\n',
    ],
    ids=["plain", "crlf", "byte order mark", "other columns", "quoted, twice the same"],
)
def test_a_table_is_read_when_it_has_both_columns(content: str) -> None:
    assert parsed(content) == {"a.jpg": "cat", "b/c.jpg": "dog"}


def test_names_and_labels_may_hold_commas_quotes_and_line_breaks() -> None:
    content = 'file_name,label\n"a,""b"".jpg","big\ncat"\n猫.jpg,猫\n'
    assert parsed(content) == {'a,"b".jpg': "big\ncat", "猫.jpg": "猫"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the first line is '', but must name the columns file_name and label"),
        ("name,label\na.jpg,cat\n", "the first line is 'name,label'"),
        ("file_name;label\na.jpg;cat\n", "the first line is 'file_name;label'"),
        ("file_name,label\na.jpg\n", "line 2 has 1 cells, but the header has 2"),
        ("file_name,label\na.jpg,cat,dog\n", "line 2 has 3 cells, but the header has 2"),
        ("file_name,label\na.jpg,cat\nb.jpg,\n", "line 3 has no label"),
        ("file_name,label\na.jpg,cat\na.jpg,dog\n", "a.jpg has two different labels"),
        ('file_name,label\n"a.jpg,cat\n', "is not a CSV table in UTF-8"),
        ('file_name,label\n"a"b.jpg,cat\n', "is not a CSV table in UTF-8"),
        (b"file_name,label\ncaf\xe9.jpg,cat\n", "is not a CSV table in UTF-8"),
        ("file_name,label\n".encode("utf-16"), "is not a CSV table in UTF-8"),
    ],
)
def test_a_broken_table_is_told_with_its_line(content: str | bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed(content)
    assert message in str(caught.value)
    assert str(caught.value).startswith("`labels` labels.csv: ")


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


def test_apply_labels_replaces_the_classes() -> None:
    sources = Sources("", ["a/1.jpg", "a/2.jpg", "b.jpg"])
    content = "file_name,label\nb.jpg,zebra\na/2.jpg,Ant\na/1.jpg,ant\n"
    apply_labels(sources, TABLE, content.encode())
    assert sources.classes == ["Ant", "ant", "zebra"]
    assert [str(sources.label(index)) for index in range(3)] == ["ant", "Ant", "zebra"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "file_name,label\na.jpg,cat\nb.jpg,cat\nb.jpeg,dog\n",
            "1 of its files are not images in INPUT, first 'b.jpeg'; did you mean 'b.jpg'?",
        ),
        ("file_name,label\na.jpg,cat\n", "has no row for 1 images of INPUT, first 'b.jpg'"),
    ],
)
def test_a_table_must_fit_the_sources(content: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        apply_labels(Sources("", ["a.jpg", "b.jpg"]), TABLE, content.encode())
    assert message in str(caught.value)


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

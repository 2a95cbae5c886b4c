"""Label tables: every row is used or told by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from augcli.data.labels import apply_labels, read_labels
from augcli.data.stores.folder import Sources
from augcli.errors import InputError


def table(folder: Path, content: str | bytes) -> Path:
    """Write a label table."""
    path = folder / "labels.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


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
def test_a_table_is_read_when_it_has_both_columns(tmp_path: Path, content: str) -> None:
    assert read_labels(table(tmp_path, content)) == {"a.jpg": "cat", "b/c.jpg": "dog"}


def test_names_and_labels_may_hold_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    content = 'file_name,label\n"a,""b"".jpg","big\ncat"\n猫.jpg,猫\n'
    assert read_labels(table(tmp_path, content)) == {'a,"b".jpg': "big\ncat", "猫.jpg": "猫"}


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
def test_a_broken_table_is_told_with_its_line(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_labels(table(tmp_path, content))
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"--labels {tmp_path}")


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"can't be read \(No such file or directory\)"):
        read_labels(tmp_path / "labels.csv")


def test_apply_labels_replaces_the_classes(tmp_path: Path) -> None:
    sources = Sources("", ["a/1.jpg", "a/2.jpg", "b.jpg"])
    content = "file_name,label\nb.jpg,zebra\na/2.jpg,Ant\na/1.jpg,ant\n"
    apply_labels(sources, table(tmp_path, content))
    assert sources.classes == ["Ant", "ant", "zebra"]
    assert [sources.label(index) for index in range(3)] == ["ant", "Ant", "zebra"]


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
def test_a_table_must_fit_the_sources(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        apply_labels(Sources("", ["a.jpg", "b.jpg"]), table(tmp_path, content))
    assert message in str(caught.value)

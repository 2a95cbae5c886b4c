"""Tables of any usual form are read; what is no table is named as what it is."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.data.tables.labelled import classes, labelled, refusal

ROWS = "a.jpg,cat\nb/c.png,dog\n"
CSV = f"file_name,label\n{ROWS}"
WANTED = {"a.jpg": "cat", "b/c.png": "dog"}
OBJECTS = [{"file_name": "a.jpg", "label": "cat"}, {"label": "dog", "file_name": "b/c.png"}]
JSONL = "".join(f"{json.dumps(row)}\n" for row in OBJECTS)


def parquet(columns: dict[str, list[Any]]) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        CSV.replace("\n", "\r\n"),
        CSV.replace("\n", "\r"),
        f"\ufeff{CSV}",
        CSV.replace(",", ";"),
        f"\ufeff{CSV}".replace(",", ";"),
        CSV.replace(",", "\t"),
        CSV.replace(",", "|"),
        f"sep=,\n{CSV}",
        "sep=;\n" + CSV.replace(",", ";"),
        CSV.replace(",", ", "),
        'file_name,label\n"a.jpg","cat"\n"b/c.png","dog"\n',
        f",file_name,label\n0,{ROWS}".replace("\nb", "\n1,b"),
        f"file_name,label\n\n{ROWS}\n,\n  \n , \n",
        f"{CSV}a.jpg,cat\n",
        JSONL,
        f"\n{JSONL}\n",
    ],
)
def test_a_table_is_read_whatever_separates_its_cells(content: str) -> None:
    assert classes(content) == WANTED


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("content", [CSV, JSONL])
def test_a_table_is_read_in_every_encoding_of_unicode(content: str, encoding: str) -> None:
    assert classes(content.replace("cat", "bär").encode(encoding))["a.jpg"] == "bär"


def test_another_encoding_is_read_as_that_of_windows_and_reported() -> None:
    found = labelled(CSV.replace("cat", "bär").encode("cp1252"))
    assert found.classes == ["bär", "dog"]
    assert "is not UTF-8 and is read as Windows-1252" in found.found[0]


def test_a_parquet_table_is_read() -> None:
    data = parquet({"file_name": ["a.jpg", "b/c.png"], "label": [10, 9]})
    assert labelled(data).classes == ["9", "10"]


def test_a_parquet_table_may_have_soft_labels_and_lists() -> None:
    soft = [{"cat": 0.5, "dog": 0.5}, {"cat": None, "dog": 1.0}]
    data = parquet({"image": ["a.jpg", "b/c.png"], "label": soft})
    assert classes(data) == {"a.jpg": "cat 0.5, dog 0.5", "b/c.png": "dog"}
    data = parquet({"image": ["a.jpg", "b/c.png"], "label": [["cat", "dog"], []]})
    assert labelled(data, multi_label=True).label(0).to_json() == {"cat": 1.0, "dog": 1.0}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "is an Excel workbook or another ZIP file, not a CSV table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old Excel workbook, not a CSV table"),
        (b"\x1f\x8b\x08", "is a gzip file, not a CSV table"),
        (b"\xff\xfe\x00\xd8", "is not a CSV table ("),
        (b"file_name,label\na.jpg,\xe4\0\n", "is not a CSV table: it is no text"),
        ('file_name,label\n"a.jpg,cat\n', "is not a CSV table ("),
        ('file_name,label\n"a"b.jpg,cat\n', "is not a CSV table ("),
        ("file_name,label\na.jpg\n", "line 2 has 1 cells, but the header has 2"),
        ("file_name,label\na.jpg,cat,dog\n", "line 2 has 3 cells, but the header has 2"),
        (f'{JSONL}{{"file_name": \n', "is not a JSONL table ("),
        ('[{"file_name": "a.jpg"}]', "is not a JSONL table (a line holds no JSON object); give"),
        ('{"images": [\n]}', "is not a JSONL table ("),
        ("", "has no column of files, such as file_name; the first line is ''"),
    ],
)
def test_what_is_no_table_is_refused_with_its_cause(content: str | bytes, words: str) -> None:
    assert refusal(content).startswith(words)


def test_a_damaged_parquet_table_is_refused_wherever_it_is_cut() -> None:
    data = parquet({"file_name": ["a.jpg", "b/c.png"], "label": ["cat", "dog"]})
    for stop in range(4, len(data), 7):
        assert refusal(data[:stop]).startswith("is not a whole Parquet file (")


def test_a_parquet_table_without_pyarrow_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert refusal(b"PAR1rest") == (
        "is a Parquet file, which the package pyarrow reads: install it with "
        "pip install 'augcli[parquet]', or save the table as CSV"
    )

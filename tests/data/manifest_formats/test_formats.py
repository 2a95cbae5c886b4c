"""What is written in any format and form is read back as it was."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.data.labels import Label
from augcli.data.manifest import Row
from augcli.data.manifest_formats.columns import MOST_CLASSES, Columns
from augcli.data.manifest_formats.formats import FORMATS, read_rows
from augcli.data.tables.choice import TableChoice
from augcli.data.tables.columns import find_columns
from tests import strategies  # noqa: F401 - the profile

if TYPE_CHECKING:
    from augcli.data.manifest_formats.columns import SoftLabel

CLASSES = ("cat", "None", "007", "a,b", 'q"', "x_file_name", "a", "two\nlines", "猫", "1.5")
FORMS: tuple[SoftLabel, ...] = ("pair", "json", "wide", "list")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
weights = st.floats(0, 1, exclude_min=True)
pairs = st.tuples(st.sampled_from(CLASSES), weights)


@st.composite
def table_rows(draw: st.DrawFn, most: int) -> list[Row]:
    """Return rows whose labels have at most so many classes."""
    unique = st.lists(pairs, max_size=most, unique_by=lambda pair: pair[0])
    labels = draw(st.lists(unique, max_size=4))
    if most == 2:
        # A picture without a class has weight 1 of it; one class has all of the weight there.
        labels = [label for label in labels if label != [("", 1.0)]]
    return [
        Row(
            draw(texts) + str(number),
            Label(tuple(label)),
            draw(texts),
            draw(texts),
            "cutmix",
            json.dumps([draw(texts)]),
            draw(st.integers(1, 2**40)),
            9,
            number,
            "00",
            draw(texts),
            draw(texts),
        )
        for number, label in enumerate(labels)
    ]


def written(name: str, columns: Columns, rows: list[Row]) -> bytes:
    file = io.BytesIO()
    FORMATS[name].write(file, columns, rows)
    assert not file.closed
    return file.getvalue()


def read(name: str, data: bytes, classes: tuple[str, ...] = CLASSES) -> list[Row]:
    return list(read_rows(FORMATS[name].name, io.BufferedReader(io.BytesIO(data)), classes))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_rows_read_back(name: str, form: SoftLabel, data: st.DataObject) -> None:
    rows = data.draw(table_rows(2 if form == "pair" else 5))
    columns = Columns(form, splits=True, groups=True, classes=CLASSES)
    found = read(name, written(name, columns, rows))
    if form in ("wide", "list"):
        found = [row._replace(label=Label(tuple(sorted(row.label.weights)))) for row in found]
        rows = [row._replace(label=Label(tuple(sorted(row.label.weights)))) for row in rows]
    assert found == rows


@pytest.mark.parametrize("name", FORMATS)
def test_more_rows_than_a_group_read_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augcli.data.manifest_formats.parquet_manifest.MOST_CELLS", 40)
    rows = [
        Row(str(number), Label.of("cat"), "a", "", "cutout", "{}", 8, 8, 0, "00")
        for number in range(10)
    ]
    assert read(name, written(name, Columns(), rows)) == rows


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("splits", [False, True])
@pytest.mark.parametrize("shards", [False, True])
def test_columns_are_known_by_their_names(form: SoftLabel, splits: bool, shards: bool) -> None:
    for classes in ((), ("a",), CLASSES):
        columns = Columns(form, splits=splits, shards=shards, classes=classes)
        assert len(set(columns.names)) == len(columns.names)
        found = Columns.of(columns.names, classes)
        assert found.names == columns.names
        assert found.soft_label == form
    for names in (columns.names[1:], (*columns.names, "more"), ("file_name", "label"), ()):
        with pytest.raises(ValueError, match="other columns"):
            Columns.of(names, CLASSES)


def test_no_column_is_taken_for_one_of_images() -> None:
    """Hugging Face datasets takes each that ends so for paths of pictures."""
    for form in FORMS:
        names = Columns(form, classes=CLASSES).names[1:]
        assert not [name for name in names if name.endswith(("_file_name", "_file_names"))]


ODD: list[Any] = [None, True, "x", "", -1, 1e308, [], [1], {}, {"cat": 1}, 10**400, 0.5, "\ud800"]


@pytest.mark.parametrize("form", FORMS)
def test_json_lines_of_any_content_are_read_or_refused(form: SoftLabel) -> None:
    columns = Columns(form, classes=("cat", "dog"))
    row = Row("a.jpg", Label((("cat", 0.5), ("dog", 0.5))), "a", "b", "c", "{}", 8, 8, 0, "00")
    values = columns.values(row)
    for name in values:
        for odd in ODD:
            line = json.dumps({**values, name: odd}).encode() + b"\n"
            try:
                (found,) = read("jsonl", line, columns.classes)
            except ValueError:
                continue
            assert all(type(each) is str for each in (found.file_name, found.draw, found.split))
            assert type(found.width) is int
            json.dumps(found.to_json()).encode()
    for data in (b"[]\n", b"1\n", b"{}\n", b"\xff\n", b"{\n", b'{"file_name": "a"}\n'):
        with pytest.raises(ValueError, match=r"\w"):
            read("jsonl", data)
    first = json.dumps(values).encode() + b"\n"
    with pytest.raises(ValueError, match="other columns"):
        read("jsonl", first + b"{}\n", columns.classes)


def test_parquet_of_any_content_is_read_or_refused() -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    row = Row("a.jpg", Label.of("cat"), "a", "b", "c", "{}", 8, 8, 0, "00")
    good = written("parquet", Columns(), [row])
    assert read("parquet", good) == [row]
    for data in (b"", b"PAR1", good[:-20], good[:40] + bytes(40) + good[80:], good[100:]):
        with pytest.raises(ValueError, match=r"\w"):
            read("parquet", data)
    values = Columns().values(row)
    for name in values:
        for odd in (None, 5, 0.5, "x", [1], {"a": 1}, b"\xff"):
            table = pa.Table.from_pylist([{**values, name: odd}])
            file = io.BytesIO()
            parquet.write_table(table, file)
            try:
                (found,) = read("parquet", file.getvalue())
            except ValueError:
                continue
            assert type(found.file_name) is str
            assert type(found.width) is int


def test_a_list_of_another_length_than_the_classes_is_refused() -> None:
    row = Row("a.jpg", Label.of("cat"), "a", "b", "c", "{}", 8, 8, 0, "00")
    data = written("jsonl", Columns("list", classes=CLASSES), [row])
    with pytest.raises(ValueError, match=r"has 10 weights, but classes\.txt 2 classes"):
        read("jsonl", data, ("cat", "dog"))


def test_a_manifest_is_a_table_of_labels_too() -> None:
    """A person may give one with `labels`."""
    choice = TableChoice()
    wide = find_columns(Columns("wide", classes=("cat", "a")).names, choice)
    assert wide.weights == ((1, "cat"), (2, "a"))
    with pytest.raises(ValueError, match="does not name the classes; give the folder"):
        find_columns(Columns("list").names, choice)
    for form in ("pair", "json"):
        assert find_columns(Columns(form, splits=True).names, choice).split is not None


def test_only_forms_with_a_weight_for_each_class_are_limited() -> None:
    assert MOST_CLASSES.keys() == {"wide", "list"}

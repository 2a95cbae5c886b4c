"""Columns are found by their usual names, or named."""

from __future__ import annotations

import pytest

from tests.data.tables.labelled import classes, labelled, refusal

ROWS = "a.jpg,cat\nb/c.png,dog\n"
WANTED = {"a.jpg": "cat", "b/c.png": "dog"}


@pytest.mark.parametrize(
    "header",
    [
        *("file_name,label", "File_Name,Label", "filename,class", "image_id,label", "id,breed"),
        *("image,labels", "IMG,Category", "path,class name", "img-path,target", "file,species"),
        "image_id,diagnosis",
    ],
)
def test_columns_are_found_by_their_usual_names(header: str) -> None:
    assert classes(f"{header}\n{ROWS}") == WANTED


def test_the_documented_names_win_over_others() -> None:
    content = "id,file_name,label,category\n7,a.jpg,cat,x\n8,b/c.png,dog,x\n"
    assert classes(content) == WANTED


def test_what_was_found_is_reported_unless_it_is_as_documented() -> None:
    assert labelled(f"file_name,label\n{ROWS}").found == []
    assert labelled(f"id,breed\n{ROWS}").found == [
        "`labels` labels.csv: 2 rows, files in column 'id', labels in column 'breed'"
    ]


def test_columns_that_are_named_are_used() -> None:
    content = "file_name,label,Where,what\nx,y,a.jpg,cat\nx,y,b/c.png,dog\n"
    assert classes(content, file_column="where", label_column="what") == WANTED


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "file_name,class,breed",
            "has the columns 'class' and 'breed', and each could be meant; name it with "
            "`label_column`",
        ),
        (
            "image,id,label",
            "has the columns 'image' and 'id', and each could be meant; name it with `file_column`",
        ),
        (
            "file_name,label,label",
            "has the columns 'label' and 'label', and each could be meant; rename all but one",
        ),
        (
            "name,label,x",
            "has no column of files, such as file_name; the first line is 'name,label,x': name the "
            "column with `file_column`",
        ),
        (
            "file_name,cat,dog",
            "has no column of labels, such as label; the first line is 'file_name,cat,dog': name "
            "the column with `label_column`, or with `label_columns` rest if each column is a "
            "class",
        ),
        (
            "a.jpg,cat,x",
            "has no column of files, such as file_name; the first line is 'a.jpg,cat,x', which "
            "seems to be a row: add the line file_name,label before it",
        ),
    ],
)
def test_columns_that_are_not_clear_are_refused_with_what_to_do(header: str, words: str) -> None:
    assert refusal(f"{header}\na.jpg,cat,1\n") == words


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert refusal(f"file_name,label\n{ROWS}", label_column="lable") == (
        "has no column 'lable' (`label_column`), but 'file_name', 'label'; did you mean 'label'?"
    )


def test_splits_and_groups_come_from_columns() -> None:
    content = "file_name,label,split,patient\na.jpg,cat,train,7\nb/c.png,dog,val,8\n"
    found = labelled(content, split_column="split", group_column="patient")
    assert (found.splits, [found.split(at) for at in (0, 1)]) == (
        ["train", "val"],
        ["train", "val"],
    )
    assert [found.source(at).group for at in (0, 1)] == ["7", "8"]
    assert found.found[0].endswith("splits in column 'split', groups in column 'patient'")


def test_a_column_of_splits_that_is_not_used_is_reported() -> None:
    content = "file_name,label,split,patient_id\na.jpg,cat,train,7\nb/c.png,dog,val,8\n"
    assert [line.partition(": ")[2] for line in labelled(content).found] == [
        "column 'split' is not used; `split_column` split uses it",
        "column 'patient_id' is not used; `group_column` patient_id uses it",
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a.jpg,cat,\n", "line 2 has no split"),
        ("a.jpg,cat,train\na.jpg,cat,val\n", "a.jpg has two splits"),
    ],
)
def test_a_split_must_be_one(row: str, words: str) -> None:
    assert refusal(f"file_name,label,split\n{row}", split_column="split") == words

"""Labels of a table: one class, shares of several, or several at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from augcli.data.labels import Label
from augcli.errors import InputError
from tests.data.tables.labelled import classes, labelled, labels, refusal

HEADER = "file_name,label\n"
MANIFEST = (
    "file_name,label_a,weight_a,label_b,weight_b,source_a,source_b,method,draw,width,height,copy,"
    "sha256"
)


def jsonl(*given: Any) -> str:
    names = ("a.jpg", "b/c.png")
    rows = ({"file_name": name, "label": label} for name, label in zip(names, given, strict=False))
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def test_names_and_labels_may_hold_commas_quotes_and_line_breaks() -> None:
    content = 'file_name,label\n"a,""b"".jpg","big\ncat"\n猫.jpg,猫\n'
    assert classes(content, 'a,"b".jpg', "猫.jpg") == {'a,"b".jpg': "big\ncat", "猫.jpg": "猫"}


def test_classes_that_differ_in_case_or_blanks_are_reported() -> None:
    found = labelled(f"{HEADER}a.jpg,dog\nb/c.png,Dog \n")
    assert found.notices == [
        "classes 'Dog ', 'dog' differ in case or blanks only; each stays a class of its own"
    ]


def test_whole_numbers_are_in_the_order_of_numbers() -> None:
    assert labelled(f"{HEADER}a.jpg,10\nb/c.png,9\n").classes == ["9", "10"]
    assert labelled(f"{HEADER}a.jpg,10.0\nb/c.png,9.0\n").classes == ["9.0", "10.0"]
    assert labelled(f"{HEADER}a.jpg,10\nb/c.png,9a\n").classes == ["10", "9a"]
    assert classes(jsonl(10, True)) == {"a.jpg": "10", "b/c.png": "true"}


def test_a_class_in_two_unicode_forms_is_one() -> None:
    assert labelled(f"{HEADER}a.jpg,caf\u00e9\nb/c.png,cafe\u0301\n").classes == ["café"]


def test_given_classes_have_their_order_and_may_have_no_picture() -> None:
    found = labelled(f"{HEADER}a.jpg,cat\nb/c.png,dog\n")
    found.order_classes(["emu", "dog", "cat"])
    assert found.classes == ["emu", "dog", "cat"]
    with pytest.raises(
        InputError, match=r"`classes` does not name class 'dog', which 'b/c\.png' has"
    ):
        found.order_classes(["cat"])


SOFT = {"a.jpg": {"cat": 0.75, "dog": 0.25}, "b/c.png": {"dog": 1.0}}


@pytest.mark.parametrize(
    ("content", "choice"),
    [
        (jsonl({"cat": 0.75, "dog": 0.25}, {"dog": 1}), {}),
        (jsonl('{"cat": 0.75, "dog": 0.25}', '{"dog": 1}'), {}),
        (f'{HEADER}a.jpg,"{{""cat"": 0.75, ""dog"": 0.25}}"\nb/c.png,"{{""dog"": 1}}"\n', {}),
        ("id,cat,dog\na.jpg,0.75,0.25\nb/c.png,0,1\n", {"label_columns": "rest"}),
        ("id,x,cat,dog\na.jpg,?,3,1\nb/c.png,?,,7\n", {"label_columns": "cat, dog"}),
        (
            f"{MANIFEST}\na.jpg,cat,0.75,dog,0.25,x,y,cutmix,{{}},8,8,0,0\n"
            "b/c.png,dog,1.0,,0.0,x,,cutmix,{},8,8,0,0\n",
            {},
        ),
    ],
    ids=["jsonl", "json in jsonl", "json in csv", "columns", "counts", "manifest"],
)
def test_soft_labels(content: str, choice: dict[str, Any]) -> None:
    found = labelled(content, **choice)
    assert labels(found) == SOFT
    assert (found.are_soft, found.are_many, found.classes) == (True, False, ["cat", "dog"])


def test_weights_that_were_divided_by_their_sum_are_reported() -> None:
    found = labelled("id,cat,dog\na.jpg,3,1\nb/c.png,0,7\n", label_columns="rest")
    assert found.found[1].endswith("weights that don't sum to 1 were divided by their sum")
    exact = labelled(jsonl({"cat": 1 / 3, "dog": 2 / 3}, {"dog": 1}))
    assert exact.label(0).to_json() == {"cat": 1 / 3, "dog": 2 / 3}


def test_the_splits_and_groups_of_a_manifest_are_used() -> None:
    header = MANIFEST.replace("label_a,weight_a,label_b,weight_b", "label") + ",split,group"
    rows = "".join(
        f'{name},"{{""cat"": 1.0}}",x,,original,{{}},8,8,0,0,{split},{group}\n'
        for name, split, group in (("a.jpg", "train", "7"), ("b/c.png", "val", "8"))
    )
    found = labelled(f"{header}\n{rows}")
    assert (found.splits, found.groups, found.classes) == (["train", "val"], ["7", "8"], ["cat"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id,cat,dog\na.jpg,0,0\n", "line 2 has weights that sum to 0; give at least one class"),
        ("id,cat,dog\na.jpg,-1,2\n", "line 2 has the weight -1 for class 'cat', but a weight must"),
        ("id,cat,dog\na.jpg,nan,2\n", "line 2 has the weight nan for class 'cat', but a weight"),
        ("id,cat,dog\na.jpg,inf,2\n", "line 2 has the weight inf for class 'cat', but a weight"),
        ("id,cat,dog\na.jpg,1,Bob\n", "line 2 has 'Bob' for class 'dog', but must have a number"),
    ],
)
def test_weights_that_are_none_are_refused_with_their_row(content: str, words: str) -> None:
    assert refusal(content, label_columns="rest").startswith(words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"{HEADER}a.jpg,\n", "line 2 has no label"),
        (f"{HEADER},cat\n", "line 2 has no file name"),
        (f"{HEADER}a.jpg,cat\na.jpg,dog\n", "a.jpg has two different labels"),
        (jsonl(None), "line 1 has no label"),
        (jsonl({"cat": -1}), "line 1 has the weight -1 for class 'cat'"),
        (jsonl(["cat", "dog"]), "line 1 has 2 classes; give `multi_label`"),
        (
            f'{HEADER}a.jpg,"{{""cat"": NaN}}"\n',
            "line 2 has the label '{\"cat\": NaN}', which is no JSON",
        ),
    ],
)
def test_a_row_without_a_label_is_refused(content: str, words: str) -> None:
    assert refusal(content).startswith(words)


MANY = {"a.jpg": {"cat": 1.0, "dog": 1.0}, "b/c.png": {}}


@pytest.mark.parametrize(
    ("content", "choice"),
    [
        (f"{HEADER}a.jpg,cat|dog\nb/c.png,\n", {}),
        (f"{HEADER}a.jpg,cat; dog\nb/c.png,\n", {}),
        (f"{HEADER}a.jpg,cat dog\nb/c.png,\n", {"label_separator": " "}),
        (f'{HEADER}a.jpg,"cat,dog"\nb/c.png,\n', {}),
        ("id,cat,dog\na.jpg,1,1\nb/c.png,0,0\n", {"label_columns": "rest"}),
        (jsonl(["cat", "dog"], []), {}),
        (jsonl({"cat": 1, "dog": 1}, {}), {}),
    ],
)
def test_several_classes_at_once(content: str, choice: dict[str, Any]) -> None:
    found = labelled(content, multi_label=True, **choice)
    assert labels(found) == MANY
    assert (found.are_many, found.are_soft) == (True, True)


def test_classes_that_could_be_separated_in_two_ways_are_refused() -> None:
    assert refusal(f"{HEADER}a.jpg,cat|dog;emu\n", multi_label=True) == (
        "line 2 has the label 'cat|dog;emu', whose classes could be separated by '|' or ';'; give "
        "`label_separator`"
    )


def test_a_weight_above_1_is_refused_where_there_may_be_several_classes() -> None:
    content = "id,cat,dog\na.jpg,1,2\n"
    assert "with `multi_label` it must be from 0 to 1" in refusal(
        content, label_columns="rest", multi_label=True
    )


def test_a_class_that_may_be_several_is_reported() -> None:
    found = labelled(f"{HEADER}a.jpg,cat|dog\nb/c.png,cat\n")
    assert found.found[0].endswith("'cat|dog' is one class; `multi_label` makes several of it")


def test_several_classes_mix_as_vectors() -> None:
    base, donor = Label((("cat", 1.0), ("dog", 1.0))), Label((("dog", 1.0), ("emu", 1.0)))
    assert base.mixed(donor, 1, 4).to_json() == {"cat": 0.75, "dog": 1.0, "emu": 0.25}
    assert base.mixed(Label(), 1, 4).to_json() == {"cat": 0.75, "dog": 0.75}

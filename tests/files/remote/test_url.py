"""URLs: the list of what is taken, and nothing secret in what is shown."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from augcli.errors import InputError, ParameterError
from augcli.files import Url, is_url, place_of, shown
from augcli.recipes.options import RunOptions
from augcli.run.checking.places import path_of
from augcli.run.options import HeatMapOptions


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("s3://photos/cats/", "s3://photos/cats"),
        ("S3://photos", "s3://photos"),
        ("gs://photos/a b/ü", "gs://photos/a b/ü"),
        ("memory://photos/cats", "memory://photos/cats"),
        ("https://example.org/a.tar?key=1", "https://example.org/a.tar?key=1"),
    ],
)
def test_an_url_has_one_form(text: str, whole: str) -> None:
    assert os.fspath(Url(text)) == whole


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd",
        "http://example.org/a.tar",
        "ftp://example.org/a.tar",
        "github://org:repo@main/a.tar",
        "zip://a.jpg::s3://photos/cats.zip",
        "s3://photos/a.tar::s3://photos/b.tar",
        "simplecache::s3://photos/cats",
        "s3://",
        "s3:///cats",
        "s3://photos/../others",
        "s3://photos//cats",
        "s3://photos/./cats",
        "s3://key:SECRET@photos/cats",
        "s3://photos/cats?versionId=SECRET",
        "s3://photos/cats#SECRET",
        "az://photos/cats?sig=SECRET",
        "s3://photos/a\nb",
    ],
)
def test_all_others_are_refused_in_one_sentence_without_secrets(text: str) -> None:
    for refused, problem in (
        (lambda: path_of(text), InputError),
        (lambda: RunOptions(out=text), ParameterError),  # type: ignore[arg-type]
    ):
        with pytest.raises(problem) as error:
            refused()
        assert "SECRET" not in str(error.value)


def test_a_path_with_a_colon_is_a_path() -> None:
    for text in ("photos", "C://photos", "a:b/c", "train.tar::more.tar", "/photos/s3://cats"):
        assert not is_url(text)
        assert isinstance(place_of(text), Path)


def test_options_for_local_files_take_no_url() -> None:
    with pytest.raises(ParameterError, match="overlay is the URL s3://photos/maps"):
        HeatMapOptions(overlay="s3://photos/maps")  # type: ignore[arg-type]


def test_what_is_shown_has_no_user_and_no_query() -> None:
    url = Url("https://me:SECRET@example.org/cats/a.tar?token=SECRET#SECRET")
    for text in (str(url), repr(url), f"{url}", shown(url), str(url / "b")):
        assert "SECRET" not in text
        assert "example.org/cats/a.tar" in text
    assert "SECRET" in os.fspath(pickle.loads(pickle.dumps(url)))

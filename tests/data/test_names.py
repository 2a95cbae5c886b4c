"""Output names: unique, stable and safe on every file system."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augcli.data.names import (
    LONG_HASH,
    OURS,
    is_output_name,
    output_name,
    safe_folder,
    same_names,
)
from tests import strategies  # noqa: F401 - the profile

DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)

component = st.one_of(
    st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1),
    st.sampled_from(["con", "NUL.tar", "aux ", "com¹", "LPT³.x", "conin$", "CONOUT$.a"]),
    st.sampled_from(
        ["a.", "a ", "a. .", "...a", " a", "x:y", "a\nb", "a\\b", "readme.md", "RUN.json"]
    ),
    st.text("猫é😀a.", min_size=60, max_size=240),
).filter(lambda name: name.strip(".") != "" and not name.startswith("."))
"""A name that a source's folder or file can have; hidden ones are never read."""

extensions = st.sampled_from([".jpg", ".JPG", ".jpeg", ".png", ".tif"])
paths = st.builds(
    lambda folders, stem, extension: "/".join([*folders, stem + extension]),
    st.lists(component, max_size=3),
    component,
    extensions,
)


def is_safe(name: str) -> bool:
    """Say whether Windows, macOS and Linux all take a file's or folder's name."""
    return (
        not re.search(r'[\x00-\x1f<>:"/\\|?*]', name)
        and name == name.rstrip(". ")
        and name not in ("", ".", "..")
        and not DEVICES.fullmatch(name.partition(".")[0].rstrip(" "))
        and len(name.encode()) < 255
    )


@given(path=paths, copy=st.integers(0, 9999))
def test_every_part_of_a_name_is_safe_everywhere(path: str, copy: int) -> None:
    parts = output_name(path, "spatial-dropout", copy, "webp").split("/")
    assert [part for part in parts if not is_safe(part)] == []


@given(path=paths)
def test_a_stem_carries_no_dot(path: str) -> None:
    """Loaders that split at the first dot find the extension."""
    name = output_name(path, "cutmix", 3, "jpg").rpartition("/")[2]
    stem, *rest = name.split(".")
    assert rest == ["jpg"]
    assert re.fullmatch(r"[\w-]+-[0-9a-f]{8}-cutmix-3", stem)


@given(path=paths)
def test_the_folders_of_a_source_stay_where_they_are_safe(path: str) -> None:
    folders = path.split("/")[:-1]
    found = output_name(path, "cutmix", 0, "jpg").split("/")[:-1]
    assert len(found) == len(folders)
    kept = [(one, made) for one, made in zip(folders, found, strict=True) if made == one]
    renamed = [(one, made) for one, made in zip(folders, found, strict=True) if made != one]
    assert all(is_safe(one) for one, _ in kept)
    assert all(re.search(r"-[0-9a-f]{8}$", made) for _, made in renamed)


@given(found=st.lists(paths, unique=True, max_size=20))
def test_different_sources_get_different_names_even_where_case_does_not_count(
    found: list[str],
) -> None:
    names = {output_name(path, "cutmix", 0, "jpg").casefold() for path in found}
    assert len(names) == len(found)


@given(path=paths)
def test_method_copy_and_extension_keep_the_outputs_of_a_source_apart(path: str) -> None:
    names = {
        output_name(path, method, copy, extension)
        for method in ("cutout", "cutmix", "original")
        for copy in (0, 1, 11)
        for extension in ("jpg", "png")
    }
    assert len(names) == 18


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("cat/whiskers.jpg", "cat/whiskers-368b39b3-cutmix-0.jpg"),
        ("cat/whiskers.png", "cat/whiskers-09f83bdc-cutmix-0.jpg"),
        ("CAT/whiskers.jpg", "CAT/whiskers-6a36935e-cutmix-0.jpg"),
        ("my.cat/a b.c.jpg", "my.cat/a_b_c-0c99f00f-cutmix-0.jpg"),
        ("猫/é.jpg", "猫/é-1f3b0613-cutmix-0.jpg"),
        ("con/nul.jpg", "con-eaeac719/nul-47ba9b65-cutmix-0.jpg"),
        ("???.jpg", "_-bef12830-cutmix-0.jpg"),
    ],
)
def test_names_are_the_same_in_every_version(path: str, name: str) -> None:
    """A change here gives every output of an existing data set another name."""
    assert output_name(path, "cutmix", 0, "jpg") == name


@pytest.mark.parametrize("name", sorted(OURS))
def test_no_folder_takes_the_name_of_a_file_that_augcli_writes(name: str) -> None:
    assert safe_folder(name).lower() != name
    assert safe_folder(name.upper()).lower() != name


@pytest.mark.parametrize("name", ["cat", "Bullet Train", "n01440764", "a.b", "猫", "çà"])
def test_an_ordinary_folder_keeps_its_name(name: str) -> None:
    assert safe_folder(name) == name


@pytest.mark.parametrize("long", ["x" * 300, "猫" * 85, "é" * 127])
def test_a_long_name_is_cut_at_a_whole_character(long: str) -> None:
    folder, _, file_name = output_name(f"{long}/{long}.jpg", "cutmix", 0, "jpg").partition("/")
    assert [len(folder.encode()) <= 109, len(file_name.encode()) <= 130] == [True, True]
    assert set(folder.rpartition("-")[0]) == set(long)


SAME = ["cat/a!&& $.png", "cat/a!@%*#.png"]
"""Two paths with the same stem where it is safe, and the same 8 hex digits."""


def test_two_sources_with_the_same_name_get_longer_hashes() -> None:
    short = {output_name(path, "cutmix", 0, "jpg") for path in SAME}
    long = {output_name(path, "cutmix", 0, "jpg", LONG_HASH) for path in SAME}
    assert (len(short), len(long)) == (1, 2)
    assert all(map(is_output_name, short | long))
    assert same_names([*SAME, "cat/b.jpg", "dog/a!&& $.png"]) == set(SAME)
    assert same_names(SAME[:1]) == same_names([]) == frozenset()

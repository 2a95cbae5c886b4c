"""The folder store: what a folder holds, whatever else lies in it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from augcli.data.run_record import RunRecord
from augcli.data.stores.folder import FolderStore
from augcli.data.stores.sources import Sources
from augcli.errors import InputError

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
needs_any_name = pytest.mark.skipif(sys.platform != "linux", reason="names are not free there")


def list_sources(folder: Path, *, out: Path | None = None, follow_links: bool = False) -> Sources:
    return FolderStore(str(folder), str(out) if out else None, follow_links).list()


def labels(sources: Sources) -> list[str]:
    return [sources.label(index).heaviest for index in range(len(sources))]


def make(folder: Path, *names: str) -> Path:
    """Make empty files below a folder; listing looks at names alone."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def test_the_first_folder_is_the_class_and_deeper_ones_stay_in_the_path(tmp_path: Path) -> None:
    make(tmp_path, "cat/b.jpg", "cat/deep/er/a.jpg", "dog/a.png")
    found = list_sources(tmp_path)
    assert found.paths == ["cat/b.jpg", "cat/deep/er/a.jpg", "dog/a.png"]
    assert found.classes == ["cat", "dog"]
    assert labels(found) == ["cat", "cat", "dog"]


def test_an_image_in_no_folder_has_no_class(tmp_path: Path) -> None:
    found = list_sources(make(tmp_path, "a.jpg", "cat/a.jpg"))
    assert (found.paths, found.classes) == (["a.jpg", "cat/a.jpg"], ["cat"])
    assert labels(found) == ["", "cat"]


def test_sources_come_by_code_point_however_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["B/1.jpg", "a/10.jpg", "a/2.jpg", "a/é.jpg", "a-b/1.jpg", "ä/1.jpg", "猫/1.jpg"]
    make(tmp_path, *reversed(names))
    forward = list_sources(tmp_path)
    scan = os.scandir

    class Backwards(list[os.DirEntry[str]]):
        """The entries of a folder in another order, closed by ``with``."""

        def __enter__(self) -> Backwards:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("os.scandir", lambda path: Backwards(reversed(list(scan(path)))))
    assert list_sources(tmp_path) == forward
    assert forward.paths == sorted(names)
    assert forward.classes == ["B", "a", "a-b", "ä", "猫"]


def test_a_folder_comes_where_its_paths_come(tmp_path: Path) -> None:
    """A slash is behind a blank and a hyphen, and before letters."""
    paths = [
        "a b/1.jpg",
        "a-b/1.jpg",
        "a.jpg",
        "a/1.jpg",
        "a/b.jpg",
        "a/b/2.jpg",
        "a/b0.jpg",
        "ab.jpg",
    ]
    for path in reversed(paths):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    for follow_links in (False, True):
        sources = FolderStore(str(tmp_path), follow_links=follow_links).list()
        assert list(sources.paths) == paths == sorted(paths)


def test_an_extension_counts_in_any_case(tmp_path: Path) -> None:
    names = ["A.JPG", "b.Jpeg", "c.jpe", "d.png", "e.WEBP", "f.bmp", "g.tif", "h.TIFF"]
    found = list_sources(make(tmp_path, *names, "x/i.jpg.txt", "x/jpg", "x/k.jpgx"))
    assert found.paths == names
    assert found.skipped.total() == 3


def test_sizes_and_times_are_those_of_the_files(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "b.jpg").write_bytes(b"12345")
    os.utime(tmp_path / "a.jpg", ns=(1, 1_234_567_890_123_456_700))
    found = list_sources(tmp_path)
    assert found.sizes.tolist() == [0, 5]
    assert found.modified[0] == (tmp_path / "a.jpg").stat().st_mtime_ns


def test_hidden_files_and_folders_are_not_read(tmp_path: Path) -> None:
    found = list_sources(make(tmp_path, "a.jpg", ".b.jpg", ".git/c.jpg", "cat/.d/e.jpg", "._f.jpg"))
    assert found.paths == ["a.jpg"]


def test_images_of_other_formats_are_counted_and_not_read(tmp_path: Path) -> None:
    make(tmp_path, "cat/a.jpg", "cat/Thumbs.db", "cat/desktop.ini")
    contents = {
        "b.bin": b"GIF89a",
        "c.bin": b"\0\0\0\x18ftypheic",
        "photo.jpg.1": b"\xff\xd8\xff\xe0",
        "notes.txt": b"a cat",
        "weights.npy": b"\x93NUMPY",
    }
    for name, content in contents.items():
        (tmp_path / "cat" / name).write_bytes(content)
    found = list_sources(tmp_path)
    assert found.paths == ["cat/a.jpg"]
    assert sorted(found.skipped_in_words()) == sorted(
        [
            "skipped 1 GIF image (the file name has another ending)",
            "skipped 1 HEIC image (the file name has another ending)",
            "skipped 1 JPEG image (the file name has another ending)",
            "skipped 1 text file (no image)",
            "skipped 1 NumPy array (no image)",
        ]
    )


def test_out_inside_input_is_not_read(tmp_path: Path) -> None:
    make(tmp_path, "cat/a.jpg", "out/cat/b.jpg")
    assert list_sources(tmp_path, out=tmp_path / "out").paths == ["cat/a.jpg"]
    assert list_sources(tmp_path, out=tmp_path / "other").paths == ["cat/a.jpg", "out/cat/b.jpg"]


def test_outputs_of_augcli_inside_input_are_not_read(tmp_path: Path) -> None:
    make(tmp_path, "cat/a.jpg", "old/cat/b.jpg", "mine/cat/c.jpg", "mine/run.json")
    record = RunRecord(augcli="1", state="complete", identity={"command": "cutout"})
    (tmp_path / "old/run.json").write_bytes(record.to_bytes())
    (tmp_path / "mine/run.json").write_text("{}")
    found = list_sources(tmp_path)
    assert found.paths == ["cat/a.jpg", "mine/cat/c.jpg"]
    assert found.skipped["folder", "an output of augcli"] == 1


def test_an_output_of_augcli_can_be_input_itself(tmp_path: Path) -> None:
    assert list_sources(make(tmp_path, "cat/a.jpg", ".augcli/lock")).paths == ["cat/a.jpg"]


@needs_links
def test_a_link_out_of_input_is_followed_only_when_asked(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "b.jpg", "deep/c.jpg")
    folder = make(tmp_path / "input", "cat/a.jpg")
    (folder / "cat/link.jpg").symlink_to(tmp_path / "elsewhere/b.jpg")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    found = list_sources(folder)
    assert found.paths == ["cat/a.jpg"]
    assert found.skipped == {("symbolic link", "`follow_links` reads them"): 2}
    followed = list_sources(folder, follow_links=True)
    assert followed.paths == ["cat/a.jpg", "cat/link.jpg", "linked/b.jpg", "linked/deep/c.jpg"]
    assert not followed.skipped


@needs_links
def test_a_link_to_a_file_inside_input_is_read(tmp_path: Path) -> None:
    folder = make(tmp_path, "cat/a.jpg", "dog/b.jpg")
    (folder / "dog/also.jpg").symlink_to(folder / "cat/a.jpg")
    assert list_sources(folder).paths == ["cat/a.jpg", "dog/also.jpg", "dog/b.jpg"]


@needs_links
def test_a_link_that_leads_nowhere_is_skipped(tmp_path: Path) -> None:
    folder = make(tmp_path, "a.jpg")
    (folder / "gone.jpg").symlink_to(tmp_path / "no such file")
    for follow in (False, True):
        found = list_sources(folder, follow_links=follow)
        assert (found.paths, found.skipped.total()) == (["a.jpg"], 1)


@needs_links
@pytest.mark.parametrize("target", [".", "cat", "cat/deep"])
def test_a_link_in_a_loop_is_walked_once(tmp_path: Path, target: str) -> None:
    """A link back to INPUT itself, or to any folder above the link, gives no image twice."""
    folder = make(tmp_path, "cat/deep/a.jpg", "b.jpg")
    (folder / "cat/deep/loop").symlink_to(folder / target)
    found = list_sources(folder, follow_links=True)
    assert found.paths == ["b.jpg", "cat/deep/a.jpg"]
    assert found.skipped == {("link", "it leads back to a folder above"): 1}


@needs_links
def test_input_may_be_a_link(tmp_path: Path) -> None:
    make(tmp_path / "real", "cat/a.jpg", "out/b.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = list_sources(tmp_path / "link", out=tmp_path / "link" / "out")
    assert (found.root, found.paths) == (os.path.realpath(tmp_path / "real"), ["cat/a.jpg"])


@needs_any_name
def test_a_pipe_is_skipped_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(make(tmp_path, "a.jpg") / "pipe.jpg")
    found = list_sources(tmp_path)
    assert found.paths == ["a.jpg"]
    assert found.skipped == {("special file", "a pipe, socket or device"): 1}


@needs_any_name
def test_a_name_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", os.fsdecode(b"caf\xe9/b.jpg"), os.fsdecode(b"\xff.jpg"))
    found = list_sources(tmp_path)
    assert found.paths == ["a.jpg"]
    assert sorted(path for path, _ in found.refused) == ["\\udcff.jpg", "caf\\udce9/b.jpg"]
    assert {reason.partition(",")[0] for _, reason in found.refused} == {
        "the file name is not UTF-8"
    }


@needs_any_name
def test_a_name_may_hold_line_breaks_quotes_and_backslashes(tmp_path: Path) -> None:
    names = ["cat/a\nb.jpg", 'cat/"q",r.jpg', "cat/back\\slash.jpg", "cat/ .jpg"]
    assert list_sources(make(tmp_path, *names)).paths == sorted(names)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="may read everything")
def test_a_folder_that_cannot_be_listed_is_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    closed = make(tmp_path, "cat/a.jpg", "dog/b.jpg") / "dog"
    closed.chmod(0)
    try:
        found = list_sources(tmp_path)
    finally:
        closed.chmod(0o700)
    assert found.paths == ["cat/a.jpg"]
    assert found.refused == [("dog", "the folder can't be listed: Permission denied")]


def test_a_folder_that_vanishes_while_it_is_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "cat/a.jpg", "dog/b.jpg")
    scan = os.scandir

    def flaky(path: str) -> object:
        if path.endswith("dog"):
            raise FileNotFoundError(2, "No such file or directory")
        return scan(path)

    monkeypatch.setattr("os.scandir", flaky)
    found = list_sources(tmp_path)
    assert found.paths == ["cat/a.jpg"]
    assert found.refused == [("dog", "the folder can't be listed: No such file or directory")]


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing", "does not exist"), ("file.jpg", "is not a folder"), ("empty", "holds no image")],
)
def test_input_without_images_is_told(tmp_path: Path, name: str, message: str) -> None:
    make(tmp_path, "file.jpg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        list_sources(tmp_path / name)


def test_input_of_other_files_only_says_what_was_found(tmp_path: Path) -> None:
    for name in ("a.bin", "b"):
        (tmp_path / name).write_bytes(b"GIF89a")
    with pytest.raises(InputError, match=r"skipped 2 GIF images \(the file name has"):
        list_sources(tmp_path)


def test_thousands_of_files_are_listed_quickly(tmp_path: Path) -> None:
    folder = tmp_path / "cat"
    folder.mkdir()
    for number in range(5000):
        os.close(os.open(folder / f"{number:05d}.jpg", os.O_CREAT))
    begun = time.process_time()
    found = list_sources(tmp_path)
    assert (len(found), found.paths[0], found.paths[-1]) == (5000, "cat/00000.jpg", "cat/04999.jpg")
    # Twenty times what a slow machine needs, and far below what opening each file takes.
    assert time.process_time() - begun < 2


def test_folders_may_be_nested_deeper_than_pythons_limit(tmp_path: Path) -> None:
    path = tmp_path
    for _ in range(sys.getrecursionlimit() // 2 if sys.platform == "linux" else 20):
        path /= "d"
        path.mkdir()
    make(path, "a.jpg")
    assert len(list_sources(tmp_path)) == 1


def test_select_keeps_order_labels_and_classes(tmp_path: Path) -> None:
    found = list_sources(make(tmp_path, "cat/a.jpg", "dog/b.jpg", "emu/c.jpg"))
    chosen: Sources = found.select([0, 2])
    assert (chosen.paths, chosen.classes) == (["cat/a.jpg", "emu/c.jpg"], ["cat", "dog", "emu"])
    assert labels(chosen) == ["cat", "emu"]

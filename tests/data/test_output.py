"""The output folder: whose it is, and the lock that goes with its own file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from augcli.data.output import FOLDED_PARTS, LOCK, PARTS, STATE, OutputFolder
from augcli.data.run_record import RunRecord
from augcli.errors import OutputError

RECORD = RunRecord(augcli="1", state="complete", identity={"command": "cutout"})


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_a_folder_that_was_locked_for_nothing_has_no_state(out: Path) -> None:
    output = OutputFolder(out)
    output.open()
    assert (out / LOCK).exists()
    output.close()
    assert list(out.iterdir()) == []


def test_parts_that_are_not_folded_keep_the_state(out: Path) -> None:
    output = OutputFolder(out)
    output.open()
    output.write_record(RECORD)
    output.files.publish(f"{PARTS}/0-00000-of-00001.json", b"")
    output.close()
    assert sorted(path.name for path in (out / STATE).iterdir()) == ["lock", "parts"]
    assert not OutputFolder(out).is_locked()


def test_a_lock_whose_file_was_removed_is_taken_anew(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that waits opens the lock just before the run that holds it removes it."""
    first, second = OutputFolder(out), OutputFolder(out)
    first.open()
    real = os.stat
    ended = False

    def end_first(path: str, *arguments: object, **options: object) -> os.stat_result:
        nonlocal ended
        if str(path).endswith(LOCK) and not ended:
            ended = True
            first.close()
            # The lock that the second run holds has no name any more.
            assert not (out / STATE).exists()
        return real(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("augcli.files.folder.try_lock", lambda _: True)
    monkeypatch.setattr(os, "stat", end_first)
    second.open()
    monkeypatch.undo()
    assert ended
    assert (out / LOCK).exists()
    second.close()


def test_only_one_holds_the_lock(out: Path) -> None:
    first, second = OutputFolder(out), OutputFolder(out)
    first.open()
    with pytest.raises(OutputError, match="is in use by another run"):
        second.open()
    first.close()
    second.open()
    second.close()


@pytest.mark.parametrize("names", [["photo.jpg"], ["notes", STATE], [FOLDED_PARTS]])
def test_a_folder_without_run_json_is_not_ours(out: Path, names: list[str]) -> None:
    for name in names:
        (out / name).mkdir(parents=True)
    words = "holds files that augcli did not make" if names == ["photo.jpg"] else "has no run.json"
    with pytest.raises(OutputError, match=words):
        OutputFolder(out)


@pytest.mark.parametrize("names", [[], [STATE]])
def test_an_empty_folder_and_one_that_only_a_run_began_are_ours(
    out: Path, names: list[str]
) -> None:
    out.mkdir()
    for name in names:
        (out / name).mkdir()
    assert OutputFolder(out).record() is None


def test_a_record_reads_back(out: Path) -> None:
    output = OutputFolder(out)
    output.open()
    output.write_record(RECORD)
    assert output.record() == RECORD
    output.close()


@pytest.mark.parametrize(
    "change",
    [
        {"folders": 3},
        {"folders": ["cat", 3]},
        {"state": "done"},
        {"identity": []},
        {"identity": {"command": 1}},
        {"mean_colour": [1, 2]},
        {"mean_colour": [1, 2, 256]},
    ],
)
def test_a_record_of_other_values_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is not what augcli wrote"):
        RunRecord.from_json({**vars(RECORD), **change})

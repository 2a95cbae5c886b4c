"""What an output costs, counted and not timed: decodes, scores, encodes, pictures in memory."""

from __future__ import annotations

import gc
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from augcli import AttentiveCutMix, Cutout, augment
from augcli.attention.graph import Graph
from augcli.data.codecs import encoding
from augcli.data.stores import folder as folder_store
from augcli.errors import NotScored
from augcli.work import loading, reading, shard_maker, writing
from tests.photos import class_folders, rows, tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNT = 120
"""Several shards."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return class_folders(tmp_path / "photos", {"cat": COUNT // 2, "dog": COUNT // 2})


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often this process did what costs time."""
    counted: Counter[str] = Counter()

    def watch(owner: Any, name: str, images: Callable[[Any], int] = lambda _: 1) -> None:
        real = getattr(owner, name)

        def watched(*arguments: Any, **more: Any) -> Any:
            counted[name] += images(arguments[-1])
            return real(*arguments, **more)

        monkeypatch.setattr(owner, name, watched)

    watch(folder_store, "read_checked")
    watch(reading, "decode")
    watch(encoding, "encode")
    watch(Graph, "scores", len)
    return counted


def test_a_drop_reads_decodes_and_encodes_each_image_once(
    folder: Path, tmp_path: Path, counts: Counter[str]
) -> None:
    augment(folder, Cutout(patch=4, fill="black"), out=tmp_path / "out", workers=0)
    assert counts == {"read_checked": COUNT, "decode": COUNT, "encode": COUNT}


def test_a_mix_decodes_and_scores_each_image_once_for_both_of_its_roles(
    folder: Path, tmp_path: Path, scorer: Path, counts: Counter[str]
) -> None:
    augment(folder, AttentiveCutMix(), out=tmp_path / "out", model=scorer, workers=0)
    # The ring ends where it began: only its first image is read again, to give to the last.
    # It is scored once, because the first to receive gives only then.
    assert counts == {
        "read_checked": COUNT + 1,
        "decode": COUNT + 1,
        "encode": COUNT,
        "scores": COUNT,
    }


def test_small_images_are_scored_together_and_each_once(
    folder: Path, tmp_path: Path, counts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = 0
    run = Graph._run

    def counted(*arguments: Any) -> Any:
        nonlocal runs
        runs += 1
        return run(*arguments)

    monkeypatch.setattr(Graph, "_run", counted)
    augment(folder, AttentiveCutMix(), out=tmp_path / "out", pair="balanced", workers=0)
    donors = {row["source_b"] for row in rows(tmp_path / "out")}
    assert len(donors) <= counts["scores"] < COUNT
    assert 0 < runs < COUNT / 4


def test_a_group_that_can_not_be_scored_is_scored_one_by_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    augment(folder, AttentiveCutMix(), out=tmp_path / "together", workers=0)
    scores = Graph.scores

    def refusing(graph: Graph, fitted: list[Any]) -> Any:
        if len(fitted) > 1:
            raise NotScored("one of them can't be scored")
        return scores(graph, fitted)

    monkeypatch.setattr(Graph, "scores", refusing)
    augment(folder, AttentiveCutMix(), out=tmp_path / "alone", workers=0)
    assert tree(tmp_path / "alone") == tree(tmp_path / "together")


def test_a_second_run_reads_no_image(folder: Path, tmp_path: Path, counts: Counter[str]) -> None:
    augment(folder, Cutout(patch=4, fill="black"), out=tmp_path / "out", workers=0)
    counts.clear()
    augment(folder, Cutout(patch=4, fill="black"), out=tmp_path / "out", workers=0)
    assert counts == {}


def test_a_picture_is_copied_only_while_it_is_needed_again(
    folder: Path, tmp_path: Path, scorer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over: Counter[bool] = Counter()
    for name in ("apply_over", "apply_unchecked"):
        real = getattr(AttentiveCutMix, name)

        def watched(*arguments: Any, name: str = name, real: Any = real) -> Any:
            over[name == "apply_over"] += 1
            return real(*arguments)

        monkeypatch.setattr(AttentiveCutMix, name, watched)
    augment(folder, AttentiveCutMix(), out=tmp_path / "out", model=scorer, workers=0)
    assert over == {True: COUNT}
    augment(
        folder,
        AttentiveCutMix(),
        out=tmp_path / "both",
        model=scorer,
        originals="encode",
        workers=0,
    )
    assert over == {True: COUNT, False: COUNT}


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small pictures be handled as large ones are."""
    monkeypatch.setattr(shard_maker, "BATCH_BYTES", 1)
    monkeypatch.setattr(loading, "SMALL_BYTES", 0)


METHODS = [
    (Cutout(patch=4), {}),
    (Cutout(patch=4, at="attended"), {"originals": "copy"}),
    (AttentiveCutMix(), {}),
    (AttentiveCutMix(), {"pair": "same", "originals": "encode"}),
    (AttentiveCutMix(label_mode="attention"), {"pair": "balanced", "copies": 2}),
    (AttentiveCutMix(), {"to": "webdataset", "size": 24}),
]


@pytest.mark.parametrize("model", ["given", "shipped"])
@pytest.mark.parametrize(("method", "options"), METHODS, ids=str)
def test_small_pictures_together_are_the_same_bytes_as_one_by_one(
    folder: Path,
    tmp_path: Path,
    scorer: Path,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
    method: Any,
    options: dict[str, Any],
) -> None:
    # Failures of each kind among them: no picture, and a donor's that another one replaces.
    for number, path in enumerate(sorted(folder.glob("*/*"))[5::9]):
        path.write_bytes(b"" if number % 2 else path.read_bytes()[:200])
    both = []
    for name in ("together", "apart"):
        out = tmp_path / name
        graph = scorer if model == "given" else None
        augment(folder, method, out=out, model=graph, workers=0, **options)
        both.append(tree(out))
        one_by_one(monkeypatch)
    assert both[0] == both[1]


@pytest.mark.parametrize("together", [True, False])
def test_only_the_last_few_pictures_are_kept(
    folder: Path,
    tmp_path: Path,
    scorer: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    together: bool,
) -> None:
    if not together:
        one_by_one(monkeypatch)
    most = 0
    real = writing.Writer.encode
    # What other tests left.
    before = [one for one in gc.get_objects() if type(one) is loading.LoadedSource]

    def encode(*arguments: Any) -> Any:
        nonlocal most
        alive = sum(type(one) is loading.LoadedSource for one in gc.get_objects())
        most = max(most, alive - len(before))
        return real(*arguments)

    monkeypatch.setattr(writing.Writer, "encode", encode)
    augment(folder, AttentiveCutMix(), out=tmp_path / "out", model=scorer, workers=0)
    assert 2 <= most <= loading.WINDOW + (shard_maker.BATCH_JOBS if together else 0)

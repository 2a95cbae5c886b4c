"""The plan that many machines share: the same for all, and whole, or refused."""

from __future__ import annotations

import io
import json
from array import array
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from augcli.augmentations.cutmix import CutMix
from augcli.augmentations.flip import Flip
from augcli.data.labels import Label
from augcli.data.output import LISTS, PLAN, OutputFolder
from augcli.data.stores.packed_paths import PackedPaths
from augcli.data.stores.source_list import ListWriter, read_sources
from augcli.data.stores.sources import Sources
from augcli.recipes.options import RunOptions
from augcli.recipes.recipe import Recipe
from augcli.recipes.step import Step
from augcli.run.cluster.prepare import prepare_plan
from augcli.run.cluster.shared_plan import opened_list, read_facts, read_plan

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = Recipe("mine", (Step.of(Flip(), 0.5), Step.of(CutMix(region="box"), 1.0)), 0.75)


def listed() -> Sources:
    """Return sources with a value in every attribute that a list has."""
    sources = Sources(
        "/data",
        ["a\n.png", "b/\udcff.png", "c.png"],
        array("q", [1, 2, 3]),
        array("q", [2**62, 0, -1]),
        container_mark="#",
        starts=array("q", [0, 512, 1024]),
        containers=["x.tar"],
        in_containers=True,
        endings=["png"],
        ending_of=array("B", [0, 0, 0]),
        labels_sha256="ab",
        refused=[("d.png", "why")],
    )
    sources.set_labels([Label.of("cat"), Label((("cat", 0.25), ("dog", 0.75))), Label()])
    sources.set_splits(["train", "val", "train"], [])
    sources.set_groups(["p", "", "p"])
    return sources


def written(sources: Sources) -> tuple[io.BytesIO, Any]:
    """Return a list, and its description as it comes back from JSON."""
    file = io.BytesIO()
    description = ListWriter(file.write).sources(sources)
    return file, json.loads(json.dumps(description))


def test_a_list_is_read_back_as_it_was() -> None:
    sources = listed()
    sources.notices.clear()
    found = read_sources(*written(sources))
    assert found == sources
    assert [found.source(index) for index in range(3)] == [*map(sources.source, range(3))]
    assert found.select([2, 0]) == sources.select([2, 0])
    assert np.asarray(found.modified).tolist() == [2**62, 0, -1]


def test_a_list_of_nothing_is_a_list() -> None:
    sources = Sources("/data")
    assert read_sources(*written(sources)) == sources


def test_a_long_list_is_read_in_pieces() -> None:
    sources = Sources("/data", PackedPaths(f"{number:06d}.png" for number in range(70_000)))
    sources.sizes.extend(range(70_000))
    found = read_sources(*written(sources))
    assert list(found.paths) == list(sources.paths)
    assert list(found.sizes) == list(range(70_000))
    assert (found.find("069999.png"), found.find("070000.png")) == (69_999, None)


def test_every_cut_and_flipped_bit_of_a_list_is_found() -> None:
    file, description = written(listed())
    whole = file.getvalue()
    for size in range(len(whole)):
        with pytest.raises(ValueError, match="cut short"):
            read_sources(io.BytesIO(whole[:size]), description)
        flipped = whole[:size] + bytes([whole[size] ^ 1]) + whole[size + 1 :]
        with pytest.raises(ValueError, match="not the list"):
            read_sources(io.BytesIO(flipped), description)


def test_a_plan_gives_back_recipe_and_options(photos: Path, tmp_path: Path) -> None:
    options = RunOptions(
        out=tmp_path / "out", copies=2, size="32", pair="different", total=7, workers=0, model=None
    )
    planned = prepare_plan(photos, RECIPE, options)
    plan = read_plan(OutputFolder(tmp_path / "out"))
    assert plan
    assert plan.sha256 == planned.plan
    recipe, found = plan.recipe_and_options(options)
    assert recipe == RECIPE
    assert found == options


def test_a_plan_depends_on_the_sources_and_options_alone(photos: Path, tmp_path: Path) -> None:
    runs = [
        RunOptions(out=tmp_path / "one", workers=0),
        RunOptions(out=tmp_path / "two", workers=1, fsync="file"),
    ]
    plans = {prepare_plan(photos, RECIPE, options).plan for options in runs}
    assert len(plans) == 1
    other = prepare_plan(photos, RECIPE, RunOptions(out=tmp_path / "other", seed=1, workers=0))
    assert other.plan not in plans


def test_of_two_plans_at_the_same_moment_the_first_counts(photos: Path, tmp_path: Path) -> None:
    """Also where the disk has no locks: the file is made by a call that never replaces one."""
    out = tmp_path / "out"
    prepare_plan(photos, RECIPE, RunOptions(out=out, workers=0))
    before = (out / PLAN).read_bytes()
    files = OutputFolder(out).files
    assert not files.create(PLAN, b"another")
    assert (out / PLAN).read_bytes() == before
    assert files.names(".augcli/tmp") == []
    assert files.create(".augcli/new.json", b"new")
    assert (out / ".augcli/new.json").read_bytes() == b"new"


@pytest.mark.parametrize("other", [{"manifest": "jsonl"}, {"copies": 3}])
def test_who_comes_second_takes_the_first_plan_and_leaves_its_list(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    """Both saw no plan; their lists are the same, or others."""
    output = OutputFolder(tmp_path / "out")
    prepare_plan(photos, RECIPE, RunOptions(out=tmp_path / "out", workers=0))
    first = read_plan(output)
    assert first
    monkeypatch.setattr(OutputFolder, "forget_plan", lambda output: None)
    second = prepare_plan(photos, RECIPE, RunOptions(out=tmp_path / "out", workers=0, **other))
    assert second.plan == first.sha256
    facts = read_facts(output, first)
    with opened_list(output, first, facts) as shared:
        assert len(shared.sources) == 9
    assert len(output.files.names(LISTS)) == 2
    output.files.close()


@pytest.mark.parametrize(
    "content",
    [
        [],
        None,
        {"augcli": 1},
        {"sources": "../../../etc/passwd"},
        {"options": []},
        {"recipe": 7},
        {"more": 1},
    ],
)
def test_a_plan_from_somebody_else_is_refused(photos: Path, tmp_path: Path, content: Any) -> None:
    from augcli.errors import OutputError

    out = tmp_path / "out"
    prepare_plan(photos, RECIPE, RunOptions(out=out, workers=0))
    plan = json.loads((out / PLAN).read_bytes())
    changed = {**plan, **content} if content else content
    (out / PLAN).write_text(json.dumps(changed))
    with pytest.raises(OutputError, match="can't be used"):
        read_plan(OutputFolder(out))

"""What a node says for itself, which needs no cluster; tests/ray has the rest."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from augcli.data.codecs.formats import OutputEncoding
from augcli.data.output import PARTS, TEMPORARY, output_files
from augcli.data.stores.folder import FolderStore
from augcli.errors import Stopped
from augcli.plan.jobs import Job, Task
from augcli.recipes.chain import Chain
from augcli.version import VERSION
from augcli.work import ray_node
from augcli.work.events import ShardDone
from augcli.work.ray_node import answer_question, make_shard
from augcli.work.settings import MakeSettings, MapStorage, ReadSettings

if TYPE_CHECKING:
    from tests.conftest import Cli

TASK = Task("0-00000-of-00001", 0, "", "", [])


def settings(out: Path) -> tuple[ReadSettings, MakeSettings]:
    reading = ReadSettings(store=FolderStore("."), max_pixels=1, max_bytes=1, frame=None)
    making = MakeSettings(
        out=str(out),
        out_identity=(1, 1),
        fsync="none",
        chain=Chain("cutout", (), 0, 1, None),
        encoding=OutputEncoding(
            format="png", quality=95, subsampling="420", png_level=1, channels="rgb"
        ),
        copies_bytes=False,
    )
    return reading, making


def test_a_node_with_another_version_ends_the_run(tmp_path: Path) -> None:
    reading, making = settings(tmp_path)
    question: Any = None
    for made in (
        make_shard("0.0.0", "cpu", reading, making, TASK),
        answer_question("0.0.0", reading, question, []),
    ):
        assert isinstance(made.error, Stopped)
        assert f"has augcli {VERSION}, and the run began with 0.0.0" in str(made.error)
        assert made.events == []


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_node_that_does_not_share_out_ends_the_run(tmp_path: Path, name: str) -> None:
    reading, making = settings(tmp_path / name)
    made = make_shard(VERSION, "cpu", reading, making, TASK)
    assert isinstance(made.error, Stopped)
    assert "is not the folder in which the run began" in str(made.error)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("device", ["cpu", "azure"])
def test_a_node_scores_a_shard_before_it_is_made_where_a_gpu_does_that(
    photos: Path, scorer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    """The device is one of onnxruntime's that computes on the processor, so it is everywhere."""
    reading, making = settings(tmp_path / "out")
    reading = replace(reading, store=FolderStore(str(photos)), max_pixels=10**6, max_bytes=10**6)
    reading = replace(reading, model=scorer, grid=2, storage=MapStorage(images=9))
    files = output_files(making.out)
    files.begin(PARTS, TEMPORARY)
    making = replace(making, out_identity=files.identity())
    files.close()
    listed = reading.store.list()
    bases = map(listed.source, range(len(listed)))
    jobs = [Job(f"{at}", at, base, (), more=False, hash_bytes=4) for at, base in enumerate(bases)]
    stored: list[Any] = []
    monkeypatch.setattr(ray_node, "store_maps", lambda answers, storage: stored.extend(answers))
    try:
        made = make_shard(VERSION, device, reading, making, replace(TASK, jobs=jobs))
    finally:
        ray_node._forget()
    assert made.error is None
    assert any(isinstance(event, ShardDone) for event in made.events)
    assert [path for path, _ in stored] == (listed.paths if device == "azure" else [])
    assert all(answer.new and answer.heat_map is not None for _, answer in stored)


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_a_run_without_ray_says_what_to_install(cli: Cli, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    end = cli("cutmix", photos, "--out", out, "--engine", "ray", "--workers", 1)
    assert end.code == 2
    assert "--engine ray needs the package ray: pip install 'augcli[ray]'" in end.err
    assert not out.exists()

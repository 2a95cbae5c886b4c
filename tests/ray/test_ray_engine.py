"""``--engine ray``: the bytes of a run on one machine, whatever becomes of the nodes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import augcli
from tests.command import PATIENCE, Outcome, call, start
from tests.photos import class_folders, picture, rows, save, tree
from tests.ray.conftest import Nodes

if TYPE_CHECKING:
    import subprocess


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """INPUT: enough pictures that there is time to disturb a run; one can't be read."""
    folder = class_folders(tmp_path_factory.mktemp("many") / "photos", {"a": 90, "b": 90}, side=64)
    (folder / "a/broken.png").write_bytes(b"\x89PNG")
    return folder


def command(photos: Path, out: Path, *options: object) -> tuple[object, ...]:
    return ("cutmix", photos, "--region", "box", "--copies", 4, "--out", out, *options)


def on(nodes: Nodes) -> tuple[object, ...]:
    return ("--engine", "ray", "--address", nodes.address)


@pytest.fixture(scope="module")
def alone(many: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run on one machine leaves."""
    out = tmp_path_factory.mktemp("alone") / "out"
    assert call(*command(many, out, "--workers", 1), env=os.environ).code == 1
    return tree(out)


def begun(*words: object) -> subprocess.Popen[str]:
    """Start a run on the nodes and wait until they have made something."""
    process = start(*words, "--json", env=os.environ)
    assert process.stdout
    for line in process.stdout:
        message = json.loads(line)
        if message["message_type"] == "progress" and message["nodes"]:
            return process
    raise AssertionError(process.communicate())


def ended(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=PATIENCE)
    return Outcome(process.returncode, out, err)


@pytest.mark.parametrize(
    "options",
    [(), ("--to", "webdataset", "--shard-size", "40KB"), ("--to", "parquet")],
    ids=["folder", "webdataset", "parquet"],
)
def test_two_nodes_give_the_bytes_of_one_machine(
    nodes: Nodes, many: Path, tmp_path: Path, options: tuple[object, ...]
) -> None:
    rayed, alone = tmp_path / "rayed", tmp_path / "alone"
    assert call(*command(many, alone, *options), env=os.environ).code == 1
    end = call(*command(many, rayed, *options, *on(nodes)), env=os.environ)
    assert (end.code, end.out) == (1, f"{rayed}/metadata.csv\n")
    assert tree(rayed) == tree(alone)
    assert not (rayed / ".augcli").exists()


def test_estimates_and_scores_are_those_of_one_machine(
    nodes: Nodes, many: Path, scorer: Path, tmp_path: Path
) -> None:
    words = ("cutout", many, "--at", "attended", "--model", scorer, "--copies", 2)
    for out, options in ((tmp_path / "rayed", on(nodes)), (tmp_path / "alone", ())):
        assert call(*words, "--out", out, *options, env=os.environ).code == 1
    assert tree(tmp_path / "rayed") == tree(tmp_path / "alone")


def test_nodes_score_on_the_part_of_a_gpu_that_they_get(
    many: Path, scorer: Path, tmp_path: Path
) -> None:
    """The device is one of onnxruntime's that computes on the processor, so it is everywhere."""
    nodes = Nodes(gpus=1)
    words = ("cutout", many, "--at", "attended", "--model", scorer, "--device", "azure")
    try:
        for out, options in (
            (tmp_path / "rayed", (*on(nodes), "--task-gpus", 0.5)),
            (tmp_path / "alone", ()),
        ):
            assert call(*words, "--out", out, *options, env=os.environ).code == 1
            assert json.loads((out / "run.json").read_bytes())["device"] == "azure"
        assert tree(tmp_path / "rayed") == tree(tmp_path / "alone")
        end = call(
            *(*words, "--out", tmp_path / "more", *on(nodes), "--task-gpus", 3), env=os.environ
        )
        assert end.code == 3
        assert "has 2 GPUs, and each task takes 3 (--task-gpus)" in end.err
    finally:
        nodes.stop()


def test_a_node_that_is_killed_costs_nothing_but_time(
    many: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    nodes = Nodes()
    try:
        process = begun(*command(many, tmp_path / "out", *on(nodes)))
        os.kill(nodes.raylet(), signal.SIGKILL)
        assert ended(process).code == 1
        assert tree(tmp_path / "out") == alone
    finally:
        nodes.stop()


def test_a_worker_that_hangs_is_replaced(nodes: Nodes, tmp_path: Path) -> None:
    photos = class_folders(tmp_path / "photos", {"a": 30})
    save(photos / "a/hangs.png", picture(1, 24, 24))
    words = ("cutout", photos, "--patch", 9, "--fill", "black", "--timeout", 1)
    for out, options in ((tmp_path / "rayed", on(nodes)), (tmp_path / "alone", ())):
        assert call(*words, "--out", out, *options, env=os.environ).code == 1
    (row,) = rows(tmp_path / "rayed", "errors.csv")
    assert (row["source"], row["stage"]) == ("a/hangs.png", "time")
    assert tree(tmp_path / "rayed") == tree(tmp_path / "alone")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_driver_that_was_ended_goes_on_later(
    nodes: Nodes,
    many: Path,
    alone: dict[str, bytes],
    tmp_path: Path,
    number: int,
    code: int,
) -> None:
    process = begun(*command(many, tmp_path / "out", *on(nodes)))
    process.send_signal(number)
    assert ended(process).code == code
    assert call(*command(many, tmp_path / "out", *on(nodes)), env=os.environ).code == 1
    assert tree(tmp_path / "out") == alone


def test_python_uses_a_cluster_too(
    nodes: Nodes, many: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    summary = augcli.augment(
        many,
        augcli.CutMix(region="box"),
        copies=4,
        out=tmp_path / "out",
        engine="ray",
        address=nodes.address,
    )
    assert summary.failed == 1
    assert tree(tmp_path / "out") == alone


def test_a_cluster_is_started_where_none_is_named(photos: Path, tmp_path: Path) -> None:
    """Also where Ray remembers a cluster that is gone."""
    place = Path(os.environ["RAY_TMPDIR"]) / "ray/ray_current_cluster"
    before = place.read_text(encoding="utf-8") if place.exists() else None
    place.parent.mkdir(exist_ok=True)
    place.write_text("127.0.0.1:1", encoding="utf-8")
    words = ("cutout", photos, "--patch", 9)
    try:
        for out, options in ((tmp_path / "rayed", ("--engine", "ray")), (tmp_path / "alone", ())):
            end = call(*words, "--out", out, *options, env=os.environ)
            assert end.code == 0, end.err
    finally:
        if before is None:
            place.unlink(missing_ok=True)
        else:
            place.write_text(before, encoding="utf-8")
    assert tree(tmp_path / "rayed") == tree(tmp_path / "alone")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--address", "127.0.0.1:1"), 3, "the Ray cluster at 127.0.0.1:1 can't be reached"),
        (("--address", "auto"), 2, "--address is 'auto', but must be local or a host"),
        (("--task-cpus", 64), 3, "has 2 CPUs, and each task takes 64 (--task-cpus)"),
        (("--shard", "0/2"), 2, "--shard 0/2 is not for --engine ray"),
        (("--device", "cuda"), 3, "has 0 GPUs, and each task takes 1 (--task-gpus)"),
        (("--device", "auto"), 2, "--device auto is not for --engine ray"),
        (("--task-gpus", 0.5), 2, "--task-gpus is of no use where images are scored on proc"),
        (("--device", "cuda", "--task-gpus", 1.5), 2, "Ray gives a part of one GPU, or whole"),
        (("--workers", 0), 2, "--workers 0 is this process alone"),
    ],
)
def test_what_can_not_be_done_is_one_sentence(
    nodes: Nodes,
    photos: Path,
    tmp_path: Path,
    options: tuple[object, ...],
    code: int,
    words: str,
) -> None:
    place = () if "--address" in options else ("--address", nodes.address)
    line = ("cutmix", photos, "--out", tmp_path / "out", "--engine", "ray", *place, *options)
    end = call(*line, env=os.environ)
    assert (end.code, end.out) == (code, "")
    assert words in end.err
    assert "Traceback" not in end.err


def test_what_only_this_machine_can_read_is_refused(nodes: Nodes, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    np.savez_compressed(tmp_path / "given/set.npz", x=np.zeros((9, 8, 8, 3), np.uint8))
    end = call("cutout", tmp_path / "given", "--out", tmp_path / "out", *on(nodes), env=os.environ)
    assert end.code == 2
    assert "is compressed and was unpacked on this machine" in end.err
    assert not (tmp_path / "out").exists()


def test_a_wrong_token_is_one_sentence(nodes: Nodes, photos: Path, tmp_path: Path) -> None:
    line = ("cutout", photos, "--out", tmp_path / "out", *on(nodes))
    end = call(*line, env={**os.environ, "RAY_AUTH_TOKEN": "ab" * 32})
    assert end.code == 3
    assert "check --address, and that this machine has the cluster's token" in end.err
    assert "Traceback" not in end.err

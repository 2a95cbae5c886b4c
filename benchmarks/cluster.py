"""How array jobs scale: a data set of generated sources, with the real planner and the real finish.

    python benchmarks/cluster.py 14197122 --work FOLDER > simulated.json
    python benchmarks/cluster.py rates > rates.json
    python benchmarks/cluster.py estimate --simulated simulated.json --rates rates.json

The first prints as JSON what each step costs, each in a process of its own: seconds, and the
highest memory. No picture is made: the parts of all shards are written as tasks write them, with
the rows of outputs that are not there. The second measures the constants of real tasks, and the
third says what follows from both for ImageNet-1k and 21k.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = "/generated"
STEPS = ("prepare", "parts", "task", "finish")
IN_CLASS = 700
DRAW = '{"cutmix":{"box":[31,40,180,190],"frame":[375,500]}}'


def options(out: Path) -> Any:
    """Return the options of the run."""
    from augcli.recipes.options import RunOptions  # noqa: PLC0415 - each step is a process

    return RunOptions(out=out, workers=0)


def recipe() -> Any:
    """Return what is done to the images."""
    from augcli.augmentations.cutmix import CutMix  # noqa: PLC0415
    from augcli.recipes.recipe import Recipe  # noqa: PLC0415

    return Recipe.of(CutMix(region="box"))


def prepare(out: Path, count: int) -> dict[str, Any]:
    """Write the plan of generated sources."""
    from augcli.data.stores.sources import Sources  # noqa: PLC0415
    from augcli.run.checking.check import Listed, check  # noqa: PLC0415
    from augcli.run.cluster.prepare import write_plan  # noqa: PLC0415
    from augcli.run.messages import ignore  # noqa: PLC0415

    begun = time.process_time()
    sources = Sources(PLACE)
    for index in range(count):
        label = index // IN_CLASS
        sources.paths.append(f"n{label:08d}/n{label:08d}_{index:08d}.jpg")
        sources.sizes.append(110_000)
        sources.modified.append(1_600_000_000_000_000_000 + index)
    sources.set_classes(path.partition("/")[0] for path in sources.paths)
    listed = time.process_time()
    run = check(Path(PLACE), recipe(), options(out), listed=Listed(sources, sources.folders()))
    plan = write_plan(run, PLACE, recipe(), ignore)
    assert plan
    size = (out / plan.list_name).stat().st_size
    return {"generated": listed - begun, "list_bytes": size}


def parts(out: Path, count: int) -> dict[str, Any]:
    """Write the part of each shard, as its task does at its end."""
    from augcli.data.output import OutputFolder  # noqa: PLC0415
    from augcli.data.sinks.folder import part_name  # noqa: PLC0415
    from augcli.plan.part import plan_mark  # noqa: PLC0415
    from augcli.plan.ring import Ring  # noqa: PLC0415
    from augcli.run.cluster.shared_plan import read_facts, read_plan, read_sources  # noqa: PLC0415

    output = OutputFolder(out)
    plan = read_plan(output)
    assert plan
    sources, facts = read_sources(output, plan), read_facts(output, plan)
    ring = Ring.of(sources, 0, 0, "any")
    mark = plan_mark(plan.sha256)
    shards = ring.shards(0, facts.ranges)
    size = 0
    for shard in shards:
        rows = []
        for position in range(shard.start, shard.stop):
            base = sources.paths[int(ring.order[position])]
            donor = sources.paths[int(ring.order[(position + 1) % count])]
            digest = hashlib.sha256(base.encode()).hexdigest()
            labels = {base.partition("/")[0]: 0.8125, donor.partition("/")[0]: 0.1875}
            name = f"{base[:-4]}-{digest[:8]}-cutmix-0.jpg"
            row = [name, labels, base, donor, "cutmix", DRAW, 500, 375, 0, digest, "", ""]
            rows.append([digest[:16], 110_000, [], row])
        content = {"shard": shard.name, "command": "", "fingerprint": "", "made": rows}
        content |= {"failed": [], "tried": {}, "obsolete": [], "sources": {}}
        body = json.dumps(content, separators=(",", ":")).encode() + b"\n"
        check = json.dumps({"sha256": hashlib.sha256(body).hexdigest()}, separators=(",", ":"))
        data = body + check.encode() + b"\n" + mark
        output.files.publish(part_name(shard.name), data)
        size += len(data)
    return {"shards": len(facts.shards), "bytes": size}


def task(out: Path, count: int) -> dict[str, Any]:
    """Do what a task does before its first picture, and plan one of its shards."""
    from augcli.data.output import OutputFolder  # noqa: PLC0415
    from augcli.run.cluster.prepare import planned_run  # noqa: PLC0415
    from augcli.run.cluster.shared_plan import read_facts, read_plan  # noqa: PLC0415

    output = OutputFolder(out)
    begun = time.perf_counter()
    shared = read_plan(output)
    assert shared
    facts = read_facts(output, shared)
    run, chain = planned_run(shared, output, Path(PLACE), options(out), reads=True)
    read = time.perf_counter()
    plan = facts.plan(run, chain)
    wanted = {shard.name: shard.file for shard in facts.shards[-20:]}
    found = list(plan.shards(wanted))
    ringed = time.perf_counter()
    for shard in found:
        plan.task(shard)
    planned = time.perf_counter()
    return {
        "read": read - begun,
        "ring": ringed - read,
        "plan_a_shard": (planned - ringed) / len(found),
    }


def finish(out: Path, count: int) -> dict[str, Any]:
    """Finish the run."""
    from augcli.run.cluster.finish import finish_shared  # noqa: PLC0415

    summary = finish_shared(out)
    assert summary.images == count
    return {"seconds_of_1000_rows": summary.seconds / count * 1000}


def step(name: str, out: Path, count: int) -> dict[str, Any]:
    """Do a step in this process."""
    steps: dict[str, Callable[[Path, int], dict[str, Any]]] = {
        "prepare": prepare,
        "parts": parts,
        "task": task,
        "finish": finish,
    }
    begun = time.perf_counter()
    found = steps[name](out, count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, cpu = time.perf_counter() - begun, time.process_time()
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_mib": peak / 1024, **found}


def rates() -> dict[str, Any]:
    """Measure the constants of real tasks, as seconds of a processor."""
    from augcli.data.stores.folder import FolderStore  # noqa: PLC0415

    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for index in range(count := 100_000):
            path = folder / f"many/{index // IN_CLASS:04d}/{index:06d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        begun = time.process_time()
        FolderStore(str(folder / "many")).list()
        found["list_a_million_files"] = (time.process_time() - begun) / count * 1_000_000
        photos = Path(__file__).parents[1] / "sample_images"
        line = ("cutmix", str(photos), "--region", "box", "--size", "500x375", "--copies", "64")
        line = (*line, "--format", "jpg", "--out", str(folder / "out"), "--workers", "1", "--json")
        run("prepare", *line)
        for name, shard in (("empty", "0/1000"), ("all", "0/1")):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            end = json.loads(run(*line, "--shard", shard).splitlines()[-1])
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            found[f"task_{name}"] = sum(after[:2]) - sum(before[:2])
        found["output"] = (found["task_all"] - found["task_empty"]) / end["images"]
        found |= {"outputs": end["images"], "shards": end["shards"]}
    return found


SETS = {"ImageNet-1k": 1_281_167, "ImageNet-21k": 14_197_122}
WORKERS = (1, 10, 100, 1000)
FOR_EACH_OUTPUT = 4
"""Requests to the disk: a source is read; its output is made, written and renamed."""
FOR_EACH_SHARD = 8
"""The same: the plan is read, the part is looked for, and written twice."""
SHARD = 108
"""Outputs of a shard, on average, where there are millions."""


def estimates(simulated: dict[str, Any], measured: dict[str, Any]) -> str:
    """Return a table of what follows from the constants, for one output of each source.

    Args:
        simulated: What the simulation printed.
        measured: What `rates` printed.
    """
    count = simulated["sources"]
    generated = simulated["prepare"]["generated"]
    each = {
        "list": measured["list_a_million_files"] / 1_000_000,
        "plan": (simulated["prepare"]["cpu_seconds"] - generated) / count,
        "begin": simulated["task"]["cpu_seconds"] / count,
        "make": measured["output"],
        "finish": simulated["finish"]["cpu_seconds"] / count,
    }
    lines = ["| data set | workers | prepare | tasks | finish | all | requests | useful |"]
    lines.append("| --- | --: | --: | --: | --: | --: | --: | --: |")
    for name, images in SETS.items():
        for workers in WORKERS:
            prepared = images * (each["list"] + each["plan"])
            tasks = measured["task_empty"] + images * (each["begin"] + each["make"] / workers)
            finished = images * each["finish"]
            whole = prepared + tasks + finished
            requests = images * (FOR_EACH_OUTPUT + FOR_EACH_SHARD / SHARD)
            useful = images * each["make"] / workers / whole
            cells = [*map(duration, (prepared, tasks, finished, whole)), f"{requests / 1e6:.0f} M"]
            lines.append(f"| {name} | {workers:,} | {' | '.join(cells)} | {useful:.0%} |")
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """Return a time with two digits that count."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def run(*words: str) -> str:
    """Run augcli and return what it printed."""
    command = [sys.executable, "-m", "augcli", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Print what every step costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", help="a number, rates or estimate")
    parser.add_argument("--simulated", type=Path)
    parser.add_argument("--rates", type=Path)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--step", choices=STEPS)
    given = parser.parse_args()
    if given.sources == "rates":
        print(json.dumps(rates(), indent=2))
        return
    if given.sources == "estimate":
        print(estimates(*(json.loads(file.read_text()) for file in (given.simulated, given.rates))))
        return
    count, out = int(given.sources), given.work / "simulated"
    if given.step:
        print(json.dumps(step(given.step, out, count)))
        return
    shutil.rmtree(out, ignore_errors=True)
    found: dict[str, Any] = {"sources": count, "numpy": np.__version__, "cores": os.cpu_count()}
    for name in STEPS:
        command = [sys.executable, __file__, str(count), "--work", str(given.work), "--step", name]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found[name] = json.loads(text)
        print(name, text.strip(), file=sys.stderr)
    print(json.dumps(found, indent=2))
    shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()

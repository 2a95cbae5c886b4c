"""Buckets: what 20 ms a request cost a run, a request costs a client, and listing takes.

    python -m benchmarks.buckets --images 1500 --rounds 3 [--data DIR] [--list 1000000]

A run with two workers reads photos of 500 x 375 and writes as many, from and to a folder in
memory, and from and to a bucket on this machine whose server waits before each answer; "reading"
writes to the folder. The rate counts from the first to the last output, as the summary of a run
does. The server works on the same processors, so its own seconds are reported too: moto's costs
more than augcli's work on a picture, the cheap one in bucket_server.py next to nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.pictures import SCENARIOS, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
METHODS = {
    "cutout": ("cutout", "--patch", "0.25", "--fill", "black"),
    "cutmix": ("cutmix", "--top-n", "6"),
}
SERVERS = {"cheap": [], "moto": ["--moto"]}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
LISTING = """
import json, os, resource, time
from augcli.data.stores.opening import open_store
import augcli.files.remote.services as services
services.service("s3")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun, used = time.perf_counter(), time.process_time()
sources = open_store("s3://bucket/set").list()
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([len(sources), time.perf_counter() - begun, time.process_time() - used,
                  (after - before) * 1024, after * 1024]))
"""


CLIENT = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from augcli.files.remote import objects, services
package, count = sys.argv[1], int(sys.argv[2])
system, data = services.service("s3")._system, bytes(60_000)
calls = {
    "s3fs": (lambda number: system.pipe_file(f"bucket/client/{number}", data),
             lambda number: system.cat_file(f"bucket/client/{number}")),
    "obstore": (lambda number: objects.put(f"s3://bucket/client/{number}", data),
                lambda number: objects.read(f"s3://bucket/client/{number}", 0, 1 << 20)),
}[package]
threads = ThreadPoolExecutor(16)
spent = []
for call in calls:
    list(threads.map(call, range(16)))
    used = time.process_time()
    list(threads.map(call, range(count)))
    spent.append((time.process_time() - used) / count)
print(json.dumps(spent))
"""
"""Puts and gets objects of 60 kB, and prints the processor's seconds for each."""


class Ran(NamedTuple):
    """A run: outputs a second by its summary, its own seconds of work, and the server's."""

    rate: float
    own: float
    server: float


@contextmanager
def serving(*options: str) -> Iterator[tuple[dict[str, str], int]]:
    """Serve a bucket in another process; yield the environment for it, and the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(HERE / "bucket_server.py"), "--port", str(port), *options]
    process = subprocess.Popen(command)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.05)
        yield (
            {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"},
            (process.pid),
        )
    finally:
        process.kill()
        process.wait()


def run(method: str, source: str, out: str, environment: dict[str, str]) -> tuple[float, float]:
    """Return the outputs a second of a run with two workers, and its seconds of work."""
    name, *options = METHODS[method]
    command = [sys.executable, "-m", "augcli", name, source, *options, "--out", out]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    end = subprocess.run(
        [*command, "--workers", "2", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    summary = json.loads(end.stdout.splitlines()[-1])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return summary["images_per_second"], spent


def seconds_of(process: int) -> float:
    """Return how many seconds the processors worked for a process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rates(photos: Path, method: str, servers: list[str], rounds: int, work: Path) -> None:
    """Measure folder and buckets in turns, and print the medians."""
    late, kinds = ["--delay", "0.02"], dict[str, tuple[list[str], str]]()
    for server in servers:
        options = SERVERS[server]
        kinds[f"{server}, reading, 0 ms"] = options, str(work / "out")
        kinds[f"{server}, reading, 20 ms"] = [*options, *late], str(work / "out")
        kinds[f"{server}, 0 ms"] = options, "s3://bucket/out"
        kinds[f"{server}, 20 ms"] = [*options, *late], "s3://bucket/out"
    images = sum(1 for _ in photos.rglob("*.jpg"))
    found: dict[str, list[Ran]] = {"folder": [], **{kind: [] for kind in kinds}}
    for _ in range(rounds):
        out = work / "out"
        shutil.rmtree(out, ignore_errors=True)
        found["folder"].append(Ran(*run(method, str(photos), str(out), dict(os.environ)), 0.0))
        for kind, (options, place) in kinds.items():
            shutil.rmtree(out)
            out.mkdir()
            with serving(*options) as (environment, process):
                upload(photos, environment)
                before = seconds_of(process)
                ran = run(method, "s3://bucket/set", place, environment)
                found[kind].append(Ran(*ran, seconds_of(process) - before))
    local = statistics.median(ran.rate for ran in found["folder"])
    for kind, runs in found.items():
        rate = statistics.median(ran.rate for ran in runs)
        own = 1000 * statistics.median(ran.own for ran in runs) / images
        server = 1000 * statistics.median(ran.server for ran in runs) / images
        print(
            f"{method:7}{kind:30}{rate:8.1f} images/s  {rate / local:6.1%} of the folder's; "
            f"augcli works {own:.2f} ms for each image, the server {server:.2f} ms",
            flush=True,
        )


def upload(photos: Path, environment: dict[str, str]) -> None:
    """Make the bucket, and put the photos there."""
    code = (
        "import sys; from pathlib import Path; from augcli.files.remote import objects, services\n"
        "services.service('s3')._system.call_s3('create_bucket', Bucket='bucket')\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "root = Path(sys.argv[1]); files = [one for one in root.rglob('*') if one.is_file()]\n"
        "put = lambda one: objects.put(f's3://bucket/set/{one.relative_to(root).as_posix()}',"
        " one.read_bytes())\n"
        "list(ThreadPoolExecutor(16).map(put, files))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(photos)], env=environment, check=True)


def clients(rounds: int, count: int = 1000) -> None:
    """Print what a request costs each client, measured in turns."""
    spent: dict[str, list[list[float]]] = {"s3fs": [], "obstore": []}
    with serving() as (environment, _):
        upload(Path(os.devnull), environment)  # no photos: only the bucket is made
        for _ in range(rounds):
            for package, found in spent.items():
                command = [sys.executable, "-c", CLIENT, package, str(count)]
                end = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=True
                )
                found.append(json.loads(end.stdout))
    for package, found in spent.items():
        put, get = (1000 * statistics.median(each) for each in zip(*found, strict=True))
        print(f"{package:8} works {put:.2f} ms to put an object of 60 kB, {get:.2f} ms to get it")


def listing(count: int) -> None:
    """Print what listing generated objects takes."""
    with serving("--generated", str(count)) as (environment, process):
        command = [sys.executable, "-c", LISTING]
        end = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        server = seconds_of(process)
    sources, seconds, used, grown, peak = json.loads(end.stdout)
    print(
        f"{sources:,} objects listed in {seconds:.1f} s, of which augcli worked {used:.1f} s and "
        f"the server {server:.1f} s; memory grew by {grown / sources:.0f} bytes each, to "
        f"{peak / 1e6:.0f} MB"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--methods", default=",".join(METHODS), metavar="A,B")
    parser.add_argument("--servers", default=",".join(SERVERS), metavar="A,B")
    parser.add_argument("--data", type=Path, help="holds photos.tar; else photos are drawn")
    parser.add_argument("--list", type=int, default=0, help="list so many generated objects")
    given = parser.parse_args()
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}"
    )
    if given.list:
        listing(given.list)
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as work:
        if given.rounds:
            clients(given.rounds)
            (photos,) = prepare(SCENARIOS["photos"], [given.images], given.data, Path(work))
            for method in given.methods.split(","):
                rates(photos, method, given.servers.split(","), given.rounds, Path(work))


if __name__ == "__main__":
    main()

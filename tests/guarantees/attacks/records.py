"""run.json, parts and tables of OUT: taken from elsewhere, combined, wrapped in other ways."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from tests.guarantees.attacks.registry import each
from tests.guarantees.test_attacks import change_parts

if TYPE_CHECKING:
    from tests.guarantees.attacks.arena import Arena

TABLES = ("run.json", "metadata.csv", "classes.txt", "parts.jsonl.gz", "README.md")


def _other(arena: Arena, *more: object) -> Any:
    """Return the OUT of another command, beside the arena's."""
    other = arena.folder / "other"
    arena.run(*arena.cutout[:-1], other, *more, code=0, changes=(other,))
    return other


@each(record="run.json", parts="parts.jsonl.gz", table="metadata.csv", classes="classes.txt")
def file_of_another_seed(arena: Arena, name: str) -> None:
    arena.run(*arena.cutout, code=0)
    other = _other(arena, "--seed", 1)
    shutil.copy(other / name, arena.out / name)
    if name != "classes.txt":  # the same for both
        arena.run("verify", arena.out, code={1, 2})
    end = arena.run(*arena.cutout)
    if end.code == 0:
        arena.is_clean()
        arena.verify()
    else:
        arena.check("refused, and says how to start over", end.code == 2, end.err)
        again = arena.run(*arena.cutout, "--overwrite")
        if again.code == 0:
            arena.is_clean()


def parts_of_another_set(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    shutil.copytree(arena.photos, arena.folder / "more")
    for path in (arena.folder / "more").rglob("*.jpg"):
        path.unlink()
    other = arena.folder / "other"
    words = ("cutout", arena.folder / "more", *arena.cutout[2:-1], other)
    arena.run(*words, code=0, changes=(other,))
    shutil.copy(other / "parts.jsonl.gz", arena.out)
    arena.run("verify", arena.out, code=1)
    arena.recovers()


def loose_parts_of_another_output(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    other = _other(arena, "--copies", 2)
    lines = gzip.decompress((other / "parts.jsonl.gz").read_bytes()).splitlines(keepends=True)
    (arena.out / ".augcli/parts").mkdir(parents=True)
    for body, checksum in zip(lines[::2], lines[1::2], strict=True):
        name = json.loads(body)["shard"]
        (arena.out / ".augcli/parts" / f"{name}.json").write_bytes(body + checksum)
    end = arena.run(*arena.cutout)
    if end.code == 0:
        arena.is_clean()
        arena.verify()


@each(
    members=lambda data: (
        gzip.compress(gzip.decompress(data)[:100]) + gzip.compress(gzip.decompress(data)[100:])
    ),
    garbage=lambda data: data + b"garbage",
    zeros=lambda data: data + bytes(4096),
    plain=gzip.decompress,
    twice=lambda data: data + data,
    nested=gzip.compress,
    empty=lambda _: b"",
    empty_member=lambda data: gzip.compress(b"") + data,
    newlines=lambda data: gzip.compress(gzip.decompress(data).replace(b"\n", b"\r\n")),
    reversed=lambda data: gzip.compress(b"\n".join(gzip.decompress(data).splitlines()[::-1])),
)
def folded_parts_in_another_wrapping(arena: Arena, change: Any) -> None:
    arena.run(*arena.cutout, code=0)
    path = arena.out / "parts.jsonl.gz"
    path.write_bytes(change(path.read_bytes()))
    arena.run("verify", arena.out)
    arena.run("status", arena.out)
    arena.recovers()


def folded_parts_that_are_a_bomb(arena: Arena) -> None:
    """Ten gigabytes of zeros, in 10 MB."""
    arena.run(*arena.cutout, code=0)
    member = gzip.compress(bytes(1 << 26), 9)
    (arena.out / "parts.jsonl.gz").write_bytes(member * 160)
    limit = "ulimit -v 4000000"
    arena.run("verify", arena.out, shell=limit)
    arena.run(*arena.cutout, shell=limit)
    arena.recovers()


@each(hard="hard", symbolic="symbolic")
def tables_are_links_to_those_of_another_output(arena: Arena, kind: str) -> None:
    arena.run(*arena.cutout, code=0)
    other = _other(arena)
    for name in TABLES:
        if not (other / name).exists():
            continue
        (arena.out / name).unlink()
        if kind == "hard":
            os.link(other / name, arena.out / name)
        else:
            (arena.out / name).symlink_to(other / name)
    arena.run("verify", arena.out)
    arena.run("status", arena.out)
    arena.run(*arena.cutout)
    arena.run(*arena.cutout, "--overwrite", "--seed", 3)


@each(
    size=lambda part: part["made"][0].__setitem__(1, 2**62),
    height=lambda part: part["made"][0][3].__setitem__(-2, 10**9),
    twice=lambda part: part["made"].append(part["made"][0]),
    unsorted=lambda part: part["made"].reverse(),
    nothing=lambda part: part.update(made=[], sources={}),
    obsolete_is_made=lambda part: part.update(obsolete=[part["made"][0][3][0]]),
    foreign_source=lambda part: part["made"][0][3].__setitem__(2, "../precious/1"),
    failed_too=lambda part: part["failed"].append(
        [part["made"][0][0], ["cat/000.jpg", "decode", "x"]]
    ),
    stamps=lambda part: part.update(sources=dict.fromkeys(part["sources"], "0:0")),
    other_fingerprint=lambda part: part.update(fingerprint="0" * 32),
    other_command=lambda part: part.update(command="0" * 32),
    many_obsolete=lambda part: part.update(
        obsolete=[f"cat/x-{number:08x}-cutout-0.jpg" for number in range(100_000)]
    ),
)
def parts_that_lie(arena: Arena, change: Any) -> None:
    arena.run(*arena.cutout, code=0)
    change_parts(arena.out, change)
    arena.run("verify", arena.out)
    arena.run("status", arena.out)
    end = arena.run(*arena.cutout)
    if end.code != 2:
        found = arena.verify(code={0, 1})
        arena.check("no output is lost", len(list(arena.out.rglob("*-cutout-0.*"))) == 7, found.err)


@each(
    state=lambda record: record.update(state="running"),
    jobs=lambda record: record.update(jobs=2**62),
    counts=lambda record: record.update(counts={"images": 10**18}),
    folders=lambda record: record.update(folders=["../..", "/", "x" * 10_000]),
    many_folders=lambda record: record.update(folders=[f"class{n}" for n in range(200_000)]),
    mean=lambda record: record.update(mean_colour=[255, 255, 255]),
    level=lambda record: record.update(white_level=0),
    version=lambda record: record.update(augcli="999.0\x1b[31m"),
    versions=lambda record: record.update(versions={"numpy\n": "\u202e9"}),
    refused=lambda record: record.update(refused="\0"),
    more=lambda record: record.update(surprise={"a": [1]}),
)
def record_that_lies(arena: Arena, change: Any) -> None:
    arena.run(*arena.cutout, code=0)
    record = json.loads((arena.out / "run.json").read_bytes())
    change(record)
    (arena.out / "run.json").write_text(json.dumps(record))
    for words in (("verify", arena.out), ("status", arena.out), arena.cutout):
        end = arena.run(*words)
        arena.check("no control character reaches the terminal", "\x1b" not in end.err + end.out)


@each(
    bom=lambda data: b"\xef\xbb\xbf" + data,
    crlf=lambda data: data.replace(b"\n", b"\r\n"),
    cr=lambda data: data.replace(b"\n", b"\r"),
    utf16=lambda data: data.decode().encode("utf-16"),
    twice=lambda data: data + data,
    header_only=lambda data: data.splitlines()[0] + b"\n",
    empty=lambda _: b"",
    nul=lambda data: data.replace(b",", b",\0", 1),
    quote=lambda data: data + b'"never closed,',
    columns=lambda data: b",".join([b"a"] * 1_000_000) + b"\n" + data,
    shuffled=lambda data: b"\n".join([data.splitlines()[0], *data.splitlines()[:0:-1]]) + b"\n",
)
def table_in_another_wrapping(arena: Arena, change: Any) -> None:
    arena.run(*arena.cutout, code=0)
    path = arena.out / "metadata.csv"
    path.write_bytes(change(path.read_bytes()))
    arena.run("verify", arena.out, code={1, 2})
    arena.recovers()
    arena.run("cutout", arena.out, "--out", arena.folder / "b", changes=(arena.folder / "b",))

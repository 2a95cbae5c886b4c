"""OUT: what lies in it before a run, what it is, and how it is named."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.guarantees.attacks.registry import each
from tests.guarantees.attacks.system import AS_OTHER, OTHER, disk, is_root
from tests.photos import tree

if TYPE_CHECKING:
    from tests.guarantees.attacks.arena import Arena


def class_folder_became_a_file(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    shutil.rmtree(arena.out / "cat")
    (arena.out / "cat").write_bytes(b"mine")
    arena.run(*arena.cutout, code={2, 3})
    arena.check("the file stays", (arena.out / "cat").read_bytes() == b"mine")
    (arena.out / "cat").unlink()
    arena.recovers()


@each(file="file", fifo="fifo", socket="socket", folder="folder")
def output_became_something_else(arena: Arena, kind: str) -> None:
    arena.run(*arena.cutout, code=0)
    victim = min((arena.out / "cat").iterdir())
    victim.unlink()
    if kind == "file":
        victim.write_bytes(b"no picture")
    elif kind == "fifo":
        os.mkfifo(victim)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            folder = os.open(arena.out / "cat", os.O_RDONLY)
            server.bind(f"/proc/self/fd/{folder}/{victim.name}")
            os.close(folder)
    else:
        victim.mkdir()
        (victim / "mine.txt").write_bytes(b"mine")
    arena.run("verify", arena.out, code=1)
    end = arena.run(*arena.cutout)
    if kind == "folder":
        arena.check("the folder's file stays", (victim / "mine.txt").exists(), end.err)
        shutil.rmtree(victim)
    arena.recovers()


@each(run_json="run.json", table="metadata.csv", parts="parts.jsonl.gz", classes="classes.txt")
def table_became_a_folder(arena: Arena, name: str) -> None:
    arena.run(*arena.cutout, code=0)
    (arena.out / name).unlink()
    (arena.out / name).mkdir()
    (arena.out / name / "mine.txt").write_bytes(b"mine")
    for words in (arena.cutout, (*arena.cutout, "--overwrite"), ("verify", arena.out)):
        arena.run(*words, code={0, 1, 2, 3})
        arena.check("its file stays", (arena.out / name / "mine.txt").exists())


@each(output="output", table="metadata.csv", record="run.json")
def hard_link_to_a_source(arena: Arena, kind: str) -> None:
    arena.run(*arena.cutout, code=0)
    source = min((arena.photos / "cat").iterdir())
    victim = min((arena.out / "cat").iterdir()) if kind == "output" else arena.out / kind
    victim.unlink()
    os.link(source, victim)
    arena.run(*arena.cutout)
    arena.run(*arena.cutout, "--overwrite", "--seed", 1)
    if kind == "record":
        victim.unlink()


def hard_link_of_every_output_to_its_copy(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    shutil.copytree(arena.out, arena.folder / "kept", copy_function=os.link)
    kept = tree(arena.folder / "kept")
    arena.run(*arena.cutout, "--overwrite", "--seed", 1, code=0)
    arena.check("linked files are not written through", tree(arena.folder / "kept") == kept)


def sparse_output(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    victim = min((arena.out / "cat").iterdir())
    size = victim.stat().st_size
    os.truncate(victim, 0)
    os.truncate(victim, size)
    arena.run("verify", arena.out, code=1)
    victim.unlink()
    arena.recovers()


def output_of_a_tebibyte(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    victim = min((arena.out / "cat").iterdir())
    os.truncate(victim, 1 << 40)
    arena.run("verify", arena.out, code=1)
    arena.recovers()


@each(immutable="i", append_only="a")
def attributes_of_a_file(arena: Arena, letter: str) -> None:
    arena.run(*arena.cutout, code=0)
    victim = min((arena.out / "cat").iterdir())
    if subprocess.run(
        ["chattr", f"+{letter}", victim], check=False, capture_output=True
    ).returncode:
        arena.checks.clear()
        return
    try:
        arena.run(*arena.cutout, "--overwrite", "--seed", 1, code=3)
    finally:
        subprocess.run(["chattr", f"-{letter}", victim], check=True)
    arena.run(*arena.cutout, "--overwrite", code=0)
    arena.is_clean()
    arena.verify()


def immutable_class_folder(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    for path in (arena.out / "cat").iterdir():
        path.unlink()
    change = ["chattr", "+i", str(arena.out / "cat")]
    if subprocess.run(change, check=False, capture_output=True).returncode:
        arena.checks.clear()
        return
    try:
        arena.run(*arena.cutout, code=3)
    finally:
        subprocess.run(["chattr", "-i", str(arena.out / "cat")], check=True)
    arena.recovers()


@each(
    bytes="size=16k",
    few_inodes="nr_inodes=8",
    some_inodes="nr_inodes=13",
    read_only="size=1m,ro",
)
def small_disk(arena: Arena, options: str) -> None:
    with disk(arena.folder / "disk", options) as mounted:
        if mounted:
            out = arena.folder / "disk/out"
            skipped = (arena.folder / "disk",)
            command = (*arena.cutout[:-1], out)
            arena.run(*command, code={2, 3}, changes=skipped)
            place = str(arena.folder / "disk")
            again = "remount,rw,size=16m,nr_inodes=1000"
            subprocess.run(["mount", "-o", again, place], check=True)
            arena.run(*command, code=0, changes=skipped)
            arena.is_clean(out=out)


def small_disk_of_heat_maps(arena: Arena) -> None:
    with disk(arena.folder / "disk", "size=8k") as mounted:
        if mounted:
            maps = arena.folder / "disk/m.npz"
            words = ("heatmaps", arena.photos, "--workers", 0, "--out", maps)
            arena.run(
                *words, "--overlay", arena.folder / "disk/shown", code=3, changes=(maps.parent,)
            )
            arena.check("no unfinished file", not maps.exists())


@each(
    dot="out.",
    space="out ",
    option="-out",
    help="--help",
    newline="o\nut",
    escape="o\x1b[31mut",
    bidi="o\u202eut",
    glob="*?[a]",
    long="o" * 255,
    longer="o" * 256,
    tilde="~",
    url="s3:bucket",
    hidden=".out",
    not_utf8=b"o\xffut",
)
def name_of_out(arena: Arena, name: str | bytes) -> None:
    out = os.fsencode(arena.folder) + b"/" + os.fsencode(name)
    place = Path(os.fsdecode(out))
    end = arena.run(*arena.cutout[:-1], out, changes=(place,))
    arena.check("the terminal gets no control character", "\x1b" not in end.err)
    if end.code == 0:
        arena.is_clean(out=place)
    else:
        arena.check("too long, or not UTF-8", name in ("o" * 256, b"o\xffut"), end.err)


@each(
    option=("-o",),
    dashes=("--", "--out"),
    equals=("--out=",),
)
def out_that_looks_like_an_option(arena: Arena, words: tuple[str, ...]) -> None:
    before = arena.surroundings()
    arena.run(*arena.cutout[:-2], *words, code=2)
    arena.check("nothing is made", before == arena.surroundings())


@each(deep=4000, deeper=5000)
def path_of_out(arena: Arena, length: int) -> None:
    out = os.fspath(arena.folder / "d")
    while len(out) < length:
        out += "/" + "d" * 200
    arena.run(*arena.cutout[:-1], out, code={0, 1, 2, 3}, changes=(arena.folder / "d",))


@each(
    file="precious/1",
    file_below="precious/1/out",
    root="/",
    null="/dev/null",
    proc="/proc/self",
    sys="/sys/out",
    input="photos",
    parent=".",
    foreign="precious",
    nothing="",
)
def place_of_out(arena: Arena, place: str) -> None:
    arena.run(*arena.cutout[:-1], place, code={2, 3})


@each(
    dangling="nowhere",
    itself="link",
    to_file="precious/1",
    to_input="photos",
    to_foreign="precious",
)
def out_is_a_link(arena: Arena, target: str) -> None:
    link = arena.folder / "link"
    link.symlink_to(arena.folder / target)
    nowhere = arena.folder / "nowhere"
    end = arena.run(*arena.cutout[:-1], link, changes=(nowhere,))
    arena.check("only a free place is used", end.code in (2, 3) or target == "nowhere", end.err)


def out_is_a_link_to_an_output(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    (arena.folder / "link").symlink_to(arena.out)
    arena.run(*arena.cutout[:-1], arena.folder / "link", code=0)
    arena.is_clean()


def out_on_another_file_system(arena: Arena) -> None:
    with disk(arena.folder / "disk", "size=8m") as mounted:
        if mounted:
            words = (*arena.cutout[:-1], arena.folder / "disk/out")
            arena.run(*words, code=0, changes=(arena.folder / "disk",))
            arena.is_clean(out=arena.folder / "disk/out")


def class_folder_on_another_file_system(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    shutil.rmtree(arena.out / "cat")
    with disk(arena.out / "cat", "size=8m") as mounted:
        if mounted:
            end = arena.run(*arena.cutout, code={0, 3})
            arena.check("made, or stopped by the surroundings", end.code in (0, 3), end.err)


def out_is_owned_by_another_user(arena: Arena) -> None:
    if not is_root():
        return
    arena.run(*arena.cutout, code=0)
    arena.run(*arena.cutout, "--overwrite", "--seed", 1, code={2, 3}, shell=AS_OTHER)
    arena.recovers()


def read_only_class_folder(arena: Arena) -> None:
    if not is_root():
        return
    arena.run(*arena.cutout, code=0)
    for path in (arena.out, *arena.out.rglob("*")):
        os.chown(path, OTHER, OTHER)
    (arena.out / "cat").chmod(0o555)
    arena.run(*arena.cutout, "--overwrite", "--seed", 1, code=3, shell=AS_OTHER)
    (arena.out / "cat").chmod(0o755)
    arena.run(*arena.cutout, "--overwrite", code=0, shell=AS_OTHER)
    arena.is_clean()


@each(lower=("cat", "CAT"), folded=("straße", "STRASSE"), forms=("caf\u00e9", "cafe\u0301"))
def classes_that_differ_little(arena: Arena, names: tuple[str, str]) -> None:
    for label, name in zip(("cat", "dog"), names, strict=True):
        (arena.photos / label).rename(arena.photos / f"new-{name}")
    end = arena.run(*arena.cutout, code=0)
    arena.check("all are made", len(list(arena.out.rglob("*-cutout-*"))) == 7, end.err)
    arena.verify()


def folder_of_an_output_was_renamed(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    (arena.out / "cat").rename(arena.out / "tiger")
    arena.run("verify", arena.out, code=1)
    end = arena.run(*arena.cutout)
    arena.check("made, or the message says why not", end.code in (0, 2), end.err)
    arena.check("its outputs are there", len(list(arena.out.glob("cat/*"))) == 4, end.err)


def out_was_moved(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    arena.out.rename(arena.folder / "moved")
    (arena.folder / "moved").rename(arena.out)
    arena.recovers()


def input_was_moved(arena: Arena) -> None:
    arena.run(*arena.cutout, code=0)
    arena.photos.rename(arena.folder / "pictures")
    words = (arena.cutout[0], arena.folder / "pictures", *arena.cutout[2:])
    arena.run(*words, code=2, says="input was")
    arena.run("verify", arena.out, "--against", arena.folder / "pictures", code=0)


def leftovers_of_a_hundred_runs(arena: Arena) -> None:
    """Temporary files as killed runs leave them."""
    arena.run(*arena.cutout, code=0)
    temporary = arena.out / ".augcli/tmp"
    temporary.mkdir(parents=True)
    for number in range(100):
        # No process has such a number.
        (temporary / f"{os.uname().nodename}~{2**23 + number}~00~0").write_bytes(b"half")
    arena.recovers()
    arena.check("they are gone", not (arena.out / ".augcli").exists())


def nobody_may_write_temporary_files(arena: Arena) -> None:
    (arena.out / ".augcli").mkdir(parents=True)
    (arena.out / ".augcli/tmp").write_bytes(b"mine")
    arena.run(*arena.cutout, code={2, 3})
    (arena.out / ".augcli/tmp").unlink()
    arena.recovers()

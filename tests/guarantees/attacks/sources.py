"""INPUT: its names, links, times and owners, and sources that change while they are read."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from typing import TYPE_CHECKING

from tests.guarantees.attacks.registry import each
from tests.guarantees.attacks.system import OTHER, WITHOUT_RIGHTS, is_root
from tests.photos import picture, save

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.guarantees.attacks.arena import Arena


@each(
    before_1970=-1,
    long_before=-(2**31),
    epoch=0,
    after_2038=2**31 + 1,
    after_2106=2**32 + 1,
    in_2100=4_102_444_800,
    late=15_000_000_000,
)
def time_of_sources(arena: Arena, seconds: int) -> None:
    for path in (*arena.photos.rglob("*"), arena.photos):
        os.utime(path, (seconds, seconds))
    arena.run(*arena.cutout, code=0)
    arena.recovers()


@each(
    newline="a\nb.png",
    escape="\x1b[31mred.png",
    bidi="\u202egnp.png",
    option="--out.png",
    space=" a .png",
    dot="a..png",
    quote="\"a',;.png",
    formula="=cmd|' -C calc'!A0.png",
    long="x" * 251 + ".png",
    emoji="\U0001f98a.png",
    zero_width="a\u200bb.png",
    not_utf8=b"\xff\xfe.png",
    backslash="a\\b.png",
    reserved="CON.png",
    forms="e\u0301.png",
    noncharacter="\uffff.png",
    own="cat-b2ae7f79-cutout-0.png",
)
def name_of_a_source(arena: Arena, name: str | bytes) -> None:
    made = save(arena.photos / "cat/new.png", picture(5, 30, 30))
    os.rename(made, os.fsencode(arena.photos / "cat") + b"/" + os.fsencode(name))
    if name == "e\u0301.png":
        save(arena.photos / "cat/\u00e9.png", picture(6, 30, 30))
    end = arena.run(*arena.cutout, code=1 if isinstance(name, bytes) else 0)
    arena.check("the terminal gets no control character", "\x1b" not in end.err + end.out)
    arena.verify()
    arena.recovers()


@each(
    escape="\x1b[2Jred",
    newline="a\nb",
    option="-o",
    dots="...",
    own="metadata.csv",
    record="run.json",
    long="c" * 255,
    comma="a,b",
    device="nul",
    table="parts.jsonl.gz",
    state=".augcli",
    backslash="a\\..\\b",
)
def name_of_a_class(arena: Arena, name: str) -> None:
    (arena.photos / "cat").rename(arena.photos / name)
    end = arena.run(*arena.cutout)
    arena.check("the terminal gets no control character", "\x1b" not in end.err + end.out)
    if end.code == 0:
        arena.verify()
        arena.is_clean()


def _linked(arena: Arena, kind: str) -> tuple[object, ...]:
    """Put a link into INPUT and return options."""
    place = arena.photos / "cat/link"
    if kind == "cycle":
        place.symlink_to(arena.photos)
    elif kind == "out":
        place.symlink_to(arena.out)
    elif kind == "itself":
        place.symlink_to(place)
    elif kind == "proc":
        place.symlink_to("/proc/self/fdinfo")
    elif kind == "descriptors":
        place.symlink_to("/dev/fd")
    elif kind == "zero":
        place.with_suffix(".jpg").symlink_to("/dev/zero")
    elif kind == "memory":
        place.with_suffix(".jpg").symlink_to("/proc/self/mem")
    elif kind == "chain":
        target = arena.photos / "cat/000.jpg"
        for number in range(50):
            link = arena.photos / f"cat/link{number}.jpg"
            link.symlink_to(target)
            target = link
    return ("--follow-links",)


@each(
    cycle="cycle",
    out="out",
    itself="itself",
    proc="proc",
    descriptors="descriptors",
    zero="zero",
    memory="memory",
    chain="chain",
)
def link_in_input(arena: Arena, kind: str) -> None:
    more = _linked(arena, kind)
    arena.run(*arena.cutout, code={0, 1})
    arena.verify()
    arena.run(*arena.cutout, *more, "--overwrite", "--max-bytes", 1 << 20)
    arena.run(*arena.cutout, *more, "--overwrite", "--max-bytes", 1 << 20)


def input_is_a_link(arena: Arena) -> None:
    (arena.folder / "link").symlink_to(arena.photos)
    words = ("cutout", arena.folder / "link", *arena.cutout[2:])
    arena.run(*words, code=0)
    arena.is_clean()
    arena.recovers()


@each(
    file="precious/1",
    missing="nowhere",
    null="/dev/null",
    dash="-",
    descriptor="/dev/fd/0",
    process="/proc/self/fdinfo",
    loop="link",
    nothing="",
    option="--nothing",
    empty="empty",
)
def place_of_input(arena: Arena, place: str) -> None:
    (arena.folder / "link").symlink_to(arena.folder / "link")
    (arena.folder / "empty").mkdir()
    # Without a place, INPUT is the current folder.
    arena.run("cutout", place, *arena.cutout[2:], code=2, cwd=arena.folder / "empty")
    arena.check("no OUT is made", not arena.out.exists())


def hard_links_among_sources(arena: Arena) -> None:
    for number in range(5):
        os.link(arena.photos / "cat/000.jpg", arena.photos / f"dog/link{number}.jpg")
    arena.run(*arena.cutout, code=0)
    arena.recovers()


@each(fifo="fifo", socket="socket", device="device", folder="folder")
def special_source(arena: Arena, kind: str) -> None:
    place = arena.photos / "cat/zzz.jpg"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(place))
    elif kind == "device":
        if not is_root():
            return
        os.mknod(place, 0o020666, os.makedev(1, 5))  # /dev/zero
    else:
        place.mkdir()
    arena.run(*arena.cutout, code={0, 1})
    arena.verify()


@each(holes="holes", empty="empty", zeros="zeros", one_byte="byte")
def source_of_nothing(arena: Arena, kind: str) -> None:
    place = arena.photos / "cat/zzz.jpg"
    place.write_bytes({"byte": b"\xff", "zeros": bytes(9000)}.get(kind, b""))
    if kind == "holes":
        data = (arena.photos / "cat/000.jpg").read_bytes()
        place.write_bytes(data[:200])
        os.truncate(place, 200 + 3 * (1 << 30))
    arena.run(*arena.cutout, code=1)
    arena.verify()
    place.unlink()
    arena.recovers()


def _while_running(arena: Arena, change: Callable[[int], None], *more: object) -> None:
    """Run with two workers while something happens to INPUT or OUT again and again."""
    stop = threading.Event()

    def busy() -> None:
        number = 0
        while not stop.is_set():
            change(number)
            number += 1
            stop.wait(0.001)

    words = (*arena.cutout, "--copies", 20, "--workers", 2, *more)
    process = arena.start(*words)
    thread = threading.Thread(target=busy)
    thread.start()
    try:
        arena.end(process, code={0, 1, 2, 3})
    finally:
        stop.set()
        thread.join()


def _repaired(arena: Arena, data: dict[Path, bytes]) -> None:
    for path, content in data.items():
        path.write_bytes(content)
    words = (*arena.cutout, "--copies", 20)
    arena.run(*words, code={0, 1})
    arena.is_clean(*words[:-4], "--copies", 20)
    arena.verify()


@each(grows="grows", shrinks="shrinks", flickers="flickers", swaps="swaps", rewritten="rewritten")
def source_changes_all_the_time(arena: Arena, kind: str) -> None:
    first, second = (arena.photos / "cat" / name for name in ("000.jpg", "002.jpg"))
    data = {path: path.read_bytes() for path in (first, second)}

    def change(number: int) -> None:
        if kind == "grows":
            with first.open("ab") as file:
                file.write(b"more")
        elif kind == "shrinks":
            os.truncate(first, max(0, len(data[first]) - number))
        elif kind == "flickers":
            first.unlink(missing_ok=True)
            first.write_bytes(data[first])
        elif kind == "swaps":
            spare = arena.photos / "cat/spare"
            first.rename(spare)
            second.rename(first)
            spare.rename(second)
        else:
            first.write_bytes(data[second if number % 2 else first])

    _while_running(arena, change)
    _repaired(arena, data)


def source_becomes_a_link_to_a_secret(arena: Arena) -> None:
    """Swapped between listing and reading: nothing outside INPUT is read."""
    first = arena.photos / "cat/000.jpg"
    data = first.read_bytes()
    secret = save(arena.folder / "secret.jpg", picture(77, 30, 30))

    def change(number: int) -> None:
        new = arena.photos / "cat/new"
        if number % 2:
            new.symlink_to(secret)
        else:
            new.write_bytes(data)
        new.replace(first)

    _while_running(arena, change)
    first.unlink(missing_ok=True)
    _repaired(arena, {first: data})


def class_folder_is_renamed_to_and_fro(arena: Arena) -> None:
    def change(number: int) -> None:
        here, there = arena.photos / "dog", arena.folder / "away"
        source, target = (here, there) if number % 2 else (there, here)
        if source.exists():
            source.rename(target)

    _while_running(arena, change)
    if (arena.folder / "away").exists():
        (arena.folder / "away").rename(arena.photos / "dog")
    _repaired(arena, {})


def _crossed(arena: Arena, change: Callable[[], None]) -> None:
    words = (*arena.cutout, "--copies", 100, "--workers", 2)
    process = arena.start(*words)
    arena.wait(lambda: any(arena.out.glob("cat/*")), "the first output is made")
    change()
    arena.end(process, code={0, 1, 3})


@each(removed="removed", renamed="renamed", replaced="replaced")
def input_goes_during_a_run(arena: Arena, kind: str) -> None:
    copy = arena.folder / "copy"
    shutil.copytree(arena.photos, copy)

    def change() -> None:
        if kind == "removed":
            shutil.rmtree(arena.photos)
        else:
            arena.photos.rename(arena.folder / "away")
        if kind == "replaced":
            arena.photos.mkdir()

    _crossed(arena, change)
    shutil.rmtree(arena.photos, ignore_errors=True)
    copy.rename(arena.photos)
    words = (*arena.cutout, "--copies", 100)
    arena.run(*words, code={0, 1})
    arena.is_clean(*words[:-4], "--copies", 100)


@each(removed="removed", renamed="renamed", replaced="replaced", emptied="emptied")
def out_goes_during_a_run(arena: Arena, kind: str) -> None:
    away = arena.folder / "away"

    def change() -> None:
        if kind == "emptied":
            for path in arena.out.iterdir():
                shutil.rmtree(path, ignore_errors=True)
        else:
            arena.out.rename(away)
        if kind == "replaced":
            shutil.copytree(arena.precious, arena.out)
        if kind == "removed":
            shutil.rmtree(away, ignore_errors=True)

    _crossed(arena, change)
    if kind == "replaced":
        arena.check(
            "nothing is written into the folder that came",
            {path.name for path in arena.out.iterdir()}
            == {p.name for p in arena.precious.iterdir()},
        )


@each(folder=0o000, list_only=0o400, enter_only=0o100)
def folder_that_may_not_be_read(arena: Arena, mode: int) -> None:
    if not is_root():
        return
    os.chown(arena.photos / "cat", OTHER, OTHER)
    (arena.photos / "cat").chmod(mode)
    arena.run(*arena.cutout, shell=WITHOUT_RIGHTS)
    (arena.photos / "cat").chmod(0o755)
    arena.recovers()


def folder_of_the_run_before_may_not_be_read(arena: Arena) -> None:
    if not is_root():
        return
    arena.run(*arena.cutout, code=0)
    os.chown(arena.photos / "cat", OTHER, OTHER)
    (arena.photos / "cat").chmod(0)
    arena.run(*arena.cutout, code=3, shell=WITHOUT_RIGHTS)
    (arena.photos / "cat").chmod(0o755)
    arena.is_clean()


def sources_that_may_not_be_read(arena: Arena) -> None:
    if not is_root():
        return
    for path in arena.photos.rglob("*.jpg"):
        os.chown(path, OTHER, OTHER)
        path.chmod(0)
    arena.run(*arena.cutout, code=1, shell=WITHOUT_RIGHTS)
    for path in arena.photos.rglob("*.jpg"):
        path.chmod(0o644)
    arena.run(*arena.cutout, code=0, shell=WITHOUT_RIGHTS)
    arena.is_clean()


def input_inside_out_by_a_link(arena: Arena) -> None:
    arena.out.mkdir()
    (arena.out / "photos").symlink_to(arena.photos)
    arena.run("cutout", arena.out / "photos", *arena.cutout[2:], code={2, 3})


def ten_thousand_empty_classes(arena: Arena) -> None:
    for number in range(10_000):
        (arena.photos / f"c{number}").mkdir()
    arena.run(*arena.cutout, code=0)
    arena.verify()

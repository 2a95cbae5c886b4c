"""Words of the command line: every option at its bounds, past them, and of other types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guarantees.attacks.registry import each

if TYPE_CHECKING:
    from tests.guarantees.attacks.arena import Arena

NUMBERS = (
    *("", " ", "nan", "inf", "-inf", "1e400", "-1e400", "-1", "0", "1", "0x10", "1_0", "1,5"),
    *("9" * 400, "-" + "9" * 400, "9" * 5000, "2147483648", "18446744073709551616", "\u0661"),
    *("1e-320", "true", "None", "[1]", "--", "-", "0.1.2", "\u202e1", "1\n"),
)
LARGE = {"--copies", "--size", "--max-pixels", "--workers", "--holes", "--limit"}
"""Options whose large values are right and take long."""


@each(
    copies="--copies",
    prob="--prob",
    quality="--quality",
    png_level="--png-level",
    seed="--seed",
    limit="--limit",
    max_pixels="--max-pixels",
    max_bytes="--max-bytes",
    workers="--workers",
    timeout="--timeout",
    max_errors="--max-errors",
    white_level="--white-level",
    patch="--patch",
    holes="--holes",
    keep_top="--keep-top",
    size="--size",
    fill="--fill",
    background="--background",
    format="--format",
    device="--device",
)
def option_of_any_value(arena: Arena, option: str) -> None:
    """All values in one process: what starts Python costs most."""
    values = [value for value in NUMBERS if option not in LARGE or len(value) < 10]
    code = f"""
import contextlib, io, sys
from augcli.cli.app import main
for value in {values!r}:
    sys.argv = ["augcli", *{_words(arena)!r}, {option!r}, value, "--overwrite", "--dry-run"]
    error = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    print(code, ascii(value[:40]))
    sys.stdout.flush()
"""
    end = arena.python(code)
    ends = [line.split(" ", 1) for line in end.out.splitlines() if line[:1].isdigit()]
    arena.check("every value ends the command", len(ends) == len(values), end.out + end.err)
    wrong = [value for number, value in ends if number not in ("0", "2")]
    arena.check("each is used or refused", not wrong, f"{wrong}: {end.err}")
    arena.check("nothing is made", not arena.out.exists())


def _words(arena: Arena) -> list[str]:
    return [str(word) for word in arena.cutout]


@each(
    out="--out",
    labels="--labels",
    config="--config",
    model="--model",
    heatmaps="--heatmaps",
)
def path_of_any_value(arena: Arena, option: str) -> None:
    method = ("--at", "attended") if option in ("--model", "--heatmaps") else ()
    for value in (
        "",
        ".",
        "..",
        "/",
        "~",
        "-",
        "x" * 300,
        "a/" * 3000,
        "\n",
        "\x1b[31m",
        "s3://b/c",
    ):
        words = (*arena.cutout, *method, option, value, "--dry-run")
        end = arena.run(*words, code={0, 1, 2, 3})
        arena.check("the terminal gets no control character", "\x1b" not in end.err + end.out)


@each(
    megabyte=("cutout", "x" * 130_000),
    many=("cutout", *["--seed", "1"] * 10_000),
    many_places=("cutout", *["a"] * 10_000),
    unknown=("cutout", "--nothing"),
    unknown_command=("\x1b[31mcutout",),
    command_case=("CUTOUT",),
    no_words=(),
    empty_word=("",),
    dashes=("--",),
    short=("cutout", "-oooo"),
    response=("@file",),
    cut_option=("cutout", "--see", "1"),
    no_prefix=("cutout", "--no-seed"),
    abbreviation=("cut",),
    not_utf8=("cutout", b"--\xff"),
    help_unknown=("nothing", "--help"),
    version_more=("--version", "more"),
    debug=("cutout", "nowhere", "--debug"),
    json=("cutout", "nowhere", "--json"),
    deep=("recipe", "recipe", "recipe"),
    completion=("--show-completion",),
)
def words(arena: Arena, given: tuple[str | bytes, ...]) -> None:
    # Without INPUT it is the current folder.
    (arena.folder / "empty").mkdir()
    before = arena.surroundings()
    end = arena.run(*given, code={0, 2}, cwd=arena.folder / "empty")
    if "--debug" in given:
        # Its traceback was asked for.
        arena.checks[:] = [check for check in arena.checks if "traceback" not in check.what]
        arena.check("the sentence comes too", "augcli: " in end.err, end.err)
    arena.check("nothing is made", before == arena.surroundings() and not arena.out.exists())
    arena.check("the terminal gets no control character", "\x1b" not in end.err, end.err)
    arena.check("the message is short", len(end.err) < 25_000, len(end.err))


@each(
    copies=("AUGCLI_COPIES", "many"),
    out=("AUGCLI_OUT", ""),
    nothing=("AUGCLI_NOTHING", "1"),
    workers=("AUGCLI_WORKERS", "-1"),
    json=("AUGCLI_JSON", "maybe"),
    overwrite=("AUGCLI_OVERWRITE", "\x1b[31m"),
    config=("AUGCLI_CONFIG", "/dev/zero"),
    seed=("AUGCLI_SEED", "9" * 100_000),
    complete=("_AUGCLI_COMPLETE", "complete_zsh"),
    complete_unknown=("_AUGCLI_COMPLETE", "\n"),
    complete_bash=("_AUGCLI_COMPLETE", "complete_bash"),
)
def variable(arena: Arena, case: tuple[str, str]) -> None:
    from tests.command import environment

    name, value = case
    # Those that the command line sets are left to it.
    command: tuple[object, ...] = (
        *("cutout", arena.photos, "--fill", "black", "--out", arena.out),
    )
    if name == "AUGCLI_OUT":
        command = command[:-2]
    default = arena.folder / "photos-cutout"
    codes = {0, 1, 2} if name == "_AUGCLI_COMPLETE" else {0, 2}
    env = environment(**{name: value})
    end = arena.run(*command, code=codes, env=env, changes=(default,))
    arena.check("the terminal gets no control character", "\x1b" not in end.err, end.err)


@each(
    copies=("--copies", 10_000, "--limit", 1, "--dry-run"),
    workers=("--workers", 4096, "--limit", 2),
    quality=("--quality", 1, "--format", "jpg"),
    png_level=("--png-level", 9),
    timeout=("--timeout", 0.000001, "--workers", 1),
    timeout_longest=("--timeout", 1_000_000, "--workers", 1),
    seed=("--seed", 10**300),
    holes=("--holes", 10_000),
    patch=("--patch", 10**9),
    share=("--patch", 1e-300),
    max_pixels=("--max-pixels", 1),
    max_bytes=("--max-bytes", 1),
    prob=("--prob", 0),
    limit=("--limit", 10**18),
    size=("--size", "1x1"),
    max_errors=("--max-errors", 0, "--max-bytes", 1),
    keep=("--at", "background", "--keep-top", 49),
    fail=("--fail-fast", "--max-bytes", 1),
)
def option_at_its_bound(arena: Arena, more: tuple[object, ...]) -> None:
    command = (*arena.cutout, *more)
    end = arena.run(*command)
    if end.code == 0 and arena.out.exists():
        arena.verify()
        again = arena.run(*command, code=0)
        arena.check("nothing is left to do", "0 outputs" in again.err or again.code == 0)

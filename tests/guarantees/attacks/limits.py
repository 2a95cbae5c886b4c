"""Limits of the system, closed and broken streams, and an odd environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.command import environment
from tests.guarantees.attacks.registry import each
from tests.guarantees.attacks.system import AS_OTHER, OTHER, WITHOUT_RIGHTS, is_root

if TYPE_CHECKING:
    from tests.guarantees.attacks.arena import Arena


@each(
    files_8="ulimit -n 8",
    files_16="ulimit -n 16",
    files_24="ulimit -n 24",
    files_32="ulimit -n 32",
    files_64="ulimit -n 64",
    size_0="ulimit -f 0",
    size_1="ulimit -f 1",
    time_1="ulimit -t 1",
    memory_16="ulimit -v 16000",
    memory_200="ulimit -v 200000",
    memory_300="ulimit -v 300000",
    memory_400="ulimit -v 400000",
    memory_600="ulimit -v 600000",
    data="ulimit -d 50000",
    stack="ulimit -s 64",
    stack_all="ulimit -s unlimited",
    locked="ulimit -l 0",
    core="ulimit -c unlimited",
    queue="ulimit -q 0",
    pending="ulimit -i 0",
)
def limit(arena: Arena, shell: str) -> None:
    """A run, with workers and without, ends with a sentence or is made; then all is right."""
    for workers in (0, 2):
        arena.run(*arena.cutout, "--workers", workers, code={0, 3}, shell=shell)
    arena.run(
        "cutmix",
        arena.photos,
        "--out",
        arena.folder / "mixed",
        shell=shell,
        code={0, 1, 2, 3},
        changes=(arena.folder / "mixed",),
    )
    arena.recovers()


@each(processes_0=0, processes_1=1, processes_3=3)
def limit_of_processes(arena: Arena, count: int) -> None:
    """Of a user of its own: root has no such limit."""
    if not is_root():
        return
    arena.folder.chmod(0o777)
    user = AS_OTHER.replace(f"={OTHER}", f"={61_000 + count}")
    limited = user.replace('"$@"', f'bash -c \'ulimit -u {count}; exec "$@"\' - "$@"')
    arena.run(*arena.cutout, "--workers", 2, shell=limited, code={0, 3})
    arena.run(*arena.cutout, code=0, shell=user)
    arena.is_clean()


@each(
    all_closed="exec 0<&- 1>&- 2>&-",
    output_closed="exec 1>&-",
    error_closed="exec 2>&-",
    input_closed="exec 0<&-",
    output_full="exec 1>/dev/full",
    error_full="exec 2>/dev/full",
    both_full="exec 1>/dev/full 2>/dev/full",
    output_gone="exec 1> >(exit 0); sleep 0.2",
    error_gone="exec 2> >(exit 0); sleep 0.2",
    both_gone="exec > >(exit 0) 2>&1; sleep 0.2",
    read_only="exec 1</dev/null 2</dev/null",
    same_as_input="exec 1<>photos/cat/000.jpg.txt",
    many_open='for n in {10..60}; do eval "exec $n</dev/null"; done',
)
def streams(arena: Arena, shell: str) -> None:
    other = (arena.photos / "cat/000.jpg.txt",)
    for words in (
        (*arena.cutout, "--workers", 2),
        (*arena.cutout, "--json"),
        ("verify", arena.out),
        ("status", arena.out),
        ("--help",),
        ("--show-completion", "bash"),
        ("cutout", "nowhere"),
    ):
        code = {2} if "nowhere" in words else {0, 1, 3}
        arena.run(*words, code=code, shell=shell, changes=other, silent=True)
    arena.recovers()


def help_on_a_full_disk(arena: Arena) -> None:
    for words in (("--help",), ("--show-completion", "bash")):
        arena.run(*words, code=3, shell="exec 1>/dev/full", says="standard output can't be written")


@each(
    mask_777="umask 777",
    mask_000="umask 000",
    mask_277="umask 277",
    nice="renice -n 19 $$ >/dev/null",
    gone="mkdir gone; cd gone; rmdir ../gone",
    root="cd /",
    proc="cd /proc/self",
)
def place_of_the_process(arena: Arena, shell: str) -> None:
    """Another mask, priority or current folder."""
    if is_root() and "umask" in shell:
        shell += f"\n{WITHOUT_RIGHTS}"
    arena.run(*arena.cutout, "--workers", 2, code={0, 2, 3}, shell=shell)
    if arena.out.exists():
        arena.out.chmod(0o755)
        _make_readable(arena)
    arena.recovers()


def _make_readable(arena: Arena) -> None:
    """Give back what the mask took away, from the top down."""
    for folder, folders, names in os.walk(arena.out):
        for name in (*folders, *names):
            path = arena.out / folder / name
            path.chmod(0o755 if name in folders else 0o644)


@each(
    optimised={"PYTHONOPTIMIZE": "2"},
    hash_seed={"PYTHONHASHSEED": "4294967295"},
    hash_random={"PYTHONHASHSEED": "random"},
    warnings={"PYTHONWARNINGS": "error"},
    warnings_odd={"PYTHONWARNINGS": "nonsense:::::"},
    development={"PYTHONDEVMODE": "1"},
    malloc={"PYTHONMALLOC": "debug"},
    unbuffered={"PYTHONUNBUFFERED": "1"},
    no_bytecode={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/nowhere"},
    latin={"PYTHONIOENCODING": "latin-1"},
    ascii={"PYTHONIOENCODING": "ascii:strict"},
    utf16={"PYTHONIOENCODING": "utf-16"},
    no_temporary={"TMPDIR": "/nowhere"},
    null_temporary={"TMPDIR": "/dev/null"},
    no_home={"HOME": "/nowhere", "XDG_CACHE_HOME": "/dev/null"},
    empty_home={"HOME": ""},
    c_locale={"LANG": "C", "LC_ALL": "C"},
    posix={"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
    turkish={"LC_ALL": "tr_TR.UTF-8"},
    odd_zone={"TZ": "UTC+99:99:99"},
    zone_file={"TZ": ":/dev/zero"},
    columns_0={"COLUMNS": "0", "LINES": "0"},
    columns_1={"COLUMNS": "1"},
    columns_negative={"COLUMNS": "-5"},
    columns_text={"COLUMNS": "many"},
    columns_huge={"COLUMNS": "99999999"},
    no_colour={"NO_COLOR": "1", "FORCE_COLOR": "1"},
    dumb={"TERM": "dumb"},
    no_term={"TERM": ""},
    odd_term={"TERM": "\x1b[31m"},
    threads={"OMP_NUM_THREADS": "0", "OPENBLAS_NUM_THREADS": "-1"},
    threads_text={"OMP_NUM_THREADS": "many", "MKL_NUM_THREADS": "9999999"},
    opencv={"OPENCV_IO_MAX_IMAGE_PIXELS": "1", "OPENCV_LOG_LEVEL": "DEBUG"},
    opencv_odd={"OPENCV_IO_MAX_IMAGE_WIDTH": "x"},
    arena={"MALLOC_ARENA_MAX": "1", "MALLOC_PERTURB_": "165"},
    proxy={"http_proxy": "http://127.0.0.1:1", "https_proxy": "x"},
    ci={"CI": "true", "GITHUB_ACTIONS": "true"},
    faults={"PYTHONFAULTHANDLER": "1", "PYTHONTRACEMALLOC": "25"},
    importtime={"PYTHONPROFILEIMPORTTIME": "1"},
    inspect={"PYTHONINSPECT": ""},
)  # fmt: skip
def environment_with(arena: Arena, more: dict[str, str]) -> None:
    surrounding = environment(**more)
    words = ("cutout", arena.photos, "--fill", "black", "--out", arena.out, "--workers", 2)
    arena.run(*words, code=0, env=surrounding)
    arena.is_clean()
    arena.run("verify", arena.out, "--against", arena.photos, code=0, env=surrounding)
    arena.run("--help", code=0, env=surrounding)
    arena.run("cutout", "nowhere", code=2, env=surrounding)


def environment_of_nothing(arena: Arena) -> None:
    only = {"PYTHONPATH": environment()["PYTHONPATH"]}
    arena.run(*arena.cutout, "--workers", 2, code=0, env=only)
    arena.recovers()


@each(
    json="json.py",
    numpy="numpy.py",
    pillow="PIL.py",
    cv2="cv2.py",
    typer="typer.py",
    sitecustomize="sitecustomize.py",
    augcli="augcli.py",
    signal="signal.py",
)
def module_in_the_current_folder(arena: Arena, name: str) -> None:
    """It is not imported, by the command or by its workers."""
    (arena.folder / name).write_text("raise SystemExit('imported')\n")
    arena.run(*arena.cutout, "--workers", 2, code=0)
    arena.run(
        "cutmix",
        arena.photos,
        "--workers",
        2,
        "--out",
        arena.folder / "mixed",
        code=0,
        changes=(arena.folder / "mixed",),
    )
    arena.recovers()

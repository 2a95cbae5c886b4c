"""The Python API: wrong types, and calls from threads, forks, event loops, and twice at once."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from tests.guarantees.attacks.registry import each

if TYPE_CHECKING:
    from tests.guarantees.attacks.arena import Arena

RUN = "augcli.augment('photos', augcli.Cutout(fill='black'), out='out', workers={})"


def _program(arena: Arena, code: str, *, clean: bool = True) -> None:
    whole = f"import augcli\nfrom augcli.errors import AugcliError\n{textwrap.dedent(code)}"
    # A module of its own: worker processes of a run import the main module.
    (arena.folder / "program.py").write_text(
        f"if __name__ == '__main__':\n{textwrap.indent(whole, '    ')}"
    )
    arena.python("import runpy; runpy.run_path('program.py', run_name='__main__')")
    if clean:
        arena.is_clean()
        arena.verify()


@each(
    folder_none="augcli.augment(None, augcli.Cutout())",
    folder_number="augcli.augment(5, augcli.Cutout())",
    folder_bytes="augcli.augment(b'photos', augcli.Cutout())",
    folder_nul="augcli.augment('a\\0b', augcli.Cutout())",
    folder_list="augcli.augment(['photos'], augcli.Cutout())",
    folder_empty="augcli.augment('', augcli.Cutout())",
    folder_surrogate="augcli.augment('\\ud800', augcli.Cutout())",
    method_class="augcli.augment('photos', augcli.Cutout)",
    method_name="augcli.augment('photos', 'cutout')",
    method_none="augcli.augment('photos', None)",
    listener="augcli.augment('photos', augcli.Cutout(), listener=5)",
    unknown="augcli.augment('photos', augcli.Cutout(), surprise=1)",
    patch="augcli.augment('photos', augcli.Cutout(), patch=3)",
    out_number="augcli.augment('photos', augcli.Cutout(), out=5)",
    out_nul="augcli.augment('photos', augcli.Cutout(), out='a\\0b')",
    out_bytes="augcli.augment('photos', augcli.Cutout(), out=b'out')",
    seed_float="augcli.augment('photos', augcli.Cutout(), seed=0.5)",
    seed_text="augcli.augment('photos', augcli.Cutout(), seed='1')",
    seed_bool="augcli.augment('photos', augcli.Cutout(), seed=True)",
    copies_nan="augcli.augment('photos', augcli.Cutout(), copies=float('nan'))",
    timeout_infinite="augcli.augment('photos', augcli.Cutout(), timeout=float('inf'))",
    prob_nan="augcli.augment('photos', augcli.Cutout(), prob=float('nan'))",
    workers_negative="augcli.augment('photos', augcli.Cutout(), workers=-1)",
    size_tuple="augcli.augment('photos', augcli.Cutout(), size=(3, 'x'))",
    format_none="augcli.augment('photos', augcli.Cutout(), format=None)",
    patch_list="augcli.Cutout(patch=[16])",
    patch_complex="augcli.Cutout(patch=1j)",
    fill_bytes="augcli.Cutout(fill=b'black')",
    fill_object="augcli.Cutout(fill=object())",
    array_none="augcli.cutout(None)",
    array_text="augcli.cutout('image')",
    array_object="augcli.cutout(__import__('numpy').array([object()]))",
    verify_none="augcli.verify(None)",
    verify_number="augcli.verify(5)",
    maps_none="augcli.heat_map(None)",
    recipe_text="augcli.Recipe.load('nowhere.toml')",
    recipe_none="augcli.Recipe.load(None)",
    scorer_none="augcli.prepare_scorer(None, 'x.onnx')",
)
def wrong_argument(arena: Arena, call: str) -> None:
    """It is an error of augcli, or the TypeError or ValueError that a function of arrays gives."""
    code = f"""
    try:
        {call}
    except (AugcliError, TypeError, ValueError) as error:
        assert str(error), type(error)
        print(type(error).__name__, ascii(str(error)))
    else:
        raise SystemExit(9)
    """
    _program(arena, code, clean=False)
    arena.check("nothing is made", not arena.out.exists())


@each(
    thread=0,
    thread_with_workers=2,
)
def from_a_thread(arena: Arena, workers: int) -> None:
    _program(
        arena,
        f"""
        import threading
        thread = threading.Thread(target=lambda: {RUN.format(workers)})
        thread.start()
        thread.join()
        """,
    )


@each(plain=0, with_workers=2)
def from_an_event_loop(arena: Arena, workers: int) -> None:
    _program(
        arena,
        f"""
        import asyncio
        async def main():
            {RUN.format(workers)}
        asyncio.run(main())
        """,
    )


@each(plain=0, with_workers=2)
def in_a_fork(arena: Arena, workers: int) -> None:
    _program(
        arena,
        f"""
        import os
        augcli.augment('photos', augcli.Cutout(fill='black'), out='out', workers=0, limit=1)
        process = os.fork()
        if not process:
            {RUN.format(workers)[:-1]}, overwrite=True)
            os._exit(0)
        assert os.waitpid(process, 0)[1] == 0
        """,
    )


@each(spawn="spawn", fork="fork", forkserver="forkserver")
def in_a_pool(arena: Arena, method: str) -> None:
    (arena.folder / "job.py").write_text(
        f"import augcli\ndef job(_):\n    {RUN.format(0)}\n    return 1\n"
    )
    _program(
        arena,
        f"""
        import multiprocessing, sys
        sys.path.insert(0, '.')
        import job
        with multiprocessing.get_context({method!r}).Pool(1) as pool:
            assert pool.map(job.job, [0]) == [1]
        """,
    )


def in_a_daemon_with_workers(arena: Arena) -> None:
    """A daemon of multiprocessing may have no children of that library."""
    (arena.folder / "job.py").write_text(f"import augcli\ndef job():\n    {RUN.format(2)}\n")
    _program(
        arena,
        """
        import multiprocessing, sys
        sys.path.insert(0, '.')
        import job
        process = multiprocessing.get_context('spawn').Process(target=job.job, daemon=True)
        process.start()
        process.join()
        assert process.exitcode == 0, process.exitcode
        """,
    )


def twice_at_once_in_one_process(arena: Arena) -> None:
    _program(
        arena,
        f"""
        import threading
        ends = []
        def go():
            try:
                {RUN.format(0)}
                ends.append(0)
            except AugcliError as error:
                ends.append(error.exit_code)
        threads = [threading.Thread(target=go) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert len(ends) == 4 and 0 in ends and set(ends) <= {{0, 2, 3}}, ends
        """,
    )


def two_outputs_at_once_in_one_process(arena: Arena) -> None:
    _program(
        arena,
        """
        import threading
        def go(out):
            augcli.augment('photos', augcli.Cutout(fill='black'), out=out, workers=1)
        with __import__('tempfile').TemporaryDirectory() as other:
            threads = [threading.Thread(target=go, args=[out]) for out in ('out', other + '/o')]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        """,
    )


@each(error="ValueError('mine')", exit="SystemExit(0)", interrupt="KeyboardInterrupt()")
def listener_that_raises(arena: Arena, error: str) -> None:
    _program(
        arena,
        f"""
        def listener(message):
            raise {error}
        for workers in (0, 2):
            try:
                {RUN.format("workers")[:-1]}, listener=listener)
            except (ValueError, SystemExit, KeyboardInterrupt):
                pass
            else:
                raise AssertionError
        {RUN.format(0)}
        """,
    )


def listener_that_runs_augcli(arena: Arena) -> None:
    """The outer run finds that another one wrote its OUT."""
    _program(
        arena,
        f"""
        ends = []
        def listener(message):
            if not ends:
                ends.append(0)
                {RUN.format(0)}
        try:
            {RUN.format(0)[:-1]}, listener=listener)
        except AugcliError as error:
            ends.append(error.exit_code)
        assert set(ends) <= {{0, 2, 3}}, ends
        """,
    )


def listener_that_changes_folder(arena: Arena) -> None:
    """Relative paths are those of the call."""
    _program(
        arena,
        f"""
        import os
        before = os.getcwd()
        def listener(message):
            os.chdir('/')
        for workers in (2, 0):
            os.chdir(before)
            {RUN.format("workers")[:-1]}, listener=listener)
        assert not os.path.exists('/out')
        """,
    )


def signals_are_left_alone(arena: Arena) -> None:
    _program(
        arena,
        f"""
        import signal
        mine = lambda *_: None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, mine)
        {RUN.format(2)}
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            assert signal.getsignal(number) is mine
        """,
    )


def state_of_the_process_is_left_alone(arena: Arena) -> None:
    _program(
        arena,
        f"""
        import gc, locale, os, random, sys, warnings
        import numpy as np
        def state():
            return (os.getcwd(), os.umask(0o022), gc.get_threshold(), random.getstate(),
                    str(np.random.get_state()), sys.getrecursionlimit(),
                    locale.setlocale(locale.LC_ALL), sys.stdout, sys.stderr,
                    sys.excepthook, list(warnings.filters), np.geterr())
        import PIL.Image
        before, pixels = state(), PIL.Image.MAX_IMAGE_PIXELS
        {RUN.format(2)}
        after = state()
        assert before == after, [pair for pair in zip(before, after) if pair[0] != pair[1]]
        assert PIL.Image.MAX_IMAGE_PIXELS == pixels
        """,
    )


def small_stack_and_recursion(arena: Arena) -> None:
    _program(
        arena,
        f"""
        import sys, threading
        def deep(level):
            if level:
                return deep(level - 1)
            {RUN.format(0)}
        threading.stack_size(1 << 20)
        sys.setrecursionlimit(1000)
        thread = threading.Thread(target=deep, args=[700])
        thread.start()
        thread.join()
        """,
    )


def errors_of_numpy_are_raised(arena: Arena) -> None:
    _program(
        arena,
        f"""
        import numpy as np
        np.seterr(all='raise')
        {RUN.format(0)}
        """,
    )


def decimal_and_default_encoding(arena: Arena) -> None:
    _program(
        arena,
        f"""
        import decimal, socket
        decimal.getcontext().prec = 1
        socket.setdefaulttimeout(0.0001)
        {RUN.format(2)}
        """,
    )

"""Signals, and what never returns: every command ends, and nothing is blamed on an image."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import augcli
from augcli.errors import UnreadableImage
from tests import models
from tests.command import PATIENCE, ROOT, call, environment, start, wait_for
from tests.photos import class_folders, rows, tree

if TYPE_CHECKING:
    from tests.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
NUMBERS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
LONGEST = 4.0
"""Seconds to the end of a command; two are promised, and the machine of a test may be busy."""
HOOK = """
import ctypes, os, signal, sys, time

def act(event, arguments):
    if event in ("open", "import") and str(arguments[0]).endswith({name!r}):
        open({mark!r}, "a").close()
        {action}

sys.addaudithook(act)
"""
HANG = "time.sleep(600)"
HANG_WITH_THE_LOCK = "ctypes.PyDLL(None).sleep(600)"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """INPUT: two classes; ``b/002.jpg`` is what some hooks wait for."""
    return class_folders(tmp_path / "photos", {"a": 6, "b": 6}, side=32)


def hooked(folder: Path, name: str, action: str) -> tuple[dict[str, str], Path]:
    """Return an environment in which a name that is opened or imported has an effect.

    Args:
        folder: For the hook.
        name: End of the name of a file or module.
        action: A statement.

    Returns:
        The environment, and a file that is there when it happened.
    """
    mark = folder / "mark"
    site = folder / "site"
    site.mkdir(exist_ok=True)
    hook = HOOK.format(name=name, mark=str(mark), action=action)
    (site / "sitecustomize.py").write_text(hook)
    path = os.pathsep.join([str(site), str(ROOT)])
    return environment(PYTHONPATH=path), mark


def is_gone(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return True
    return False


def end(process: subprocess.Popen[str], number: int) -> tuple[int, str, float]:
    """Send a signal; return the exit code, standard error and how long it took."""
    begun = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err, time.monotonic() - begun


SENTENCE = "run the same command to continue\n"
COMMANDS: list[list[str]] = [
    ["cutout", "{photos}", "--fill", "black", "--out", "{out}", "--workers", "0"],
    ["cutout", "{photos}", "--fill", "black", "--out", "{out}", "--workers", "1"],
    ["cutout", "{photos}", "--out", "{out}", "--workers", "1"],
    ["cutout", "{photos}", "--out", "{out}", "--dry-run"],
    ["run", "{recipe}", "{photos}", "--out", "{out}", "--workers", "0"],
    ["heatmaps", "{photos}", "--out", "{maps}", "--workers", "0"],
    ["heatmaps", "{photos}", "--out", "{maps}", "--workers", "1"],
    ["verify", "{made}", "--against", "{photos}"],
    ["verify", "{made}"],
    ["status", "{made}"],
    ["doctor"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_ends_where_a_library_never_returns(
    cli: Cli, photos: Path, tmp_path: Path, command: list[str]
) -> None:
    made = tmp_path / "made"
    cli("cutout", photos, "--fill", "black", "--out", made)
    (tmp_path / "recipe.toml").write_text('[[step]]\nuse = "flip"\n')
    places = {name: tmp_path / name for name in ("photos", "out", "made")}
    places |= {"recipe": tmp_path / "recipe.toml", "maps": tmp_path / "maps.npz"}
    name = {"status": "parts.jsonl.gz", "doctor": "cv2"}.get(command[0], "photos/b/002.jpg")
    if command == COMMANDS[8]:
        name = next((made / "b").glob("*.jpg")).name
    env, mark = hooked(tmp_path, name, HANG)
    number, code = NUMBERS[COMMANDS.index(command) % 2]
    process = start(*[word.format(**places) for word in command], env=env)
    wait_for(mark.exists)
    got, err, took = end(process, number)
    assert (got, err.endswith(SENTENCE)) == (code, True)
    assert "failed" not in err
    assert took < LONGEST
    wait_for(lambda: is_gone(process.pid))


@pytest.mark.parametrize(
    "command",
    [
        ["cutmix", "{photos}", "--out", "{out}", "--model", "{scorer}", "--workers", "0"],
        ["cutmix", "{photos}", "--out", "{out}", "--model", "{scorer}", "--workers", "1"],
        ["heatmaps", "{photos}", "--out", "{maps}", "--model", "{scorer}"],
        ["scorer", "show", "{scorer}"],
        ["scorer", "prepare", "{classifier}", "--preset", "imagenet", "--out", "{made}"],
    ],
    ids=" ".join,
)
def test_every_command_ends_where_a_scorer_never_returns(
    photos: Path, tmp_path: Path, command: list[str]
) -> None:
    places = {"photos": photos, "out": tmp_path / "out", "maps": tmp_path / "maps.npz"}
    models_folder = tmp_path / "models"
    models_folder.mkdir()
    places["scorer"] = models.save_endless(models_folder / "scorer.onnx")
    places["classifier"] = models.save_endless(models_folder / "classifier.onnx", classes=5)
    places["made"] = models_folder / "made.onnx"
    env, mark = hooked(tmp_path, "onnxruntime.capi.onnxruntime_inference_collection", "pass")
    process = start(*[word.format(**places) for word in command], env=env)
    wait_for(mark.exists)
    time.sleep(1.5)  # loaded, and at work
    assert process.poll() is None
    code, err, took = end(process, signal.SIGINT)
    assert (code, err.endswith(SENTENCE)) == (130, True)
    assert took < LONGEST
    assert {path.name for path in models_folder.iterdir()} == {"scorer.onnx", "classifier.onnx"}
    wait_for(lambda: is_gone(process.pid))


def test_a_second_signal_ends_a_run_at_once(photos: Path, tmp_path: Path) -> None:
    env, mark = hooked(tmp_path, "photos/b/002.jpg", HANG)
    command = ["cutout", photos, "--fill", "black", "--out", tmp_path / "out", "--workers", 0]
    process = start(*command, env=env)
    wait_for(mark.exists)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    code, err, took = end(process, signal.SIGTERM)
    assert (code, err.count("interrupted")) == (130, 1)
    assert took < 1.2


def test_ends_where_nobody_reads_what_it_writes(photos: Path, tmp_path: Path) -> None:
    env, mark = hooked(tmp_path, "photos/b/002.jpg", HANG)
    read, written = os.pipe()
    os.set_blocking(written, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(written, b"x" * 4096)
    os.set_blocking(written, True)
    command = ["cutout", photos, "--fill", "black", "--out", tmp_path / "out", "--quiet"]
    process = start(*command, "--workers", 0, env=env, stderr=written)
    wait_for(mark.exists)
    code, _, took = end(process, signal.SIGTERM)
    os.close(read)
    os.close(written)
    assert code == 143
    assert took < LONGEST


@pytest.mark.parametrize(
    "error", ["OSError(4, 'Interrupted system call')", "ValueError('decoder')", "MemoryError()"]
)
@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_library_raises_because_of_a_signal_is_no_failed_image(
    cli: Cli, photos: Path, tmp_path: Path, error: str, workers: int
) -> None:
    out = tmp_path / "out"
    action = f"os.kill({'os.getppid()' if workers else 'os.getpid()'}, signal.SIGINT); "
    action += f"time.sleep(0.5); raise {error}"
    env, _ = hooked(tmp_path, "photos/b/002.jpg", action)
    command = ["cutout", photos, "--fill", "black", "--out", out]
    made = call(*command, "--workers", workers, env=env)
    assert made.code == 130
    assert "failed" not in made.err
    assert not list(out.glob("errors.csv"))
    assert cli(*command).code == 0
    assert cli(*command[:-1], tmp_path / "clean").code == 0
    assert tree(out) == tree(tmp_path / "clean")


@pytest.mark.parametrize(
    "module", ["typer", "numpy", "augcli.cli.generated", "augcli.run.making.make"]
)
@pytest.mark.parametrize(("number", "code"), NUMBERS)
def test_a_signal_while_augcli_starts_is_no_error(
    photos: Path, tmp_path: Path, module: str, number: int, code: int
) -> None:
    env, mark = hooked(tmp_path, module, f"os.kill(os.getpid(), {int(number)})")
    command = ["cutout", photos, "--fill", "black", "--out", tmp_path / "out", "--workers", 1]
    made = call(*command, env=env)
    assert mark.exists()
    assert (made.code, "Traceback" in made.err) == (code, False)
    assert made.err.endswith(f"augcli: interrupted; {SENTENCE}")


@pytest.mark.parametrize(("number", "code"), NUMBERS)
def test_a_signal_to_the_whole_group_is_no_worker_that_ended(
    photos: Path, tmp_path: Path, number: int, code: int
) -> None:
    env, mark = hooked(tmp_path, "photos/b/002.jpg", HANG)
    command = ["cutout", photos, "--fill", "black", "--out", tmp_path / "out", "--workers", 2]
    process = start(*command, env=env)
    wait_for(mark.exists)
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "worker ended" in err) == (code, False)


def test_from_python_an_interrupt_is_raised_and_the_process_lives(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    env, mark = hooked(tmp_path, "photos/b/002.jpg", HANG)
    out = tmp_path / "out"
    code = (
        "import augcli, signal\n"
        "before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)\n"
        "try:\n"
        f"    augcli.augment({str(photos)!r}, augcli.Cutout(fill='black'), out={str(out)!r},"
        " workers=1)\n"
        "except KeyboardInterrupt:\n"
        "    now = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)\n"
        "    print('alive', now == before)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    wait_for(mark.exists)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, printed) == (0, "alive True\n")
    assert cli("cutout", photos, "--fill", "black", "--out", out).code == 0


def test_from_python_an_interrupt_that_a_library_swallows_is_no_failed_image(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: object, **__: object) -> object:
        error = UnreadableImage("a JPEG image that is damaged")
        error.__context__ = KeyboardInterrupt()
        raise error

    monkeypatch.setattr("augcli.work.reading.decode", decode)
    with pytest.raises(KeyboardInterrupt):
        augcli.augment(photos, augcli.Cutout(fill="black"), out=tmp_path / "out", workers=0)


@pytest.mark.parametrize("options", [["--fill", "black"], []], ids=["outputs", "questions"])
@pytest.mark.parametrize(
    ("action", "stage"), [(HANG, "time"), (HANG_WITH_THE_LOCK, "worker")], ids=["free", "locked"]
)
def test_an_image_that_takes_too_long_is_a_failed_image_until_it_does_not(
    cli: Cli, photos: Path, tmp_path: Path, options: list[str], action: str, stage: str
) -> None:
    out = tmp_path / "out"
    command = ["cutout", photos, *options, "--out", out, "--max-pixels", 10000]
    env, _ = hooked(tmp_path, "photos/b/002.jpg", action)
    made = call(*command, "--workers", 1, "--timeout", 1, env=env)
    assert (made.code, len(rows(out))) == (1, 11)
    (row,) = rows(out, "errors.csv")
    assert (row["source"], row["stage"]) == ("b/002.jpg", stage)
    if stage == "time":
        assert row["reason"] == "not done within 1 seconds (`timeout`)"
    assert cli(*command).code == 0
    if options:
        assert cli("cutout", photos, *options, "--out", tmp_path / "clean").code == 0
        assert tree(out, hidden=False) == tree(tmp_path / "clean", hidden=False)


def test_heat_maps_have_the_same_limit(photos: Path, tmp_path: Path) -> None:
    env, _ = hooked(tmp_path, "photos/b/002.jpg", HANG)
    options = ["--out", tmp_path / "maps.npz", "--workers", 1, "--timeout", 1]
    made = call("heatmaps", photos, *options, env=env)
    assert made.code == 1
    assert "failed: b/002.jpg: not done within 1 seconds (--timeout) (time)\n" in made.err


def test_a_limit_is_no_limit_for_many_images_in_a_row(photos: Path, tmp_path: Path) -> None:
    env, _ = hooked(tmp_path, ".jpg", "time.sleep(0.4)")
    options = ["--out", tmp_path / "maps.npz", "--workers", 1, "--timeout", 3]
    assert call("heatmaps", photos, *options, env=env).code == 0


def test_a_limit_without_workers_is_said_to_be_none(cli: Cli, photos: Path, tmp_path: Path) -> None:
    command = ["cutout", photos, "--fill", "black", "--out", tmp_path / "out"]
    said = "--timeout is of no use with AUGCLI_WORKERS (environment) 0: no other process can end "
    assert said in cli(*command, "--timeout", 5).err
    assert said not in cli(*command, "--overwrite").err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_AS works there")
@pytest.mark.parametrize("megabytes", [48, 64, 100, 128, 200, 260, 300, 400])
@pytest.mark.parametrize("workers", [0, 1])
def test_too_little_memory_is_a_sentence(
    photos: Path, tmp_path: Path, megabytes: int, workers: int
) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    command = ["cutmix", photos, "--out", tmp_path / "out", "--workers", workers]
    made = call(*command, preexec_fn=limit)
    # With enough memory for this release of the libraries, it is made.
    assert made.code in ((3,) if megabytes < 256 else (0, 3))
    assert made.code == 0 or made.err.splitlines()[-1].startswith("augcli: ")
    assert "Traceback" not in made.err


@pytest.mark.parametrize("started", [0, 1, 2])
def test_a_thread_that_can_not_be_started_is_a_sentence(
    cli: Cli, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: int
) -> None:
    begin = threading.Thread.start
    left = started

    def refuse(thread: threading.Thread) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    made = cli("cutout", photos, "--out", tmp_path / "out", "--workers", 3)
    assert (made.code, "thread" in made.err.splitlines()[-1]) == (3, True)


def test_a_thread_that_a_worker_can_not_start_is_a_sentence(photos: Path, tmp_path: Path) -> None:
    action = "import threading; "
    action += "threading.Thread.start = 'augcli.work.worker' in sys.orig_argv or self_start"
    action = action.replace("self_start", "threading.Thread.start")
    env, _ = hooked(tmp_path, "augcli.work.child", action)
    made: Any = call("cutout", photos, "--out", tmp_path / "out", "--workers", 1, env=env)
    assert made.code == 3
    assert "a worker ended (exit code 1) before it made anything: TypeError" in made.err

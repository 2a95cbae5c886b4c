"""The doctor: is everything that augcli depends on installed, undamaged, and working?"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from augcli.attention.device import CPU, GPUS
from augcli.doctor.distributions import (
    Package,
    installed_version,
    is_older,
    lower_bounds,
    packages_in,
)
from augcli.doctor.fixes import fix_for_import, missing_library
from augcli.doctor.libraries import LIBRARIES, OTHERS, Library
from augcli.doctor.probes import Answer, ask
from augcli.run.machine import cpu_flags, has_nvidia, named_features, usable_cores
from augcli.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

State = Literal["ok", "note", "problem"]
Area = Literal["versions", "devices", "processor", "formats", "folder"]

NEAR = 0.01
"""Share of a heat map's range: differences by rounding on a GPU are far smaller."""
FREE = 100_000_000
"""Bytes of free space below which a disk counts as full."""

FIX_VERSIONS = "fix what is listed under versions first"
UPDATE_DRIVER = "update its driver, or score without it (`device` cpu)"


class Finding(NamedTuple):
    """The result of one check.

    Attributes:
        area: Group of checks that it belongs to.
        name: What was checked.
        state: ``ok``, ``note`` (good to know, but nothing fails), or ``problem``.
        text: The result in words. An option is in backticks, by its name in Python.
        fix: What to do about it; empty where nothing needs to be done.
    """

    area: Area
    name: str
    state: State
    text: str
    fix: str = ""


@dataclass(frozen=True)
class System:
    """How the doctor looks at the system; tests replace parts of it.

    Attributes:
        ask: Answers questions, see :mod:`augcli.doctor.probes`.
        packages_in: Returns the packages with files in a folder, by the folder's name and a pattern
            for theirs.
        version: Returns the version of a package, empty where it is not installed.
        lowest: Returns the lowest versions that augcli works with.
        has_nvidia: Returns whether there is an NVIDIA GPU with its driver.
        cpu_flags: Returns the system's words for the features of the processor; empty where it has
            none.
    """

    ask: Callable[[str, str], Answer] = ask
    packages_in: Callable[[str, str], list[Package]] = packages_in
    version: Callable[[str], str] = installed_version
    lowest: Callable[[], dict[str, str]] = lower_bounds
    has_nvidia: Callable[[], bool] = has_nvidia
    cpu_flags: Callable[[], frozenset[str]] = cpu_flags


def examine(
    folder: str | os.PathLike[str] | None = None, system: System | None = None
) -> Iterator[Finding]:
    """Check everything and yield the findings, area by area.

    Args:
        folder: Check also whether outputs can be written, renamed and locked in this folder.
        system: What to look at; this system when None.
    """
    system = system or System()
    yield Finding("versions", "augcli", "ok", VERSION)
    python = f"{platform.python_version()} ({platform.python_implementation()})"
    yield Finding("versions", "Python", "ok", python)
    yield Finding("versions", "platform", "ok", platform.platform())
    for library in LIBRARIES:
        yield from _library(library, system)
    for name in OTHERS:
        yield _by_version(Library(name, name, name), system.version(name), system)
    onnx = system.version("onnx") or "not installed; augcli runs without it"
    yield Finding("versions", "onnx", "ok", onnx)
    yield from _devices(system)
    yield from _processor(system)
    yield from _formats(system)
    if folder is not None:
        yield _folder(os.fspath(folder), system)


def _library(library: Library, system: System) -> Iterator[Finding]:
    """Check that a library is installed, new enough, and the only one in its folder."""
    packages = system.packages_in(library.module, library.family) if library.family else []
    names = [package.name for package in packages]
    keep = next((name for name in library.preferred if name in names), "") or next(
        iter(names), library.distribution
    )
    answer = system.ask("import", library.module)
    # The remains of a removed package can be imported, as an empty folder.
    failure = answer.failure or ("" if answer.value["file"] else "its folder is empty")
    finding = partial(Finding, "versions", library.title)
    if failure:
        listed = bool(packages or system.version(library.distribution))
        fix = fix_for_import(failure, library.module, keep, installed=listed)
        yield finding("problem", f"can't be imported ({failure})", fix)
    else:
        text = ", ".join(f"{package.name} {package.version}" for package in packages)
        yield _by_version(library, answer.value["version"], system, text)
    if len(packages) > 1:
        yield finding("problem", _shared(library.module, packages), _keep_only(keep, names))
    elif packages and packages[0].changed and not failure:
        yield finding(
            "problem",
            f"{packages[0].changed:,} files of {keep} are missing or not as they were installed: "
            "another package wrote into its folder, or was removed from it",
            f"pip install --force-reinstall --no-deps {keep}",
        )


def _by_version(library: Library, version: str, system: System, text: str = "") -> Finding:
    finding = partial(Finding, "versions", library.title)
    lowest = system.lowest().get(library.distribution, "")
    if version and lowest and is_older(version, lowest):
        fix = f"pip install --upgrade '{library.distribution}>={lowest}'"
        return finding("problem", f"{text or version} is older than {lowest}", fix)
    return finding("ok", text or version or "version not known")


def _shared(folder: str, packages: list[Package]) -> str:
    names = " and ".join(package.name for package in packages)
    complete = [package.name for package in packages if not package.changed]
    content = (
        f"it holds the files of {complete[0]} now"
        if len(complete) == 1
        else "it holds files of each"
    )
    return f"{names} share the folder {folder}; {content}, and removing one breaks the other"


def _keep_only(keep: str, names: list[str]) -> str:
    return f"pip uninstall -y {' '.join(names)}; pip install --no-deps {keep}"


def _devices(system: System) -> Iterator[Finding]:
    """Check that each device of onnxruntime really works."""
    listed = system.ask("devices", "")
    if listed.failure:
        yield _all_failed("devices", "no image can be scored", listed.failure)
        return
    answers = {name: system.ask("device", name) for name in sorted(listed.value)}
    working = [name for name, answer in answers.items() if _works(answer)]
    for name, answer in answers.items():
        # A package for GPUs is installed in order to use one: one working GPU is enough.
        needed = name == CPU or (name in GPUS and not set(working) & set(GPUS))
        yield _device(name, answer, "problem" if needed else "note")
    if system.has_nvidia() and not set(listed.value) & set(GPUS):
        yield Finding(
            "devices",
            "cuda",
            "note",
            "there is an NVIDIA GPU, but this onnxruntime was built without cuda",
            "to score on it: pip uninstall -y onnxruntime; pip install onnxruntime-gpu",
        )


def _all_failed(area: Area, text: str, failure: str) -> Finding:
    """Report that nothing in an area works, because the question about all of it failed."""
    return Finding(area, "all", "problem", f"{text} ({failure})", FIX_VERSIONS)


def _works(answer: Answer) -> bool:
    return not answer.failure and answer.value["on_device"] > 0


def _device(name: str, answer: Answer, failed: State) -> Finding:
    """Report on a device.

    Args:
        name: The device.
        answer: To the question ``device``.
        failed: State of the finding if the device does not work.
    """
    finding = partial(Finding, "devices", name)
    if answer.failure:
        library = missing_library(f"{answer.stderr}\n{answer.failure}")
        if re.match("ImportError|ModuleNotFoundError", answer.failure):
            fix = FIX_VERSIONS
        elif library:
            fix = (
                f"install the package with {library}, in the version that this onnxruntime was "
                "built for, where the system finds it (LD_LIBRARY_PATH, PATH)"
            )
        elif name == CPU:
            fix = "pip install --force-reinstall --no-deps onnxruntime"
        else:
            fix = UPDATE_DRIVER
        return finding(failed, f"does not work ({answer.failure})", fix)
    trial = answer.value
    if not trial["on_device"]:
        return finding("note", "accepts the scorer, but the processor runs all of it")
    works = (
        f"works: {trial['on_device']} of {trial['steps']} steps of the scorer run on it, "
        f"one image takes {trial['milliseconds']:.1f} ms"
    )
    if trial["difference"] > NEAR or trial["difference"] != trial["difference"]:
        return finding(
            "problem",
            f"{works}, but its heat map is wrong by {trial['difference']:.0%} of the range",
            UPDATE_DRIVER,
        )
    return finding("ok", works)


def _processor(system: System) -> Iterator[Finding]:
    cores, usable = os.cpu_count() or 1, usable_cores()
    yield Finding("processor", "cores", "ok", f"augcli may use {usable} of {cores}")
    flags = system.cpu_flags()
    features = named_features(flags)
    if not flags:
        yield Finding("processor", "SIMD", "ok", "not known: this system does not report it")
    elif {"AVX2", "NEON"} & set(features):
        yield Finding("processor", "SIMD", "ok", ", ".join(features))
    else:
        text = ", ".join(features) or "neither AVX2 nor NEON"
        yield Finding("processor", "SIMD", "note", f"{text}: scoring takes several times longer")
    answer = system.ask("opencv features", "")
    if not answer.failure:
        yield Finding("processor", "OpenCV uses", "ok", answer.value.replace("*", ""))


def _formats(system: System) -> Iterator[Finding]:
    answer = system.ask("formats", "")
    if answer.failure:
        yield _all_failed("formats", "no image can be read or written", answer.failure)
        return
    for name, trial in answer.value.items():
        yield _format(name, trial)


def _format(name: str, trial: dict[str, Any]) -> Finding:
    if trial.get("missing"):
        return Finding("formats", name, "ok", f"not read; reading it needs {trial['missing']}")
    if not trial["failure"]:
        text = "read and written" if trial["written"] else "read"
        return Finding("formats", name, "ok", text)
    fix = "pip install --force-reinstall --no-deps pillow opencv-python-headless"
    return Finding("formats", name, "problem", trial["failure"], fix)


def _folder(path: str, system: System) -> Finding:
    finding = partial(Finding, "folder", path)
    answer = system.ask("folder", path)
    failure = answer.failure or answer.value["failure"]
    if failure:
        fix = "fix that, or give another folder with `out`"
        return finding("problem", f"outputs can't be written in it ({failure})", fix)
    free = f"{answer.value['free'] / 1e9:,.1f} GB free"
    if not answer.value["locks"]:
        fix = "start only one run at a time in it, or use another file system"
        return finding(
            "problem", f"files in it can't be locked, so two runs could mix; {free}", fix
        )
    if answer.value["free"] < FREE:
        fix = "free some space, or give another folder with `out`"
        return finding("problem", f"the disk is nearly full: {free}", fix)
    return finding("ok", f"files can be written, renamed and locked; {free}")

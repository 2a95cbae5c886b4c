"""The doctor: is everything that augcli builds on there, whole, and really working?"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import augcli
from augcli.attention.device import CPU, GPUS
from augcli.doctor.distributions import Sharer, installed_version, is_older, lower_bounds, sharers
from augcli.doctor.fixes import fix_for_import, missing_library
from augcli.doctor.probes import Answer, ask
from augcli.run.machine import cpu_flags, has_nvidia, named_features, usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

State = Literal["ok", "note", "problem"]
Area = Literal["versions", "devices", "processor", "formats", "folder"]

NEAR = 0.01
"""Of a heat map's range: what rounding on a GPU stays far below."""
FREE = 100_000_000
"""Bytes below which a disk is as good as full."""

MEND_VERSIONS = "mend what is told under versions first"


class Finding(NamedTuple):
    """One thing that the doctor looked at.

    Attributes:
        area: What it belongs to.
        name: What was looked at.
        state: ``ok``; ``note``, something to know that hinders nothing; or ``problem``.
        text: What was found.
        fix: What to do about it; empty where nothing is to be done.
    """

    area: Area
    name: str
    state: State
    text: str
    fix: str = ""


class Library(NamedTuple):
    """A library that augcli can't work without.

    Attributes:
        title: As people call it.
        module: As it is imported.
        distribution: As it is installed.
        family: Pattern of distributions that fill the same folder; empty where no others do.
        preferred: Of those, the ones to keep, best first.
    """

    title: str
    module: str
    distribution: str
    family: str = ""
    preferred: tuple[str, ...] = ()


LIBRARIES = (
    Library("NumPy", "numpy", "numpy"),
    Library("Pillow", "PIL", "pillow"),
    Library(
        "OpenCV",
        "cv2",
        "opencv-python-headless",
        "opencv",
        ("opencv-contrib-python-headless", "opencv-contrib-python", "opencv-python-headless"),
    ),
    Library("onnxruntime", "onnxruntime", "onnxruntime", "onnxruntime|ort-", ("onnxruntime-gpu",)),
)
OTHERS = ("typer", "rich")
"""Distributions that must have been imported by now."""


@dataclass(frozen=True)
class Surroundings:
    """Where the doctor looks; tests put in others.

    Attributes:
        ask: Answers questions, see :mod:`augcli.doctor.probes`.
        sharers: Distributions that fill a folder, by its name and a pattern of theirs.
        version: Of a distribution, empty where it is not installed.
        lowest: The lowest versions that augcli works with.
        has_nvidia: Whether there is a GPU of NVIDIA with its driver.
        cpu_flags: Words of the system for what the processor can do; empty where it tells none.
    """

    ask: Callable[[str, str], Answer] = ask
    sharers: Callable[[str, str], list[Sharer]] = sharers
    version: Callable[[str], str] = installed_version
    lowest: Callable[[], dict[str, str]] = lower_bounds
    has_nvidia: Callable[[], bool] = has_nvidia
    cpu_flags: Callable[[], frozenset[str]] = cpu_flags


def examine(
    folder: str | os.PathLike[str] | None = None, surroundings: Surroundings | None = None
) -> Iterator[Finding]:
    """Yield what is found, in the order in which it is to be read.

    Args:
        folder: Also tried: whether outputs can be written, renamed and locked in it.
        surroundings: Where to look.
    """
    here = surroundings or Surroundings()
    yield Finding("versions", "augcli", "ok", augcli.__version__)
    python = f"{platform.python_version()} ({platform.python_implementation()})"
    yield Finding("versions", "Python", "ok", python)
    yield Finding("versions", "platform", "ok", platform.platform())
    for library in LIBRARIES:
        yield from _library(library, here)
    for name in OTHERS:
        yield _by_version(Library(name, name, name), here.version(name), here)
    onnx = here.version("onnx") or "not installed; augcli runs without it"
    yield Finding("versions", "onnx", "ok", onnx)
    yield from _devices(here)
    yield from _processor(here)
    yield from _formats(here)
    if folder is not None:
        yield _folder(os.fspath(folder), here)


def _library(library: Library, here: Surroundings) -> Iterator[Finding]:
    """Tell whether a library is there, new enough, and the only one in its folder."""
    sharing = here.sharers(library.module, library.family) if library.family else []
    names = [one.name for one in sharing]
    keep = next((one for one in library.preferred if one in names), "") or next(
        iter(names), library.distribution
    )
    found = here.ask("import", library.module)
    # What is left of a package that was removed can be imported, as an empty folder.
    failure = found.failure or ("" if found.value["file"] else "its folder is empty")
    told = partial(Finding, "versions", library.title)
    if failure:
        listed = bool(sharing or here.version(library.distribution))
        fix = fix_for_import(failure, library.module, keep, installed=listed)
        yield told("problem", f"can't be imported ({failure})", fix)
    else:
        text = ", ".join(f"{one.name} {one.version}" for one in sharing)
        yield _by_version(library, found.value["version"], here, text)
    if len(sharing) > 1:
        yield told("problem", _shared(library.module, sharing), _only(keep, names))
    elif sharing and sharing[0].changed and not failure:
        yield told(
            "problem",
            f"{sharing[0].changed:,} files of {keep} are missing or not as they were installed: "
            "another package wrote into its folder, or was removed from it",
            f"pip install --force-reinstall --no-deps {keep}",
        )


def _by_version(library: Library, version: str, here: Surroundings, text: str = "") -> Finding:
    told = partial(Finding, "versions", library.title)
    lowest = here.lowest().get(library.distribution, "")
    if version and lowest and is_older(version, lowest):
        fix = f"pip install --upgrade '{library.distribution}>={lowest}'"
        return told("problem", f"{text or version} is older than {lowest}", fix)
    return told("ok", text or version or "of no known version")


def _shared(folder: str, sharing: list[Sharer]) -> str:
    names = " and ".join(one.name for one in sharing)
    whole = [one.name for one in sharing if not one.changed]
    lies = f"the files of {whole[0]} lie there now" if len(whole) == 1 else "it holds files of each"
    return f"{names} share the folder {folder}; {lies}, and removing one breaks the other"


def _only(keep: str, names: list[str]) -> str:
    return f"pip uninstall -y {' '.join(names)}; pip install --no-deps {keep}"


def _devices(here: Surroundings) -> Iterator[Finding]:
    """Tell of each provider of onnxruntime whether it really works."""
    listed = here.ask("devices", "")
    if listed.failure:
        text = f"nothing can be scored ({listed.failure})"
        yield Finding("devices", "all", "problem", text, MEND_VERSIONS)
        return
    answers = {name: here.ask("device", name) for name in sorted(listed.value)}
    works = [name for name, found in answers.items() if _runs(found)]
    for name, found in answers.items():
        # Whoever installed a package for GPUs wants one; one is enough.
        needed = name == CPU or (name in GPUS and not set(works) & set(GPUS))
        yield _device(name, found, "problem" if needed else "note")
    if here.has_nvidia() and not set(listed.value) & set(GPUS):
        yield Finding(
            "devices",
            "cuda",
            "note",
            "there is a GPU of NVIDIA, but this onnxruntime was built without cuda",
            "to score on it: pip uninstall -y onnxruntime; pip install onnxruntime-gpu",
        )


def _runs(found: Answer) -> bool:
    return not found.failure and found.value["there"] > 0


def _device(name: str, found: Answer, otherwise: State) -> Finding:
    told = partial(Finding, "devices", name)
    if found.failure:
        library = missing_library(f"{found.said}\n{found.failure}")
        if re.match("ImportError|ModuleNotFoundError", found.failure):
            fix = MEND_VERSIONS
        elif library:
            fix = (
                f"install what holds {library}, in the version that this onnxruntime was built "
                "for, where the system finds it (LD_LIBRARY_PATH, PATH)"
            )
        elif name == CPU:
            fix = "pip install --force-reinstall --no-deps onnxruntime"
        else:
            fix = "bring its driver up to date, or score without it (--device cpu)"
        return told(otherwise, f"does not work ({found.failure})", fix)
    trial = found.value
    if not trial["there"]:
        return told("note", "takes the scorer, but leaves all of it to the processor")
    works = (
        f"works: {trial['there']} of {trial['steps']} steps of the scorer run there, "
        f"one image takes {trial['milliseconds']:.1f} ms"
    )
    if trial["difference"] > NEAR or trial["difference"] != trial["difference"]:
        return told(
            "problem",
            f"{works}, but its heat map is off by {trial['difference']:.0%} of the range",
            "bring its driver up to date, or score without it (--device cpu)",
        )
    return told("ok", works)


def _processor(here: Surroundings) -> Iterator[Finding]:
    there, usable = os.cpu_count() or 1, usable_cores()
    yield Finding("processor", "cores", "ok", f"augcli may use {usable} of {there}")
    flags = here.cpu_flags()
    has = named_features(flags)
    if not flags:
        yield Finding("processor", "SIMD", "ok", "the system does not tell")
    elif {"AVX2", "NEON"} & set(has):
        yield Finding("processor", "SIMD", "ok", ", ".join(has))
    else:
        text = f"{', '.join(has) or 'neither AVX2 nor NEON'}: scoring takes several times longer"
        yield Finding("processor", "SIMD", "note", text)
    features = here.ask("opencv features", "")
    if not features.failure:
        yield Finding("processor", "OpenCV uses", "ok", features.value.replace("*", ""))


def _formats(here: Surroundings) -> Iterator[Finding]:
    found = here.ask("formats", "")
    if found.failure:
        text = f"pictures can't be decoded or encoded ({found.failure})"
        yield Finding("formats", "all", "problem", text, MEND_VERSIONS)
        return
    for name, trial in found.value.items():
        yield _format(name, trial)


def _format(name: str, trial: dict[str, Any]) -> Finding:
    if not trial["failure"]:
        text = "read and written" if trial["written"] else "read"
        return Finding("formats", name, "ok", text)
    fix = "pip install --force-reinstall --no-deps pillow opencv-python-headless"
    return Finding("formats", name, "problem", trial["failure"], fix)


def _folder(path: str, here: Surroundings) -> Finding:
    told = partial(Finding, "folder", path)
    found = here.ask("folder", path)
    failure = found.failure or found.value["failure"]
    if failure:
        fix = "mend that, or give another folder with --out"
        return told("problem", f"outputs can't be written there ({failure})", fix)
    free = f"{found.value['free'] / 1e9:,.1f} GB free"
    if not found.value["locks"]:
        fix = "start one run at a time there, or use another file system"
        return told("problem", f"files can't be locked there, so two runs may mix; {free}", fix)
    if found.value["free"] < FREE:
        fix = "make room, or give another folder with --out"
        return told("problem", f"the disk is all but full: {free}", fix)
    return told("ok", f"files are written, renamed and locked; {free}")

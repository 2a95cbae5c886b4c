"""The doctor: what it finds on systems of all kinds, and how it says to fix it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from augcli.doctor.distributions import Package
from augcli.doctor.examine import Finding, System, examine
from augcli.doctor.probes import Answer

WORKS = {"steps": 24, "on_device": 24, "milliseconds": 1.5, "difference": 0.0}
MODERN = frozenset({"avx2", "avx512f", "avx512_vnni", "sse"})


def system_with(
    answers: dict[str, Answer] | None = None,
    *,
    opencv: list[Package] | None = None,
    onnxruntime: list[Package] | None = None,
    versions: dict[str, str] | None = None,
    **more: Any,
) -> System:
    """Return a system in which nothing is wrong but what is given.

    Args:
        answers: By question, or by question and what it is about.
        opencv: Packages with files in ``cv2``.
        onnxruntime: Packages with files in ``onnxruntime``.
        versions: Versions of other packages, by name.
        **more: Other fields of :class:`System`.
    """
    shares = {
        "cv2": [Package("opencv-python-headless", "5.0", 0)] if opencv is None else opencv,
        "onnxruntime": onnxruntime or [Package("onnxruntime", "1.32", 0)],
    }
    given = {
        "import": Answer({"version": "99", "file": "there.py"}),
        "devices": Answer(["cpu"]),
        "device": Answer(WORKS),
        "formats": Answer({"PNG": {"written": True, "failure": ""}}),
        "folder": Answer({"failure": "", "free": 5_000_000_000, "locks": True}),
        "opencv features": Answer("SSE *AVX2"),
        **(answers or {}),
    }
    system = System(
        ask=lambda question, about: given.get(f"{question} {about}") or given[question],
        packages_in=lambda folder, _: shares[folder],
        version=lambda name: (versions or {}).get(name, "99"),
        lowest=dict,
        has_nvidia=lambda: False,
        cpu_flags=lambda: MODERN,
    )
    return dataclasses.replace(system, **more)


def findings(system: System, folder: str | None = None) -> dict[str, list[Finding]]:
    by_name: dict[str, list[Finding]] = {}
    for one in examine(folder, system):
        by_name.setdefault(one.name, []).append(one)
    return by_name


def problems(system: System, folder: str | None = None) -> list[Finding]:
    return [one for one in examine(folder, system) if one.state == "problem"]


def test_where_nothing_is_wrong_there_is_nothing_to_fix() -> None:
    everything = list(examine("out", system_with()))
    assert {one.state for one in everything} == {"ok"}
    assert [one.fix for one in everything if one.fix] == []
    assert {one.area for one in everything} == {
        "versions",
        "devices",
        "processor",
        "formats",
        "folder",
    }


def test_this_installation_has_no_problem() -> None:
    assert problems(System()) == []


def test_two_distributions_in_one_folder() -> None:
    two = [
        Package("opencv-python", "4.13", 7),
        Package("opencv-python-headless", "5.0", 0),
    ]
    (finding,) = problems(system_with(opencv=two))
    assert finding.text.startswith("opencv-python and opencv-python-headless share the folder cv2")
    assert "it holds the files of opencv-python-headless now" in finding.text
    assert finding.fix == (
        "pip uninstall -y opencv-python opencv-python-headless; "
        "pip install --no-deps opencv-python-headless"
    )


def test_where_the_files_are_mixed_no_winner_is_named() -> None:
    two = [
        Package("onnxruntime", "1.31", 2),
        Package("onnxruntime-gpu", "1.32", 3),
    ]
    (finding,) = problems(system_with(onnxruntime=two))
    assert "it holds files of each" in finding.text
    assert finding.fix.endswith("pip install --no-deps onnxruntime-gpu")


@pytest.mark.parametrize(
    ("names", "preferred"),
    [
        (["opencv-contrib-python", "opencv-python-headless"], "opencv-contrib-python"),
        (
            ["opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python"],
            "opencv-contrib-python-headless",
        ),
        (["opencv-python", "opencv-python-rolling"], "opencv-python"),
    ],
)
def test_the_package_with_most_features_is_preferred(names: list[str], preferred: str) -> None:
    (finding,) = problems(system_with(opencv=[Package(name, "5.0", 0) for name in names]))
    assert finding.fix.endswith(f"pip install --no-deps {preferred}")


def test_files_that_another_package_changed() -> None:
    (finding,) = problems(system_with(opencv=[Package("opencv-python", "4.13", 1200)]))
    assert finding.text.startswith("1,200 files of opencv-python are missing or not as they were")
    assert finding.fix == "pip install --force-reinstall --no-deps opencv-python"


@pytest.mark.parametrize("listed", [True, False])
def test_a_library_that_is_gone(listed: bool) -> None:
    gone = Answer(failure="ModuleNotFoundError: No module named 'cv2'")
    sharing = [Package("opencv-python", "4.13", 900)] if listed else []
    versions = {"opencv-python-headless": ""}
    (finding,) = problems(system_with({"import cv2": gone}, opencv=sharing, versions=versions))
    assert finding.text == "can't be imported (ModuleNotFoundError: No module named 'cv2')"
    forced = "pip install --force-reinstall --no-deps opencv-python"
    assert finding.fix == (forced if listed else "pip install opencv-python-headless")


def test_an_empty_folder_is_no_library() -> None:
    empty = Answer({"version": "", "file": ""})
    (finding,) = problems(system_with({"import PIL": empty}))
    assert (finding.name, finding.text) == ("Pillow", "can't be imported (its folder is empty)")


def test_a_library_of_no_distribution_is_taken_as_it_is() -> None:
    (finding,) = findings(system_with(opencv=[]))["OpenCV"]
    assert (finding.state, finding.text) == ("ok", "99")


def test_a_library_that_is_too_old() -> None:
    old = Answer({"version": "9.5.0", "file": "there.py"})
    system = system_with({"import PIL": old}, lowest=lambda: {"pillow": "10.3", "numpy": "1.26"})
    (finding,) = problems(system)
    assert (finding.name, finding.text) == ("Pillow", "9.5.0 is older than 10.3")
    assert finding.fix == "pip install --upgrade 'pillow>=10.3'"


def test_a_library_without_a_version_does_not_count_as_old() -> None:
    silent = Answer({"version": "", "file": "there.py"})
    system = system_with(
        {"import PIL": silent}, versions={"rich": ""}, lowest=lambda: {"pillow": "9", "rich": "9"}
    )
    assert problems(system) == []
    assert findings(system)["rich"][0].text == "version not known"


def test_where_onnxruntime_is_broken_there_is_no_device() -> None:
    broken = Answer(failure="ended with SIGILL")
    both = problems(system_with({"import onnxruntime": broken, "devices": broken}))
    assert [one.name for one in both] == ["onnxruntime", "all"]
    assert both[1].text == "no image can be scored (ended with SIGILL)"


def test_onnx_is_not_needed() -> None:
    (finding,) = findings(system_with(versions={"onnx": ""}))["onnx"]
    assert (finding.state, finding.text) == ("ok", "not installed; augcli runs without it")


FELL_BACK = Answer(failure="device is 'cuda', but onnxruntime fell back")
STDERR = "Failed to load library libx.so with error: libcudnn.so.9: cannot open shared object file"


def test_a_gpu_that_was_wanted_and_does_not_work_is_a_problem() -> None:
    answers = {"devices": Answer(["cuda", "cpu"]), "device cuda": FELL_BACK._replace(stderr=STDERR)}
    (finding,) = problems(system_with(answers))
    assert (finding.name, finding.area) == ("cuda", "devices")
    assert "fell back" in finding.text
    assert "the package with libcudnn.so.9" in finding.fix


@pytest.mark.parametrize("others", [{"cuda": Answer(WORKS)}, {}])
def test_other_providers_need_not_work(others: dict[str, Answer]) -> None:
    given = {"tensorrt": FELL_BACK, **others}
    answers = {f"device {name}": one for name, one in given.items()}
    system = system_with({"devices": Answer([*given, "cpu"]), **answers})
    assert problems(system) == []
    (finding,) = findings(system)["tensorrt"]
    assert finding.state == "note"
    assert "driver" in finding.fix


def test_a_processor_that_can_not_score_is_a_problem() -> None:
    (finding,) = problems(system_with({"device cpu": Answer(failure="ended with SIGSEGV")}))
    assert finding.text == "does not work (ended with SIGSEGV)"
    assert "reinstall" in finding.fix


def test_where_a_library_is_broken_the_device_is_not_to_blame() -> None:
    broken = Answer(failure="ImportError: no numpy")
    (finding,) = problems(system_with({"device cpu": broken}))
    assert finding.fix == "fix what is listed under versions first"


def test_a_provider_that_leaves_all_to_the_processor_is_no_device() -> None:
    answers = {
        "devices": Answer(["azure", "cpu"]),
        "device azure": Answer({**WORKS, "on_device": 0}),
    }
    (finding,) = findings(system_with(answers))["azure"]
    assert (finding.state, "the processor runs all of it" in finding.text) == ("note", True)


def test_a_device_that_gives_other_heat_maps_is_a_problem() -> None:
    wrong = Answer({**WORKS, "difference": 0.25})
    (finding,) = problems(system_with({"devices": Answer(["dml", "cpu"]), "device dml": wrong}))
    assert "its heat map is wrong by 25% of the range" in finding.text


def test_a_gpu_that_onnxruntime_was_not_built_for_is_worth_a_note() -> None:
    system = system_with(has_nvidia=lambda: True)
    (finding,) = findings(system)["cuda"]
    assert finding.state == "note"
    assert "pip install onnxruntime-gpu" in finding.fix
    with_cuda = system_with({"devices": Answer(["cuda", "cpu"])}, has_nvidia=lambda: True)
    (finding,) = findings(with_cuda)["cuda"]
    assert finding.state == "ok"


@pytest.mark.parametrize(
    ("flags", "state", "words"),
    [
        (MODERN, "ok", "AVX2, AVX-512, VNNI"),
        (frozenset({"asimd", "asimddp"}), "ok", "NEON, dot product"),
        (frozenset({"sse2"}), "note", "neither AVX2 nor NEON"),
        (frozenset(), "ok", "does not report it"),
    ],
)
def test_what_the_processor_can_do(flags: frozenset[str], state: str, words: str) -> None:
    (finding,) = findings(system_with(cpu_flags=lambda: flags))["SIMD"]
    assert (finding.state, words in finding.text) == (state, True)


def test_a_format_that_is_missing() -> None:
    missing = Answer({"WebP": {"written": True, "failure": "can't write it (error: no)"}})
    (finding,) = problems(system_with({"formats": missing}))
    assert (finding.name, finding.text) == ("WebP", "can't write it (error: no)")
    assert "pip install" in finding.fix


def test_a_format_that_needs_an_extra_is_no_problem() -> None:
    trial = {"written": False, "missing": "pillow-heif: pip install …", "failure": ""}
    system = system_with({"formats": Answer({"HEIC": trial})})
    assert not problems(system)
    texts = [finding.text for finding in examine(system=system) if finding.name == "HEIC"]
    assert texts == ["not read; reading it needs pillow-heif: pip install …"]


def test_no_format_where_the_decoders_are_gone() -> None:
    (finding,) = problems(system_with({"formats": Answer(failure="ImportError: no cv2")}))
    assert finding.text == "no image can be read or written (ImportError: no cv2)"


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        ({"failure": "Permission denied"}, "can't be written in it (Permission denied)"),
        ({"locks": False}, "can't be locked"),
        ({"free": 9_000_000}, "nearly full: 0.0 GB free"),
    ],
)
def test_a_folder_that_is_no_place_for_outputs(trial: dict[str, Any], words: str) -> None:
    whole = {"failure": "", "free": 5_000_000_000, "locks": True}
    (finding,) = problems(system_with({"folder": Answer({**whole, **trial})}), "out")
    assert words in finding.text
    assert finding.fix


def test_no_folder_is_tried_unless_given() -> None:
    assert "folder" not in {one.area for one in examine(None, system_with())}

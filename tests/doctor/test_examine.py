"""The doctor: what it finds in surroundings of all kinds, and what it says is to be done."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from augcli.doctor.distributions import Sharer
from augcli.doctor.examine import Finding, Surroundings, examine
from augcli.doctor.probes import Answer

WORKS = {"steps": 24, "there": 24, "milliseconds": 1.5, "difference": 0.0}
MODERN = frozenset({"avx2", "avx512f", "avx512_vnni", "sse"})


def surroundings(
    answers: dict[str, Answer] | None = None,
    *,
    opencv: list[Sharer] | None = None,
    onnxruntime: list[Sharer] | None = None,
    versions: dict[str, str] | None = None,
    **more: Any,
) -> Surroundings:
    """Return surroundings in which nothing is wrong, but for what is given.

    Args:
        answers: By question, or by question and what it is about.
        opencv: Distributions that fill ``cv2``.
        onnxruntime: Distributions that fill ``onnxruntime``.
        versions: Of other distributions, by name.
        **more: Other fields of :class:`Surroundings`.
    """
    shares = {
        "cv2": [Sharer("opencv-python-headless", "5.0", 0)] if opencv is None else opencv,
        "onnxruntime": onnxruntime or [Sharer("onnxruntime", "1.32", 0)],
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
    found = Surroundings(
        ask=lambda question, about: given.get(f"{question} {about}") or given[question],
        sharers=lambda folder, _: shares[folder],
        version=lambda name: (versions or {}).get(name, "99"),
        lowest=dict,
        has_nvidia=lambda: False,
        cpu_flags=lambda: MODERN,
    )
    return dataclasses.replace(found, **more)


def findings(here: Surroundings, folder: str | None = None) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for one in examine(folder, here):
        found.setdefault(one.name, []).append(one)
    return found


def problems(here: Surroundings, folder: str | None = None) -> list[Finding]:
    return [one for one in examine(folder, here) if one.state == "problem"]


def test_where_nothing_is_wrong_nothing_is_to_be_done() -> None:
    found = list(examine("out", surroundings()))
    assert {one.state for one in found} == {"ok"}
    assert [one.fix for one in found if one.fix] == []
    assert {one.area for one in found} == {"versions", "devices", "processor", "formats", "folder"}


def test_this_installation_is_well() -> None:
    assert problems(Surroundings()) == []


def test_two_distributions_in_one_folder() -> None:
    two = [Sharer("opencv-python", "4.13", 7), Sharer("opencv-python-headless", "5.0", 0)]
    (found,) = problems(surroundings(opencv=two))
    assert found.text.startswith("opencv-python and opencv-python-headless share the folder cv2")
    assert "the files of opencv-python-headless lie there now" in found.text
    assert found.fix == (
        "pip uninstall -y opencv-python opencv-python-headless; "
        "pip install --no-deps opencv-python-headless"
    )


def test_where_the_files_are_mixed_no_winner_is_named() -> None:
    two = [Sharer("onnxruntime", "1.31", 2), Sharer("onnxruntime-gpu", "1.32", 3)]
    (found,) = problems(surroundings(onnxruntime=two))
    assert "it holds files of each" in found.text
    assert found.fix.endswith("pip install --no-deps onnxruntime-gpu")


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (["opencv-contrib-python", "opencv-python-headless"], "opencv-contrib-python"),
        (
            ["opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python"],
            "opencv-contrib-python-headless",
        ),
        (["opencv-python", "opencv-python-rolling"], "opencv-python"),
    ],
)
def test_of_several_the_one_that_can_do_most_is_kept(names: list[str], kept: str) -> None:
    (found,) = problems(surroundings(opencv=[Sharer(name, "5.0", 0) for name in names]))
    assert found.fix.endswith(f"pip install --no-deps {kept}")


def test_files_that_another_package_took_along() -> None:
    (found,) = problems(surroundings(opencv=[Sharer("opencv-python", "4.13", 1200)]))
    assert found.text.startswith("1,200 files of opencv-python are missing or not as they were")
    assert found.fix == "pip install --force-reinstall --no-deps opencv-python"


@pytest.mark.parametrize("listed", [True, False])
def test_a_library_that_is_gone(listed: bool) -> None:
    gone = Answer(failure="ModuleNotFoundError: No module named 'cv2'")
    sharing = [Sharer("opencv-python", "4.13", 900)] if listed else []
    versions = {"opencv-python-headless": ""}
    (found,) = problems(surroundings({"import cv2": gone}, opencv=sharing, versions=versions))
    assert found.text == "can't be imported (ModuleNotFoundError: No module named 'cv2')"
    forced = "pip install --force-reinstall --no-deps opencv-python"
    assert found.fix == (forced if listed else "pip install opencv-python-headless")


def test_an_empty_folder_is_no_library() -> None:
    empty = Answer({"version": "", "file": ""})
    (found,) = problems(surroundings({"import PIL": empty}))
    assert (found.name, found.text) == ("Pillow", "can't be imported (its folder is empty)")


def test_a_library_of_no_distribution_is_taken_as_it_is() -> None:
    (found,) = findings(surroundings(opencv=[]))["OpenCV"]
    assert (found.state, found.text) == ("ok", "99")


def test_a_library_that_is_too_old() -> None:
    old = Answer({"version": "9.5.0", "file": "there.py"})
    here = surroundings({"import PIL": old}, lowest=lambda: {"pillow": "10.3", "numpy": "1.26"})
    (found,) = problems(here)
    assert (found.name, found.text) == ("Pillow", "9.5.0 is older than 10.3")
    assert found.fix == "pip install --upgrade 'pillow>=10.3'"


def test_a_library_that_tells_no_version_is_not_taken_for_old() -> None:
    silent = Answer({"version": "", "file": "there.py"})
    here = surroundings(
        {"import PIL": silent}, versions={"rich": ""}, lowest=lambda: {"pillow": "9", "rich": "9"}
    )
    assert problems(here) == []
    assert findings(here)["rich"][0].text == "of no known version"


def test_where_onnxruntime_is_broken_there_is_no_device() -> None:
    broken = Answer(failure="ended with SIGILL")
    found = problems(surroundings({"import onnxruntime": broken, "devices": broken}))
    assert [one.name for one in found] == ["onnxruntime", "all"]
    assert found[1].text == "nothing can be scored (ended with SIGILL)"


def test_onnx_is_not_needed() -> None:
    (found,) = findings(surroundings(versions={"onnx": ""}))["onnx"]
    assert (found.state, found.text) == ("ok", "not installed; augcli runs without it")


FELL_BACK = Answer(failure="device is 'cuda', but onnxruntime fell back")
SAID = "Failed to load library libx.so with error: libcudnn.so.9: cannot open shared object file"


def test_a_gpu_that_was_wanted_and_does_not_work_is_a_problem() -> None:
    answers = {"devices": Answer(["cuda", "cpu"]), "device cuda": FELL_BACK._replace(said=SAID)}
    (found,) = problems(surroundings(answers))
    assert (found.name, found.area) == ("cuda", "devices")
    assert "fell back" in found.text
    assert "what holds libcudnn.so.9" in found.fix


@pytest.mark.parametrize("others", [{"cuda": Answer(WORKS)}, {}])
def test_other_providers_need_not_work(others: dict[str, Answer]) -> None:
    given = {"tensorrt": FELL_BACK, **others}
    answers = {f"device {name}": one for name, one in given.items()}
    here = surroundings({"devices": Answer([*given, "cpu"]), **answers})
    assert problems(here) == []
    (found,) = findings(here)["tensorrt"]
    assert found.state == "note"
    assert "driver" in found.fix


def test_a_processor_that_can_not_score_is_a_problem() -> None:
    (found,) = problems(surroundings({"device cpu": Answer(failure="ended with SIGSEGV")}))
    assert found.text == "does not work (ended with SIGSEGV)"
    assert "reinstall" in found.fix


def test_where_a_library_is_broken_the_device_is_not_to_blame() -> None:
    broken = Answer(failure="ImportError: no numpy")
    (found,) = problems(surroundings({"device cpu": broken}))
    assert found.fix == "mend what is told under versions first"


def test_a_provider_that_leaves_all_to_the_processor_is_no_device() -> None:
    answers = {"devices": Answer(["azure", "cpu"]), "device azure": Answer({**WORKS, "there": 0})}
    (found,) = findings(surroundings(answers))["azure"]
    assert (found.state, "leaves all of it to the processor" in found.text) == ("note", True)


def test_a_device_that_gives_other_heat_maps_is_a_problem() -> None:
    wrong = Answer({**WORKS, "difference": 0.25})
    (found,) = problems(surroundings({"devices": Answer(["dml", "cpu"]), "device dml": wrong}))
    assert "its heat map is off by 25% of the range" in found.text


def test_a_gpu_that_onnxruntime_was_not_built_for_is_worth_a_note() -> None:
    here = surroundings(has_nvidia=lambda: True)
    (found,) = findings(here)["cuda"]
    assert found.state == "note"
    assert "pip install onnxruntime-gpu" in found.fix
    with_cuda = surroundings({"devices": Answer(["cuda", "cpu"])}, has_nvidia=lambda: True)
    (found,) = findings(with_cuda)["cuda"]
    assert found.state == "ok"


@pytest.mark.parametrize(
    ("flags", "state", "words"),
    [
        (MODERN, "ok", "AVX2, AVX-512, VNNI"),
        (frozenset({"asimd", "asimddp"}), "ok", "NEON, dot product"),
        (frozenset({"sse2"}), "note", "neither AVX2 nor NEON"),
        (frozenset(), "ok", "does not tell"),
    ],
)
def test_what_the_processor_can_do(flags: frozenset[str], state: str, words: str) -> None:
    (found,) = findings(surroundings(cpu_flags=lambda: flags))["SIMD"]
    assert (found.state, words in found.text) == (state, True)


def test_a_format_that_lacks() -> None:
    lacking = Answer({"WebP": {"written": True, "failure": "can't write it (error: no)"}})
    (found,) = problems(surroundings({"formats": lacking}))
    assert (found.name, found.text) == ("WebP", "can't write it (error: no)")
    assert "pip install" in found.fix


def test_no_format_where_the_decoders_are_gone() -> None:
    (found,) = problems(surroundings({"formats": Answer(failure="ImportError: no cv2")}))
    assert found.text == "pictures can't be decoded or encoded (ImportError: no cv2)"


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        ({"failure": "Permission denied"}, "can't be written there (Permission denied)"),
        ({"locks": False}, "can't be locked there"),
        ({"free": 9_000_000}, "all but full: 0.0 GB free"),
    ],
)
def test_a_folder_that_is_no_place_for_outputs(trial: dict[str, Any], words: str) -> None:
    whole = {"failure": "", "free": 5_000_000_000, "locks": True}
    (found,) = problems(surroundings({"folder": Answer({**whole, **trial})}), "out")
    assert words in found.text
    assert found.fix


def test_no_folder_is_tried_unless_given() -> None:
    assert "folder" not in {one.area for one in examine(None, surroundings())}

"""Fixes for libraries that can't be imported: from the error message to what to type."""

from __future__ import annotations

import pytest

from augcli.doctor.fixes import fix_for_import, missing_library

CUDA = (
    "[E:onnxruntime:Default, provider_bridge_ort.cc:2022 TryGetProviderInfo_CUDA] Failed to load "
    "library libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: cannot open shared "
    "object file: No such file or directory"
)


@pytest.mark.parametrize(
    ("text", "library"),
    [
        ("ImportError: libGL.so.1: cannot open shared object file", "libGL.so.1"),
        (CUDA, "libcublasLt.so.12"),
        (
            "Error 126 loading onnxruntime_providers_cuda.dll which depends on cudnn64_9.dll "
            "which is missing.",
            "cudnn64_9.dll",
        ),
        ("loaded libGL.so.1", ""),
        ("No such file or directory", ""),
        ("", ""),
    ],
)
def test_the_missing_library_is_named(text: str, library: str) -> None:
    assert missing_library(text) == library


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("ImportError: libGL.so.1: cannot open shared", "install --force-reinstall --no-deps open"),
        ("ImportError: libgthread-2.0.so.0: cannot open shared", "OpenCV package without windows"),
        ("ImportError: libxcb.so.1: cannot open shared", "OpenCV package without windows"),
        ("ImportError: libz.so.1: cannot open shared", "the package with libz.so.1"),
        ("ImportError: DLL load failed while importing cv2", "Visual C++"),
        ("ended with SIGILL", "instructions that the processor does not have"),
        ("ImportError: numpy.core.multiarray failed to import", "upgrade numpy opencv-python"),
        ("ModuleNotFoundError: No module named 'cv2'", "pip install opencv-python"),
    ],
)
def test_the_fix_fits_the_failure(failure: str, words: str) -> None:
    assert words in fix_for_import(failure, "cv2", "opencv-python", installed=False)


def test_a_package_that_pip_lists_must_be_reinstalled() -> None:
    fix = fix_for_import("No module named 'cv2'", "cv2", "opencv-python", installed=True)
    assert fix == "pip install --force-reinstall --no-deps opencv-python"


def test_numpy_itself_is_not_built_for_another_numpy() -> None:
    fix = fix_for_import("No module named 'numpy'", "numpy", "numpy", installed=False)
    assert fix == "pip install numpy"

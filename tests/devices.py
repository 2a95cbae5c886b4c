"""A pretended GPU: a provider whose work the processor does."""

from __future__ import annotations

from typing import Any

import onnxruntime
import pytest

NAMES = {"cuda": "CUDAExecutionProvider", "openvino": "OpenVINOExecutionProvider"}
CPU = "CPUExecutionProvider"


def pretend(monkeypatch: pytest.MonkeyPatch, device: str, *, works: bool = True) -> list[Any]:
    """Let onnxruntime in this process have one more provider.

    Args:
        monkeypatch: Undoes it after the test.
        device: ``cuda`` or ``openvino``.
        works: Whether sessions say that they use it; else they fall back silently.

    Returns:
        The providers that each session was made with, in the order of the sessions.
    """
    provider = NAMES[device]
    asked: list[Any] = []
    real = onnxruntime.InferenceSession

    class Session(real):  # type: ignore[misc, valid-type]  # onnxruntime has no types
        def __init__(self, path: str, options: Any, providers: list[Any]) -> None:
            self._pretended = works and providers[0][0] == provider
            if providers[0][0] == provider:
                asked.append(providers)
                providers = [CPU]
            super().__init__(path, options, providers=providers)

        def get_providers(self) -> list[str]:
            return [provider, CPU] if self._pretended else [CPU]

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [provider, CPU])
    return asked

"""Trying a device: whether it really does the work, and whether the result is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest

from augcli.doctor.device_trial import try_device
from augcli.errors import ParameterError
from tests import models
from tests.devices import pretend

if TYPE_CHECKING:
    from pathlib import Path


def test_the_processor_does_all_steps(scorer: Path) -> None:
    trial = try_device("cpu", scorer)
    assert trial.steps == trial.on_device > 0
    assert (trial.difference, trial.milliseconds > 0) == (0.0, True)


@pytest.mark.parametrize("side", [None, 56])
def test_a_graph_of_any_size_is_tried(tmp_path: Path, side: int | None) -> None:
    model = models.save_scorer(tmp_path / "m.onnx", side=side, input_size=[56, 56])
    assert try_device("cpu", model).on_device > 0


def test_a_provider_that_runs_no_step_is_noticed(
    scorer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "openvino")
    trial = try_device("openvino", scorer)
    assert (trial.on_device, trial.steps > 0) == (0, True)


def test_a_provider_that_falls_back_is_refused(
    scorer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "cuda", works=False)
    with pytest.raises(ParameterError, match="fell back to CPU"):
        try_device("cuda", scorer)


def test_other_scores_than_the_processors_show(
    scorer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "cuda")
    real = onnxruntime.InferenceSession.run

    def wrong(session: Any, names: Any, feed: dict[str, Any]) -> Any:
        scores = real(session, names, feed)[0]
        if session.get_providers()[0].startswith("CUDA"):
            scores = scores + np.ptp(scores) / 2
        return [scores]

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", wrong)
    assert try_device("cuda", scorer).difference == pytest.approx(0.5, abs=0.01)

"""Devices: one that is named is really used or refused, and batches change no cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image as Pillow

from augcli.attention.device import parse_device, providers
from augcli.attention.scorer import Scorer, on_device
from augcli.errors import ParameterError, ScorerError, UnreadableImage
from augcli.pixels.heat_maps import RANK_STEPS, pool_map, ranked_cells
from tests import models
from tests.devices import pretend
from tests.photos import picture

if TYPE_CHECKING:
    from augcli.pixels.frame import Image

PHOTOS = Path(__file__).parents[2] / "sample_images"


def photos() -> list[Image]:
    images = [np.array(Pillow.open(path).convert("RGB")) for path in sorted(PHOTOS.rglob("*.jpg"))]
    return [*images, *(np.ascontiguousarray(image[:, ::-1]) for image in images)]


def test_names_are_words_in_lower_case() -> None:
    assert parse_device("CUDA") == "cuda"
    for wrong in ("", "cuda 0", 1, None):
        with pytest.raises(ValueError, match="must be auto, cpu, cuda"):
            parse_device(wrong)


def test_the_processor_is_always_there() -> None:
    assert providers()["cpu"] == "CPUExecutionProvider"
    assert on_device("cpu", None, 7) is None


def test_refuses_a_device_that_is_not_compiled_in(scorer: Path) -> None:
    with pytest.raises(ParameterError, match=r"is 'tpu', but this onnxruntime has only .*cpu"):
        on_device("tpu", scorer, 7)


def test_refuses_a_device_when_the_session_fell_back(
    scorer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "cuda", works=False)
    with pytest.raises(ParameterError, match="'cuda', but onnxruntime fell back to CPU"):
        on_device("cuda", scorer, 7)
    assert on_device("auto", scorer, 7) is None


def test_auto_takes_a_gpu_that_works(scorer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "cuda")
    loaded = on_device("auto", scorer, 7)
    assert loaded
    assert loaded.device == "cuda"


def test_auto_takes_no_other_provider(scorer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "openvino")
    assert on_device("auto", scorer, 7) is None


def test_sets_cuda_up_to_repeat_its_sums(scorer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = pretend(monkeypatch, "cuda")
    Scorer(scorer, device="cuda")
    chosen = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
    assert asked == [[("CUDAExecutionProvider", chosen)]]


def test_libraries_that_pip_installed_are_loaded_for_cuda(
    scorer: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pretend(monkeypatch, "cuda")
    loaded: list[str] = []

    def preload() -> None:
        loaded.append("cuda")
        print("libcudart.so.13 was not found")

    monkeypatch.setattr(onnxruntime, "preload_dlls", preload, raising=False)
    Scorer(scorer)
    assert not loaded
    Scorer(scorer, device="cuda")
    assert loaded == ["cuda"]
    assert capfd.readouterr().out == ""


def test_a_wrong_scorer_is_refused_on_any_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "cuda")
    (tmp_path / "m.onnx").write_text("no graph")
    with pytest.raises(ScorerError, match="is not an ONNX graph"):
        on_device("cuda", tmp_path / "m.onnx", 7)


def test_a_gpu_gets_full_batches_only(scorer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "cuda")
    loaded = Scorer(scorer, device="cuda", batch=4)
    sizes: list[int] = []
    run = onnxruntime.InferenceSession.run

    def recorded(session: Any, names: Any, feed: dict[str, Any]) -> Any:
        sizes.append(len(feed["image"]))
        return run(session, names, feed)

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", recorded)
    images = [picture(number, 30, 40) for number in range(9)]
    maps = loaded.heat_maps(images)
    assert sizes == [4, 4, 4]
    assert [heat_map.tolist() for heat_map in maps] == [
        heat_map.tolist() for heat_map in Scorer(scorer).heat_maps(images)
    ]


def test_a_graph_of_fixed_batch_gets_that_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models.save_scorer(tmp_path / "m.onnx", images=1)
    pretend(monkeypatch, "cuda")
    loaded = Scorer(model, device="cuda")
    images = [picture(number, 30, 40) for number in range(3)]
    assert [one.tolist() for one in loaded.heat_maps(images)] == [
        loaded.heat_map(image).tolist() for image in images
    ]


@pytest.mark.parametrize("batch", [16, 64])
def test_batches_choose_the_same_cells_but_for_near_ties(
    batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = photos()
    single = Scorer().heat_maps(images)
    pretend(monkeypatch, "cuda")
    batched = Scorer(device="cuda", batch=batch).heat_maps(images)
    for one, other in zip(single, batched, strict=True):
        span = float(np.ptp(one))
        assert np.abs(one - other).max() <= span / RANK_STEPS
        if ranked_cells(one, 6) != ranked_cells(other, 6):
            flat = one.ravel()
            pairs = zip(ranked_cells(one, 6), ranked_cells(other, 6), strict=True)
            assert all(abs(flat[a] - flat[b]) <= span / RANK_STEPS for a, b in pairs if a != b)


def test_a_flexible_graph_scores_small_images_at_its_smallest_input(tmp_path: Path) -> None:
    model = models.save_scorer(tmp_path / "m.onnx", side=None, input_size=[112, 112])
    loaded = Scorer(model)
    assert loaded.flexible
    assert loaded.fit().fitted(picture(1, 64, 40)).shape == (56, 56, 3)
    assert loaded.fit().fitted(picture(1, 65, 40)).shape == (112, 112, 3)
    assert loaded.fit(3).fitted(picture(1, 64, 40)).shape == (24, 24, 3)
    small = picture(2, 56, 56)
    expected = small.reshape(7, 8, 7, 8, 3).mean(axis=(1, 3, 4)) / 255
    assert loaded.heat_map(small) == pytest.approx(expected, abs=5e-4)


def test_images_of_both_sizes_go_together(tmp_path: Path) -> None:
    loaded = Scorer(models.save_scorer(tmp_path / "m.onnx", side=None, input_size=[112, 112]))
    images = [picture(number, 30 + 20 * (number % 4), 40) for number in range(9)]
    together = [one.tolist() for one in loaded.heat_maps(images)]
    assert together == [loaded.heat_map(image).tolist() for image in images]


def test_a_flexible_graph_is_used_as_usual_where_no_smaller_input_does(tmp_path: Path) -> None:
    loaded = Scorer(models.save_scorer(tmp_path / "m.onnx", side=None, input_size=[56, 56]))
    assert loaded.fit().small is None


def test_a_graph_of_fixed_size_gets_that_size(scorer: Path) -> None:
    loaded = Scorer(scorer)
    assert not loaded.flexible
    assert loaded.fit().fitted(picture(1, 8, 8)).shape == (56, 56, 3)


def test_stored_maps_give_the_same_heat_maps(tmp_path: Path, scorer: Path) -> None:
    large = models.save_scorer(tmp_path / "large.onnx", side=112)
    flexible = models.save_scorer(tmp_path / "any.onnx", side=None, input_size=[112, 112])
    for model, grids in [(scorer, (1, 5, 7)), (large, (1, 7, 13, 14)), (flexible, (7,))]:
        loaded = Scorer(model, grid=max(grids))
        for side in (30, 90):
            image = picture(side, side, side)
            stored = loaded.storable_maps([loaded.fit().fitted(image)])[0]
            assert stored.shape == loaded.map_shape
            for grid in grids:
                assert loaded.map_spec.serves(grid)
                assert pool_map(stored, grid).tolist() == loaded.heat_map(image, grid).tolist()


def test_a_map_with_nan_fails_that_image_only(tmp_path: Path) -> None:
    loaded = Scorer(models.save_scorer(tmp_path / "m.onnx", after=("Log",)))
    with pytest.raises(UnreadableImage, match="NaN or infinity"):
        loaded.heat_map(np.zeros((8, 8, 3), np.uint8))

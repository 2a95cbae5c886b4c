"""Pictures of samples as one tensor, in a worker of a loader and outside of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from augcli.torch.samples import stacked

pytestmark = pytest.mark.loaders

KINDS = ["uint8", "float32", "bfloat16"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("in_worker", [False, True])
def test_a_batch_is_what_pytorch_collates(
    in_worker: bool, kind: str, torch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_worker:
        monkeypatch.setattr(torch.utils.data, "get_worker_info", object)
        monkeypatch.setattr(torch.utils.data._utils.worker, "_worker_info", object())
    images = list(torch.arange(4 * 3 * 5 * 6).reshape(4, 3, 5, 6).to(getattr(torch, kind)))
    ours = stacked(torch, images)
    assert torch.equal(ours, torch.stack(images))
    assert ours.dtype == images[0].dtype
    assert ours.is_contiguous()
    # What does not lie there would be copied once more on its way to the training process.
    assert ours.is_shared() == in_worker
    if kind != "bfloat16":
        arrays = [image.numpy() for image in images]
        assert np.array_equal(stacked(torch, arrays).numpy(), np.stack(arrays))

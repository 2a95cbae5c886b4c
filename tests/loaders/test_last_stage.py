"""The last stage of the scorer's training: a student learns from the mean of several."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

pytestmark = pytest.mark.loaders


@pytest.fixture
def students(torch: Any) -> list[Any]:
    """Three small students with random weights."""
    pytest.importorskip("onnx")
    from models.train.network import SHAPES, Student

    torch.manual_seed(0)
    return [Student(SHAPES["small"]).eval() for _ in range(3)]


def test_the_consensus_mirrors_with_the_picture(torch: Any, students: list[Any]) -> None:
    from models.train.consensus import Consensus

    consensus = Consensus(students)
    pixels = torch.rand(2, 3, 56, 56) * 255
    heat = consensus(pixels)
    assert heat.shape == (2, 7, 7)
    assert torch.allclose(consensus(pixels.flip(-1)), heat.flip(-1), atol=1e-6)
    alone = Consensus(students[:1])(pixels)
    assert not torch.allclose(alone, heat, atol=1e-6)


def test_the_student_goes_on_from_its_weights_towards_the_consensus(
    torch: Any, students: list[Any]
) -> None:
    from models.train.consensus import Consensus
    from models.train.fit import Plan, Run
    from models.train.pool import VIEW_SIDE, Pool

    # The others see an object in every cell.
    for student in students[1:]:
        torch.nn.init.constant_(student.heat.bias, 4.0)
    nothing: Any = None
    pool = Pool(16, nothing, nothing, torch.Generator().manual_seed(0))
    pool.images.random_(256)
    for labels in (pool.masks, pool.heat, pool.evidence, pool.features):
        labels.zero_()
    plan = replace(Plan.of("small:1:0.7").last(), batch=8, consensus_share=1.0)
    run = Run(plan, torch.device("cpu"), students[0], Consensus(students))
    start = students[0].state_dict()
    assert all(torch.equal(value, start[name]) for name, value in run.student.state_dict().items())
    assert pool.images.shape[1] == VIEW_SIDE
    seen = torch.nn.functional.interpolate(pool.images.permute(0, 3, 1, 2).float(), size=56)

    def height() -> float:
        with torch.no_grad():
            return float(run.student.eval()(seen.permute(0, 2, 3, 1))[0].sigmoid().mean())

    before = height()
    run.student.train()
    for _ in range(20):
        run.step(pool, 0.5)
    assert height() > before + 0.1

"""The benchmark of GPUs runs on the processor, and says so where a GPU is wanted."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.command import PATIENCE, ROOT, environment


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_it_writes_its_tables(device: str) -> None:
    command = ["benchmarks/gpu.py", "--device", device, "--images", "12", "--rounds", "1"]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(CUDA_VISIBLE_DEVICES=""),
        check=True,
        timeout=2 * PATIENCE,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("No scoring on cuda: " if device == "cuda" else "Measured on")
    for batch in (32, 128, 512):
        assert re.search(rf"\| photos \| {batch} \| [\d,]+ \|", done.stdout)
    for workers in (2, 16):
        assert re.search(rf"\| cpu \| {workers} \| [\d,]+ \| [\d,]+ \|", done.stdout)
        assert f"12 (cpu, {workers} workers)" in done.stdout
    for side in (32, 224):
        assert f"| {side} x {side} | the processor (NumPy) |" in done.stdout

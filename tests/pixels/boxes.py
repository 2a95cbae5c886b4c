"""Frames with a box in them, and the pixels of a box."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from augcli.pixels.frame import Box, Frame
from tests.strategies import frames


@st.composite
def frames_with_box(draw: st.DrawFn) -> tuple[Frame, tuple[int, int, int, int]]:
    frame = draw(frames)
    x0, y0 = draw(st.integers(0, frame.width - 1)), draw(st.integers(0, frame.height - 1))
    x1, y1 = draw(st.integers(x0 + 1, frame.width)), draw(st.integers(y0 + 1, frame.height))
    return frame, (x0, y0, x1, y1)


def rasterised(box: Box, frame: Frame) -> np.ndarray:
    mask = np.zeros(frame, bool)
    x0, y0, x1, y1 = box
    mask[y0 : max(y0, y1), x0 : max(x0, x1)] = True
    return mask

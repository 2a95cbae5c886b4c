"""The quick ones of the attacks that ``benchmarks/attacks.py`` runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the attacks are those of Linux")
SLOW = 4
"""How many times longer a command may take on a busy machine."""

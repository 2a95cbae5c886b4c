"""The commands of histories."""

from __future__ import annotations

from typing import NamedTuple

RECIPE = """
[[step]]
use = "flip"
prob = 0.5

[[step]]
use = "cutmix"
region = "box"
"""
METHODS = {
    "cutout": ("cutout", "photos", "--patch", "5", "--fill", "black"),
    "cutmix": ("cutmix", "photos", "--region", "cells", "--top-n", "9"),
    "attentive": ("cutmix", "photos", "--model", "scorer.onnx", "--top-n", "9"),
    "recipe": ("run", "recipe.toml", "photos"),
}
"""Not with the mean colour, which the first run fixes."""


class Command(NamedTuple):
    """A command without its options of one run.

    Attributes:
        method: A key of :data:`METHODS`.
        copies: Outputs for each source.
        seed: Seed of all chance.
        format: Format of the outputs.
        originals: Whether originals come along.
        pair: Which donors are allowed; without a meaning for cutout.
    """

    method: str
    copies: int = 1
    seed: int = 0
    format: str = "same"
    originals: str = "none"
    pair: str = "any"

    def words(self) -> list[str]:
        """Return the command as words, with names that are relative to the folder."""
        words = [*METHODS[self.method], "--copies", str(self.copies), "--seed", str(self.seed)]
        words += ["--format", self.format, "--originals", self.originals]
        return words if self.method == "cutout" else [*words, "--pair", self.pair]

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
    "mean": ("cutout", "photos", "--patch", "5", "--refresh-estimates"),
    "cutmix": ("cutmix", "photos", "--region", "cells", "--top-n", "9"),
    "attentive": ("cutmix", "photos", "--model", "scorer.onnx", "--top-n", "9"),
    "recipe": ("run", "recipe.toml", "photos"),
}
"""With the mean colour only where each run estimates it: else the first run fixes it."""
WITHOUT_DONOR = ("cutout", "mean")


class Command(NamedTuple):
    """A command without its options of one run.

    Attributes:
        method: A key of :data:`METHODS`.
        copies: Outputs for each source.
        seed: Seed of all chance.
        format: Format of the outputs.
        originals: Whether originals come along.
        pair: Which donors are allowed; for the methods that have one.
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
        return words if self.method in WITHOUT_DONOR else [*words, "--pair", self.pair]

"""The pages of the docs, split into blocks, and a folder to run them in."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from tests.toy_classifiers import save_classifier

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]

OPTIONAL = frozenset(
    {"albumentations", "datasets", "duckdb", "fastai", "keras", "polars", "timm", "torch"}
    | {"torchvision", "ultralytics", "webdataset"}
)
"""Modules of snippets that only ``pytest -m loaders`` runs."""
NOT_RUN = frozenset({"make", "python3", ".venv/bin/pip", ".venv/bin/python", ".venv/bin/augcli"})
"""First words of lines in ``sh`` blocks that are not run here: they install, or run the tests."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block of a page.

    Attributes:
        language: The word after the fence.
        text: Its content.
        line: Number of its first line in the page.
        output: What it prints: the content of a ``text`` block right after it.
    """

    language: str
    text: str
    line: int
    output: str | None

    @property
    def needs(self) -> frozenset[str]:
        """The optional modules that a Python block imports."""
        names: set[str] = set()
        for node in ast.walk(ast.parse(self.text)):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            if isinstance(node, ast.ImportFrom):
                names.add((node.module or "").partition(".")[0])
        if "torch.ManifestDataset(" in self.text or "torch.NamedDataset(" in self.text:
            names.add("torch")
        return OPTIONAL & names


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    result = []
    for match, following in zip(fences, [*fences[1:], None], strict=False):
        output = None
        if following and following[1] == "text" and not text[match.end() : following.start()][1:-1]:
            output = following[2]
        line = text.count("\n", 0, match.start(2)) + 1
        result.append(Block(match[1], match[2], line, output))
    return result


def furnish(folder: Path) -> Path:
    """Create in a folder the files that the pages use; return the folder.

    ``images`` is a copy of sample_images; ``flat`` has a few of them in one folder, with
    ``labels.csv``; ``scorer.onnx`` is the shipped one, and ``classifier.onnx`` a tiny one.
    """
    shutil.copytree(ROOT / "sample_images", folder / "images")
    (folder / "flat").mkdir()
    table = ["file_name,label"]
    for source in sorted((folder / "images").glob("thing/*.jpg")):
        shutil.copy(source, folder / "flat" / source.name)
        table.append(f"{source.name},{'small' if 'spoon' in source.name else 'large'}")
    (folder / "labels.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
    shutil.copy(ROOT / "models" / "attention.onnx", folder / "scorer.onnx")
    save_classifier(folder / "classifier.onnx")
    return folder

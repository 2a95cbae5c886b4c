"""Sources that a table gives labels, without files."""

from __future__ import annotations

from typing import Any

import pytest

from augcli.data.stores.sources import Sources
from augcli.data.tables.choice import TableChoice
from augcli.data.tables.labelling import Labelling
from augcli.errors import InputError

ROOT = "/home/me/photos"
PATHS = ("a.jpg", "b/c.png")
SUBJECT = "`labels` labels.csv"


def labelled(content: str | bytes, *paths: str, root: str = ROOT, **choice: Any) -> Sources:
    """Return sources with the labels that a table gives them."""
    sources = Sources(root, sorted(paths or PATHS))
    for _ in sources.paths:
        sources.sizes.append(1)
        sources.modified.append(1)
    labelling = Labelling(sources, (root,), TableChoice(**choice))
    labelling.add(SUBJECT, content if isinstance(content, bytes) else content.encode())
    return labelling.finish()


def labels(sources: Sources) -> dict[str, dict[str, float]]:
    """Return the weights of each source by class."""
    return {path: sources.label(at).to_json() for at, path in enumerate(sources.paths)}


def classes(content: str | bytes, *paths: str, **choice: Any) -> dict[str, str]:
    """Return the label of each source in words."""
    found = labelled(content, *paths, **choice)
    return {path: str(found.label(at)) for at, path in enumerate(found.paths)}


def refusal(content: str | bytes, *paths: str, **choice: Any) -> str:
    """Return the message for a table that must be refused, without the table's name."""
    with pytest.raises(InputError) as error:
        labelled(content, *paths, **choice)
    text = str(error.value)
    assert text.startswith(f"{SUBJECT}: ")
    assert "\n" not in text
    return text.removeprefix(f"{SUBJECT}: ")

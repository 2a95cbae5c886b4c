"""The bar below the cell of a notebook, with a real kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.photos import class_folders

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.loaders, pytest.mark.filterwarnings("default")]

CELL = """
import sys
import augcli, augcli.run.showing.bar
augcli.run.showing.bar.NOTEBOOK_SECONDS = 0
assert "ipywidgets" not in sys.modules
from IPython.display import DisplayHandle
shown = []
update = DisplayHandle.update
def noted(self, content, **options):
    shown.append(content)
    return update(self, content, **options)
DisplayHandle.update = noted
augcli.{call}, out={out!r}, workers=0, progress=True)
texts = [one["text/plain"] for one in shown]
assert texts[-1] == "" and any(text.startswith("4/4") for text in texts)
assert any('value="4" max="4"' in one["text/html"] for one in shown)
"""


@pytest.mark.parametrize("call", ["augment({0!r}, augcli.Cutout(patch=4)", "export({0!r}"])
def test_a_bar_moves_and_goes_away(call: str, tmp_path: Path) -> None:
    client = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    nbformat = pytest.importorskip("nbformat")
    photos = class_folders(tmp_path / "photos", {"cat": 4})
    code = CELL.format(call=call.format(str(photos)), out=str(tmp_path / "out"))
    notebook: Any = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    client.NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    bar, *texts = notebook.cells[0].outputs
    assert bar.data == {"text/plain": "", "text/html": ""}
    assert {text.name for text in texts} == {"stdout"}
    assert "4 images" in "".join(text.text for text in texts)

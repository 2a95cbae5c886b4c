"""What ``import augcli`` offers: a promise, so that every change of it is meant."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys

import pytest

import augcli
from augcli import pixels
from augcli.augmentations import METHODS
from augcli.lazy import names_from

PUBLIC = [
    "AttentiveCutMix",
    "Blur",
    "Colour",
    "CutMix",
    "Cutout",
    "DataSet",
    "DropBlock",
    "Dropout",
    "Erasing",
    "Flip",
    "GridMask",
    "HeatMaps",
    "MixUp",
    "RandomResizedCrop",
    "Recipe",
    "Resize",
    "ResizeMix",
    "Rotate",
    "SpatialDropout",
    "Summary",
    "augment",
    "cutout",
    "export",
    "finish",
    "heat_map",
    "inspect",
    "paste_cells",
    "prepare",
    "prepare_scorer",
    "preview",
    "ranked_cells",
    "read",
    "remake",
    "split",
    "verify",
]


def import_everything() -> None:
    """Import every module: each sets a name in its package, which must not hide another."""
    for module in pkgutil.walk_packages(augcli.__path__, "augcli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def test_the_public_names_are_these() -> None:
    assert augcli.__all__ == PUBLIC


def test_every_method_is_a_public_name() -> None:
    assert {method.__name__ for method in METHODS.values()} <= set(augcli.__all__)
    for method in METHODS.values():
        assert getattr(augcli, method.__name__) is method


def test_the_lazy_names_are_the_public_names() -> None:
    names = inspect.getclosurevars(augcli.__getattr__).nonlocals["modules"]
    assert sorted(names) == augcli.__all__


def test_the_public_names_are_sorted() -> None:
    assert augcli.__all__ == sorted(augcli.__all__)


@pytest.mark.parametrize("name", augcli.__all__)
def test_a_public_name_is_a_documented_function_or_class(name: str) -> None:
    import_everything()
    found = getattr(augcli, name)
    assert inspect.isclass(found) or inspect.isfunction(found)
    assert inspect.getdoc(found)


def test_augment_is_the_function_after_all_modules_are_imported() -> None:
    import_everything()
    from augcli import augment

    assert inspect.isfunction(augment)


def test_no_lazy_name_of_pixels_is_hidden_by_a_module() -> None:
    """A module named like a function takes its place in the package once it is imported."""
    import_everything()
    names = inspect.getclosurevars(pixels.__getattr__).nonlocals["modules"]
    hidden = [name for name in names if inspect.ismodule(getattr(pixels, name))]
    assert hidden == []


def test_every_lazy_name_of_pixels_is_there() -> None:
    names = inspect.getclosurevars(pixels.__getattr__).nonlocals["modules"]
    assert [name for name in names if not hasattr(pixels, name)] == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'cutmax'"):
        augcli.cutmax  # noqa: B018


def test_names_from_imports_a_module_at_first_use_only() -> None:
    lookup = names_from({"there": "json", "nowhere": "augcli.no_such_module"}, {})
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        lookup("nowhere")
    with pytest.raises(AttributeError, match="there"):
        lookup("there")


def test_importing_all_of_augcli_bounds_no_threads() -> None:
    """What bounds the threads of workers must not bound those of a user's training script."""
    code = (
        "import os, augcli, augcli.work.worker\n"
        "[getattr(augcli, name) for name in augcli.__all__]\n"
        "print([name for name in os.environ if name.endswith('_NUM_THREADS')])"
    )
    plain = {name: value for name, value in os.environ.items() if "_NUM_THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"

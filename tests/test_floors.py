"""The floors of the house: a module imports only what lies under it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import augcli
from tests.photos import class_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(augcli.__file__).parent

FLOORS = (
    "pixels",
    "augmentations",
    "attention",
    "classifiers",
    "data",
    "recipes",
    "plan",
    "work",
    "run",
    "torch",
    "doctor",
    "report",
    "cli",
)
"""From the ground up: each floor may import those before it."""

LEAVES = frozenset({"errors", "files", "lazy", "params", "rng", "version"})
"""Every floor may import these, and they import only one another."""

PACKAGES = {
    "errors": frozenset[str](),
    # For buckets; the others are its relatives, by the scheme of a URL.
    "files": frozenset({"fsspec", "obstore", "botocore", "gcsfs"}),
    "lazy": frozenset[str](),
    "params": frozenset[str](),
    "rng": frozenset({"numpy"}),
    "version": frozenset[str](),
    "pixels": frozenset({"numpy", "cv2"}),
    "augmentations": frozenset({"numpy"}),
    "attention": frozenset({"numpy", "onnxruntime"}),
    "classifiers": frozenset({"numpy", "onnx", "onnxruntime"}),
    "data": frozenset({"numpy", "cv2", "PIL", "pyarrow"}),
    "recipes": frozenset[str](),
    "plan": frozenset({"numpy"}),
    "work": frozenset({"numpy", "cv2", "ray"}),
    # rich and IPython only for the progress bar, which Python callers may show, also in notebooks.
    "run": frozenset({"numpy", "rich", "IPython"}),
    # albumentations is looked for among the modules that are loaded, and never imported.
    "torch": frozenset({"numpy", "PIL", "torch", "torchvision"}),
    "doctor": frozenset({"numpy", "cv2", "PIL"}),
    "report": frozenset({"numpy", "cv2", "PIL", "jinja2"}),
    "cli": frozenset({"typer", "rich"}),
}
"""The installed packages that each floor and leaf knows."""

FILES_AND_PROCESSES = frozenset(
    {"asyncio", "concurrent", "ctypes", "glob", "io", "mmap", "multiprocessing", "os", "pathlib"}
    | {"shutil", "signal", "socket", "subprocess", "sys", "tempfile", "threading", "time"}
)
"""What arrays in, arrays out need not know."""

MODULE_NAME = r"augcli(\.\w+)+"
HEAVY = ("PIL", "cv2", "numpy", "onnx", "onnxruntime", "rich", "torch", "typer")


class Module(NamedTuple):
    """A source file with its place in the house and its tree."""

    path: str
    floor: str
    tree: ast.Module


def read_modules() -> list[Module]:
    """Return every module, except those that stand above the house."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        if relative.as_posix() in ("__init__.py", "__main__.py"):
            continue
        floor = relative.parts[0].removesuffix(".py")
        found.append(Module(relative.as_posix(), floor, ast.parse(path.read_text("utf-8"))))
    return found


MODULES = read_modules()
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.path)


def imports(module: Module) -> Iterator[str]:
    """Yield the full name of everything that a module imports, anywhere in it."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.path} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and re.fullmatch(MODULE_NAME, str(node.value)):
            # Names that are imported on first use, and worker processes.
            yield str(node.value)


def test_every_folder_and_file_is_a_floor_or_a_leaf() -> None:
    assert {module.floor for module in MODULES} == {*FLOORS, *LEAVES}


@each_module
def test_a_module_imports_only_floors_under_it_and_leaves(module: Module) -> None:
    under = {*LEAVES, module.floor}
    if module.floor in FLOORS:
        under |= set(FLOORS[: FLOORS.index(module.floor)])
    floors = {name.split(".")[1] for name in imports(module) if name.startswith("augcli.")}
    assert floors - under == set()


@each_module
def test_a_module_imports_only_packages_that_its_floor_knows(module: Module) -> None:
    tops = {name.partition(".")[0] for name in imports(module)}
    installed = tops - set(sys.stdlib_module_names) - {"augcli"}
    assert installed - PACKAGES[module.floor] == set()


@pytest.mark.parametrize(
    "module",
    [module for module in MODULES if module.floor in ("pixels", "augmentations")],
    ids=lambda module: module.path,
)
def test_pixels_and_augmentations_know_no_files_and_no_processes(module: Module) -> None:
    tops = {name.partition(".")[0] for name in imports(module)}
    called = {node.func.id for node in calls(module) if isinstance(node.func, ast.Name)}
    assert tops & FILES_AND_PROCESSES == set()
    assert called & {"open", "print", "input", "exec", "eval"} == set()


def calls(module: Module) -> Iterator[ast.Call]:
    """Yield every call in a module."""
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


OPENING = {
    *("open", "os.open", "io.open", "os.fdopen", "os.replace", "os.rename"),
    *("zipfile.ZipFile", "onnx.load", "onnx.save", "gzip.open", "np.load", "np.save"),
}
"""Calls that open, publish or rename a file by its path."""
OPENED = {
    # A ZIP archive in a file that was opened already, and the names of a network's own files.
    "attention/heat_map_file.py": {"zipfile.ZipFile"},
    "data/sinks/npz.py": {"zipfile.ZipFile"},
    "data/stores/arrays/numpy_files.py": {"zipfile.ZipFile"},
    # Standard streams that are closed, and the channel to the parent: no files.
    "cli/app.py": {"os.open"},
    "cli/streams.py": {"os.open", "os.fdopen"},
    "work/worker.py": {"os.fdopen"},
}


@each_module
def test_only_the_files_leaf_opens_files(module: Module) -> None:
    """Regular files only, bounded, and published by a rename: in one place."""
    called = {ast.unparse(call.func) for call in calls(module)}
    methods = {name.rpartition(".")[2] for name in called}
    paths = {"read_bytes", "write_bytes", "write_text"} & methods
    if module.floor != "files":
        assert called & OPENING <= OPENED.get(module.path, set())
        assert paths == set()


@each_module
def test_what_is_written_at_once_has_a_temporary_name(module: Module) -> None:
    """So no partial file has a final name, whichever verb writes it."""
    called = {ast.unparse(call.func) for call in calls(module)}
    if "write_file" in called:
        assert called & {"replacing", "_unfinished"}


COMMAND_LINES = ("doctor/",)
"""What to do there is a command line of another program, such as pip."""


@each_module
def test_only_the_command_line_names_flags(module: Module) -> None:
    """Other rooms write an option in backticks, by its name in Python."""
    if module.floor == "cli" or module.path.startswith(COMMAND_LINES):
        return
    docstrings = {
        node.value
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    texts = [
        node.value
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings
    ]
    assert [text for text in texts if re.search(r"(?<![\w-])--[a-z]", text)] == []


@each_module
def test_chance_comes_from_the_streams_alone(module: Module) -> None:
    """Neither ``random`` nor a distribution of ``numpy.random`` is used, nor the system's."""
    chance = {
        name
        for name in imports(module)
        if re.match(r"(random|secrets|uuid)\b|numpy\.random\b|os\.urandom\b", name)
    }
    attributes = {
        ast.unparse(node)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and re.match(r"(np|numpy)\.random|os\.urandom", ast.unparse(node))
    }
    allowed = {
        "rng": {"numpy.random.Philox", "np.random", "np.random.Philox"},
        # Names of temporary files, which no output depends on.
        "files": {"os.urandom", "os.urandom(4).hex"},
    }.get(module.floor, set())
    assert (chance | attributes) - allowed == set()


def loaded_after(code: str) -> set[str]:
    """Return which heavy packages a fresh interpreter has loaded after some code."""
    told = f"{code}\nimport sys\nprint(*[one for one in {HEAVY} if one in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=ROOT.parent, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_augcli_loads_nothing_heavy() -> None:
    assert loaded_after("import augcli") == set()


def test_building_the_command_line_loads_no_array_package() -> None:
    """``--help`` and completion are quick."""
    code = "from augcli.cli.app import application\napplication()"
    assert loaded_after(code) - {"typer", "rich"} == set()


def test_an_array_function_loads_no_scorer() -> None:
    assert "onnxruntime" not in loaded_after("import augcli\naugcli.paste_cells\naugcli.cutout")


def test_the_parent_of_workers_loads_no_decoder(tmp_path: Path) -> None:
    """Its workers decode and score: a run starts a tenth of a second sooner."""
    class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})
    code = (
        f"import augcli\nfrom augcli import augment, Cutout\naugment({str(tmp_path / 'photos')!r}"
    )
    code += ", Cutout(patch=4, fill='black'), workers=1)"
    assert loaded_after(code) & {"PIL", "cv2", "onnxruntime"} == set()


ARCHITECTURE = (ROOT.parent / "docs/architecture.md").read_text("utf-8")


def test_the_page_about_the_rooms_has_all_of_them_in_order() -> None:
    rooms = re.findall(r"^\| `(\w+)/` \|", ARCHITECTURE, re.MULTILINE)
    assert rooms == list(reversed(FLOORS))
    (leaves,) = re.findall(r"^\| (`errors`.*?) \|", ARCHITECTURE, re.MULTILINE)
    assert set(re.findall(r"\w+", leaves)) == LEAVES


def test_the_page_about_the_rooms_names_files_that_exist() -> None:
    names = set(re.findall(r"`((?:\w+/)*\w+\.py)`", ARCHITECTURE))
    missing = [
        name
        for name in names
        if not (ROOT / name).exists()
        and not (ROOT.parent / name).exists()
        # Named after the folder of the file before it.
        and not list(ROOT.rglob(name))
    ]
    assert missing == []
    assert len(names) > 25

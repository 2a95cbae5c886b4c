"""The docs do what they say: commands and snippets run, tables are in step, links resolve.

Lines of ``sh`` blocks that begin with ``augcli`` are run in order, in a folder that holds the
sample photos as ``images``; ``# exit code N`` at the end of a line says how it ends, 0 where
nothing is said. A ``text`` block right after a block is what it prints, with ``...`` for what
differs from run to run. Blocks whose first line is ``# NAME.toml`` are written to that file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import doctest
import importlib
import importlib.util
import io
import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from augcli import errors
from augcli.augmentations import REGISTRY
from augcli.cli.generated import options_of
from augcli.files.remote import objects
from augcli.run import messages as events
from tests.buckets import upload
from tests.docs import plugin
from tests.docs.pages import IDS, NOT_RUN, OPTIONAL, PAGES, ROOT, Block, blocks, furnish
from tests.loaders.torchvision_import import torchvision
from tests.shards import shards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    from tests.conftest import Cli

PIPELINES = ROOT / "docs" / "pipelines.md"
OTHER_FLAGS = frozenset({"--help", "--version", "--install-completion", "--show-completion"})
"""Flags that no declaration holds."""
PIP_FLAGS = frozenset({"--no-deps"})
BENCHMARK_FLAGS = frozenset(
    flag
    for file in sorted((ROOT / "benchmarks").glob("*.py"))
    for flag in re.findall(r'add_argument\(\s*"(--[a-z-]+)"', file.read_text(encoding="utf-8"))
)
"""Flags of the scripts whose figures some pages show."""
EXAMPLE_FLAGS = frozenset({"--widest"})
"""Flags of the worked example."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a reader would have it, which is the current one."""
    monkeypatch.chdir(furnish(tmp_path))
    return tmp_path


@pytest.fixture
def my_bucket(place: Path, named_bucket: Callable[[str], str]) -> None:
    """The bucket of the pages."""
    url = named_bucket("my-bucket")
    for name in ("images", "flat"):
        upload(place / name, f"{url}/{name}")
    upload(shards(place / "shards", "train-0000.tar", "train-0001.tar"), f"{url}/shards")
    for name in ("labels.csv", "scorer.onnx"):
        objects.put(f"{url}/{name}", (place / name).read_bytes())


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_a_page_runs_from_top_to_bottom(
    page: Path,
    place: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if "s3://my-bucket" in page.read_text(encoding="utf-8"):
        request.getfixturevalue("my_bucket")
    names = plugin.fresh_module("page", monkeypatch)
    for block in blocks(page):
        where = f"{page.name}:{block.line}"
        if block.language == "sh":
            run_commands(block, where, cli)
        elif block.language == "python" and not block.needs:
            run_python(block, where, names)
            plugin.register(names, monkeypatch)
        else:
            write_file(block, place)


def loader_blocks() -> Iterator[Any]:
    for page, name in zip(PAGES, IDS, strict=True):
        for block in blocks(page):
            if block.language == "python" and block.needs:
                yield pytest.param(page, block, id=f"{name}:{block.line}")


@pytest.mark.loaders
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("page", "block"), list(loader_blocks()))
def test_a_snippet_for_a_loader_runs(
    page: Path, block: Block, place: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(place / "settings"))
    for module in sorted(block.needs):
        try:
            (torchvision if module in ("timm", "torchvision") else importlib.import_module)(module)
        except Exception as error:
            # torchvision raises a RuntimeError where it was built for another torch.
            pytest.skip(f"{module} can't be imported: {error}")
    if block.needs & {"datasets", "timm"}:
        monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(place / "cache"))
    names = plugin.fresh_module("page", monkeypatch)
    for one in blocks(page):
        where = f"{page.name}:{one.line}"
        if one.language == "sh":
            run_commands(one, where, cli)
        elif one.language == "python" and can_import(one.needs):
            run_python(one, where, names)
        if one == block:
            return


def can_import(modules: frozenset[str]) -> bool:
    """Return whether all of them are installed."""
    return all(importlib.util.find_spec(module) for module in modules)


def run_commands(block: Block, where: str, cli: Cli) -> None:
    """Run the lines of an ``sh`` block that call augcli."""
    told = ""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words or words[0] in NOT_RUN:
            continue
        with pytest.MonkeyPatch.context() as patch:
            # Pages show one command after another with the same OUT.
            patch.setenv("AUGCLI_OVERWRITE", "1")
            while "=" in words[0]:
                patch.setenv(*words.pop(0).split("=", 1))
            assert words[0] == "augcli", f"{where}: {line} is neither run nor listed in NOT_RUN"
            said = re.search(r"# exit code (\d+)", line)
            if said and said[1] == "2":
                patch.delenv("AUGCLI_OVERWRITE")
            outcome = cli(*words[1:])
        assert outcome.code == (int(said[1]) if said else 0), f"{where}: {line}\n{outcome.err}"
        told += outcome.err + outcome.out
    compare(block, told, where)


def run_python(block: Block, where: str, names: dict[str, Any]) -> None:
    """Run a Python block in the namespace of its page."""
    told = io.StringIO()
    code = compile("\n" * (block.line - 1) + block.text, where, "exec", dont_inherit=True)
    with contextlib.redirect_stdout(told):
        exec(code, names)
    compare(block, told.getvalue(), where)


def compare(block: Block, told: str, where: str) -> None:
    """Compare what a block printed with what the page says, where it says so."""
    if block.output is not None:
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        fits = doctest.OutputChecker().check_output(block.output, told, flags)
        assert fits, f"{where} prints\n{told}\nbut the page says\n{block.output}"


def write_file(block: Block, place: Path) -> None:
    """Write a block whose first line names a file."""
    named = re.match(r"# (\w+\.toml)\n", block.text)
    if named:
        (place / named[1]).write_text(block.text, encoding="utf-8")


def test_the_makefile_of_the_pipelines_page_works(place: Path) -> None:
    (block,) = [one for one in blocks(PIPELINES) if one.language == "make"]
    program = f"{shlex.quote(sys.executable)} -m augcli"
    text = block.text.replace("\taugcli ", f"\t{program} ")
    (place / "Makefile").write_text(text, encoding="utf-8")
    for _ in range(2):
        done = subprocess.run(["make"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (place / "images-cutmix" / "metadata.csv").is_file()


def test_the_worked_example_keeps_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    page = ROOT / "docs" / "adding-an-augmentation.md"
    source = next(one.text for one in blocks(page) if one.language == "python")
    method = plugin.imported(source, monkeypatch)
    tests = list(plugin.contract())
    assert len(tests) > 20
    for test in tests:
        test(cls=method)


@pytest.mark.parametrize("page", ["loading.md", "training.md"])
def test_a_snippet_for_a_trainer_is_short(page: str) -> None:
    for block in blocks(ROOT / "docs" / page):
        if block.language == "python":
            assert len([line for line in block.text.splitlines() if line]) <= 5, block.text


def test_loaders_are_marked() -> None:
    assert {module for param in loader_blocks() for module in param.values[1].needs} == OPTIONAL


def make_tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_tables", ROOT / "docs" / "make_tables.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_options_are_in_step_with_the_code() -> None:
    tables = make_tables()
    written = tables.PAGE.read_text(encoding="utf-8")
    assert written == tables.render(), "docs/options.md is out of step with the code: run make docs"


def test_every_command_and_option_is_documented() -> None:
    tables = make_tables()
    written = tables.PAGE.read_text(encoding="utf-8")
    for words, _ in tables.commands():
        assert f"\n## augcli {words}\n" in written, words
    for augmentation in REGISTRY:
        for fields in options_of(augmentation).values():
            for field in fields:
                assert f"| `{field.flag}`" in written, (augmentation.name, field.flag)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_a_page_names_only_flags_that_exist(page: Path) -> None:
    known = OTHER_FLAGS | PIP_FLAGS | EXAMPLE_FLAGS | BENCHMARK_FLAGS
    for _, command in make_tables().commands():
        for parameter in command.params:
            known |= {*parameter.opts, *parameter.secondary_opts}
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= known


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_of_a_page_resolve(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#:]*)(#[\w-]+)?\)", text):
        file = (page.parent / target) if target else page
        assert file.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor[1:] in [slug(title) for title in titles], f"{target}{anchor}"


def slug(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_prose_fits_in_100_columns(page: Path) -> None:
    text = re.sub(r"https?://\S+", "", page.read_text(encoding="utf-8"))
    wide = [line for line in text.splitlines() if len(line) > 100 and line[:1] not in ("|", "{")]
    assert wide == []


def test_the_table_of_exit_codes_is_that_of_the_code() -> None:
    def codes_of(owner: type[errors.AugcliError]) -> Iterator[int]:
        if owner is not errors.Interrupted:
            yield owner.exit_code
        for one in owner.__subclasses__():
            yield from codes_of(one)

    expected = set(codes_of(errors.AugcliError))
    expected |= {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    expected |= {errors.Interrupted(signal).exit_code for signal in (2, 15)}
    text = PIPELINES.read_text(encoding="utf-8")
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == sorted(
        expected
    )


def told_examples() -> list[dict[str, Any]]:
    (block,) = [one for one in blocks(PIPELINES) if one.language == "json"]
    return [json.loads(line) for line in block.text.splitlines()]


def test_every_type_of_message_has_an_example() -> None:
    types = {one.message_type for one in events.Message.__subclasses__()} | {"plan", "fatal"}
    assert {example["message_type"] for example in told_examples()} == types


def test_examples_of_messages_have_the_fields_of_the_code(place: Path, cli: Cli) -> None:
    plan = json.loads(cli("cutmix", "images", "--dry-run", "--json").out)
    fatal = json.loads(cli("cutmix", "nowhere", "--json").out)
    expected = {
        one["message_type"]: {name: type(one[name]) for name in one} for one in (plan, fatal)
    }
    for message in events.Message.__subclasses__():
        kinds = {"str": str, "int": int, "float": float, "dict[str, int]": dict}
        fields = {field.name: kinds[str(field.type)] for field in dataclasses.fields(message)}
        expected[message.message_type] = {"message_type": str, **fields}
    for example in told_examples():
        found = {name: type(value) for name, value in example.items()}
        assert found == expected[example["message_type"]]

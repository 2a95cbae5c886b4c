"""``augcli scorer`` on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from augcli.attention.model_file import model_sha256
from tests import toy_classifiers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


@pytest.fixture(autouse=True)
def classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder holds a classifier that says how its pixels are scaled."""
    monkeypatch.chdir(tmp_path)
    return toy_classifiers.save_classifier(tmp_path / "c.onnx", range="0..1", side=40)


def test_prints_the_path_and_for_people_how_it_was_made(cli: Cli, tmp_path: Path) -> None:
    end = cli("scorer", "prepare", "c.onnx")
    assert (end.code, end.out) == (0, "scorer.onnx\n")
    recipe, note, takes = end.err.splitlines()
    assert recipe.startswith("heat map: length of the features 'features', 6 channels, 5 x 5, NCHW")
    assert note.startswith("note: the feature map has only 5 x 5 cells and was enlarged to 7 x 7; ")
    assert takes.startswith("takes 40 x 40, RGB, pixels 0..1; ")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["c.onnx", "scorer.onnx"]


def test_prints_json_or_only_the_path_if_asked(cli: Cli, tmp_path: Path) -> None:
    end = cli("scorer", "prepare", "c.onnx", "-o", "s.onnx", "--map", "cam", "--json")
    printed = json.loads(end.out)
    assert (end.code, end.err) == (0, "")
    assert (printed["message_type"], printed["map"]) == ("prepared", "cam")
    assert printed["file"] == "s.onnx"
    assert printed["sha256"] == model_sha256(tmp_path / "s.onnx")
    end = cli("scorer", "prepare", "c.onnx", "-o", "s.onnx", "--overwrite", "--quiet")
    assert end == (0, "s.onnx\n", "")


def test_takes_options_from_the_environment_and_a_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "options.toml").write_text('[scorer]\nmap = "mean"\ngrid = 3\n')
    monkeypatch.setenv("AUGCLI_GRID", "4")
    end = cli("scorer", "prepare", "c.onnx", "--config", "options.toml", "--json")
    printed = json.loads(end.out)
    assert (printed["map"], printed["grid"]) == ("mean", 4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no.onnx"], "augcli: no.onnx: does not exist; give the path of an ONNX classifier\n"),
        (["c.onnx", "--maps", "cam"], "--map"),
        (["c.onnx", "--map", "cams"], "augcli: --map is 'cams', but must be one of l2, "),
        (["c.onnx", "-o", "c.onnx"], "augcli: --out c.onnx: is the classifier itself; "),
        (["c.onnx", "--raw", "--smooth", "1"], "augcli: --raw is the plain map: leave out "),
    ],
)
def test_bad_words_end_with_2_and_write_nothing(
    cli: Cli, tmp_path: Path, words: list[str], message: str
) -> None:
    end = cli("scorer", "prepare", *words)
    assert (end.code, end.out) == (2, "")
    assert message in end.err
    assert [one.name for one in tmp_path.iterdir()] == ["c.onnx"]


def test_a_prepared_scorer_scores_for_other_commands(cli: Cli, photos: Path) -> None:
    cli("scorer", "prepare", "c.onnx")
    assert cli("heatmaps", photos, "--model", "scorer.onnx").code == 0
    assert cli("cutmix", photos, "--model", "scorer.onnx", "--out", "mixed").code == 0


def test_show_prints_lines_or_json(cli: Cli) -> None:
    cli("scorer", "prepare", "c.onnx")
    end = cli("scorer", "show", "scorer.onnx")
    lines = dict(line.split(maxsplit=1) for line in end.out.splitlines())
    assert (end.code, end.err) == (0, "")
    assert lines["takes"] == "float32 (N, 3, 40, 40), RGB"
    assert lines["images"] == "squashed to 40 x 40, pixels 0..1"
    assert lines["gives"] == "a heat map of 7 x 7"
    printed = json.loads(cli("scorer", "show", "scorer.onnx", "--json").out)
    assert (printed["message_type"], printed["sha256"]) == ("scorer", lines["sha256"])


def test_show_describes_the_shipped_scorer_and_refuses_what_is_none(cli: Cli) -> None:
    end = cli("scorer", "show")
    assert (end.code, "for images of at most 64 pixels" in end.out) == (0, True)
    end = cli("scorer", "show", "c.onnx")
    assert (end.code, end.out) == (2, "")
    assert end.err.startswith("augcli: c.onnx: gives (1, 5), not ")

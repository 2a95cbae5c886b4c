"""Files that a command is given: label tables, recipes, options, scorers, heat maps."""

# ruff: noqa: E501 - one line is one case

from __future__ import annotations

import gzip
import io
import os
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests import models
from tests.guarantees.attacks.registry import each
from tests.guarantees.attacks.system import OTHER, WITHOUT_RIGHTS, is_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guarantees.attacks.arena import Arena

NAMES = [f"cat/{name}" for name in ("000.jpg", "001.png", "002.jpg", "003.png")]
NAMES += [f"dog/{name}" for name in ("000.jpg", "001.png", "002.jpg")]
ROWS = [f"{name},{name[:3]}" for name in NAMES]
TABLE = "\n".join(["file_name,label", *ROWS, ""])


@each(
    bom_twice=("\ufeff\ufeff" + TABLE, {0, 2}),
    line_ends=(TABLE.replace("\n", "\r\n", 3).replace("\n", "\r", 1), {0, 2}),
    cr_only=(TABLE.replace("\n", "\r"), {0, 2}),
    quotes=("file_name,label\n" + "".join(f'"{name}","a ""b"" \n{name}"\n' for name in NAMES), {0}),
    open_quote=(TABLE + '"', {2}),
    columns=(",".join(["file_name", "label", *["x"] * 1_000_000]) + "\n", {2}),
    duplicate_columns=("file_name,label,label\n" + "".join(f"{row},z\n" for row in ROWS), {2}),
    other_case=(TABLE + "CAT/000.JPG,dog\n", {2}),
    repeated=(TABLE + "\n".join(ROWS), {0}),
    parent=(TABLE + "../precious/1,cat\n", {2}),
    absolute=(TABLE + "/etc/passwd,cat\n", {2}),
    dotted=(TABLE.replace("cat/000", "./cat//000"), {0, 2}),
    backslash=(TABLE.replace("/", "\\"), {0}),
    nul=(TABLE + "a\0b,cat\n", {2}),
    surrogate=(TABLE.encode() + b"\xed\xa0\x80,cat\n", {2}),
    utf16=(TABLE.encode("utf-16"), {0}),
    utf32=(TABLE.encode("utf-32"), {0}),
    utf7=(b"+AGYAaQBsAGU-,label\n", {2}),
    long_label=(TABLE.replace(",cat", "," + "c" * 100_000), {0, 1, 2, 3}),
    label_up=(TABLE.replace(",cat", ",../../precious"), {0, 2}),
    label_escape=(TABLE.replace(",cat", ",\x1b[31m\u202e"), {0, 2}),
    label_space=(TABLE.replace(",cat", ", "), {0, 2}),
    label_json=(TABLE.replace(",cat", ',"{""cat"": 0.5}"'), {0, 2}),
    each_its_own=("file_name,label\n" + "".join(f"{n},{i}\n" for i, n in enumerate(NAMES)), {0}),
    header_only=("file_name,label\n", {2}),
    nothing=("", {2}),
    gzip=(gzip.compress(TABLE.encode()), {2}),
    rows=("file_name,label\n" + "a,b\n" * 500_000, {2}),
)
def label_table(arena: Arena, case: tuple[str | bytes, set[int]]) -> None:
    content, codes = case
    table = arena.folder / "labels.csv"
    table.write_bytes(content if isinstance(content, bytes) else content.encode())
    end = arena.run(*arena.cutout, "--labels", table, code=codes)
    arena.check("the terminal gets no control character", "\x1b" not in end.err + end.out)
    if end.code == 0:
        arena.verify()
    else:
        arena.check("the message is short", len(end.err) < 3000, len(end.err))
        arena.check("nothing is made", end.code != 2 or not arena.out.exists())


@each(
    pipe='exec 3< <(cat labels.csv); exec </dev/fd/3; "$@" --labels /dev/fd/3; exit',
    endless='"$@" --labels <(yes "a,b"); exit',
    closed='"$@" --labels /dev/fd/9; exit',
    standard='"$@" --labels /dev/stdin < labels.csv; exit',
    itself='"$@" --labels /proc/self/cmdline; exit',
)
def label_table_from(arena: Arena, shell: str) -> None:
    (arena.folder / "labels.csv").write_text(TABLE)
    arena.run(*arena.cutout, shell=shell, code={0, 2})


@each(
    itself='version = 1\n[[steps]]\nuse = "run"\n',
    nothing="",
    no_steps="version = 1\nsteps = []\n",
    unknown='version = 1\n[[steps]]\nuse = "nothing"\n',
    many="version = 1\n" + '[[steps]]\nuse = "flip"\n' * 20_000,
    types="version = []\nsteps = 5\n",
    step_type="version = 1\n[[steps]]\nuse = {}\n",
    nested="a = " + "[" * 5000 + "]" * 5000,
    prob='version = 1\n[[steps]]\nuse = "cutout"\nprob = nan\n',
    infinite='version = 1\n[[steps]]\nuse = "cutout"\npatch = inf\n',
    number='version = 1\n[[steps]]\nuse = "cutout"\npatch = ' + "9" * 4000 + "\n",
    date='version = 1\n[[steps]]\nuse = "cutout"\npatch = 1979-05-27T07:32:00Z\n',
    out='version = 1\n[run]\nout = "../precious"\n[[steps]]\nuse = "cutout"\n',
    key='version = 1\n"\\u001b[31m\\u202e" = 1\n',
    dotted="a" + ".a" * 50_000 + " = 1\n",
    two_mixers='version = 1\n[[steps]]\nuse = "mixup"\n[[steps]]\nuse = "mixup"\n',
    binary="\0\1\2",
    choice="version = 1\n[[steps]]\none_of = []\n",
    weights='version = 1\n[[steps]]\n[[steps.one_of]]\nuse = "flip"\nweight = -1\n',
)
def recipe(arena: Arena, text: str) -> None:
    place = arena.folder / "recipe.toml"
    place.write_text(text)
    before = arena.surroundings()
    for words in (
        ("run", place, arena.photos, "--workers", 0, "--out", arena.out),
        ("recipe", "check", place),
    ):
        end = arena.run(*words, code={0, 1, 2})
        arena.check("the terminal gets no control character", "\x1b" not in end.err + end.out)
    arena.check("nothing outside", before == arena.surroundings())


@each(
    nothing=("", {0}),
    unknown=("surprise = 1\n", {2}),
    type=("copies = 'many'\n", {2}),
    table=("copies = {a = 1}\n", {2}),
    out=("out = 5\n", {0, 2}),
    itself=("config = 'config.toml'\n", {2}),
    other_command=("[cutmix]\ntop_n = 3\n", {0}),
    unknown_command=("[nothing]\na = 1\n", {0, 2}),
    nested=("[cutout]\n[cutout.cutout]\npatch = 3\n", {2}),
    dashes=("png-level = 5\n", {0, 2}),
    overwrite=("overwrite = 'yes'\n", {2}),
    invalid=("= = =\n", {2}),
    latin=(b"a = '\xe9'\n", {2}),
    nul=("seed = 0\0\n", {2}),
    help=("help = true\n", {2}),
    large=("#" * 50_000_000, {0, 2}),
)
def options_file(arena: Arena, case: tuple[str | bytes, set[int]]) -> None:
    content, codes = case
    place = arena.folder / "config.toml"
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    arena.run(*arena.cutout, "--config", place, code=codes)


def _graph(
    nodes: list[Any],
    path: Path,
    shape: Any = ("N", 1, 7, 7),
    kind: int = TensorProto.FLOAT,
    side: Any = 56,
    constants: dict[str, Any] | None = None,
    image: int = TensorProto.FLOAT,
) -> None:
    graph = helper.make_graph(
        nodes,
        "attack",
        [helper.make_tensor_value_info("image", image, ["N", 3, side, side])],
        [helper.make_tensor_value_info("map", kind, shape)],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    opset = helper.make_opsetid("", models.OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=models.IR_VERSION)
    onnx.save(model, str(path))


def _node(operator: str, inputs: list[str], output: str = "map", **attributes: Any) -> Any:
    return helper.make_node(operator, inputs, [output], **attributes)


MEMORY = "ulimit -v 6000000"
POOL = {"kernel_shape": [8, 8], "strides": [8, 8]}
MEAN = [
    _node("AveragePool", ["image"], "pooled", **POOL),
    _node("ReduceMean", ["pooled"], "mean", axes=[1], keepdims=1),
]
SCORERS: dict[str, Callable[[Path], object]] = {
    "strings": lambda path: _graph(
        [*MEAN, _node("Cast", ["mean"], to=TensorProto.STRING)], path, kind=TensorProto.STRING
    ),
    "sequence": lambda path: _graph([_node("SequenceConstruct", ["image"])], path),
    "nothing": lambda path: _graph(
        [*MEAN, _node("Slice", ["mean", "zero", "zero", "axis"])],
        path,
        ("N", 1, 0, 7),
        constants={"zero": np.array([0]), "axis": np.array([2])},
    ),
    "scalar": lambda path: _graph([_node("ReduceMean", ["image"], keepdims=0)], path, ()),
    "rank_7": lambda path: _graph(
        [*MEAN, _node("Unsqueeze", ["mean", "axes"])],
        path,
        (1, 1, 1, "N", 1, 7, 7),
        constants={"axes": np.array([0, 1, 2])},
    ),
    "nan": lambda path: _graph([*MEAN, _node("Div", ["mean", "z"], "d"), _node("Sub", ["d", "d"])], path, constants={"z": np.array([0], np.float32)}),
    "infinity": lambda path: _graph([*MEAN, _node("Div", ["mean", "z"])], path, constants={"z": np.array([0], np.float32)}),
    "huge_numbers": lambda path: _graph([*MEAN, _node("Mul", ["mean", "z"])], path, constants={"z": np.array([3e38], np.float32)}),
    "huge_map": lambda path: _graph(
        [*MEAN, _node("Resize", ["mean", "", "by"])],
        path,
        ("N", 1, 70_000, 70_000),
        constants={"by": np.array([1, 1, 1e4, 1e4], np.float32)},
    ),
    "integers": lambda path: _graph([*MEAN, _node("Cast", ["mean"], to=TensorProto.INT64)], path, kind=TensorProto.INT64),
    "booleans": lambda path: _graph([*MEAN, _node("Cast", ["mean"], to=TensorProto.BOOL)], path, kind=TensorProto.BOOL),
    "constant": lambda path: _graph([*MEAN, _node("Mul", ["mean", "z"])], path, constants={"z": np.array([0], np.float32)}),
    "wrong_batch": lambda path: _graph([*MEAN, _node("ReduceMean", ["mean"], axes=[0], keepdims=1)], path),
    "declares_another_shape": lambda path: _graph([*MEAN, _node("Identity", ["mean"])], path, ("N", 1, 9, 9)),
    "unknown_operator": lambda path: _graph([_node("Nothing", ["image"])], path),
    "cycle": lambda path: _graph([_node("Add", ["image", "map"])], path),
    "random": lambda path: _graph([*MEAN, _node("RandomNormalLike", ["mean"])], path),
    "side_0": lambda path: models.save_identity(path, ["N", 3, 0, 0]),
    "side_1": lambda path: models.save_identity(path, ["N", 3, 1, 1]),
    "channels_4": lambda path: models.save_identity(path, ["N", 4, 56, 56]),
    "side_100000": lambda path: models.save_identity(path, ["N", 3, 100_000, 100_000]),
    "no_content": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(1000)),
    "text": lambda path: path.write_text("not a model"),
    "pickle": lambda path: path.write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR."),
    "mean_of_letters": lambda path: models.save_scorer(path, mean="abc"),
    "std_0": lambda path: models.save_scorer(path, std=[0, 0, 0]),
    "metadata_escape": lambda path: models.save_scorer(path, note="\x1b[31m\u202e", mean=["\x1b"]),
    "no_directory": lambda path: _external(path, "weights.bin"),
    "external_up": lambda path: _external(path, "../precious/1"),
    "external_absolute": lambda path: _external(path, "/etc/passwd"),
    "external_zero": lambda path: _external(path, "/dev/zero"),
    "external_long": lambda path: _external(path, "w" * 5000),
}  # fmt: skip


def _external(path: Path, location: str) -> None:
    """Save a scorer whose weights are in another file, which is not there or not its own."""
    models.save_scorer(path)
    model = onnx.load(str(path))
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
        tensor.external_data.add(key="length", value="12")
    path.write_bytes(model.SerializeToString())


@each(**SCORERS)
def scorer(arena: Arena, make: Callable[[Path], object]) -> None:
    model = arena.folder / "scorer.onnx"
    make(model)
    words = ("--model", model, "--workers", 0)
    end = arena.run("scorer", "show", model, shell=MEMORY)
    arena.check("the terminal gets no control character", "\x1b" not in end.err + end.out)
    arena.run("cutmix", arena.photos, *words, "--out", arena.out, shell=MEMORY)
    maps = arena.folder / "maps.npz"
    table = arena.folder / "maps-errors.csv"
    arena.run("heatmaps", arena.photos, *words, "--out", maps, changes=(maps, table), shell=MEMORY)
    prepared = arena.folder / "prepared.onnx"
    arena.run(
        "scorer",
        "prepare",
        model,
        "--preset",
        "unit",
        "-o",
        prepared,
        changes=(prepared,),
        shell=MEMORY,
    )


def _maps(arena: Arena) -> tuple[Path, tuple[object, ...]]:
    model = models.save_scorer(arena.folder / "scorer.onnx")
    maps = arena.folder / "maps.npz"
    words = ("--model", model, "--workers", 0)
    arena.run("heatmaps", arena.photos, *words, "--out", maps, code=0, changes=(maps,))
    return maps, words


def _rewritten(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        with np.load(io.BytesIO(data)) as found:
            arrays = dict(found)
        change(arrays)
        file = io.BytesIO()
        np.savez(file, **arrays)
        return file.getvalue()

    return changed


def _doubled(arrays: dict[str, Any]) -> None:
    for name, array in arrays.items():
        if array.ndim:
            arrays[name] = np.concatenate([array, array])


def _swapped(arrays: dict[str, Any]) -> None:
    for name, array in arrays.items():
        if array.ndim == 3:
            arrays[name] = array[::-1]


def _compressed(data: bytes) -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return file.getvalue()


@each(
    cut=lambda data: data[:-30],
    half=lambda data: data[: len(data) // 2],
    more=lambda data: data + bytes(1000),
    before=lambda data: b"#!/bin/sh\n" + data,
    doubled=_rewritten(_doubled),
    swapped=_rewritten(_swapped),
    float64=_rewritten(
        lambda a: a.update({n: v.astype(float) for n, v in a.items() if v.ndim == 3})
    ),
    nan=_rewritten(lambda a: a.update({n: v * np.nan for n, v in a.items() if v.ndim == 3})),
    extra=_rewritten(lambda a: a.update(surprise=np.zeros(3))),
    nothing=_rewritten(lambda a: a.clear()),
    bzip2=_compressed,
    flipped=lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
)
def heat_maps(arena: Arena, change: Callable[[bytes], bytes]) -> None:
    maps, words = _maps(arena)
    maps.write_bytes(change(maps.read_bytes()))
    arena.run("cutmix", arena.photos, *words, "--heatmaps", maps, "--out", arena.out)
    arena.run("heatmaps", arena.photos, *words, "--out", maps, changes=(maps,))
    arena.run("heatmaps", arena.photos, *words, "--out", maps, "--overwrite", changes=(maps,))


@each(grid="grid", set="set", scorer="scorer", twice="twice")
def heat_maps_of_another(arena: Arena, kind: str) -> None:
    maps, words = _maps(arena)
    if kind == "grid":
        more = ("--overwrite", "--grid", 3)
        arena.run("heatmaps", arena.photos, *words, "--out", maps, *more, code=0, changes=(maps,))
    elif kind == "set":
        shutil.rmtree(arena.photos / "cat")
    elif kind == "scorer":
        models.save_scorer(arena.folder / "scorer.onnx", factor=2.0)
    else:
        shutil.copy(arena.photos / "cat/000.jpg", arena.photos / "dog/same.jpg")
    command = ("cutmix", arena.photos, *words)
    end = arena.run(*command, "--heatmaps", maps, "--out", arena.out, code={0, 2})
    if end.code == 0:
        arena.is_clean(*command)


@each(
    input="photos/maps.npz",
    class_folder="photos/cat/maps.npz",
    out="out/maps.npz",
    null="/dev/null",
    folder="precious",
    missing="no/such/maps.npz",
)
def place_of_heat_maps(arena: Arena, place: str) -> None:
    arena.run(*arena.cutout, code=0)
    new = arena.folder / place
    end = arena.run(
        "heatmaps", arena.photos, "--workers", 0, "--out", new, changes=(new, arena.folder / "no")
    )
    arena.check("sources stay", len(list(arena.photos.rglob("*.*"))) <= 8, end.err)


def scorer_that_may_not_be_read(arena: Arena) -> None:
    model = arena.folder / "scorer.onnx"
    models.save_scorer(model)
    model.chmod(0)
    if is_root():
        os.chown(model, OTHER, OTHER)
    arena.run("scorer", "show", model, code=2, shell=WITHOUT_RIGHTS if is_root() else "")

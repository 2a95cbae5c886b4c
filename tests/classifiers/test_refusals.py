"""A classifier that can't be used is refused in a sentence, and nothing is written.

Over 300 lines, because each cause needs a network of its own.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper

from augcli import prepare_scorer
from augcli.classifiers.describe import describe_scorer
from augcli.classifiers.options import ClassifierOptions
from augcli.classifiers.read import MEGABYTE
from augcli.errors import OutputError, ParameterError, ScorerError, UsageError
from tests import models, toy_classifiers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def refusal(classifier: Path, **options: Any) -> str:
    """Return the message for a classifier that must be refused, without the file's name."""
    before = sorted(classifier.parent.rglob("*"))
    with pytest.raises(ScorerError) as error:
        prepare_scorer(
            classifier, out=classifier.with_name("out.onnx"), **{"preset": "unit", **options}
        )
    assert sorted(classifier.parent.rglob("*")) == before
    text = str(error.value)
    assert text.startswith(f"{classifier}: ")
    assert "\n" not in text
    return text.removeprefix(f"{classifier}: ")


@pytest.mark.parametrize("content", [b"", b"no ONNX", b"\x08\x08" * 9, bytes(range(255, 0, -1))])
def test_a_file_that_is_not_onnx(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.onnx").write_bytes(content)
    assert refusal(tmp_path / "c.onnx").startswith("is not ONNX")


@pytest.mark.parametrize("change", ["operator", "input", "weight"])
def test_a_graph_that_onnxruntime_refuses(tmp_path: Path, change: str) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    content = onnx.load(model)
    if change == "operator":
        content.graph.node[1].op_type = "Relate"
    elif change == "input":
        content.graph.node[1].input[0] = "nowhere"
    else:
        content.graph.initializer[0].raw_data = b"short"
    onnx.save(content, model)
    assert refusal(model).startswith("is not an ONNX graph that onnxruntime can load on cpu (")


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "c.onnx").startswith("does not exist")
    assert refusal(tmp_path).startswith("is not a file")


def test_a_classifier_without_places(tmp_path: Path) -> None:
    message = refusal(toy_classifiers.save_mlp(tmp_path / "c.onnx"))
    assert message == "has no feature map larger than 1 x 1 before its class scores"


def test_the_message_says_which_kind_of_map_fits_the_network(tmp_path: Path) -> None:
    transformer = toy_classifiers.save_transformer(tmp_path / "t.onnx")
    tokens = "'tokens', 6 channels, 7 x 7 tokens and 1 more, NTC; add `map` tokens"
    for kind in ("l2", "cam", "mean"):
        assert refusal(transformer, map=kind).endswith(f"before its class scores, but {tokens}")
    network = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    message = refusal(network, map="tokens")
    assert message.endswith("but 'features', 6 channels, 7 x 7, NCHW; leave out `map` tokens")


def test_a_layer_that_is_not_there_or_no_map(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    assert refusal(model, layer="feature") == "has no layer 'feature'; did you mean 'features'?"
    assert "; `layer` can name 'features', 6 channels" in refusal(model, layer="zebra")
    assert refusal(model, layer="flat").startswith("`layer` flat is 1 x 6, not a feature map")


def test_several_last_maps_are_named(tmp_path: Path) -> None:
    net = toy_classifiers.Network()
    net.features()
    net.add("GlobalAveragePool", "features", name="one")
    net.add("MaxPool", "features", name="halved", kernel_shape=[2, 2], strides=[2, 2])
    net.add("GlobalAveragePool", "halved", name="other")
    net.add("Concat", "one", "other", name="both", axis=1)
    net.add("Flatten", "both", name="scores")
    net.gives("scores", "N", 2 * toy_classifiers.CHANNELS)
    message = refusal(net.save(tmp_path / "c.onnx"))
    assert message.startswith(
        "has several last feature maps: 'features', 6 channels, 7 x 7, NCHW; "
    )
    assert "'halved', 6 channels, 3 x 3, NCHW; choose with `layer`" in message


def test_an_activation_map_of_more_than_one_layer(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", head="hidden")
    message = refusal(model, map="cam")
    assert message.startswith("has Relu between its feature map 'features' and its class scores")
    other = toy_classifiers.save_classifier(tmp_path / "d.onnx", head="map")
    assert refusal(other, map="cam", layer="patches").startswith("has Conv between")


def test_several_outputs_or_one_of_another_name(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    content = onnx.load(model)
    content.graph.output.add().CopyFrom(
        onnx.helper.make_tensor_value_info("pool", TensorProto.FLOAT, None)
    )
    onnx.save(content, model)
    message = refusal(model)
    assert message == "gives 2 outputs (scores, pool); name the class scores with `output`"
    assert refusal(model, output="score") == "has no output 'score', but scores, pool"


def test_a_scorer_is_no_classifier(tmp_path: Path) -> None:
    message = refusal(models.save_scorer(tmp_path / "c.onnx"))
    assert message.endswith("is a scorer already: use it as the `model` of a run")


@pytest.mark.parametrize(
    ("shape", "kind", "words"),
    [
        (["N", 3], TensorProto.FLOAT, "takes float (N, 3), but a classifier"),
        (
            ["N", 4, 56, 56],
            TensorProto.FLOAT,
            "takes float (N, 4, 56, 56), 4 channels, but a classifier of images takes 3 (RGB) or 1",
        ),
        (["N", 3, 56, 56], TensorProto.INT64, "takes int64 (N, 3, 56, 56), but a classifier"),
    ],
)
def test_an_input_that_is_no_image(
    tmp_path: Path, shape: list[int | str], kind: int, words: str
) -> None:
    assert words in refusal(models.save_identity(tmp_path / "c.onnx", shape, kind))


def test_two_inputs(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    content = onnx.load(model)
    content.graph.input.add().CopyFrom(
        onnx.helper.make_tensor_value_info("age", TensorProto.FLOAT, ["N", 1])
    )
    onnx.save(content, model)
    assert refusal(model).startswith("takes 2 inputs (image, age)")


def test_unknown_scaling_of_pixels(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    message = refusal(model, preset=None)
    assert message.startswith("nothing in the file says how pixels are scaled; add `preset` ")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (
            "input_size",
            "huge",
            "has the metadata input_size 'huge', not height and width",
        ),
        ("input_size", "0", "has the metadata input_size '0', not height and width"),
        ("mean", "0.5", "has the metadata mean, which is '0.5', but must be three numbers"),
        ("std", "1,0,1", "has the metadata std, which is '1,0,1', but must be positive; set `std`"),
        ("channel_order", "GRB", "has the metadata channel_order 'GRB'; set `order` to RGB or BGR"),
    ],
)
def test_metadata_that_make_no_sense(tmp_path: Path, key: str, value: str, words: str) -> None:
    metadata: dict[str, Any] = {"range": "0..1", key: value}
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", side="S", **metadata)
    assert words in refusal(model, preset=None)


def test_a_size_that_the_classifier_does_not_take(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    with pytest.raises(ParameterError, match="size is 64x64, but the classifier takes only 56x56"):
        prepare_scorer(model, out=tmp_path / "out.onnx", preset="unit", size="64x64")


def test_a_classifier_of_huge_images(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx", side="S")
    message = refusal(model, size="99999x56")
    assert message.startswith("takes images of 99999 x 56, but a scorer takes at most 4,096 ")


def test_a_classifier_for_a_number_of_images_and_no_other(tmp_path: Path) -> None:
    model = toy_classifiers.save_transformer(tmp_path / "c.onnx", images=4)
    message = refusal(model, map="tokens")
    assert message.startswith("takes exactly 4 images at once; export it for one image")


def spoil(name: str, factor: float) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        (weights,) = [one for one in model.graph.initializer if one.name == name]
        value = onnx.numpy_helper.to_array(weights) * np.float32(factor)
        weights.CopyFrom(onnx.numpy_helper.from_array(value, name))

    return change


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize(
    ("factor", "words"),
    [(np.nan, "NaN or infinity"), (0, "the same "), (1e30, "NaN or infinity")],
)
def test_maps_without_information(tmp_path: Path, factor: float, words: str, raw: bool) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    content = onnx.load(model)
    spoil("kernel", factor)(content)
    onnx.save(content, model)
    assert words in refusal(model, raw=raw)


def with_external_weights(tmp_path: Path, location: str = "weights.bin") -> Path:
    """Save a classifier whose weights are in weights.bin, and name ``location`` as their file."""
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    content = onnx.load(model)
    external_data_helper.convert_model_to_external_data(
        content, location="weights.bin", size_threshold=0
    )
    onnx.save(content, model)
    for one in content.graph.initializer:
        for entry in one.external_data:
            entry.value = location if entry.key == "location" else entry.value
    model.write_bytes(content.SerializeToString())
    return model


def test_weights_in_other_files_are_read_only_where_that_is_allowed(tmp_path: Path) -> None:
    model = with_external_weights(tmp_path)
    assert "has weights in other files (weights.bin)" in refusal(model)
    whole = tmp_path / "whole"
    whole.mkdir()
    toy_classifiers.save_classifier(whole / "c.onnx")
    out = tmp_path / "a.onnx"
    prepare_scorer(model, out=out, preset="unit", allow_external_data=True)
    prepare_scorer(whole / "c.onnx", out=whole / "a.onnx", preset="unit")
    weights, expected = (
        {one.name: one.raw_data for one in onnx.load(path).graph.initializer}
        for path in (out, whole / "a.onnx")
    )
    assert weights == expected


@pytest.mark.parametrize("place", ["../weights.bin", "absolute", "link", "linked/weights.bin"])
def test_weights_outside_of_the_folder_are_never_read(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    name = str(tmp_path / "weights.bin") if place == "absolute" else place
    model = with_external_weights(folder, name)
    (folder / "weights.bin").rename(tmp_path / "weights.bin")
    (folder / "link").symlink_to(tmp_path / "weights.bin")
    (folder / "linked").symlink_to(tmp_path)
    assert f"has weights in {name!r}, " in refusal(model, allow_external_data=True)


def test_weights_that_are_missing_or_cut_short(tmp_path: Path) -> None:
    model = with_external_weights(tmp_path)
    weights = tmp_path / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:8])
    assert "in other files that can't be read" in refusal(model, allow_external_data=True)
    weights.unlink()
    assert "which is missing" in refusal(model, allow_external_data=True)


def test_files_larger_than_allowed(tmp_path: Path) -> None:
    model = tmp_path / "c.onnx"
    with model.open("wb") as file:
        file.truncate(MEGABYTE + 1)
    assert "more than the 1 MB of `max_model_size`" in refusal(model, max_model_size=1)
    model = with_external_weights(tmp_path)
    with (tmp_path / "weights.bin").open("ab") as file:
        file.truncate(2 * MEGABYTE)
    message = refusal(model, max_model_size=1, allow_external_data=True)
    assert "more than the 1 MB of `max_model_size`" in message


def test_an_out_that_is_there_or_the_classifier_or_nowhere(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    before = model.read_bytes()
    (tmp_path / "link.onnx").symlink_to(model)
    (tmp_path / "there.onnx").write_bytes(b"mine")
    for out, words in [
        (tmp_path / "there.onnx", "exists already; add `overwrite`"),
        (model, "is the classifier itself"),
        (tmp_path / "link.onnx", "is the classifier itself"),
        (tmp_path, "is a folder"),
        (tmp_path / "no/out.onnx", f"the folder {tmp_path}/no does not exist"),
    ]:
        for overwrite in (False, True)[: 1 if "already" in words else 2]:
            with pytest.raises(OutputError) as error:
                prepare_scorer(model, out=out, preset="unit", overwrite=overwrite)
            assert f"`out` {out}: " in str(error.value)
            assert words in str(error.value)
    assert (model.read_bytes(), (tmp_path / "there.onnx").read_bytes()) == (before, b"mine")


@pytest.mark.parametrize("declared", [{"images": 10**9}, {"side": 30_000}, {"images": 2**60}])
def test_an_input_beyond_measure(tmp_path: Path, declared: dict[str, int]) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    content = onnx.load(model)
    (image,) = content.graph.input
    number, _, height, width = image.type.tensor_type.shape.dim
    number.dim_value = declared.get("images", 1)
    height.dim_value = width.dim_value = declared.get("side", 56)
    onnx.save(content, model)
    refusal(model)


def test_only_a_scorer_that_augcli_made_is_replaced(tmp_path: Path) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    other = toy_classifiers.save_classifier(tmp_path / "other.onnx")
    (tmp_path / "thesis.docx").write_bytes(b"PK\3\4 three years of work")
    for there in (other, tmp_path / "thesis.docx"):
        before = there.read_bytes()
        with pytest.raises(OutputError, match="is no scorer that augcli made"):
            prepare_scorer(model, out=there, preset="unit", overwrite=True)
        assert there.read_bytes() == before
    out = tmp_path / "out.onnx"
    prepare_scorer(model, out=out, preset="unit")
    first = out.read_bytes()
    prepare_scorer(model, out=out, preset="unit", grid=3, overwrite=True)
    assert out.read_bytes() != first
    weights = with_external_weights(tmp_path).with_name("weights.bin")
    before = weights.read_bytes()
    with pytest.raises(OutputError, match="is no scorer that augcli made"):
        prepare_scorer(model, out=weights, preset="unit", overwrite=True, allow_external_data=True)
    assert weights.read_bytes() == before


def test_weights_in_other_files_are_part_of_what_a_scorer_was_made_of(tmp_path: Path) -> None:
    model = with_external_weights(tmp_path)
    options = {"preset": "unit", "allow_external_data": True, "overwrite": True}
    hashes = []
    for _ in range(2):
        prepare_scorer(model, out=tmp_path / "out.onnx", **options)
        hashes.append(describe_scorer(tmp_path / "out.onnx").source["sha256"])
        weights = np.frombuffer((tmp_path / "weights.bin").read_bytes(), np.float32)
        (tmp_path / "weights.bin").write_bytes((weights * np.float32(0.5)).tobytes())
    assert hashes[0] != hashes[1]


def test_the_message_says_how_to_install_onnx_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = toy_classifiers.save_classifier(tmp_path / "c.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match=r"pip install 'augcli\[scorer\]'"):
        prepare_scorer(model, out=tmp_path / "out.onnx", preset="unit")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"raw": True, "smooth": 1}, "raw is the plain map: leave out `smooth`, or `raw`"),
        ({"raw": True, "centre": 0}, "raw is the plain map: leave out `centre`, or `raw`"),
        ({"map": "cams"}, "map is 'cams', but must be one of l2, mean, cam, tokens"),
        ({"range": "0"}, "range is '0', but must be two numbers"),
        ({"range": "1..1"}, "range is '1..1', but its ends must differ"),
        ({"mean": "0,0,nan"}, "mean is '0,0,nan', but must be three numbers"),
        ({"std": "1,-1,1"}, "std is '1,-1,1', but must be positive"),
        ({"smooth": 11}, "smooth is 11.0, but must be 0 to 10 cells"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError) as error:
        ClassifierOptions(**options)
    assert words in str(error.value)

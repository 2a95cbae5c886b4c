"""How a classifier's pixels are scaled: by the options, then a preset, then the file's metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from augcli.classifiers.options import parse_mean, parse_range, parse_std
from augcli.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from augcli.classifiers.options import ClassifierOptions, Numbers
    from augcli.classifiers.read import Classifier

PRESETS: dict[str, dict[str, Any]] = {
    "imagenet": {"range": (0, 1), "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    "tf": {"range": (-1, 1)},
    "caffe": {"range": (0, 255), "mean": (103.939, 116.779, 123.68), "order": "BGR"},
    "unit": {"range": (0, 1)},
}


def choose_scaling(
    classifier: Classifier,
    options: ClassifierOptions,
    metadata: dict[str, str],
    *,
    grey: bool,
    pixels: bool,
) -> tuple[dict[str, Numbers], str]:
    """Return ``range``, ``mean`` and ``std`` of three channels, and the order of the channels.

    Args:
        classifier: For messages.
        options: Count more than a preset, which counts more than the file's metadata.
        metadata: Texts of the file by key, without ``augcli.`` in front.
        grey: Whether the classifier takes grey images: then ``mean`` and ``std`` are one number.
        pixels: Whether it takes unscaled pixels, so that nothing need be known.

    Raises:
        ScorerError: Nothing says how pixels are scaled, or the metadata are wrong.
        ParameterError: An option doesn't fit the classifier's channels.
    """
    readers: dict[str, Callable[[Any], Numbers]] = {
        "range": parse_range,
        "mean": parse_mean,
        "std": parse_std,
    }
    known: dict[str, Any] = {}
    for name, read in readers.items():
        if name in metadata and not options.preset:
            try:
                known[name] = read(metadata[name])
                _check_count(name, known[name], metadata[name], grey=grey)
            except ValueError as error:
                raise classifier.refused(
                    f"has the metadata {name}, which {error}; set `{name}`"
                ) from None
    order = metadata.get("channel_order", "RGB").upper() if not options.preset else "RGB"
    preset = PRESETS.get(options.preset or "", {})
    count = 1 if grey else 3
    unchanged = {"range": (0, 1), "mean": (0,) * count, "std": (1,) * count}
    chosen = {**unchanged, "order": order, **known, **preset}
    for name in ("range", "mean", "std", "order"):
        if getattr(options, name) is not None:
            known[name] = chosen[name] = getattr(options, name)
    if not (known or options.preset or pixels):
        raise classifier.refused(
            "nothing in the file says how pixels are scaled; add `preset` imagenet (torchvision, "
            "most of timm), tf (-1..1), caffe or unit (0..1), or `range`, `mean` and `std`"
        )
    _check_options(options, preset, grey=grey)
    if grey:
        chosen["order"] = "RGB"
    if chosen["order"] not in ("RGB", "BGR"):
        raise classifier.refused(
            f"has the metadata channel_order {chosen['order']!r}; set `order` to RGB or BGR"
        )
    scaling = {name: tuple(float(number) for number in chosen[name]) for name in readers}
    # The grey image is made of three scaled channels, so all of them are scaled as it is.
    scaling |= {name: scaling[name] * (3 if grey else 1) for name in ("mean", "std")}
    return scaling, str(chosen["order"])


def _check_options(options: ClassifierOptions, preset: dict[str, Any], *, grey: bool) -> None:
    """Check that the options fit the classifier's channels.

    Raises:
        ParameterError: One of them doesn't.
    """
    for name in ("mean", "std"):
        numbers = getattr(options, name)
        if numbers is None and grey and name in preset:
            raise ParameterError(
                "preset",
                f"is {options.preset}, with numbers for three channels, but the classifier takes "
                "grey images; give `mean` and `std` too, with one number each",
            )
        if numbers is not None:
            try:
                _check_count(
                    name, numbers, ",".join(f"{number:g}" for number in numbers), grey=grey
                )
            except ValueError as error:
                raise ParameterError(name, str(error)) from None
    if grey and options.order == "BGR":
        raise ParameterError("order", "is BGR, but the classifier takes grey images")


def _check_count(name: str, numbers: Numbers, given: str, *, grey: bool) -> None:
    if name != "range" and len(numbers) != (1 if grey else 3):
        count, kind = ("one number", "grey") if grey else ("three numbers", "RGB")
        raise ValueError(f"is {given!r}, but must be {count}: the classifier takes {kind} images")

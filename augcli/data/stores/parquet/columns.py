"""The columns of a Parquet file: which holds images, which labels, and what the labels mean."""

from __future__ import annotations

import importlib.util
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from augcli.data.labels import Label
from augcli.data.manifest_formats.columns import FACTS
from augcli.errors import InputError, near_miss
from augcli.files import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SOFT_LABEL = "soft_label"
"""The column in which augcli writes a weight for each class."""
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "category", "target", "fine_label", "y")
"""Usual names of columns of labels, in lower case; the first that is there is taken."""
IMAGE_COLUMNS = ("image", "img", "picture", "photo", "jpg", "png")
UNLABELLED = -1
"""The number that stands for no class where a column has the names of its classes."""


class Columns(NamedTuple):
    """What the columns of a file are.

    Attributes:
        image: Name of the column of the images.
        has_struct: Whether it is a struct with the bytes and the path of a file.
        label: Name of the column of the labels; empty where there is none.
        classes: Names of the classes by number; None where labels say them.
        words: What a person should know: which columns were taken.
        is_soft: Whether the labels are lists of a weight for each class, as augcli writes them.
        are_many: Whether pictures may have several classes at once.
    """

    image: str
    has_struct: bool
    label: str
    classes: Sequence[str] | None
    words: str
    is_soft: bool = False
    are_many: bool = False


def need_pyarrow(given: str) -> None:
    """Check that Parquet can be read.

    Raises:
        InputError: The package pyarrow is missing.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(
            f"INPUT {given} is Parquet, which needs the package pyarrow: "
            "pip install 'augcli[parquet]'"
        )


def find_columns(schema: Any, name: str, image: str | None, label: str | None) -> Columns:
    """Return which columns of a file are used.

    Args:
        schema: A ``pyarrow.Schema``.
        name: The file, for messages.
        image: The column of the images, as it was given; None finds it by its type.
        label: The column of the labels, as it was given; None finds it by its name.

    Raises:
        InputError: A column that was given is missing, or there is none of images.
    """
    features = _features(schema.metadata or {})
    fields = {field.name: field.type for field in schema}
    by_kind = [each for each in fields if _kind(features, each) == "Image"]
    holders = [each for each, kind in fields.items() if holds_images(kind)]
    if image is None:
        candidates = [each for each in by_kind if each in holders] or holders
        usual = [each for word in IMAGE_COLUMNS for each in candidates if each.lower() == word]
        image = next(iter([*usual, *candidates]), None)
        if image is None:
            raise InputError(
                f"INPUT: {name} has no column of images (the bytes of image files, or a struct "
                f"of bytes and path); its columns are {_listed(fields)}"
            )
    else:
        _check_there(image, fields, name, "image_column")
        if image not in holders:
            raise InputError(
                f"`image_column` {image!r} of {name} has the type {fields[image]}, but must hold "
                "the bytes of image files, or a struct of bytes and path"
            )
    is_soft = label is None and {SOFT_LABEL, *FACTS} <= fields.keys()
    classes = _class_names(features, label or "label")
    if is_soft:
        label = SOFT_LABEL
    elif label is None:
        label = _label_column([each for each in fields if each != image], features)
    else:
        _check_there(label, fields, name, "label_column")
    if not is_soft:
        classes = _class_names(features, label)
    words = f"columns: images in {image!r}, " + (
        f"labels in {label!r}" if label else "no labels (`label_column` names a column)"
    )
    are_many = is_soft and "label" not in fields
    return Columns(image, _is_struct(fields[image]), label, classes, words, is_soft, are_many)


def soft_labels_of(
    column: Any, classes: Sequence[str], where: str, *, are_many: bool
) -> Iterator[Label]:
    """Yield the label of each row of a column of lists; empty where all weights are 0.

    Args:
        column: A ``pyarrow.ListArray`` of a weight for each class.
        classes: Names of the classes, in order.
        where: The column and its file, for messages.
        are_many: Whether pictures may have several classes at once.

    Raises:
        InputError: Its values are no weights, or not as many as there are classes.
    """
    known: dict[bytes, Label] = {}
    for row in column:
        weights = np.array(row.as_py() or (), np.float64)
        key = weights.tobytes()
        if key not in known:
            if len(weights) != len(classes):
                raise InputError(
                    f"{where} has {len(weights):,} weights in a row, but the names of "
                    f"{len(classes):,} classes are known"
                )
            label = Label(
                tuple((classes[at], float(weights[at])) for at in np.flatnonzero(weights).tolist())
            )
            if not (label.are_parts if are_many else label.is_sound):
                right = "from 0 to 1" if are_many else "shares that sum to 1"
                raise InputError(f"{where} has weights in a row that are no {right}: {label}")
            known[key] = label
        yield known[key]


def labels_of(column: Any, classes: Sequence[str] | None, where: str) -> Iterator[Label]:
    """Yield the label of each row, of one class; empty where it has none.

    Args:
        column: A ``pyarrow.ChunkedArray``.
        classes: Names of the classes by number; None where the values are the names.
        where: The column and its file, for messages.

    Raises:
        InputError: Its values are no classes.
    """
    import pyarrow as pa  # noqa: PLC0415 - an extra, which only Parquet needs

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_null(kind):
        yield from [Label()] * len(column)
        return
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not (is_text or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise InputError(
            f"{where} has the type {kind}, but must hold class names or whole numbers; give "
            "another `label_column`"
        )
    # By the few values and not by row: a million rows have a hundred classes.
    encoded = column.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    labels = [Label.of(_class_name(value, classes, where)) for value in values]
    labels.append(Label())
    yield from map(labels.__getitem__, encoded.indices.fill_null(len(values)).to_pylist())


def _class_name(value: object, classes: Sequence[str] | None, where: str) -> str:
    if classes is None or not isinstance(value, int):
        return unicodedata.normalize("NFC", str(value))
    if value == UNLABELLED:
        return ""
    if not 0 <= value < len(classes):
        raise InputError(
            f"{where} has the label {value}, but the file names {len(classes):,} classes, from 0"
        )
    return classes[value]


def _check_there(column: str, fields: Mapping[str, Any], name: str, option: str) -> None:
    if column not in fields:
        raise InputError(
            f"`{option}` {column!r} is no column of {name}{near_miss(column, fields)}; its columns "
            f"are {_listed(fields)}"
        )


def _listed(names: Iterable[str]) -> str:
    words = [repr(name) for name in names]
    more = f" and {len(words) - 20} more" if len(words) > 20 else ""
    return (", ".join(words[:20]) or "none") + more


def _label_column(names: Sequence[str], features: Mapping[str, Any]) -> str:
    """Return the column of the labels; empty where none has a usual name or kind."""
    known = [name for name in names if _kind(features, name) == "ClassLabel"]
    for candidates in (known, names):
        for word in LABEL_COLUMNS:
            for name in candidates:
                if name.lower() == word:
                    return name
    return known[0] if known else ""


def _features(metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Return what Hugging Face notes about columns, by name."""
    try:
        features = parse_json(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def _kind(features: Mapping[str, Any], name: str) -> str:
    feature = features.get(name)
    return str(feature.get("_type")) if isinstance(feature, dict) else ""


def _class_names(features: Mapping[str, Any], label: str) -> list[str] | None:
    if _kind(features, label) != "ClassLabel":
        return None
    names = features[label].get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return [unicodedata.normalize("NFC", name) for name in names]


def _is_struct(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415

    return bool(pa.types.is_struct(kind))


def holds_images(kind: Any) -> bool:
    """Return whether a column of this type may hold the bytes of images."""
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _is_binary(kind.field(index).type)
    return _is_binary(kind)


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

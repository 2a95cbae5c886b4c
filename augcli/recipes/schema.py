"""A JSON Schema of recipes, made from the declarations, for editors that complete TOML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from augcli.augmentations import METHODS
from augcli.files import Place
from augcli.params import declared
from augcli.recipes.recipe import NAME, RUN_OPTIONS

if TYPE_CHECKING:
    from augcli.params import Declared

TYPES = {
    int: "integer",
    float: "number",
    bool: "boolean",
    str: "string",
    Path: "string",
    Place: "string",
}


def recipe_schema() -> dict[str, Any]:
    """Return the schema."""
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    of_step = {"prob": probability, "name": {"type": "string"}}
    of_choice = {"weight": {"type": "number", "exclusiveMinimum": 0}}
    choices = [_method(name, of_choice) for name in METHODS]
    one_of = {
        "type": "object",
        "required": ["one_of"],
        "additionalProperties": False,
        "properties": {**of_step, "one_of": {"type": "array", "items": {"oneOf": choices}}},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "augcli recipe",
        "type": "object",
        "required": ["step"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "pattern": f"^{NAME.pattern}$"},
            "run": {
                "type": "object",
                "additionalProperties": False,
                "properties": {field.name: _field(field) for field in RUN_OPTIONS},
            },
            "stochastic_depth": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"survival": probability},
            },
            "step": {
                "type": "array",
                "minItems": 1,
                "items": {"oneOf": [*(_method(name, of_step) for name in METHODS), one_of]},
            },
        },
    }


def _method(name: str, common: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["use"],
        "additionalProperties": False,
        "properties": {
            "use": {"const": name},
            **common,
            **{field.name: _field(field) for field in declared(METHODS[name])},
        },
    }


def _field(field: Declared) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": field.param.help}
    if field.choices:
        schema["enum"] = list(field.choices)
    elif field.param.parse is None:
        schema["type"] = TYPES[field.kind]
        if field.param.minimum is not None:
            schema["minimum"] = field.param.minimum
        if field.param.maximum is not None:
            schema["maximum"] = field.param.maximum
    if field.default is not None:
        schema["default"] = field.default
    return schema

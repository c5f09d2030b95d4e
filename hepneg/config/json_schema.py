"""The JSON schema of the configuration."""

from __future__ import annotations

from typing import Any

from hepneg.config.analysis import Config

_TEXT = {"type": "string"}
_NULL = {"type": "null"}
_SHORT = {
    "Systematic": _TEXT,
    "GivenResponse": _TEXT,
    "Grade": _TEXT,
    "Variation": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]},
    "SchemeChoice": _TEXT,
    "ObjectiveChoice": _TEXT,
    "NetworkChoice": _TEXT,
    "CalibrationChoice": _TEXT,
    "Output": {"const": "relu"},
}
"""What may stand in the place of all keys of a part."""
_NAMED = ("Feature", "InputFeature", "Variable")
"""Parts that have a name, which may be the key of all the rest."""


def config_schema() -> dict[str, Any]:
    """Return the JSON schema of ``analysis.yaml``, for editors that check while one types.

    It takes all forms that :meth:`Config.from_dict` takes, short ones too, but for numbers in quotes. What no schema
    can tell, as whether an expression is one, it leaves to the latter.
    """
    schema = Config.model_json_schema(mode="validation")
    parts = schema["$defs"]
    del schema["properties"]["folder"], schema["properties"]["data"], schema["properties"]["output"]["default"]
    for owner, part in ((schema, "Feature"), (parts["CollectionSettings"], "InputFeature")):
        listed = owner["properties"]["features"]
        mapping = {"type": "object", "minProperties": 1, "additionalProperties": _unnamed(parts[part])}
        owner["properties"]["features"] = {"anyOf": [listed, mapping]}
    for name in _NAMED:
        one = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": _unnamed(parts[name])}
        parts[name] = {"anyOf": [_TEXT, one, parts[name]]}
    for name, short in _SHORT.items():
        parts[name] = {"anyOf": [short, parts[name]]}
    schema["required"].remove("features")
    schema["anyOf"] = [{"required": ["features"]}, {"required": ["response"]}]
    for part in (schema, *parts.values()):
        _allow_null(part)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _unnamed(part: dict[str, Any]) -> dict[str, Any]:
    """Return what may stand behind the name of a part: its expression, or the keys that it has beside the name."""
    own = {key: value for key, value in part["properties"].items() if key != "name"}
    return {"anyOf": [_TEXT, {"type": "object", "properties": own, "additionalProperties": False}]}


def _allow_null(part: dict[str, Any]) -> None:
    """Let each key that may be left out be without a value, which counts as left out."""
    for form in (part, *part.get("anyOf", ())):
        own = form.get("properties", {})
        for key in own.keys() - set(form.get("required", ())):
            if _NULL not in own[key].get("anyOf", ()):
                kept = {name: own[key].pop(name) for name in ("default", "title") if name in own[key]}
                own[key] = {"anyOf": [own[key], _NULL], **kept}

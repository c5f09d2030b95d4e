"""The JSON schema of the configuration."""

from __future__ import annotations

from typing import Any

from hepneg.config.analysis import Config


def config_schema() -> dict[str, Any]:
    """Return the JSON schema of ``analysis.yaml``, for editors that check while one types."""
    schema = Config.model_json_schema(mode="validation")
    del schema["properties"]["folder"], schema["properties"]["data"], schema["properties"]["output"]["default"]
    one = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": {"type": "string"}}
    for name in ("Feature", "InputFeature"):
        description = schema["$defs"][name].get("description", "")
        schema["$defs"][name] = {"description": description, "anyOf": [{"type": "string"}, one]}
    texts = {
        "Systematic": {"type": "string"},
        "GivenResponse": {"type": "string"},
        "Grade": {"type": "string"},
        "Variation": {"type": ["string", "array"]},
    }
    for name, short in texts.items():
        schema["$defs"][name] = {"anyOf": [short, schema["$defs"][name]]}
    for choice in ("SchemeChoice", "ObjectiveChoice", "NetworkChoice", "CalibrationChoice"):
        schema["$defs"][choice] = {"anyOf": [{"type": "string"}, schema["$defs"][choice]]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

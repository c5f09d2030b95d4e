"""The JSON schema takes the configurations that the loader takes, in all their forms, and refuses the same mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jet_toys
import jsonschema
import pytest
import template_toys
import yaml
from conftest import toy_config

from hepneg.config import Config, config_schema
from hepneg.errors import ConfigError

ROOT = Path(__file__).parents[1]
BASE: dict[str, Any] = {
    "weight": "w",
    "samples": {"sig": {"label": "signal", "files": "sig.root"}, "bkg": {"label": "background", "files": ["b.root"]}},
    "features": ["x"],
}
SETS = {"training": {"network": "deep_sets"}}
VALID: list[dict[str, Any]] = [
    {"features": [{"pt": {"expression": "lep_pt", "title": "$p_T$", "unit": "GeV"}}]},
    {"features": [{"charge": {"categories": [-1, 1]}}, {"pt": "lep_pt"}, "eta"]},
    {"features": [{"name": "pt", "expression": "lep_pt", "title": None, "categories": [0, 1]}]},
    {"features": {"pt": "lep_pt", "tag": {"expression": "jet_tag", "categories": [0, 1]}}},
    {"collections": {"jets": {"features": {"pt": "Jet_pt", "tag": {"categories": [0, 1]}}, "most": 5}}} | SETS,
    {"collections": {"jets": {"features": ["Jet_pt", {"eta": "Jet_eta"}], "most": 5}}} | SETS,
    {"features": None, "response": "bdt"},
    {"response": {"logit": "bdt"}},
    {"systematics": {"a": "w * 1.1", "b": {"up": ["u.root"], "down": "d.root"}, "c": {"normalisation": 1.1}}},
    {"systematics": {"d": {"up": {"weight": "w2"}, "down": None}, "e": {"up": {"tree": "Up"}, "samples": "sig"}}},
    {"plots": {"variables": ["x", {"m": "mass"}, {"pt": {"expression": "lep_pt", "bins": 20, "range": [0, 100]}}]}},
    {"plots": {"size": [6, 5], "bins": [0, 0.5, 1], "style": None, "title": None}},
    {"templates": {"binning": {"edges": [0, 0.5, 1], "transform": None}, "formats": ["pyhf"]}, "regions": None},
    {"training": {"scheme": "signed", "network": "tabular", "calibration": "none", "objective": None}},
    {"training": {"scheme": {"name": "refined"}, "network": {"hidden": [8], "output": {"low": 0.1, "high": 0.9}}}},
    {"training": None, "plots": None, "event_id": ["run", "event"], "folds": {"by": "event % 2", "count": 2}},
    {"task": "regression", "target": ["a", {"b": "c / d"}], "training": {"objective": "squared"}},
    {"task": "regression", "target": {"a": "a * 2"}, "training": {"network": {"output": "relu"}}},
    {"task": "regression", "target": "a", "grade": "g", "training": {"objective": "signed_squared"}},
]
REFUSED: list[dict[str, Any]] = [
    {"features": []},
    {"features": [{"pt": {"name": "other", "expression": "lep_pt"}}]},
    {"features": [{"pt": "lep_pt", "eta": "lep_eta"}]},
    {"features": [{"pt": {"expression": "lep_pt", "tittle": "x"}}]},
    {"features": {}},
    {"collections": {"jets": {"features": [{"pt": {"expression": "Jet_pt", "title": "x"}}], "most": 5}}} | SETS,
    {"collections": {"jets": {"features": {}, "most": 5}}} | SETS,
    {"collections": {"jets": {"features": ["Jet_pt"]}}} | SETS,
    {"plots": {"variables": [{"m": {"expression": "mass", "binning": 3}}]}},
    {"training": {"network": {"output": "tanh"}}},
    {"weight": None},
]


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(config_schema())
    return jsonschema.Draft202012Validator(config_schema())


def files_and_pages() -> Iterator[Any]:
    """Yield every configuration of the repository, and those on its pages, which may be parts of one."""
    for path in sorted((ROOT / "analysis").glob("*/*.yaml")):
        yield pytest.param(yaml.safe_load(path.read_text(encoding="utf-8")), id=f"{path.parent.name}/{path.name}")
    for path in [ROOT / "README.md", *sorted((ROOT / "notebooks").glob("*.md"))]:
        blocks = re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
        for number, block in enumerate(blocks):
            data = yaml.safe_load(block)
            yield pytest.param(data if "samples" in data else BASE | data, id=f"{path.name}-{number}")


@pytest.mark.parametrize("data", list(files_and_pages()))
def test_configurations_of_files_and_pages(data: dict[str, Any], schema: jsonschema.Draft202012Validator) -> None:
    schema.validate(data)
    Config.from_dict(data)


def test_configurations_of_the_tests(tmp_path: Path, schema: jsonschema.Draft202012Validator) -> None:
    jets = jet_toys.jet_analysis(tmp_path, lambda *_: None).read_text(encoding="utf-8")
    for data in (toy_config(), template_toys.config_data(), yaml.safe_load(jets)):
        schema.validate(data)
        Config.from_dict(data)


@pytest.mark.parametrize("changes", VALID)
def test_every_form_that_is_loaded(changes: dict[str, Any], schema: jsonschema.Draft202012Validator) -> None:
    """With all defaults written out as well."""
    data = BASE | changes
    config = Config.from_dict(data)
    schema.validate(data)
    schema.validate(config.to_dict())
    assert Config.from_dict(config.to_dict()) == config


@pytest.mark.parametrize("changes", REFUSED)
def test_what_is_refused_by_both(changes: dict[str, Any], schema: jsonschema.Draft202012Validator) -> None:
    data = BASE | changes
    assert not schema.is_valid(data)
    with pytest.raises(ConfigError):
        Config.from_dict(data)


def test_features_are_needed_unless_there_is_a_response(schema: jsonschema.Draft202012Validator) -> None:
    without = {key: part for key, part in BASE.items() if key != "features"}
    assert not schema.is_valid(without)
    with pytest.raises(ConfigError, match="'features' is missing"):
        Config.from_dict(without)
    assert schema.is_valid(without | {"response": "bdt"})
    assert Config.from_dict(without | {"response": "bdt"}).feature_names == ("response",)

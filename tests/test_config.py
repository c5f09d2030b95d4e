"""The configuration: what is read, and the one line that each mistake gives."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hepneg.config import Config, Training, config_schema, load_config
from hepneg.errors import ConfigError

BASE: dict[str, Any] = {
    "weight": "genWeight",
    "samples": {
        "ttbar": {"label": "signal", "files": "data/ttbar_*.root"},
        "wjets": {"label": "background", "files": ["a.root", "root://host//b.root"]},
    },
    "features": ["lep_pt", {"jet1_pt": "Jet_pt[:, 0]"}],
}


def changed(**keys: Any) -> dict[str, Any]:
    data = copy.deepcopy(BASE)
    data.update(keys)
    return data


def message_of(data: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        Config.from_dict(data, source="analysis.yaml")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_defaults_and_relative_paths(tmp_path: Path) -> None:
    config = Config.from_dict(BASE, tmp_path)
    assert (config.name, config.tree, config.on_nan, config.event_id) == ("analysis", "Events", "error", ())
    assert config.output == tmp_path / "results" / "analysis"
    assert config.feature_names == ("lep_pt", "jet1_pt")
    assert config.features[1].expression.text == "Jet_pt[:, 0]"
    assert config.samples["ttbar"].files == ("data/ttbar_*.root",)
    assert config.training.scheme.name == Training().scheme.name


def test_a_file_names_its_analysis_and_its_results(tmp_path: Path) -> None:
    for name in ("tight", "loose"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(BASE))
        config = load_config(tmp_path / f"{name}.yaml")
        assert (config.name, config.output) == (name, tmp_path / "results" / name)
    named = load_config(tmp_path / "tight.yaml", ["name=mine"])
    assert (named.name, named.output) == ("mine", tmp_path / "results" / "mine")
    assert load_config(tmp_path / "tight.yaml", ["output=out"]).output == tmp_path / "out"


NULLABLE = (
    "name",
    "output",
    "event_id",
    "selection",
    "systematics",
    "plots",
    "plots.formats",
    "training",
    "training.scheme",
    "training.folds",
    "training.network",
    "training.network.output",
    "samples.ttbar.cross_section",
)


@pytest.mark.parametrize("key", NULLABLE)
def test_null_is_as_good_as_leaving_a_key_out(tmp_path: Path, key: str) -> None:
    path = tmp_path / "analysis.yaml"
    path.write_text(yaml.safe_dump(BASE))
    assert load_config(path, [f"{key}=null"]) == load_config(path)


def test_null_keeps_the_scheme_of_a_regression_and_takes_no_key_that_is_needed() -> None:
    regression = {"task": "regression", "target": "x", "training": {"scheme": None}}
    assert Config.from_dict(changed(**regression)).training.scheme.name == "refined"
    assert message_of(changed(weight=None)) == "analysis.yaml: 'weight' is missing"
    assert message_of(changed(samples={"a": {"label": None, "files": "x"}})) == (
        "analysis.yaml: 'samples.a.label' is missing: signal or background, or the name of a class"
    )


def test_output_is_relative_to_the_folder_of_the_file(tmp_path: Path) -> None:
    assert Config.from_dict(changed(output="out/x"), tmp_path).output == tmp_path / "out" / "x"
    assert Config.from_dict(changed(output="/abs"), tmp_path).output == Path("/abs")


def test_dict_round_trip(tmp_path: Path) -> None:
    config = Config.from_dict(changed(selection="nJet >= 2", training={"scheme": {"name": "paired"}}), tmp_path)
    assert Config.from_dict(json.loads(json.dumps(config.to_dict())), tmp_path) == config


def test_models_are_frozen() -> None:
    config = Config.from_dict(BASE)
    with pytest.raises(ValueError, match="frozen"):
        config.name = "other"


def test_a_scheme_may_be_a_plain_name_and_keeps_its_parameters() -> None:
    assert Config.from_dict(changed(training={"scheme": "absolute"})).training.scheme.parameters == {}
    scheme = Config.from_dict(changed(training={"scheme": {"name": "paired", "flavour": "stratified"}})).training.scheme
    assert (scheme.name, scheme.parameters) == ("paired", {"flavour": "stratified"})


def test_features_may_be_a_mapping_and_event_id_one_name() -> None:
    config = Config.from_dict(changed(features={"a": "x + 1"}, event_id="event"))
    assert (config.feature_names, config.event_id) == (("a",), ("event",))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"wieght": "w"}, "analysis.yaml: unknown key 'wieght'; did you mean 'weight'?"),
        ({"training": {"fold": 3}}, "analysis.yaml: unknown key 'training.fold'; did you mean 'folds'?"),
        (
            {"training": {"network": {"layers": [3]}}},
            "training.network: network 'mlp' has no parameter 'layers'; known: hidden, activation",
        ),
        ({"samples": {"a": {"label": "signal", "file": "x"}}}, "unknown key 'samples.a.file'; did you mean 'files'?"),
        ({"folder": "x"}, "unknown key 'folder'"),
        ({"training": {"scheme": "sined"}}, "training.scheme: unknown scheme 'sined'; did you mean 'signed'"),
        ({"training": {"scheme": {"name": "paired", "flavor": 1}}}, "did you mean 'flavour'?"),
        (
            {"training": {"folds": 1}},
            "analysis.yaml: training.folds: Input should be greater than or equal to 2, not 1",
        ),
        ({"training": {"folds": 1, "patience": 0}}, "(and 1 more)"),
        ({"training": {"seed": -3}}, "training.seed: Input should be greater than or equal to 0, not -3"),
        ({"training": {"validation_fraction": 0.5}}, "training.validation_fraction: Input should be less than 0.5"),
        ({"training": {"network": {"hidden": 64}}}, "hidden must be a list of widths"),
        ({"weight": "__import__('os')"}, "weight: expression \"__import__('os')\": '__import__' at character 1"),
        (
            {"weight": "genWeight # nominal\n* pileup"},
            "weight: expression 'genWeight # nominal * pileup': a comment (#)",
        ),
        ({"selection": "1 > 0"}, "selection: expression '1 > 0' names no branch"),
        ({"features": ["a", {"b": "sqr(a)"}]}, "did you mean 'sqrt'?"),
        ({"features": []}, "features: give at least 1"),
        ({"features": "a"}, "features: Input should be a list, not 'a'"),
        ({"features": ["a", "a"]}, "features: feature 'a' is listed twice"),
        ({"features": [{"a": 1, "b": 2}]}, "one `name: expression`"),
        ({"features": []}, "features"),
        ({"samples": {}}, "samples"),
        ({"samples": {"t t": BASE["samples"]["ttbar"]}}, "sample name 't t': use letters, digits"),
        ({"samples": {"../x": BASE["samples"]["ttbar"]}}, "sample name '../x'"),
        (
            {"samples": {"a": {"label": "signl", "files": "x"}}},
            "samples.a.label: the label is 'signl'; did you mean 'signal'?",
        ),
        ({"samples": {"a": {"label": "signal", "files": []}}}, "samples.a.files"),
        ({"samples": [1]}, "analysis.yaml: samples"),
        ({"on_nan": "ignore"}, "on_nan: Input should be 'error' or 'drop', not 'ignore'"),
        ({"plots": {"format": ["png"]}}, "unknown key 'plots.format'; did you mean 'formats'?"),
        ({"plots": {"formats": ["pdf"]}}, "plots.formats: png must be among them"),
        ({"plots": {"formats": ["gif"]}}, "Input should be 'png' or 'pdf', not 'gif'"),
        ({"plots": {"feature_pages": "some"}}, "plots.feature_pages: Input should be 'significant', 'all' or 'none'"),
        ({"luminosity": 0}, "luminosity: Input should be greater than 0"),
        ({"luminosity": 10.0}, "sample 'ttbar' has no cross_section (pb)"),
        (
            {"samples": {"a": {"label": "signal", "files": "x", "cross_section": 1.0}}},
            "sample 'a' has a cross_section, but there is no luminosity (1/fb)",
        ),
    ],
)
def test_mistakes_give_one_line_with_the_key(change: dict[str, Any], expected: str) -> None:
    assert expected in message_of(changed(**change))


def test_a_missing_key_is_named() -> None:
    assert message_of({key: value for key, value in BASE.items() if key != "weight"}) == (
        "analysis.yaml: 'weight' is missing"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weight: [1", "line 1, column"),
        ("weight: a\n---\nweight: b", "line 2, column 1: a second document begins here; give one"),
        ("weight: a\nweight: b", "line 2, column 1: key 'weight' occurs twice"),
        ("samples: {a: {label: signal, label: signal}}", "key 'label' occurs twice"),
        ("weight: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("- a", "expected keys such as"),
        ("", "expected keys such as"),
        ("? [a]\n: b", "a key must be a plain name"),
        ("a: \x01", "not valid YAML"),
    ],
)
def test_unusable_yaml_names_file_and_place(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "analysis.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_merge_keys_may_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "analysis.yaml"
    path.write_text(
        "weight: w\nfeatures: [x]\nsamples:\n  a: &a {label: signal, files: a.root}\n  b: {<<: *a, label: background}\n"
    )
    samples = load_config(path).samples
    assert (samples["b"].label, samples["b"].files) == ("background", ("a.root",))


def test_a_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*none\.yaml: No such file"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x80")
    with pytest.raises(ConfigError, match="not a text file"):
        load_config(tmp_path / "binary")


def test_overrides_replace_any_key(tmp_path: Path) -> None:
    path = tmp_path / "analysis.yaml"
    path.write_text(yaml.safe_dump(changed(training={"scheme": "paired"})))
    config = load_config(
        path,
        [
            "training.scheme.name=absolute",
            "training.network.hidden=[3, 4]",
            "training.learning_rate=1e-2",
            "selection=nJet >= 2",
            "samples.ttbar.files=x=y.root",
        ],
    )
    assert config.training.scheme.name == "absolute"
    assert config.training.network.hidden == (3, 4)
    assert config.training.learning_rate == 0.01
    assert config.selection is not None
    assert config.selection.text == "nJet >= 2"
    assert config.samples["ttbar"].files == ("x=y.root",)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.fold=2", "unknown key 'training.fold'; did you mean 'folds'?"),
        ("trainng.folds=2", "unknown key 'trainng'; did you mean 'training'?"),
        ("folds", "write it as key=value"),
        ("training..folds=2", "write it as key=value"),
        ("name=[1", "--set 'name=[1'"),
        ("features.0=x", "set the whole of it"),
        ("training.scheme={name: refined, members: 2.5}", "members must be a whole number of at least 1, not 2.5"),
        ("training.scheme={name: signed, logit_bound: .inf}", "logit_bound must be positive and finite, not inf"),
    ],
)
def test_bad_overrides_say_what_is_wrong(tmp_path: Path, override: str, expected: str) -> None:
    path = tmp_path / "analysis.yaml"
    path.write_text(yaml.safe_dump(BASE))
    with pytest.raises(ConfigError) as caught:
        load_config(path, [override])
    assert expected in str(caught.value)


def test_the_schema_has_every_key_and_refuses_others() -> None:
    schema = config_schema()
    assert set(schema["properties"]) == set(Config.model_fields) - {"folder", "data"}
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"weight", "samples"}
    assert set(schema["$defs"]["Training"]["properties"]) == set(Training.model_fields)
    json.dumps(schema)


def test_regions_are_conditions_beside_the_selection() -> None:
    config = Config.from_dict(changed(selection="x > 1", regions={"SR": "y > 2 or z", "CR": "y <= 2"}))
    assert list(config.regions) == ["SR", "CR"]
    selection = config.for_region("SR").selection
    assert selection is not None
    assert selection.text == "(x > 1) and (y > 2 or z)"
    assert str(Config.from_dict(changed(regions={"SR": "y > 2"})).for_region("SR").selection) == "y > 2"
    assert Config.from_dict(config.to_dict()).regions == config.regions
    with pytest.raises(ConfigError, match="no region 'sr' in the configuration; did you mean 'SR'"):
        config.for_region("sr")


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ({"S R": "y > 2"}, "region name 'S R': use letters, digits"),
        ({"SR": "y >"}, r"regions\.SR"),
        ({"SR": "1"}, "names no branch"),
    ],
)
def test_unusable_regions(regions: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config.from_dict(changed(regions=regions))

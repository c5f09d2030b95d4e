"""Stacks from files: `plots:`, data, blinding, regions and systematic variations, as `hepneg plot` fills them."""

from __future__ import annotations

import json

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hepneg import workflow
from hepneg.binning.axis_bins import figure_edges, round_edges
from hepneg.config import Config, Variable, load_config
from hepneg.errors import ConfigError, DataError
from hepneg.evaluation.stack_pass import fill_stacks, needs_a_pass
from hepneg.models.loading import load_model
from hepneg.ntuples import read

EDGES = [0.0, 0.25, 0.5, 0.75, 1.0]


def columns(events, shift, seed, first_id=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 5, events)
    return {
        "event": np.arange(first_id, first_id + events, dtype=np.uint64),
        "genWeight": np.where(rng.random(events) < 0.2, -1.0, 1.0).astype(np.float32),
        "x0": rng.normal(shift, 1.0, events).astype(np.float32),
        "x1": rng.exponential(30.0, events).astype(np.float32),
        "Jet_pt": ak.unflatten(rng.exponential(40, lengths.sum()).astype(np.float32), lengths),
    }


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    """Two samples, 400 events of data, a region, a variation of the weight and a trained model."""
    from conftest import _write_ntuple

    folder = tmp_path_factory.mktemp("stacks")
    _write_ntuple(folder / "sig.root", columns(1200, 1.5, 1))
    _write_ntuple(folder / "bkg.root", columns(1200, 0.0, 2, 10_000))
    _write_ntuple(folder / "data.root", columns(400, 0.5, 3, 50_000))
    content = {
        "name": "toy", "weight": "genWeight", "event_id": "event", "luminosity": 0.5,
        "samples": {
            "sig": {"label": "signal", "files": "sig.root", "cross_section": 0.3},
            "bkg": {"label": "background", "files": "bkg.root", "cross_section": 0.9},
            "observed": {"label": "data", "files": "data.root"},
        },
        "regions": {"busy": "len(Jet_pt) >= 3"},
        "systematics": {"scale_up": "genWeight * 1.2", "scale_down": "genWeight * 0.9"},
        "features": [{"x0": {"title": "$x_0$"}}, {"x1": {"unit": "GeV"}}],
        "plots": {
            "bins": EDGES,
            "variables": ["x1", {"x0": {"bins": 4, "range": [-2, 2]}}, {"jets": {"expression": "len(Jet_pt)"}}],
        },
        "training": {"scheme": "absolute", "folds": 2, "epochs": 2, "network": {"hidden": [8]}},
    }  # fmt: skip
    (folder / "analysis.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    config = load_config(folder / "analysis.yaml")
    workflow.train(config)
    return folder / "analysis.yaml"


def stacks_of(path, *overrides):
    config = load_config(path, overrides)
    return {(stack.quantity, stack.region): stack for stack in fill_stacks(config, load_model(config.output / "model"))}


def test_stacks_hold_what_the_events_sum_to(analysis):
    config = load_config(analysis)
    model = load_model(config.output / "model")
    stacks = stacks_of(analysis)
    assert list(stacks) == [("response", ""), ("response", "busy"), ("x1", ""), ("x0", ""), ("jets", "")]
    events, data = read(config), read(config, data=True)
    response = model.held_out_response(events)
    for code, name in enumerate(events.sample_names):
        own = events.sample == code
        for key, values, edges in (
            (("response", ""), response, EDGES),
            (("x0", ""), events.feature("x0"), np.linspace(-2, 2, 5)),
        ):
            part = stacks[key].samples[name]
            np.testing.assert_allclose(part.values(), np.histogram(values[own], edges, weights=events.weight[own])[0])
            square = np.histogram(values[own], edges, weights=events.weight[own] ** 2)[0]
            np.testing.assert_allclose(part.variances(), square)
    seen = np.histogram(model.response(data.features), EDGES)[0]
    np.testing.assert_array_equal(stacks["response", ""].counts(), seen)


def test_regions_and_variations_are_filled_in_the_same_pass(analysis):
    stacks = stacks_of(analysis)
    whole, busy = stacks["response", ""], stacks["response", "busy"]
    config = load_config(analysis)
    for name in config.samples:
        lengths = ak.num(uproot.open(analysis.parent / f"{name}.root")["Events"]["Jet_pt"].array())
        weight = uproot.open(analysis.parent / f"{name}.root")["Events"]["genWeight"].array().to_numpy()
        share = weight[np.asarray(lengths) >= 3].sum() / weight.sum()
        assert busy.samples[name].values().sum() == pytest.approx(share * whole.samples[name].values().sum())
        nominal = whole.samples[name].values()
        np.testing.assert_allclose(whole.varied[name], np.stack([1.2 * nominal, 0.9 * nominal]), rtol=1e-6)
    assert 0 < busy.counts().sum() < whole.counts().sum() == 400


def test_whole_numbers_get_a_bin_each(analysis):
    np.testing.assert_array_equal(stacks_of(analysis)["jets", ""].edges, [0.5, 1.5, 2.5, 3.5, 4.5])


def test_blinding_by_the_response_hides_its_bins_and_leaves_events_out_elsewhere(analysis):
    plain, blinded = stacks_of(analysis), stacks_of(analysis, "plots.blind=response > 0.5")
    response = blinded["response", ""]
    np.testing.assert_array_equal(response.hidden, [False, False, True, True])
    np.testing.assert_array_equal(response.counts()[:2], plain["response", ""].counts()[:2])
    np.testing.assert_allclose(response.total().values(), plain["response", ""].total().values())
    assert not response.data.values()[2:].any()  # those under the condition are not even counted
    other = blinded["x0", ""]
    assert other.left_out == "response > 0.5"
    assert other.data.sum().value < plain["x0", ""].data.sum().value
    assert other.total().sum().value < plain["x0", ""].total().sum().value


def test_blinding_by_a_branch_or_a_feature(analysis):
    by_feature = stacks_of(analysis, "plots.blind=x0 > 0 and x0 < 1")
    np.testing.assert_array_equal(by_feature["x0", ""].hidden, [False, False, True, False])
    assert by_feature["response", ""].left_out
    by_branch = stacks_of(analysis, "plots.blind=event % 2 == 0")
    assert by_branch["x0", ""].data.sum().value < 250


def test_plot_draws_writes_and_reports_them(analysis):
    config = load_config(analysis)
    outcome = workflow.plot(config)
    names = {path.name for path in outcome.files}
    stems = {"stack_response", "stack_busy_response", "stack_x1", "stack_x0", "stack_jets"}
    assert {"stacks.json", "stacks.root", *(f"{stem}.png" for stem in stems)} <= names
    content = json.loads((config.output / "stacks.json").read_text())
    assert [stack["quantity"] for stack in content["stacks"]] == ["response", "response", "x1", "x0", "jets"]
    with uproot.open(config.output / "stacks.root") as file:
        assert file["stack_busy_response_data"].values().sum() < 400
        np.testing.assert_allclose(
            file["stack_response_sig"].values(), content["stacks"][0]["samples"]["sig"]["values"]
        )


def test_data_with_weights_are_refused(analysis):
    config = load_config(analysis, ["samples.observed.weight=genWeight"])
    with pytest.raises(DataError, match="sample 'observed': measured data have the weight 1"):
        fill_stacks(config, load_model(config.output / "model"))


BARE = {
    "weight": "w",
    "samples": {"s": {"label": "signal", "files": "s.root"}, "b": {"label": "background", "files": "b.root"}},
    "features": ["x", {"ht": {"expression": "sum(Jet_pt)", "title": "$H_T$", "unit": "GeV"}}],
}


@pytest.mark.parametrize(
    ("plots", "message"),
    [
        ({"blind": "response > 0.7"}, "hides data, but no sample has `label: data`"),
        ({"names": {"ss": "S"}}, "no sample 'ss'; did you mean 's'"),
        ({"names": {"s": r"$\foo$"}}, "no formula that can be drawn"),
        ({"colours": {"s": "blurple"}}, "'blurple' is no colour"),
        ({"signal_scale": 5}, "set `signal: overlaid`"),
        ({"bins": [0, 1, 1]}, "edges must increase"),
        ({"variables": [{"x": {"range": [2, 1]}}]}, "range: edges must increase"),
        ({"variables": ["x", "x"]}, "'x' is listed twice"),
        ({"variables": [{"x": "2 * y"}]}, "another expression as a feature"),
        ({"variables": ["response"]}, "'response' is listed twice"),
        ({"styl": "CMS"}, "unknown key 'plots.styl'; did you mean 'style'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_at_once(plots, message):
    with pytest.raises(ConfigError, match=message.replace("$", r"\$").replace("(", r"\(")) as error:
        Config.from_dict({**BARE, "plots": plots})
    assert "\n" not in str(error.value)


def test_variables_take_title_and_unit_of_the_feature_that_they_name():
    config = Config.from_dict({**BARE, "plots": {"variables": ["ht", {"ht2": {"expression": "2 * x"}}]}})
    assert config.drawn_variables[0] == Variable(name="ht", expression="sum(Jet_pt)", title="$H_T$", unit="GeV")
    assert config.title_of("ht") == ("$H_T$", "GeV")
    assert config.title_of("x") == (None, None)
    assert Config.from_dict(config.to_dict()).drawn_variables == config.drawn_variables
    assert not needs_a_pass(Config.from_dict(BARE))
    assert needs_a_pass(config)


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e6))
def test_round_edges_span_the_range_with_equal_bins(low, width):
    edges = round_edges(low, low + width)
    step = edges[1] - edges[0]
    assert edges[0] <= low + 1e-4 * step
    assert edges[-1] >= low + width - 1e-4 * step
    assert 16 <= len(edges) - 1 <= 42
    np.testing.assert_allclose(np.diff(edges), step, rtol=1e-5)


def test_edges_are_those_asked_for():
    column = np.array([1.0, 2.5, 7.0], np.float32)
    np.testing.assert_array_equal(figure_edges([column], bins=[0, 1, 5]), [0, 1, 5])
    np.testing.assert_allclose(figure_edges([column], bins=2, view=(0.0, 8.0)), [0, 4, 8])
    constant = figure_edges([np.full(10, 3.5, np.float32)])
    assert constant[0] < 3.5 < constant[-1]

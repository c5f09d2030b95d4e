"""Templates from configuration to result: sums, bins, the policy for bins with Σw ≤ 0, systematics, bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import _write_ntuple
from template_toys import SHAPES, columns, config_data, write_toy

from hepneg import workflow
from hepneg.cli.group import cli
from hepneg.config import Config, load_config
from hepneg.errors import ConfigError, DataError, HepnegError, HepnegWarning
from hepneg.evaluation.response_source import require_known_events
from hepneg.templates import Templates, make_templates
from hepneg.templates.bin_problems import bin_problems, joined_starts

EDGES = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0]
GIVEN = {"binning": {"edges": EDGES}, "negative_bins": "keep"}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy"))


def changed(toy: Path, **changes: Any) -> Config:
    return Config.from_dict(config_data() | changes, toy.parent)


@pytest.fixture(scope="module")
def kept(toy: Path) -> Templates:
    return make_templates(changed(toy, templates=GIVEN))


def in_region(name: str, region: str, **options: Any) -> tuple[np.ndarray, dict[str, Any]]:
    found = columns(name, **options)
    return (found["nJet"] >= 4) == (region == "SR"), found


@pytest.mark.parametrize("sample", list(SHAPES))
@pytest.mark.parametrize("region", ["SR", "CR"])
def test_given_bins_hold_the_sums_of_the_signed_events(kept: Templates, sample: str, region: str) -> None:
    member, found = in_region(sample, region)
    score, weight = (found[key][member].astype(np.float64) for key in ("bdt", "genWeight"))
    template = kept.regions[region].samples[sample]
    wanted, squares = (np.histogram(score, EDGES, weights=w)[0] for w in (weight, weight**2))
    np.testing.assert_allclose(template.content, wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(template.error, np.sqrt(squares), rtol=1e-12)
    assert not template.refined
    assert list(kept.regions[region].edges) == EDGES
    varied = weight * found["up"][member]
    up = template.variations["scale_up"]
    np.testing.assert_allclose(up.content, np.histogram(score, EDGES, weights=varied)[0], rtol=1e-12, atol=1e-12)
    paired = np.histogram(score, EDGES, weights=(varied - weight) ** 2)[0]
    np.testing.assert_allclose(up.difference_error, np.sqrt(paired), rtol=1e-6)
    assert (up.difference_error < 0.2 * up.error).all()


def test_other_files_are_paired_by_event(kept: Templates) -> None:
    template = kept.regions["SR"].samples["bkg"]
    member, nominal = in_region("bkg", "SR")
    moved = columns("bkg", shift=0.1)["bdt"]
    before, after = (np.digitize(score[member], EDGES[1:-1]) for score in (nominal["bdt"], moved))
    weight = nominal["genWeight"][member]
    change = np.array([[(after == b).astype(float) - (before == b)] for b in range(len(EDGES) - 1)])[:, 0] * weight
    jes = template.variations["jes_up"]
    np.testing.assert_allclose(jes.content - template.content, change.sum(axis=1), atol=1e-9)
    exact = np.sqrt((change**2).sum(axis=1))
    # By 64 groups an error is known to √(2/63)/2 = 9 %: five standard deviations.
    np.testing.assert_allclose(jes.difference_error, exact, rtol=0.45)
    assert jes.yield_error == pytest.approx(0.0, abs=1e-9)  # no event leaves the region


def test_systematics_are_named_by_their_pair(kept: Templates) -> None:
    assert {name: (one.up, one.down) for name, one in kept.systematics.items()} == {
        "scale": ("scale_up", "scale_down"),
        "jes": ("jes_up", "jes_down"),
    }
    assert kept.normalisations == {"lumi": dict.fromkeys(SHAPES, 1.016), "xsec": {"bkg": 1.1}}


def test_one_side_is_mirrored(toy: Path) -> None:
    found = make_templates(changed(toy, templates=GIVEN, systematics={"tilt": "genWeight * up"}))
    nominal = found.regions["SR"].samples["bkg"].content
    up, down = found.varied("tilt", "SR", "bkg")
    np.testing.assert_allclose(up + down, 2 * nominal)
    assert (up != nominal).any()


def test_data_are_counts(kept: Templates, toy: Path) -> None:
    assert sum(kept.observed(region).sum() for region in kept.regions) == 4000
    simulated = {name: part for name, part in config_data()["samples"].items() if name != "observed"}
    without = make_templates(changed(toy, templates=GIVEN, samples=simulated, systematics={}))
    assert without.regions["SR"].observed is None
    np.testing.assert_allclose(without.observed("SR"), without.regions["SR"].total)


def test_refined_contents_keep_the_total_and_say_their_error(toy: Path, kept: Templates) -> None:
    found = make_templates(changed(toy, templates={**GIVEN, "negative_bins": "refined"}))
    for region, part in found.regions.items():
        for sample, template in part.samples.items():
            assert template.refined
            assert template.content.sum() == pytest.approx(template.signed_content.sum(), rel=1e-9)
            raw = kept.regions[region].samples[sample]
            np.testing.assert_allclose(template.signed_content, raw.content)
            covariance = np.diag(template.own_error**2) + template.shifts.T @ template.shifts
            np.testing.assert_allclose(np.sqrt(np.diag(covariance)), template.error, rtol=0.05)
            scatter = (template.content - raw.content) / raw.error
            assert np.sqrt(np.mean(scatter**2)) < 2.0
            up = template.variations["scale_up"].content / template.content
            np.testing.assert_allclose(up, 1.0 + 0.1 * (0.5 * (part.edges[1:] + part.edges[:-1])), atol=0.02)
    problems = {note.problem for part in found.regions.values() for note in part.notes}
    assert problems == {note.problem for part in kept.regions.values() for note in part.notes}
    assert {note.action for part in found.regions.values() for note in part.notes} == {"refined"}


def test_merging_leaves_no_bin_that_is_negative_or_sparse(toy: Path, kept: Templates) -> None:
    assert any(part.notes for part in kept.regions.values())
    found = make_templates(changed(toy, templates={**GIVEN, "negative_bins": "merge", "least_effective": 20}))
    for name, part in found.regions.items():
        assert len(part) < len(kept.regions[name])
        for sample, template in part.samples.items():
            assert (template.content > 0).all()
            assert (template.n_eff >= 20).all()
            assert template.content.sum() == pytest.approx(kept.regions[name].samples[sample].content.sum())
        assert {note.action for note in part.notes} == {"merged"}


def test_chosen_bins_meet_their_conditions_and_cost_their_share(toy: Path) -> None:
    found = make_templates(changed(toy, templates={"binning": {"effective": 20, "most": 5}}))
    for part in found.regions.values():
        assert part.share == 0.25
        background = [template for name, template in part.samples.items() if name != "sig"]
        content = np.sum([template.signed_content for template in background], axis=0)
        square = np.sum([template.signed_error**2 for template in background], axis=0)
        assert (content**2 > 10 * square).all()  # the conditions hold at a rate of 95 % each
        assert 2 <= len(part) <= 5
        for name, template in part.samples.items():
            region = "SR" if part is found.regions["SR"] else "CR"
            member, columns_ = in_region(name, region)
            total = columns_["genWeight"][member]
            # Three quarters of the events, scaled up to all.
            spread = np.sqrt((total**2).sum() / 3)
            assert abs(template.signed_content.sum() - total.sum()) < 5 * spread


def test_a_flat_background_is_a_matter_of_edges(toy: Path, kept: Templates) -> None:
    binning = {"edges": EDGES, "transform": "flat_background"}
    flat = make_templates(changed(toy, templates={"binning": binning, "negative_bins": "refined"}))
    part = flat.regions["SR"]
    background = sum(template.content for name, template in part.samples.items() if name != "sig")
    assert part.edges[0] == 0.0
    assert part.edges[-1] == pytest.approx(1.0)
    np.testing.assert_allclose(background / background.sum(), np.diff(part.edges), atol=0.03)
    assert list(part.variable_edges) == EDGES


def test_any_variable_and_no_regions(toy: Path) -> None:
    settings = {"variable": "bdt * 2", "binning": {"range": [0, 1.5], "target": "quantiles", "most": 3}}
    found = make_templates(changed(toy, templates=settings, regions={}, response=None, features=["bdt"]))
    (part,) = found.regions.values()
    assert list(found.regions) == ["all"]
    assert (part.edges[0], part.edges[-1]) == (0.0, 1.5)
    above = columns("sig")["bdt"] * 2 > 1.5
    assert part.samples["sig"].outside[1] == pytest.approx(columns("sig")["genWeight"][above].sum() / 0.75)


def test_the_command_writes_what_the_result_says(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["templates", str(toy), "--set", "output=out", "--set", "templates.formats=[root]"], standalone_mode=False)
    printed = capsys.readouterr().out
    assert "Templates of Response" in printed
    assert "Systematic variations" in printed
    folder = toy.parent / "out" / "templates"
    assert {path.name for path in folder.iterdir()} == {"templates.json", "templates.root"}
    content = json.loads((folder / "templates.json").read_text())
    config = load_config(toy, ["output=out"])
    assert content == make_templates(config).to_dict()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regions": {"SR": "nJet > 99", "CR": "nJet < 4"}}, r"region 'SR' \(nJet > 99\) keeps no event"),
        ({"systematics": {"flip": "-1 * genWeight"}}, "'flip' turns Σw of 'sig' from .* to -"),
        ({"templates": {**GIVEN, "negative_bins": "refuse", "least_effective": 50}}, "region 'SR': 'sig' has Σw = "),
        ({"systematics": {"jes": {"up": "jes_up/bkg.root"}}}, "the same files for 3 samples"),
        ({"systematics": {"jes": {"up": "gone/{stem}.root"}}}, "no file"),
        ({"systematics": {"jes": {"up": {"tree": "Other"}}}}, "Other"),
        ({"response": "bdt * 2"}, r"sample 'sig': the response 'bdt \* 2' lies outside \[0, 1\], from .*logit"),
        ({"templates": {"binning": {"effective": 1e6}}}, "region 'SR': 'the total background' has Σw = "),
        ({"response": None, "features": ["bdt"]}, r"model\.json"),
        ({"task": "regression", "target": "bdt", "response": None, "features": ["nJet"]}, "a template of the response"),
        ({"weight": "nothing"}, "no branch 'nothing'"),
    ],
)
def test_bad_input_is_one_line(toy: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(HepnegError, match=message) as caught:
        make_templates(changed(toy, **({"systematics": {}} | changes)))
    assert "\n" not in str(caught.value)


def test_regions_that_share_events_are_named_with_their_number(toy: Path) -> None:
    regions = {"SR": "nJet >= 4", "CR": "nJet < 5", "top": "bdt > 0.9"}
    jets = np.concatenate([columns(name)["nJet"] for name in SHAPES])
    wanted = (
        f"regions 'SR' and 'CR' share {(jets == 4).sum()} simulated events \\(and 2 more pairs share some\\): a fit"
    )
    with pytest.warns(HepnegWarning, match=wanted) as caught:
        make_templates(changed(toy, regions=regions, systematics={}, templates=GIVEN))
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)


def test_weighted_data_are_refused(toy: Path) -> None:
    samples = config_data()["samples"]
    samples["observed"] = {**samples["observed"], "weight": "bdt"}
    with pytest.raises(DataError, match="sample 'observed': measured data have the weight 1"):
        make_templates(changed(toy, samples=samples, systematics={}))


def test_a_model_on_other_files_needs_identifiers(toy: Path) -> None:
    config = changed(toy, event_id=None, response=None, features=["bdt"])
    with pytest.raises(ConfigError, match="'jes_up' is of other files.*`event_id:`"):
        require_known_events(config)


def test_bins_are_joined_with_the_neighbour_that_holds_less() -> None:
    content = np.array([5.0, 1.0, -1.0, 30.0, 40.0])
    variance = np.array([1.0, 0.1, 2.0, 3.0, 3.0])
    assert bin_problems(content, variance, 5) == ["", "", "negative", "", ""]
    assert joined_starts(np.arange(5), {"a": (content, variance)}, 5).tolist() == [0, 3, 4]
    empty = np.zeros(5)
    assert bin_problems(empty, empty, 5) == ["empty"] * 5
    hopeless = {"a": (content, variance), "b": (np.full(5, 0.1), np.full(5, 1.0))}
    assert joined_starts(np.arange(5), hopeless, 5).tolist() == [0, 3, 4]


def test_the_response_of_a_model_is_held_out_and_of_data_the_mean(tmp_path: Path) -> None:
    import hepneg

    for name in ("sig", "bkg"):
        _write_ntuple(tmp_path / f"{name}.root", columns(name))
    _write_ntuple(tmp_path / "data.root", columns("rare") | {"genWeight": np.ones(1500)})
    data = config_data() | {
        "response": None,
        "features": ["bdt", "nJet"],
        "systematics": {},
        "training": {"folds": 2, "epochs": 2, "network": {"hidden": [8]}, "scheme": "absolute"},
        "templates": {"binning": {"edges": [0, 0.5, 1]}, "negative_bins": "keep"},
    }
    data["samples"] = {name: part for name, part in data["samples"].items() if name != "rare"}
    (tmp_path / "analysis.yaml").write_text(yaml.safe_dump(data))
    config = load_config(tmp_path / "analysis.yaml")
    model = workflow.train(config).result.model
    assert isinstance(model, hepneg.Classifier)
    found = workflow.templates(config).result
    events = hepneg.read(config)
    response, jets = model.held_out_response(events), events.feature("nJet")
    own = (events.label == 1) & (jets >= 4)
    wanted = np.histogram(response[own], [0, 0.5, 1], weights=events.weight[own])[0]
    np.testing.assert_allclose(found.regions["SR"].samples["sig"].content, wanted, rtol=1e-9)
    measured = hepneg.read(config, data=True)
    counts = np.histogram(model.response(measured.features)[measured.feature("nJet") >= 4], [0, 0.5, 1])[0]
    assert found.observed("SR").tolist() == counts.tolist()

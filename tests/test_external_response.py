"""Scores from elsewhere: evaluated, drawn and reported without a training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from template_toys import write_toy

import hepneg
from hepneg import workflow
from hepneg.config import load_config
from hepneg.errors import ConfigError, DataError, HepnegWarning

QUICK = ["systematics=null", "regions=null"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("external"))


def test_a_branch_is_evaluated_as_arrays_are(toy: Path) -> None:
    config = load_config(toy, [*QUICK, "output=evaluated"])
    outcome = workflow.evaluate(config)
    events = hepneg.read(config)
    assert events.feature_names == ("response",)  # the only feature where there are no others
    expected = hepneg.evaluate(events, response=events.feature("response"))
    assert outcome.result.evaluation.auc == expected.auc
    assert outcome.result.evaluation.loss == expected.loss
    content = json.loads((config.output / "metrics.json").read_text())
    assert content["model"] is None
    assert content["auc"] == expected.auc.value
    assert (config.output / "plots" / "response.png").is_file()


@pytest.mark.usefixtures("undrawn")
def test_a_branch_is_plotted_as_it_is_evaluated(toy: Path) -> None:
    config = load_config(toy, [*QUICK, "output=plotted"])
    evaluations = [step(config).result.evaluation for step in (workflow.evaluate, workflow.plot)]
    assert evaluations[0].to_dict() == evaluations[1].to_dict()


@pytest.mark.usefixtures("undrawn")
def test_log_odds_are_said_to_be_such(toy: Path) -> None:
    plain = workflow.evaluate(load_config(toy, [*QUICK, "output=plain"])).result.evaluation
    odds = workflow.evaluate(load_config(toy, [*QUICK, "output=odds", "response={logit: log(bdt / (1 - bdt))}"]))
    assert odds.result.evaluation.auc.value == pytest.approx(plain.auc.value, abs=1e-9)
    assert odds.result.evaluation.loss.value == pytest.approx(plain.loss.value, abs=1e-5)
    with pytest.warns(HepnegWarning, match="as probabilities do"):
        workflow.evaluate(load_config(toy, [*QUICK, "output=wrong", "response={logit: bdt}"]))


@pytest.mark.usefixtures("undrawn")
def test_exact_ends_are_counted_and_others_refused(toy: Path) -> None:
    with pytest.warns(HepnegWarning, match="responses are exactly 0 or 1"):
        found = workflow.evaluate(load_config(toy, [*QUICK, "output=ends", "response=minimum(bdt * 2, 1)"]))
    assert np.isfinite(found.result.evaluation.loss.value)
    with pytest.raises(DataError, match=r"responses lie outside \[0, 1\]"):
        workflow.evaluate(load_config(toy, [*QUICK, "response=bdt * 2"]))
    with pytest.raises(ConfigError, match="there is no `response:` to evaluate"):
        workflow.evaluate(load_config(toy, [*QUICK, "response=null", "features=[bdt]"]))


@pytest.mark.usefixtures("undrawn")
def test_the_main_job_needs_no_training(toy: Path) -> None:
    config = load_config(toy, ["output=job"])
    result = workflow.run(config).result
    assert result.trained.model is None
    assert not (config.output / "model").exists()
    assert "AUC" in (config.output / "report.html").read_text()
    assert set(result.to_dict()["check"]["samples"]["sig"]["features"]) == {"response"}

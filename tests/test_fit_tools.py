"""What is handed over is opened and fitted by the tools that take it; a datacard by a parser of its format."""

from __future__ import annotations

import importlib
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
import yaml
from template_toys import config_data, write_toy

from hepneg.config import Config
from hepneg.templates import Templates, make_templates, write_templates
from hepneg.templates.pyhf_workspace import is_sparse, workspace

MISSING = "pyhf and cabinetry are not installed: pip install 'hepneg[fit]'"
# Of pyhf's own calls.
pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver is deprecated:DeprecationWarning")

TEMPLATES = {"binning": {"edges": [0.0, 0.3, 0.5, 0.7, 0.85, 1.0]}}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("tools")).parent


@pytest.fixture(scope="module")
def made(toy: Path) -> tuple[Templates, Path]:
    samples = {name: part for name, part in config_data()["samples"].items() if name != "observed"}
    config = Config.from_dict(config_data() | {"templates": TEMPLATES, "samples": samples}, toy)
    templates = make_templates(config)
    write_templates(templates, toy / "fit")
    return templates, toy / "fit"


def test_the_root_file_has_every_template(made: tuple[Templates, Path]) -> None:
    templates, folder = made
    with uproot.open(folder / "templates.root") as file:
        for region, part in templates.regions.items():
            data = file[f"{region}/data_obs"]
            np.testing.assert_allclose(data.values(), part.total)  # Asimov data: there are no others
            for sample, template in part.samples.items():
                histogram = file[f"{region}/{sample}"]
                np.testing.assert_allclose(histogram.values(), template.content)
                np.testing.assert_allclose(histogram.errors(), template.own_error)
                np.testing.assert_allclose(histogram.axis().edges(), part.edges)
                for side, content in zip(("Up", "Down"), templates.varied("scale", region, sample), strict=True):
                    np.testing.assert_allclose(file[f"{region}/{sample}_scale{side}"].values(), content)
                for number, shift in enumerate(template.shifts):
                    up = file[f"{region}/{sample}_sign_{region}_{sample}_{number}Up"]
                    np.testing.assert_allclose(up.values() - template.content, shift, atol=1e-9)


def test_pyhf_takes_the_workspace_and_finds_the_truth(made: tuple[Templates, Path]) -> None:
    pyhf = pytest.importorskip("pyhf", reason=MISSING)
    content = json.loads((made[1] / "pyhf.json").read_text())
    assert content == json.loads(json.dumps(workspace(made[0])))
    pyhf.schema.validate(content, "workspace.json")
    found = pyhf.Workspace(content)
    model = found.model()
    assert {"mu", "scale", "jes", "lumi", "xsec", "stat_SR", "stat_CR"} < set(model.config.parameters)
    strength = pyhf.infer.mle.fit(found.data(model), model)[model.config.poi_index]
    assert strength == pytest.approx(1.0, abs=0.01)
    nominal = model.expected_data(model.config.suggested_init(), include_auxdata=False)
    totals = np.concatenate([part.total for part in sorted_regions(made[0])])
    np.testing.assert_allclose(nominal, totals)


def sorted_regions(templates: Templates) -> list[Any]:
    return [templates.regions[name] for name in sorted(templates.regions)]


def test_sparse_bins_have_poisson_parameters_by_sample(toy: Path) -> None:
    pyhf = pytest.importorskip("pyhf", reason=MISSING)
    changes = {
        "templates": {"binning": {"edges": [0.0, 0.3, 0.5, 1.0]}, "negative_bins": "keep"},
        "regions": {"few": "event % 50 == 0"},
        "systematics": {},
    }
    templates = make_templates(Config.from_dict(config_data() | changes, toy))
    assert is_sparse(templates, "few")
    model = pyhf.Workspace(workspace(templates)).model()
    part = templates.regions["few"].samples["bkg"]
    filled = part.content > 0
    assert filled.any()
    auxiliary = np.asarray(model.config.param_set("stat_few_bkg").auxdata)
    np.testing.assert_allclose(auxiliary[filled], part.n_eff[filled], rtol=1e-6)


def test_cabinetry_reads_the_root_file_and_fits(made: tuple[Templates, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cabinetry", reason=MISSING)
    pyhf = importlib.import_module("pyhf")
    cabinetry = importlib.import_module("cabinetry")
    logging.getLogger("cabinetry").setLevel(logging.ERROR)
    monkeypatch.chdir(made[1])
    config = cabinetry.configuration.load("cabinetry.yaml")
    assert cabinetry.configuration.validate(config)
    cabinetry.templates.collect(config)
    cabinetry.templates.postprocess(config)
    spec = cabinetry.workspace.build(config)
    pyhf.schema.validate(spec, "workspace.json")
    model, data = cabinetry.model_utils.model_and_data(spec)
    result = cabinetry.fit.fit(model, data)
    strength = list(result.labels).index("mu")
    assert result.bestfit[strength] == pytest.approx(1.0, abs=0.01)
    ours = pyhf.Workspace(json.loads((made[1] / "pyhf.json").read_text()))
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer())
    own = pyhf.infer.mle.fit(ours.data(ours.model()), ours.model(), return_uncertainties=True)
    # The same templates in the same likelihood, but for how shapes and normalisations are interpolated.
    assert result.uncertainty[strength] == pytest.approx(own[ours.model().config.poi_index][1], rel=0.1)


def read_card(text: str) -> dict[str, Any]:
    """Parse a datacard: numbers of bins, processes and nuisances, shapes, columns, nuisances, autoMCStats."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith(("#", "-"))]
    head = {words[0]: words[1] for words in lines if words[0] in {"imax", "jmax", "kmax"}}
    bins = [words[1:] for words in lines if words[0] == "bin"]
    processes = [words[1:] for words in lines if words[0] == "process"]
    (observation,), (rate,) = ([words[1:] for words in lines if words[0] == key] for key in ("observation", "rate"))
    used = {"imax", "jmax", "kmax", "bin", "process", "observation", "rate", "shapes"}
    rest = [words for words in lines if words[0] not in used]
    return {
        **head,
        "shapes": [words[1:] for words in lines if words[0] == "shapes"],
        "observation": dict(zip(bins[0], map(float, observation), strict=True)),
        "columns": list(zip(bins[1], processes[0], map(int, processes[1]), map(float, rate), strict=True)),
        "statistics": {words[0]: words[2:] for words in rest if words[1] == "autoMCStats"},
        "nuisances": {words[0]: (words[1], words[2:]) for words in rest if words[1] != "autoMCStats"},
    }


def test_the_datacard_says_what_the_root_file_holds(made: tuple[Templates, Path]) -> None:
    templates, folder = made
    card = read_card((folder / "datacard.txt").read_text())
    assert (card["imax"], card["jmax"], card["kmax"]) == ("2", "2", "*")
    ((process, channel, path, nominal, varied),) = card["shapes"]
    assert (process, channel) == ("*", "*")
    with uproot.open(folder / path) as file:
        for region, count in card["observation"].items():
            assert file[f"{region}/data_obs"].values().sum() == pytest.approx(count)
        for number, (region, sample, code, rate) in enumerate(card["columns"]):
            name = nominal.replace("$CHANNEL", region).replace("$PROCESS", sample)
            assert file[name].values().sum() == pytest.approx(rate)
            assert (code <= 0) == (templates.labels[sample] == "signal")
            for nuisance, (kind, entries) in card["nuisances"].items():
                assert len(entries) == len(card["columns"])
                if kind == "shape" and entries[number] != "-":
                    for side in ("Up", "Down"):
                        key = varied.replace("$CHANNEL", region).replace("$PROCESS", sample)
                        assert key.replace("$SYSTEMATIC", nuisance) + side in file
    assert card["nuisances"]["lumi"] == ("lnN", ["1.016"] * 6)
    assert card["nuisances"]["xsec"] == ("lnN", ["-", "1.1", "-"] * 2)
    assert card["statistics"] == {region: ["10", "1", "1"] for region in templates.regions}


def test_the_cabinetry_configuration_holds_factors_of_one_name_together(made: tuple[Templates, Path]) -> None:
    config = yaml.safe_load((made[1] / "cabinetry.yaml").read_text())
    by_name = {one["Name"]: one for one in config["Systematics"]}
    assert by_name["xsec"]["Samples"] == ["bkg"]
    assert by_name["xsec"]["Up"] == {"Normalization": pytest.approx(0.1)}
    assert by_name["jes"]["Up"] == {"VariationPath": "_jesUp"}
    assert [one for one in by_name if one.startswith("sign_SR_bkg")]

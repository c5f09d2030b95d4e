"""The processors on coffea's executors: the same numbers from a loop, processes and a cluster that loses a worker."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import reduce
from multiprocessing import get_context
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
import uproot
from columnar_events import make_analysis, make_model
from conftest import HUNG, _write_ntuple

import hepneg
from hepneg import columnar
from hepneg.config.systematic_settings import Systematic
from hepneg.errors import DataError
from hepneg.shapes.two_passes import Accumulated, accumulate
from hepneg.templates import make_templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MISSING = "coffea is not installed: pip install 'hepneg[coffea]'"
processor = pytest.importorskip("coffea.processor", reason=MISSING)
distributed = pytest.importorskip("distributed", reason=MISSING)
nanoevents = pytest.importorskip("coffea.nanoevents", reason=MISSING)

# coffea looks for collections that a small NanoAOD file does not have.
pytestmark = pytest.mark.filterwarnings("ignore:Missing cross-reference index:RuntimeWarning")

CHUNK = 1000

SKIMMED = pytest.mark.filterwarnings("ignore:.*it is normalised to Σw")
"""The files hold fewer events than the generator's sums beside them, which is said."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> hepneg.Config:
    return make_analysis(tmp_path_factory.mktemp("executors"), _write_ntuple)


@pytest.fixture(scope="module")
def model(config: hepneg.Config) -> Path:
    make_model(config, config.folder / "model")
    return config.folder / "model"


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="module")
def executors(processes: ProcessPoolExecutor, client: Any) -> dict[str, Any]:
    quiet: dict[str, Any] = {"status": False}
    return {
        "iterative": processor.IterativeExecutor(**quiet),
        "futures": processor.FuturesExecutor(pool=processes, **quiet),
        "dask": processor.DaskExecutor(client=client, **quiet),
    }


each_executor = pytest.mark.parametrize("name", ["iterative", "futures", "dask"])


def run_on(executor: Any, config: hepneg.Config, schema: Any = nanoevents.BaseSchema, tree: str | None = None) -> Any:
    runner = processor.Runner(executor, schema=schema, chunksize=CHUNK)
    return lambda process: runner(columnar.fileset(config, tree=tree), process)


def loop_over(config: hepneg.Config) -> Callable[[Any], dict[str, Any]]:
    """Go through the files without coffea, in the chunks that it makes."""

    def run(process: Any) -> dict[str, Any]:
        return {name: reduce(add, (process(e)[name] for e in chunks_of(config, name))) for name in config.samples}

    return run


def chunks_of(config: hepneg.Config, sample: str) -> Iterator[ak.Array]:
    for path, tree in columnar.fileset(config)[sample]["files"].items():
        with uproot.open(path) as file:
            total, uuid = file[tree].num_entries, str(file.file.uuid)
            step = -(-total // round(total / CHUNK))
            for start in range(0, total, step):
                events = file[tree].arrays(entry_start=start, entry_stop=start + step)
                metadata = {"dataset": sample, "filename": path, "fileuuid": uuid, "entrystart": start}
                yield ak.with_parameter(events, "metadata", metadata | {"entrystop": start + len(events)})


def assert_same(found: Accumulated, expected: Accumulated) -> None:
    """Integers and subsamples to the last bit, sums to 1e-12."""
    for sample in expected.weights:
        a, b = found.weights[sample], expected.weights[sample]
        assert (a.entries, a.positive, a.negative, a.zero) == (b.entries, b.positive, b.negative, b.zero)
        assert (a.range, a.largest.tolist()) == (b.range, b.largest.tolist())
        assert np.array_equal(a.spectrum, b.spectrum)
        np.testing.assert_allclose(a.power_sums, b.power_sums, rtol=1e-12)
        for one, other in ((found.sums[sample], expected.sums[sample]),):
            assert one.plan.same_as(other.plan)
            assert all(map(np.array_equal, one.count, other.count))
            np.testing.assert_allclose(np.concatenate(one.magnitude), np.concatenate(other.magnitude), rtol=1e-12)
            np.testing.assert_allclose(np.concatenate(one.square), np.concatenate(other.square), rtol=1e-12)
        assert np.array_equal(found.subsamples[sample].features, expected.subsamples[sample].features)
        assert np.array_equal(found.subsamples[sample].weight, expected.subsamples[sample].weight)
    assert found.scales == expected.scales


@each_executor
def test_weights_and_shapes_are_those_of_a_local_loop(
    executors: dict[str, Any], config: hepneg.Config, name: str
) -> None:
    found, expected = columnar.accumulate(config, run_on(executors[name], config)), accumulate(config)
    assert_same(found, expected)
    assert found.weight_report().samples.keys() == config.samples.keys()
    shapes = found.shape_report(multivariate=False)
    assert shapes.verdict == expected.shape_report(multivariate=False).verdict == "different"


def test_systematic_variations_are_those_of_a_local_loop(config: hepneg.Config) -> None:
    varied = config.model_copy(update={"systematics": {"up": Systematic.model_validate("genWeight * (1 + 0.1 * x0)")}})
    found = columnar.accumulate(varied, loop_over(varied), systematics=True)
    expected = accumulate(varied, systematics=True)
    assert found.systematics.keys() == expected.systematics.keys() == varied.samples.keys()
    for name, yardstick in expected.systematics.items():
        for one, other in zip(found.systematics[name].moments, yardstick.moments, strict=True):
            np.testing.assert_allclose(one.content, other.content, rtol=1e-12, atol=1e-12)


@each_executor
def test_responses_are_those_of_a_local_loop(
    executors: dict[str, Any], config: hepneg.Config, model: Path, name: str
) -> None:
    found = columnar.response_histogram(config, run_on(executors[name], config), model, bins=20)
    expected = columnar.response_histogram(config, loop_over(config), model, bins=20)
    for values in ("values", "variances"):
        np.testing.assert_allclose(getattr(found, values)(), getattr(expected, values)(), rtol=1e-12, atol=1e-12)


def test_responses_are_those_of_the_whole_table(config: hepneg.Config, model: Path) -> None:
    found = columnar.response_histogram(config, loop_over(config), model, bins=20)
    events = hepneg.read(config)
    expected = hepneg.response_histogram(hepneg.Classifier.load(model), events, bins=20)
    assert list(found.axes["sample"]) == list(expected.axes["sample"])
    # The last bit of a network depends on what else is in its batch: an event on an edge may change its bin.
    largest = np.abs(events.weight).max()
    np.testing.assert_allclose(found.values(), expected.values(), rtol=1e-12, atol=largest)
    everything = [np.sum(h.values(flow=True), axis=-1) for h in (found, expected)]
    np.testing.assert_allclose(*everything, rtol=1e-12)


@dataclass(frozen=True)
class Deadly:
    """A processor whose first call ends the process that it runs in."""

    process: Any
    marker: Path

    def __call__(self, events: Any) -> Any:
        try:
            self.marker.mkdir()
        except FileExistsError:
            return self.process(events)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def test_a_worker_that_is_killed_does_not_change_the_result(
    executors: dict[str, Any], client: Any, config: hepneg.Config, tmp_path: Path
) -> None:
    before = set(client.run(os.getpid).values())
    run, deaths = run_on(executors["dask"], config), iter(range(9))
    found = columnar.accumulate(config, lambda process: run(Deadly(process, tmp_path / str(next(deaths)))))
    client.wait_for_workers(2, timeout=HUNG)
    assert len(set(client.run(os.getpid).values()) - before) >= 1
    assert len(list(tmp_path.iterdir())) == 2  # one death in either pass
    assert_same(found, accumulate(config))


def test_datasets_of_one_sample_are_added_up(executors: dict[str, Any], config: hepneg.Config) -> None:
    files = columnar.fileset(config)["sig"]["files"]
    parts = {
        f"sig_{i}": {"files": {path: tree}, "metadata": {"sample": "sig"}}
        for i, (path, tree) in enumerate(files.items())
    }
    runner = processor.Runner(executors["iterative"], schema=nanoevents.BaseSchema, chunksize=CHUNK)
    found = runner(parts, columnar.SumsProcessor(config))
    expected = accumulate(config).weights["sig"]
    assert list(found) == ["sig"]
    assert found["sig"].weights.selected == expected.selected
    np.testing.assert_allclose(found["sig"].weights.power_sums, expected.power_sums, rtol=1e-12)


def test_a_processor_takes_the_path_of_a_model_along_and_not_the_model(config: hepneg.Config, model: Path) -> None:
    import cloudpickle

    process = columnar.ResponseProcessor(config, model)
    packed = cloudpickle.dumps(process)
    assert len(packed) < 10_000
    assert cloudpickle.loads(packed) == process


def test_a_model_that_a_worker_cannot_see_is_one_clear_line(config: hepneg.Config) -> None:
    process = columnar.ResponseProcessor(config, config.folder / "nowhere")
    with pytest.raises(DataError, match="no model at .*nowhere"):
        process(next(chunks_of(config, "sig")))


NANO = {
    "name": "nano",
    "weight": "genWeight",
    "event_id": ["run", "luminosityBlock", "event"],
    "selection": "nJet >= 1 and HLT_IsoMu24",
    "luminosity": 1.0,
    "samples": {
        "sig": {"label": "signal", "files": "nano_sig.root", "cross_section": 2.0},
        "bkg": {"label": "background", "files": "nano_bkg.root", "cross_section": 4.0},
    },
    "features": [
        {"jet1_pt": "Jet_pt[:, 0]"},
        {"central": "sum(abs(Jet_eta) < 1.0)"},
        {"ht": "sum(Jet_pt[Jet_pt > 30])"},
        {"met": "MET_pt"},
    ],
}


def write_nano(path: Path, shift: float, seed: int) -> None:
    """Write 2000 events as NanoAOD has them: lists with their counters, identifiers, trigger bits, and a Runs tree."""
    rng, n = np.random.default_rng(seed), 2000
    counts = rng.integers(0, 5, n)

    def lists(values: np.ndarray) -> ak.Array:
        return ak.unflatten(values.astype(np.float32), counts)

    m = counts.sum()
    kinematics = {"pt": rng.exponential(40 + 20 * shift, m), "eta": rng.normal(0, 1.5, m), "phi": rng.uniform(-3, 3, m)}
    jet = ak.zip({name: lists(values) for name, values in (kinematics | {"mass": rng.exponential(5, m)}).items()})
    chance = 0.2 + 0.2 * np.tanh(counts - 2 + shift) / 2
    weight = np.where(rng.random(n) < chance, -1, 1) * rng.lognormal(0, 0.3, n)
    columns = {
        "run": np.ones(n, np.uint32),
        "luminosityBlock": (np.arange(n) // 100).astype(np.uint32),
        "event": 2**60 + 2 * np.arange(n, dtype=np.uint64) + np.uint64(seed),
        "genWeight": weight.astype(np.float32),
        "MET_pt": rng.exponential(30, n).astype(np.float32),
        "MET_phi": rng.uniform(-3, 3, n).astype(np.float32),
        "HLT_IsoMu24": rng.random(n) < 0.8,
        "Jet": jet,
    }
    types = {name: c.type.content if isinstance(c, ak.Array) else c.dtype for name, c in columns.items()}
    runs = {"run": np.array([1, 2], np.uint32), "genEventSumw": np.array([1000.5, 2000.25 + seed])}
    with uproot.recreate(path) as file:
        file.mktree("Events", types).extend(columns)
        file.mktree("Runs", {name: column.dtype for name, column in runs.items()}).extend(runs)


@pytest.fixture(scope="module")
def nano(tmp_path_factory: pytest.TempPathFactory) -> hepneg.Config:
    folder = tmp_path_factory.mktemp("nano")
    for seed, name in enumerate(("bkg", "sig")):
        write_nano(folder / f"nano_{name}.root", float(seed), seed)
    return hepneg.Config.from_dict(NANO, folder)


@SKIMMED
def test_nanoaod_gives_what_its_branches_give(executors: dict[str, Any], nano: hepneg.Config) -> None:
    """Both normalise by the generator's sums in the files."""
    run = run_on(executors["iterative"], nano, nanoevents.NanoAODSchema)
    assert_same(columnar.accumulate(nano, run), accumulate(nano))


@SKIMMED
@pytest.mark.parametrize("given", ["events", "Runs.genEventSumw", None])
def test_sums_by_whatever_the_configuration_says_are_those_of_read(
    executors: dict[str, Any], nano: hepneg.Config, tmp_path: Path, given: str | None
) -> None:
    samples = {name: sample.model_copy(update={"sum_of_weights": given}) for name, sample in nano.samples.items()}
    config = nano.model_copy(update={"samples": samples})
    make_model(nano, tmp_path / "model")
    run = run_on(executors["iterative"], config, nanoevents.NanoAODSchema)
    histogram = columnar.response_histogram(config, run, tmp_path / "model", bins=4)
    events = hepneg.read(config)
    for number, name in enumerate(events.sample_names):
        expected = events.weight[events.sample == number].sum()
        assert histogram[name, :, :].sum().value == pytest.approx(expected, rel=1e-9)


@SKIMMED
def test_templates_are_normalised_by_the_generators_sums_too(executors: dict[str, Any], nano: hepneg.Config) -> None:
    settings = {"variable": "MET_pt", "binning": {"edges": [0.0, 30.0, 1000.0]}, "negative_bins": "keep"}
    config = hepneg.Config.from_dict(nano.to_dict() | {"templates": settings}, nano.folder)
    schema = nanoevents.NanoAODSchema
    found = columnar.templates(config, lambda process: run_on(executors["iterative"], process.config, schema)(process))
    for region, part in make_templates(config).regions.items():
        for sample, template in part.samples.items():
            np.testing.assert_allclose(found.regions[region].samples[sample].content, template.content, rtol=1e-9)


def test_files_of_which_only_some_hold_the_sum_are_refused(nano: hepneg.Config, tmp_path: Path) -> None:
    files = ["nano_sig.root", "bare.root"]
    with uproot.open(nano.folder / "nano_bkg.root") as full, uproot.recreate(nano.folder / "bare.root") as bare:
        bare.mktree("Events", {"genWeight": np.float32}).extend({"genWeight": full["Events"]["genWeight"].array()})
    samples = nano.samples | {"sig": nano.samples["sig"].model_copy(update={"files": files})}
    with pytest.raises(DataError, match=r"'sig': 1 of its files have no Runs\.genEventSumw; give the sum"):
        columnar.accumulate(nano.model_copy(update={"samples": samples}), lambda _: {})


def test_nanoaod_is_normalised_by_its_runs(executors: dict[str, Any], nano: hepneg.Config) -> None:
    known = columnar.with_generator_sums(nano, run_on(executors["iterative"], nano, tree="Runs"))
    assert [sample.sum_of_weights for sample in known.samples.values()] == [3001.75, 3000.75]
    run = run_on(executors["iterative"], known, nanoevents.NanoAODSchema)
    report = columnar.accumulate(known, run).weight_report()
    events = hepneg.read(known)
    for number, name in enumerate(events.sample_names):
        assert report.samples[name].sum_weights == pytest.approx(
            events.weight[events.sample == number].sum(), rel=1e-12
        )


def test_a_given_sum_of_weights_is_kept(executors: dict[str, Any], nano: hepneg.Config) -> None:
    samples = {name: one.model_copy(update={"sum_of_weights": 7.0}) for name, one in nano.samples.items()}
    given = nano.model_copy(update={"samples": samples})
    known = columnar.with_generator_sums(given, run_on(executors["iterative"], given, tree="Runs"))
    assert known == given


@SKIMMED
def test_a_response_of_nanoevents_reads_what_it_needs_and_no_more(nano: hepneg.Config, tmp_path: Path) -> None:
    classifier = make_model(nano, tmp_path / "model")
    read: list[Any] = []
    path = nano.folder / "nano_sig.root"
    events = nanoevents.NanoEventsFactory.from_root({str(path): "Events"}, access_log=read).events()
    found = columnar.response(tmp_path / "model", events, held_out="always")
    assert {access.branch for access in read} == {
        *("nJet", "Jet_pt", "Jet_eta", "MET_pt", "HLT_IsoMu24"),
        *("run", "luminosityBlock", "event"),
    }
    table = hepneg.read(nano).of_sample("sig")
    np.testing.assert_allclose(found[~np.isnan(found)], classifier.held_out_response(table), rtol=1e-5)
    jets, trigger = ak.to_numpy(ak.num(events.Jet)), ak.to_numpy(events.HLT.IsoMu24)
    assert np.array_equal(np.isnan(found), (jets < 1) | ~trigger)


@SKIMMED
def test_what_is_done_to_a_collection_counts(nano: hepneg.Config, tmp_path: Path) -> None:
    classifier = make_model(nano, tmp_path / "model")
    path = str(nano.folder / "nano_sig.root")
    events = nanoevents.NanoEventsFactory.from_root({path: "Events"}).events()
    hard = ak.with_field(events, events.Jet[events.Jet.pt > 60], "Jet")
    found = columnar.response(classifier, hard)
    left = ak.to_numpy(ak.num(hard.Jet)) >= 1
    assert np.array_equal(np.isnan(found), ~(left & ak.to_numpy(events.HLT.IsoMu24)))


@each_executor
def test_templates_are_the_same_from_a_loop_processes_and_dask(
    name: str, executors: dict[str, Any], config: hepneg.Config, model: Path
) -> None:
    data = config.to_dict() | {
        "output": str(model.parent),
        "regions": {"high": "x0 > 0.5", "low": "x0 <= 0.5"},
        "systematics": {
            "tilt": "genWeight * (1 + 0.1 * (event % 2))",
            "moved": {"up": "{sample}_0.root", "samples": ["sig"]},
        },
        "templates": {"binning": {"edges": [0.0, 0.45, 0.5, 0.55, 1.0]}, "negative_bins": "keep"},
    }
    varied = hepneg.Config.from_dict(data, config.folder)
    found = columnar.templates(varied, lambda process: run_on(executors[name], process.config)(process))
    for region, part in make_templates(varied).regions.items():
        assert len(part.samples["sig"].variations) == 2
        for sample, template in part.samples.items():
            other = found.regions[region].samples[sample]
            close = {"rtol": 1e-12, "atol": 1e-12 * template.error.max()}
            np.testing.assert_allclose(other.content, template.content, **close)
            np.testing.assert_allclose(other.error, template.error, rtol=1e-12)
            for variation, one in template.variations.items():
                two = other.variations[variation]
                np.testing.assert_allclose(two.content, one.content, **close)
                np.testing.assert_allclose(two.difference_error, one.difference_error, rtol=1e-9)
                assert (template.content != one.content).any()

"""histograms.root: contents, errors and titles survive, for uproot and for ROOT itself."""

from __future__ import annotations

from pathlib import Path

import hist
import numpy as np
import pytest
import uproot

from hepneg.errors import OutputError
from hepneg.ntuples.write import write_histograms


def signed_histograms() -> dict[str, hist.Hist]:
    rng = np.random.default_rng(1)
    x, y, w = rng.random(500) * 1.2 - 0.1, rng.random(500), rng.choice([-2.0, 3.0], 500)
    one = hist.Hist(hist.axis.Regular(10, 0, 1, label="response"), storage=hist.storage.Weight())
    uneven = hist.Hist(hist.axis.Variable([0, 0.1, 0.7, 1], label="m [GeV]"), storage=hist.storage.Weight())
    two = hist.Hist(
        hist.axis.Regular(4, 0, 1, label="response"),
        hist.axis.Regular(3, 0, 1, label="y", flow=False),
        storage=hist.storage.Weight(),
    )
    return {"one": one.fill(x, weight=w), "uneven": uneven.fill(x, weight=w), "two": two.fill(x, y, weight=w)}


def test_uproot_reads_back_values_and_variances(tmp_path: Path) -> None:
    histograms = signed_histograms()
    with uproot.open(write_histograms(tmp_path / "new" / "histograms.root", histograms)) as file:
        assert file.classnames(cycle=False) == {"one": "TH1D", "uneven": "TH1D", "two": "TH2D"}
        for name, histogram in histograms.items():
            np.testing.assert_array_equal(file[name].values(), histogram.values())
            np.testing.assert_array_equal(file[name].variances(), histogram.variances())
            for axis in range(histogram.ndim):
                read_axis = file[name].axis(axis) if histogram.ndim > 1 else file[name].axis()
                np.testing.assert_allclose(read_axis.edges(), histogram.axes[axis].edges, rtol=1e-15)
                assert read_axis.all_members["fTitle"] == histogram.axes[axis].label
        np.testing.assert_array_equal(file["one"].values(flow=True), histograms["one"].values(flow=True))


def test_root_itself_reads_back_contents_and_errors(tmp_path: Path) -> None:
    root = pytest.importorskip("ROOT")
    histograms = signed_histograms()
    file = root.TFile.Open(str(write_histograms(tmp_path / "histograms.root", histograms)))
    for name in ("one", "uneven"):
        expected = histograms[name]
        for i in range(expected.axes[0].size):
            assert file.Get(name).GetBinContent(i + 1) == expected.values()[i]
            assert file.Get(name).GetBinError(i + 1) == pytest.approx(np.sqrt(expected.variances()[i]), rel=1e-15)
    two = histograms["two"]
    for i, j in np.ndindex(*two.values().shape):
        assert file.Get("two").GetBinContent(i + 1, j + 1) == two.values()[i, j]
        assert file.Get("two").GetBinError(i + 1, j + 1) == pytest.approx(np.sqrt(two.variances()[i, j]), rel=1e-15)
    file.Close()


def by_sample(*names: str) -> hist.Hist:
    table = hist.Hist(
        hist.axis.Regular(3, 0, 1, label="Response"),
        hist.axis.StrCategory(names, name="of_sample", label="Sample"),
        storage=hist.storage.Weight(),
    )
    for number, name in enumerate(names):
        table.fill([0.1, 0.5], [name, name], weight=[number + 1.0, -0.5])
    return table


NAMES = ("ttbar", "WJetsToLNu_" + "x" * 300, "Z→μμ")


def test_bins_of_categories_are_labelled(tmp_path: Path) -> None:
    table = by_sample(*NAMES)
    with uproot.open(write_histograms(tmp_path / "h.root", {"two": table, "one": table[sum, :]})) as file:
        assert file["two"].axis("y").labels() == list(NAMES) == file["one"].axis().labels()
        assert file["two"].axis("x").labels() is None
        np.testing.assert_array_equal(file["two"].values(), table.values())
        np.testing.assert_array_equal(file["one"].variances(), table[sum, :].variances())


def test_root_itself_shows_the_labels_and_adds_labelled_histograms(tmp_path: Path) -> None:
    root = pytest.importorskip("ROOT")
    table = by_sample(*NAMES)
    file = root.TFile.Open(str(write_histograms(tmp_path / "h.root", {"two": table, "one": table[sum, :]})))
    two, one = file.Get("two"), file.Get("one")
    for axis in (two.GetYaxis(), one.GetXaxis()):
        assert [axis.GetBinLabel(number) for number in (1, 2, 3)] == list(NAMES)
        assert axis.FindFixBin(NAMES[1]) == 2
    total = two.Clone()
    total.SetDirectory(root.nullptr)  # Python alone owns it, and not the file as well
    others = root.TList()
    others.Add(two)
    assert total.Merge(others) >= 0
    for i, j in np.ndindex(*table.values().shape):
        assert total.GetBinContent(i + 1, j + 1) == 2 * table.values()[i, j]
    others.Clear()
    file.Close()


def test_histograms_that_root_has_no_errors_for_are_refused(tmp_path: Path) -> None:
    axes = [hist.axis.Regular(2, 0, 1, name=name) for name in "xyz"]
    with pytest.raises(OutputError, match="'h' must have one or two axes"):
        write_histograms(tmp_path / "h.root", {"h": hist.Hist(*axes, storage=hist.storage.Weight())})
    with pytest.raises(OutputError, match=r"'h' has no Σw²; fill one with Weight\(\) storage"):
        write_histograms(tmp_path / "h.root", {"h": hist.Hist(hist.axis.Regular(3, 0, 1))})
    assert not list(tmp_path.iterdir())

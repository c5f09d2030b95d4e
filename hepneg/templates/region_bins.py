"""The bins of one region: given, or chosen from the sums of the fine ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg.binning.fine_grid import FineGrid
from hepneg.binning.fit_edges import Conditions, Process, choose_starts
from hepneg.binning.sign_sums import SignSums
from hepneg.binning.smooth_sign import smooth_contents
from hepneg.config.template_settings import TemplateBinning
from hepneg.errors import ConfigError, DataError
from hepneg.templates.template_sums import TemplateSums

_TOTALS = {True: "the total signal", False: "the total background"}


@dataclass(frozen=True, eq=False, slots=True)
class RegionSums:
    """What is known of one region in fine bins, in physical weights.

    Attributes:
        name: of the region.
        number: of it in the sums.
        sums: by sample.
        signal: whether each sample is one.
    """

    name: str
    number: int
    sums: Mapping[str, TemplateSums]
    signal: Mapping[str, bool]

    def signs(self, sample: str, variation: int = 0) -> SignSums:
        """Return the sums of a sample by sign."""
        return self.sums[sample].signs(self.number, variation)


def grid_of(binning: TemplateBinning, *, of_response: bool) -> FineGrid:
    """Return the fine bins of which the bins will be runs.

    Raises:
        ConfigError: edges are to be chosen for a variable without a range.
    """
    if binning.edges is not None:
        return FineGrid.between(binning.edges)
    if binning.range is not None:
        return FineGrid.between(binning.range)
    if not of_response:
        raise ConfigError("`templates.binning` needs `edges` or a `range` for a variable that is no response")
    return FineGrid.of_response()


def share_of(binning: TemplateBinning) -> float:
    """Return the share of the events that is kept for choosing edges."""
    return binning.share if binning.edges is None and binning.chosen_on == "other_events" else 0.0


def region_starts(region: RegionSums, binning: TemplateBinning, grid: FineGrid) -> IndexArray:
    """Return the first fine bin of each bin of a region, (C,).

    Raises:
        DataError: no bins meet the conditions.
    """
    if binning.edges is not None:
        return grid.starts(np.asarray(binning.edges))
    processes = {
        sample: _process(region, sample, binning) for sample in region.sums if region.signs(sample).magnitude.any()
    }
    if binning.require == "background":
        processes = _totals(processes)
    try:
        return choose_starts(
            processes,
            target=binning.target,
            most=binning.most,
            conditions=Conditions(binning.significance, binning.effective, binning.rate),
            required=None if binning.require == "each" else [_TOTALS[False]],
        )
    except DataError as error:
        raise DataError(f"region {region.name!r}: {error}") from None


def _process(region: RegionSums, sample: str, binning: TemplateBinning) -> Process:
    sums, events = region.signs(sample), 1.0
    if binning.chosen_on == "other_events":
        sums, events = region.sums[sample].choosing(region.number), (1.0 - binning.share) / binning.share
    smooth = binning.chosen_on != "same_events" and float(sums.content.sum()) > 0
    make = Process.smooth if smooth else Process.as_is
    return make(sums, signal=region.signal[sample], events=events)


def _totals(processes: Mapping[str, Process]) -> dict[str, Process]:
    totals: dict[str, Process] = {}
    for process in processes.values():
        name = _TOTALS[process.signal]
        totals[name] = totals[name] + process if name in totals else process
    return totals


def flat_edges(region: RegionSums, grid: FineGrid) -> FloatArray:
    """Map the fine edges so that the background of a region is flat between 0 and 1, (F + 1,): a monotone function.

    Raises:
        DataError: there is no background with Σw > 0.
    """
    contents = np.zeros(len(grid))
    for sample in region.sums:
        signs = region.signs(sample)
        if not region.signal[sample] and float(signs.content.sum()) > 0:
            contents += np.maximum(smooth_contents(signs).content, 0.0)
    if not contents.any():
        raise DataError(f"region {region.name!r}: no background with Σw > 0 to be made flat")
    return np.asarray(np.append(0.0, np.cumsum(contents)) / contents.sum())

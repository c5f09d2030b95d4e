"""From the sums of one region in fine bins to its templates: bins, negative-bin policy, variations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hepneg._core.arrays import FloatArray, IndexArray
from hepneg.binning.fine_grid import FineGrid
from hepneg.binning.sign_sums import SignSums
from hepneg.binning.smooth_sign import SmoothContents, smooth_contents
from hepneg.config.template_settings import TemplateSettings
from hepneg.errors import DataError
from hepneg.templates.bin_problems import EMPTY, bin_problems, joined_starts
from hepneg.templates.region_bins import RegionSums, flat_edges, region_starts, share_of
from hepneg.templates.template_result import BinNote, RegionTemplates, Template, VariedContents
from hepneg.templates.template_sums import CROSS, GROUPS, SQUARE, TemplateSums

OtherSums = Mapping[str, Mapping[str, TemplateSums]]
"""Sums of variations that are of other files or trees: by variation and sample."""


def build_region(
    region: RegionSums,
    grid: FineGrid,
    settings: TemplateSettings,
    weights: Mapping[str, tuple[str, ...]],
    others: OtherSums,
    observed: FloatArray | None,
) -> RegionTemplates:
    """Make the templates of one region.

    Args:
        region: its sums, in physical weights.
        grid: the fine bins.
        settings: binning and policy.
        weights: names of the variations of the weight, by sample.
        others: sums of other variations, in physical weights.
        observed: data in the fine bins, (F,), or None.

    Raises:
        DataError: no bins meet the conditions, a variation flips the sign of a sample, or a bin is refused.
    """
    starts = chosen = region_starts(region, settings.binning, grid)
    if settings.negative_bins == "merge":
        signs = {sample: region.signs(sample) for sample in region.sums}
        fine = {sample: (one.content, one.variance) for sample, one in signs.items()}
        starts = joined_starts(chosen, fine, settings.least_effective)
    templates = {
        sample: _template(region, sample, starts, settings.negative_bins, weights.get(sample, ()), others)
        for sample in region.sums
    }
    notes = tuple(_notes(region, grid, chosen, starts, settings, templates))
    _refuse(region.name, notes, settings)
    mapped = flat_edges(region, grid) if settings.binning.transform == "flat_background" else grid.edges
    picked = np.append(starts, len(grid))
    data = None if observed is None else np.add.reduceat(observed, starts)
    return RegionTemplates(mapped[picked], grid.edges[picked], templates, data, notes, share_of(settings.binning))


@dataclass(frozen=True, eq=False, slots=True)
class _Contents:
    """Contents of C bins, their covariance split into what is of each bin's own and what they share."""

    content: FloatArray
    error: FloatArray
    own: FloatArray
    smooth: SmoothContents | None

    @property
    def shifts(self) -> FloatArray:
        """One-sigma shifts of all bins together, (S, C); none of signed sums."""
        return np.zeros((0, len(self.content))) if self.smooth is None else self.smooth.shared()


def _contents(signs: SignSums, starts: IndexArray, *, refine: bool, shape: SignSums | None = None) -> _Contents:
    """Sum signed weights, or \\|w\\|ĝ where that is wanted and there are negative weights and a positive sum."""
    if refine and signs.magnitude[1].any() and float(signs.content.sum()) > 0:
        smooth = smooth_contents(signs, starts, shape=shape)
        return _Contents(smooth.content, smooth.error, np.sqrt(smooth.own), smooth)
    error = np.sqrt(np.add.reduceat(signs.variance, starts))
    return _Contents(np.add.reduceat(signs.content, starts), error, error, None)


def _template(
    region: RegionSums, sample: str, starts: IndexArray, policy: str, weights: tuple[str, ...], others: OtherSums
) -> Template:
    sums, nominal = region.sums[sample], region.signs(sample)
    refine = policy == "refined"
    signed, found = _contents(nominal, starts, refine=False), _contents(nominal, starts, refine=refine)
    varied = {}
    for number, name in enumerate(weights, start=1):
        signs = region.signs(sample, number)
        _require_sign(region.name, sample, name, nominal, signs)
        part = _contents(signs, starts, refine=refine, shape=nominal)
        moments = sums.moments[:, :, region.number].sum(axis=2)
        square = moments[SQUARE, number] - 2.0 * moments[CROSS, number] + moments[SQUARE, 0]
        errors = _root(np.add.reduceat(square, starts))
        varied[name] = VariedContents(part.content, part.error, errors, float(np.sqrt(np.sum(errors**2))))
    for name, by_sample in others.items():
        if sample in by_sample:
            signs = by_sample[sample].signs(region.number)
            _require_sign(region.name, sample, name, nominal, signs)
            part = _contents(signs, starts, refine=refine)
            groups = by_sample[sample].groups[region.number] - sums.groups[region.number]
            errors, total = _grouped_error(groups, starts), _grouped_error(groups, starts[:1])
            varied[name] = VariedContents(part.content, part.error, errors, float(total[0]))
    low, high = (float(value) for value in sums.outside[region.number])
    return Template(
        found.content,
        found.error,
        signed.content,
        signed.error,
        found.own,
        found.shifts,
        found.smooth is not None,
        (low, high),
        varied,
    )


def _root(square: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(square, 0.0))


def _grouped_error(difference: FloatArray, starts: IndexArray) -> FloatArray:
    """Return the error of Σw of one set of events minus that of another with events in common, (C,).

    Args:
        difference: (G, F) by group of events; an event is in the same group in both sets.
        starts: of the bins.

    Groups are independent, whatever the events within one have in common: Σd² over the groups, less what the mean
    difference itself contributes, estimates the variance with a relative standard deviation of √(2/(G − 1)), 18 %.
    """
    by_group = np.add.reduceat(difference, starts, axis=1)
    total = by_group.sum(axis=0)
    return _root((np.sum(by_group**2, axis=0) - total**2 / GROUPS) * GROUPS / (GROUPS - 1))


def _require_sign(region: str, sample: str, variation: str, nominal: SignSums, varied: SignSums) -> None:
    before, after = float(nominal.content.sum()), float(varied.content.sum())
    if before * after < 0:
        raise DataError(
            f"region {region!r}: the systematic variation {variation!r} turns Σw of {sample!r} from {before:.4g} to "
            f"{after:.4g}: no template can be varied so; correct its weight or files, or leave the sample out of it"
        )


def _notes(
    region: RegionSums,
    grid: FineGrid,
    chosen: IndexArray,
    starts: IndexArray,
    settings: TemplateSettings,
    templates: Mapping[str, Template],
) -> Iterator[BinNote]:
    """Say of each bin that is not as it should be what became of it."""
    edges = np.append(chosen, len(grid))
    for sample, template in templates.items():
        signs = region.signs(sample)
        content, variance = (np.add.reduceat(part, chosen) for part in (signs.content, signs.variance))
        for number, problem in enumerate(bin_problems(content, variance, settings.least_effective)):
            if not problem:
                continue
            now = int(np.searchsorted(starts, chosen[number], side="right")) - 1
            width = (starts[now], np.append(starts, len(grid))[now + 1])
            action = "refined" if template.refined else "kept"
            if width != (edges[number], edges[number + 1]):
                action = "merged"
            yield BinNote(
                sample,
                number,
                float(grid.edges[edges[number]]),
                float(grid.edges[edges[number + 1]]),
                float(content[number]),
                math.sqrt(variance[number]),
                problem,
                action,
                float(template.content[now]),
                float(template.error[now]),
            )


def _refuse(region: str, notes: tuple[BinNote, ...], settings: TemplateSettings) -> None:
    if settings.negative_bins != "refuse":
        return
    wrong = [note for note in notes if note.problem != EMPTY]
    for note in wrong:
        raise DataError(
            f"region {region!r}: {note.sample!r} has Σw = {note.content:.4g} ± {note.error:.2g} between {note.low:.4g} "
            f"and {note.high:.4g}, and {len(wrong) - 1} more bins are like it; take wider bins, or another "
            "`templates.negative_bins` than refuse"
        )

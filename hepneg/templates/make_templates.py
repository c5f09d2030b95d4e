"""From an analysis to its templates: passes over the nominal events, the other files of variations, and the data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from hepneg._core.arrays import FloatArray
from hepneg._core.progress import SILENT, Progress
from hepneg.config import Config
from hepneg.config.systematic_settings import paired
from hepneg.errors import DataError, HepnegWarning
from hepneg.evaluation.response_source import require_known_events, source_of
from hepneg.ntuples import (
    of_variation,
    require_distinct_files,
    require_selected,
    scale_factor,
    varied_configs,
    warn_about_dropped,
)
from hepneg.templates.build_region import build_region
from hepneg.templates.region_bins import RegionSums, grid_of, share_of
from hepneg.templates.template_pass import Run, TemplatePass, in_a_loop, nodes_of, region_names
from hepneg.templates.template_result import ShapeSystematic, Templates
from hepneg.templates.template_sums import VALUE, TemplateSums


def make_templates(config: Config, *, run: Run | None = None, progress: Progress = SILENT) -> Templates:
    """Make the templates of an analysis.

    Args:
        config: the analysis: its regions, systematics and ``templates``.
        run: fills the sums of a pass; left out, a loop over the files. It is called once for the nominal events with
            all variations of their weights, once for each variation of other files or trees, and once for data.
        progress: shows how much of the files is read.

    Raises:
        ConfigError: the analysis has no response to make templates of, or a variation whose files cannot be told apart,
            or several classes of which none is known to be the node, or the signal.
        DataError: unusable files or events, no bins that meet the conditions, a region that keeps nothing of all
            samples, a variation that flips a sample's sign, weighted data, or a bin that is to be refused.

    Warns:
        HepnegWarning: regions share events, which a fit of both takes for independent ones.
    """
    run = in_a_loop(progress) if run is None else run
    source, settings = source_of(config), config.templates
    labels, names = _labels(config), region_names(config, nodes_of(source))
    grid = grid_of(settings.binning, of_response=settings.variable is None)
    config = config.model_copy(update={"systematics": paired(config.systematics)})
    others = {name: (view, same_files) for name, same_files, view in varied_configs(config)}
    if settings.variable is None:
        require_known_events(config)
    share = share_of(settings.binning)
    simulated = config.model_copy(update={"data": {}})

    def filled(view: Config, *, weights: bool = False, kept: float = share) -> dict[str, TemplateSums]:
        one = TemplatePass.of(view, source, grid, variations=weights, paired=bool(others), share=kept)
        found = run(one)
        return {sample: found.get(sample) or one.empty(sample) for sample in view.samples}

    require_distinct_files(config)
    nominal = filled(simulated, weights=True)
    scales = {sample: _scale(config, sample, nominal[sample]) for sample in nominal}
    _warn_about_shared(names, nominal)
    varied = {}
    for name, (view, same_files) in others.items():
        with of_variation(name):
            varied[name] = {
                sample: sums.scaled((scales[sample] if same_files else _scale(view, sample, sums)) / (1.0 - share))
                for sample, sums in filled(view).items()
            }
    nominal = {sample: sums.scaled(scales[sample] / (1.0 - share)) for sample, sums in nominal.items()}
    data = config.model_copy(update={"samples": config.data, "data": {}})
    observed = _observed(filled(data, kept=0.0) if config.data else {})
    signal = {name: label == "signal" for name, label in labels.items()}
    weights = {name: tuple(config.for_sample(name).weight_variations) for name in config.samples}
    regions = {}
    for number, name in enumerate(names):
        region = RegionSums(name, number, nominal, signal)
        _require_events(config, region)
        counts = None if observed is None else observed[number]
        regions[name] = build_region(region, grid, settings, weights, varied, counts)
    return Templates(
        name=config.name,
        title=source.title,
        labels=labels,
        regions=regions,
        systematics=_shapes(config),
        normalisations=_normalisations(config),
        policy=settings.negative_bins,
        luminosity=config.luminosity,
    )


def _scale(config: Config, sample: str, sums: TemplateSums) -> float:
    require_selected(config, sample, selected=sums.selected, entries=sums.entries, dropped=sums.dropped)
    warn_about_dropped(sample, sums.dropped, sums.selected)
    return scale_factor(config, sample, sums.sum_weights_all)


def _labels(config: Config) -> dict[str, str]:
    """Return ``signal`` or ``background`` for each sample, as a fit knows them, also where there are other classes."""
    signal = config.templates.signal_of(config.classes)
    return {name: "signal" if part.label == signal else "background" for name, part in config.samples.items()}


def _warn_about_shared(names: Sequence[str], nominal: Mapping[str, TemplateSums]) -> None:
    """Warn of events that are in two regions, in one line for all pairs of them."""
    members = np.sum([sums.members for sums in nominal.values()], axis=0)
    pairs = sorted(zip(*np.nonzero(np.triu(members, 1)), strict=True), key=lambda pair: -members[pair])
    if not pairs:
        return
    one, other = (names[number] for number in pairs[0])
    more = f" (and {len(pairs) - 1} more pairs share some)" if len(pairs) > 1 else ""
    warnings.warn(
        f"regions {one!r} and {other!r} share {members[pairs[0]]:.0f} simulated events{more}: a fit of both counts "
        "them twice; make the regions exclude each other, or fit them apart",
        HepnegWarning,
        stacklevel=2,
    )


def _observed(data: Mapping[str, TemplateSums]) -> FloatArray | None:
    """Return the data in fine bins, (R, F)."""
    if not data:
        return None
    return np.asarray(np.sum([sums.moments[VALUE, 0].sum(axis=1) for sums in data.values()], axis=0))


def _require_events(config: Config, region: RegionSums) -> None:
    if not any(region.signs(sample).magnitude.any() for sample in region.sums):
        condition = config.regions[region.name].text if region.name in config.regions else "the selection"
        raise DataError(
            f"region {region.name!r} ({condition}) keeps no event of any sample within the bins; correct it"
        )


def _shapes(config: Config) -> dict[str, ShapeSystematic]:
    shapes = {}
    for name, systematic in config.systematics.items():
        sides = list(systematic.variations(name))
        if sides:
            samples = tuple(
                sample for sample, part in config.samples.items() if systematic.applies_to(sample, part.label)
            )
            shapes[name] = ShapeSystematic(sides[0], sides[1] if len(sides) > 1 else None, samples)
    return shapes


def _normalisations(config: Config) -> dict[str, dict[str, float]]:
    return {
        name: {
            sample: systematic.normalisation
            for sample, part in config.samples.items()
            if systematic.applies_to(sample, part.label)
        }
        for name, systematic in config.systematics.items()
        if systematic.normalisation is not None
    }

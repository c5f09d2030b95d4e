"""The multivariate shape check: AUC of a classifier of the sign, and permutation importance of its features."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from hepneg.errors import DataError
from hepneg.plots.short_names import LONGEST_TITLE, short_names
from hepneg.plots.style import NEGATIVE, NEUTRAL, Drawn, GivenAxes, axes_grid, in_print_style, label_below, relative
from hepneg.shapes.shape_tests.multivariate import MultivariateShape

__all__ = ["plot_multivariate"]

_ROW = 0.25
_MOST = 15
_LONGEST_NAME = 28
_INCHES_A_LETTER = 0.115


@in_print_style
def plot_multivariate(results: Mapping[str, MultivariateShape], *, most: int = _MOST, ax: GivenAxes = None) -> Drawn:
    """Draw for each sample the permutation importance of its most important features: the decrease in AUC.

    Args:
        results: the multivariate check of each sample, by name.
        most: how many features to show for each sample.

    Returns:
        The figure, one axes for each sample, and its points by sample. The title gives the AUC of the sign on events
        that the classifiers have not seen, and the p-value.

    Raises:
        DataError: there is nothing to draw.
    """
    shown = {name: result for name, result in results.items() if result.importance}
    if not shown:
        raise DataError("no sample has a multivariate check to draw: too few events of one sign")
    rows = max(min(most, len(result.importance)) for result in shown.values())
    features = short_names((name for result in shown.values() for name in result.importance), _LONGEST_NAME)
    longest = max(len(features[name]) for result in shown.values() for name in list(result.importance)[:most])
    width = 2.0 + _INCHES_A_LETTER * max(longest, 10)
    size = (0.6 + width * len(shown), 1.5 + _ROW * max(4, rows))
    figure, axes = axes_grid(ax, len(shown), size, sharex=True)
    artists: dict[str, object] = {}
    titles = short_names(shown, LONGEST_TITLE)
    for panel, (name, result) in zip(axes, shown.items(), strict=True):
        artists[name] = _draw(panel, result, {feature: features[feature] for feature in list(result.importance)[:most]})
        panel.set_title(f"{titles[name]}\n{_findings(result)}", fontsize=10.5 * relative(), loc="left")
    label_below(figure, axes, "Permutation importance (decrease in AUC, %)", ax)
    return Drawn(figure, axes, artists)


def _draw(axes: Axes, result: MultivariateShape, features: Mapping[str, str]) -> list[object]:
    value = 100.0 * np.array([result.importance[feature].value for feature in features])
    error = 100.0 * np.array([result.importance[feature].error for feature in features])
    rows = np.arange(len(features))
    bars = axes.barh(rows, value, xerr=error, height=0.62, color=NEGATIVE, alpha=0.75, error_kw={"lw": 1.1})
    axes.axvline(0.0, color=NEUTRAL, lw=0.8)
    axes.set_yticks(rows, list(features.values()))
    axes.set_ylim(max(len(features), 4) - 0.4, -0.6)
    axes.tick_params(axis="y", which="both", length=0)
    axes.minorticks_off()
    return [bars]


def _findings(result: MultivariateShape) -> str:
    p_value = f"= {result.p_value:.2g}" if result.p_value > 1e-8 else "< 10$^{-8}$"
    return f"AUC of the sign {result.auc}\np {p_value}"

"""Expected uncertainty and significance of the signal of the real example, from its templates.

Run: hepneg train analysis/ttbar_wjets/analysis.yaml, then python analysis/templates/example.py [--set output=…]

The strength multiplies the signal; data are Poisson, so many that they are normal. The covariance of the bins is that
of data and simulation, which is the only uncertainty: σ = (sᵀ V⁻¹ s)^−½. The significance is that of Asimov data
against the background alone, Z² = Σ Z² over the bins, with the background's own error of simulation in each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from hepneg.config import load_config
from hepneg.metrics import asimov_significance
from hepneg.templates import RegionTemplates, make_templates

EXAMPLE = Path(__file__).parents[1] / "ttbar_wjets" / "analysis.yaml"


def uncertainty(part: RegionTemplates, signal: str, *, simulation: bool) -> float:
    """Return the expected error of the strength."""
    covariance = np.diag(part.total)
    for template in part.samples.values() if simulation else ():
        covariance = covariance + np.diag(template.own_error**2) + template.shifts.T @ template.shifts
    content = part.samples[signal].content
    return float(content @ np.linalg.solve(covariance, content)) ** -0.5


def significance(part: RegionTemplates, signal: str) -> float:
    """Return the median expected discovery significance; a bin without background has none."""
    others = [template for name, template in part.samples.items() if name != signal]
    background = sum(template.content for template in others)
    variance = sum(template.own_error**2 + (template.shifts**2).sum(axis=0) for template in others)
    z = asimov_significance(part.samples[signal].content, background, np.sqrt(variance))
    return float(np.sqrt(np.nansum(z**2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", dest="overrides", action="append", default=[], help="as of hepneg templates")
    options = parser.parse_args()
    for policy in ("refined", "merge", "keep"):
        config = load_config(EXAMPLE, [*options.overrides, f"templates.negative_bins={policy}"])
        (part,) = make_templates(config).regions.values()
        data, whole = (uncertainty(part, "ttbar", simulation=simulation) for simulation in (False, True))
        negative = sum(int((template.signed_content <= 0).sum()) for template in part.samples.values())
        columns = f"{len(part)} | {negative} | {100 * data:.3f} | {100 * whole:.2f}"
        print(f"| {policy} | {columns} | {significance(part, 'ttbar'):.1f} |")


if __name__ == "__main__":
    main()

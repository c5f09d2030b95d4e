"""Bias and coverage of a fitted signal strength whose templates are refined, zeroed where Σw ≤ 0, or kept as they are.

Run: python analysis/templates/fit_toys.py [--toys 300] [--quick]

Each toy draws simulation with 30 % negative weights and few effective events in the bins with most signal, and data
from the exactly known expectation with strength 1; pyhf fits them. The same simulation and data serve all policies.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyhf
import signed_toys

from hepneg.binning.fine_grid import FineGrid
from hepneg.config.template_settings import TemplateBinning, TemplateSettings
from hepneg.templates import RegionTemplates, Templates
from hepneg.templates.build_region import build_region
from hepneg.templates.pyhf_workspace import workspace
from hepneg.templates.region_bins import RegionSums
from hepneg.templates.template_sums import TemplateSums

FOLDER = Path(__file__).parent
EDGES = np.array([0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9, 1.0])
EVENTS = {"signal": 2000, "background": 1500}
YIELDS = {"signal": 40.0, "background": 400.0}
LABELS = {"signal": "signal", "background": "background"}
POLICIES = ("refined", "zeroed", "kept")


def simulated(rng: np.random.Generator, grid: FineGrid) -> dict[str, TemplateSums]:
    """Draw the simulation and normalise it: by the expected Σw, as a cross section and all generated events do."""
    found = {}
    for name, events in EVENTS.items():
        score, weight = signed_toys.draw(name, events, rng)
        sums = TemplateSums.empty(1, len(grid), 0, 0)
        sums.fill(grid.place(score), np.ones((events, 1), bool), weight, np.empty((events, 0)))
        total = events * signed_toys.expected(name, np.array([0.0, 1.0]))[0][0]
        found[name] = sums.scaled(YIELDS[name] / total)
    return found


def templates_of(sums: dict[str, TemplateSums], counts: np.ndarray, policy: str, grid: FineGrid) -> Templates:
    region = RegionSums("SR", 0, sums, {name: name == "signal" for name in sums})
    how = "refined" if policy == "refined" else "keep"
    settings = TemplateSettings(binning=TemplateBinning(edges=tuple(EDGES)), negative_bins=how)
    part = replace(build_region(region, grid, settings, {}, {}, None), observed=counts)
    if policy == "zeroed":
        part = zeroed(part)
    return Templates("toy", "Response", LABELS, {"SR": part}, {}, {}, policy)


def zeroed(part: RegionTemplates) -> RegionTemplates:
    """Set bins with Σw ≤ 0 to zero, with their errors, as is done by hand."""
    samples = {}
    for name, template in part.samples.items():
        positive = template.content > 0
        changed = {key: np.where(positive, getattr(template, key), 0.0) for key in ("content", "error", "own_error")}
        samples[name] = replace(template, **changed)
    return replace(part, samples=samples)


def fitted(templates: Templates) -> tuple[float, float, float]:
    """Return the strength, its error, and −2Δ ln L of the true strength; NaN where the fit fails."""
    try:
        found = pyhf.Workspace(workspace(templates), validate=False)
        model = found.model(validate=False)
        data, poi = found.data(model), model.config.poi_index
        bounds = list(model.config.suggested_bounds())
        bounds[poi] = (-10.0, 12.0)
        best, least = pyhf.infer.mle.fit(
            data, model, par_bounds=bounds, return_fitted_val=True, return_uncertainties=True
        )
        _, fixed = pyhf.infer.mle.fixed_poi_fit(1.0, data, model, par_bounds=bounds, return_fitted_val=True)
        return float(best[poi][0]), float(best[poi][1]), float(fixed - least)
    except (pyhf.exceptions.FailedMinimization, ValueError):
        return (float("nan"),) * 3


def one_toy(seed: int, grid: FineGrid) -> dict[str, tuple[float, float, float]]:
    rng = np.random.default_rng(seed)
    sums = simulated(rng, grid)
    wanted = sum(YIELDS[name] * content / content.sum() for name in YIELDS for content in [EXPECTED[name]])
    counts = rng.poisson(wanted).astype(float)
    made = {policy: templates_of(sums, counts, policy, grid) for policy in POLICIES}
    negative = sum(int((part.signed_content <= 0).sum()) for part in made["kept"].regions["SR"].samples.values())
    return {**{policy: fitted(one) for policy, one in made.items()}, "negative": (negative, 0.0, 0.0)}


EXPECTED = {name: signed_toys.expected(name, EDGES)[0] for name in EVENTS}


def summary(toys: list[dict[str, tuple[float, float, float]]]) -> dict[str, dict[str, float]]:
    """Bias in units of the spread, coverage of −2Δ ln L < 1, and their standard errors."""
    found = {}
    for policy in POLICIES:
        values = np.array([toy[policy] for toy in toys])
        good = np.isfinite(values).all(axis=1) & (values[:, 1] > 0)
        strength, error, change = values[good].T
        inside, spread = np.mean(change < 1.0), strength.std(ddof=1)
        found[policy] = {
            "fits": int(good.sum()),
            "failed": int((~good).sum()),
            "mean": float(strength.mean()),
            "spread": float(spread),
            "mean_error": float(error.mean()),
            "bias_in_sigma": float((strength.mean() - 1.0) / spread),
            "bias_error": float(1.0 / np.sqrt(good.sum())),
            "coverage": float(inside),
            "coverage_error": float(np.sqrt(0.6827 * 0.3173 / good.sum())),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--toys", type=int, default=300)
    parser.add_argument("--quick", action="store_true", help="three toys, to see that it runs; writes nothing")
    options = parser.parse_args()
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer())
    grid = FineGrid.between(EDGES)
    toys = []
    for seed in range(3 if options.quick else options.toys):
        toys.append(one_toy(seed, grid))
        if seed % 20 == 19 and not options.quick:
            write(toys)
    found = summary(toys)
    for policy, row in found.items():
        print(policy, {key: round(value, 3) for key, value in row.items()})
    if not options.quick:
        write(toys)


def write(toys: list[dict[str, tuple[float, float, float]]]) -> None:
    negative = float(np.mean([toy["negative"][0] for toy in toys]))
    content = {"toys": len(toys), "negative_bins": negative, "policies": summary(toys)}
    content["strengths"] = {policy: [toy[policy][0] for toy in toys] for policy in POLICIES}
    (FOLDER / "fit_toys.json").write_text(json.dumps(content, indent=1).replace("NaN", "null") + "\n")


if __name__ == "__main__":
    main()

"""Tables of templates, from ``templates.json``: yields, bins that had to be looked at, effects of the systematics."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hepneg._core.estimate import Estimate
from hepneg._core.formatting import significant
from hepneg._core.tables import Table
from hepneg.report import table_fields as of
from hepneg.report.table_fields import Data

_DIGITS = 9
"""Of relative effects: what is below is rounding."""
_REGION, _SAMPLE = of.text_field("region"), of.text_field("sample")


def template_tables(templates: Data) -> tuple[Table, Table, Table]:
    """Return the tables of yields, of bins with Σw ≤ 0 or few effective events, and of the systematics."""
    return yield_table(templates), bin_table(templates), variation_table(templates)


def yield_table(templates: Data) -> Table:
    """List what each template holds."""
    rows = [
        {
            **template,
            "region": region,
            "sample": sample,
            "total": _total(template),
            "label": templates["labels"][sample],
        }
        for region, part in templates["regions"].items()
        for sample, template in part["samples"].items()
    ]
    return of.table_of(
        "templates",
        f"Templates of {templates['variable']}",
        rows,
        *(_REGION, _SAMPLE, of.text_field("label", essential=False)),
        of.count_field("bins", lambda row: len(row["content"])),
        of.measured_field("expected", lambda row: row["total"]),
        of.count_field("Σw ≤ 0", lambda row: sum(value <= 0 for value in row["signed_content"])),
        of.rough_field("least n_eff", lambda row: min(row["n_eff"])),
        of.text_field("contents", lambda row: "Σ|w|ĝ" if row["refined"] else "Σw"),
    )


def _total(template: Data) -> Estimate:
    shared = [sum(shift) ** 2 for shift in template["shifts"]]
    square = sum(error**2 for error in template["own_error"])
    return Estimate(sum(template["content"]), math.sqrt(square + sum(shared)))


def bin_table(templates: Data) -> Table:
    """List the bins with Σw ≤ 0 or too few effective events, and what became of them."""
    rows = [
        {**note, "region": region, "content_error": note["error"]}
        for region, part in templates["regions"].items()
        for note in part["notes"]
        if note["problem"] != "empty"
    ]
    return of.table_of(
        "templates-bins",
        f"Bins with Σw ≤ 0 or few effective events; negative_bins: {templates['negative_bins']}",
        rows,
        *(_REGION, _SAMPLE),
        of.text_field("bin", lambda row: f"{significant(row['low'])} to {significant(row['high'])}"),
        *(of.text_field("problem"), of.measured_field("Σw", "content")),
        of.text_field("action"),
        of.measured_field("instead", "result"),
    )


def variation_table(templates: Data) -> Table:
    """List the effect of each variation on the yield, with the error that the same events leave."""
    return of.table_of(
        "templates-systematics",
        "Systematic variations: effect on the yield, and its statistical error",
        _variations(templates),
        *(of.text_field("variation"), _REGION, _SAMPLE, of.measured_share_field("yield", "effect")),
        of.measured_share_field("largest effect in a bin", lambda row: row["largest"]),
    )


def _variations(templates: Data) -> Iterator[Data]:
    for region, part in templates["regions"].items():
        for sample, template in part["samples"].items():
            nominal = template["content"]
            for name, varied in template["variations"].items():
                shift = [after - before for after, before in zip(varied["content"], nominal, strict=True)]
                errors = varied["difference_error"]
                error = varied["yield_error"]
                by_bin = [
                    Estimate(round(one / before, _DIGITS) + 0.0, round(own / before, _DIGITS))
                    for one, own, before in zip(shift, errors, nominal, strict=True)
                    if before > 0
                ]
                yield {
                    "variation": name,
                    "region": region,
                    "sample": sample,
                    "effect": _ratio(sum(shift), sum(nominal)),
                    "effect_error": _ratio(error, sum(nominal)),
                    "largest": max(by_bin, key=lambda one: abs(one.value), default=None),
                }


def _ratio(value: float, total: float) -> float | None:
    return round(value / total, _DIGITS) + 0.0 if total > 0 else None

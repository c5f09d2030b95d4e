"""The tables of a classification into several classes, from what ``metrics.json`` holds."""

from __future__ import annotations

from collections.abc import Iterator

from hepneg._core.tables import Table
from hepneg.report import table_fields as of
from hepneg.report.table_fields import Data, chi2_cell, measurement, table_of, with_names

__all__ = ["class_tables", "has_classes", "node_tests"]


def has_classes(evaluation: Data | None) -> bool:
    """Tell whether an evaluation is of other classes than signal and background."""
    return evaluation is not None and "classes" in evaluation


def class_tables(evaluation: Data) -> Iterator[Table]:
    """List the classes against all others, each two of them, and where their events go; nothing for two classes."""
    if not has_classes(evaluation):
        return
    classes, areas = evaluation["classes"], evaluation["one_versus_rest"]
    rows = [{**evaluation["calibration"][name], "class": name, "auc": areas[name]} for name in classes]
    yield table_of(
        "response-classes",
        "Each class against all others, which share their prior equally",
        rows,
        *(of.text_field("class"), of.measured_field("AUC", "auc")),
        of.cell_field("calibration χ² / bins", lambda row: chi2_cell(row["chi2"], row["degrees"])),
    )
    yield table_of(
        "response-pairs",
        "Each two classes, by the ratio of their probabilities",
        evaluation["one_versus_one"],
        *(of.text_field("class", "first"), of.text_field("and", "second"), of.measured_field("AUC", "auc")),
    )
    shares = [of.measured_field(f"to {name}", _share(name)) for name in classes]
    yield table_of(
        "response-confusion",
        "Signed share of each class's Σw by the most probable class at equal priors",
        with_names(evaluation["confusion"], "class"),
        *(of.text_field("class"), *shares),
    )


def node_tests(evaluation: Data) -> Iterator[tuple[str, str, float | None]]:
    """Yield the node, whose events, and the adjusted p-value of each test of overtraining, of several classes."""
    for node, tests in evaluation.get("overtraining", {}).items() if has_classes(evaluation) else ():
        for events, who in (("own", f"events of {node}"), ("others", "events of all others")):
            yield node, who, tests[events]["p_adjusted"]


def _share(name: str) -> of.Pick:
    return lambda row: measurement(row, name)

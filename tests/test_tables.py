"""A table shows the same heads and digits on a terminal, on the page and in a notebook."""

from __future__ import annotations

import io
import math
import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from hepneg._core.estimate import Estimate
from hepneg._core.formatting import count, measured, measured_percent, percent
from hepneg._core.tables import Cell, Column, Table, html_table
from hepneg.report.result_tables import comparison_table, feature_table, systematics_table, weight_tables

SPACE = "\N{NO-BREAK SPACE}"


def printed(table: Table, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(table)
    return out.getvalue()


def notebook_cells(table: Table) -> list[str]:
    return [unescape(text) for text in re.findall(r"<td>(.*?)</td>", table._repr_html_())]


COLUMNS = (
    Column("sample"),
    Column("entries", count, "number"),
    Column("AUC", measured, "number"),
    Column("clipped", measured_percent, "number", essential=False),
    Column("reason", kind="prose"),
)
TABLE = Table(
    "example",
    "An [example]",
    COLUMNS,
    (
        ("tt[bar]", 120_000, Estimate(0.8927, 0.0018), Estimate(0.1234, 0.0021), "a <b> & c"),
        ("wjets", None, Estimate(math.nan, math.nan), Cell("none", 0.0), None),
    ),
)


def test_terminal_page_and_notebook_show_the_same_cells() -> None:
    texts = [cell.text for row in TABLE.cells for cell in row]
    assert texts[1:4] == [
        "120\N{NARROW NO-BREAK SPACE}000",
        f"0.8927{SPACE}±{SPACE}0.0018",
        f"12.34{SPACE}±{SPACE}0.21{SPACE}%",
    ]
    assert texts[6:] == ["—", "—", "none", "—"]
    assert notebook_cells(TABLE) == texts
    shown = printed(TABLE, 100)
    assert all(text in shown for text in texts)
    assert "An [example]" in shown


def test_numbers_sort_by_value_and_the_undefined_comes_last() -> None:
    values = [[cell.value for cell in row] for row in TABLE.cells]
    assert values == [[None, 120_000, 0.8927, 0.1234, None], [None, None, None, 0.0, None]]


def test_a_narrow_terminal_leaves_out_what_is_not_essential_and_breaks_no_number() -> None:
    shown = printed(TABLE, 52)
    assert "clipped" not in shown
    assert f"0.8927{SPACE}±{SPACE}0.0018" in shown
    assert all(len(line) <= 52 for line in shown.splitlines())
    # However narrow, every row is still there.
    assert "wjets" in printed(TABLE, 30)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_is_taken_for_markup(name: str, caption: str) -> None:
    table = Table("t", caption, (Column("sample"),), ((name,),))
    assert notebook_cells(table) == [name] or "\n" in name
    assert not re.search(r"<(?!/?(table|caption|thead|tbody|tr|th|td)>)", table._repr_html_())
    printed(table, 200)


def test_results_in_notebooks_show_estimates_and_counts_as_other_tables_do() -> None:
    html = html_table(("entries", "AUC", "note"), [(12_345, Estimate(0.5, 0.01), "f <")], "caption & more")
    assert f"<td>{count(12_345)}</td>" in html
    assert f"<td>{measured(Estimate(0.5, 0.01))}</td><td>f &lt;</td>" in html
    assert "<caption>caption &amp; more</caption>" in html


def summary(fraction: float) -> dict[str, float]:
    return {
        "entries": 10,
        "selected": 8,
        "sum_weights": 4.0,
        "sum_weights_error": 2.0,
        "negative_fraction": fraction,
        "negative_fraction_counted": fraction,
        "dilution": (1 - 2 * fraction) ** 2,
        "n_eff": 4.0,
        "largest_share_abs": 1.0,
    }


def test_weights_by_label_are_shown_where_a_label_has_several_samples() -> None:
    labels = {"a": "signal", "b": "background", "c": "background"}
    report = {"samples": dict.fromkeys(labels, summary(0.25)), "labels": {}}
    report["labels"] = {label: summary(0.25) for label in ("signal", "background")}
    by_sample, by_label = weight_tables(report, labels)
    assert [row[1].text for row in by_sample.cells] == list(labels.values())
    assert [row[0].text for row in by_label.cells] == ["signal", "background"]
    assert percent(0.25) in notebook_cells(by_label)
    del report["samples"]["c"]
    assert len(list(weight_tables(report, labels))) == 1


def test_the_recommended_scheme_is_the_reference() -> None:
    row = {
        "chosen": "signed",
        **{key: 0.1 for name in ("auc", "loss") for key in (name, f"{name}_error")},
        **{key: 0.1 for name in ("auc", "loss") for key in (f"{name}_difference", f"{name}_difference_error")},
        "calibration_chi2": 12.0,
        "calibration_degrees": 10,
        "negative_bins": 0,
        "seconds": 1.0,
    }
    table = comparison_table({"recommended": "signed", "schemes": {"auto": row, "signed": row}})
    auto, signed = table.cells
    assert auto[0].text == "auto: signed"
    assert [cell.text for cell in signed].count("reference") == 3
    assert "reference" not in [cell.text for cell in auto]
    assert signed[6] == Cell("12.0 / 10", 1.2)
    # Two runs give the same page; how long they took is for the terminal.
    content = {"recommended": "signed", "schemes": {"signed": row}}
    heads = [[column.head for column in comparison_table(content, timed=timed).columns] for timed in (False, True)]
    assert heads[1] == [*heads[0], "seconds"]


def shape(size: float, ratio: float | None) -> dict[str, object]:
    estimate = {"value": ratio, "error": 0.1}
    return {
        "total_variation": size,
        "total_variation_error": 0.01,
        "signed_total_variation": size,
        "signed_total_variation_error": 0.01,
        "p_value": 0.5,
        "p_adjusted": 1.0 - size,
        "tests": {"chi2": 0.3},
        "largest_pull": {"value": 1.0, "low": None, "high": 2.0},
        "yardstick": {"sign_difference": estimate, "spread": estimate, "ratio": estimate},
    }


def test_features_come_by_the_size_of_their_effect() -> None:
    features = {"small": shape(0.1, 3.0), "none": shape(0.0, None), "large": shape(0.6, 2.0)}
    report = {"alpha": 0.5, "samples": {"s": {"features": features}}}
    assert [row[0].text for row in feature_table(report).cells] == ["large", "small", "none"]
    assert [row[2].text for row in feature_table(report).cells] == ["yes", "no", "no"]
    features["small"] |= {"tests": {"chi2": 0.3, "of_another_package": 0.02}}
    heads = [column.head for column in feature_table(report).columns]
    assert heads.index("p (χ²)") + 1 == heads.index("p (of_another_package)")
    assert "p (KS)" not in heads
    assert [row[0].text for row in systematics_table(report).cells] == ["small", "large", "none"]
    assert [row[0].text for row in systematics_table(report, 1).cells] == ["small"]
    for part in features.values():
        del part["yardstick"]
    assert not systematics_table(report).rows


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    labels = {"a": "signal", "b": "background"}
    report = {"samples": dict.fromkeys(labels, summary(0.25)), "labels": dict.fromkeys(labels, summary(0.25))}
    for table in weight_tables(report, labels):
        assert all(len(line) <= width for line in printed(table, width).splitlines())

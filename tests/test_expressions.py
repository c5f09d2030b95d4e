"""The expression language: what it computes, what it refuses, and what its messages say."""

from __future__ import annotations

import pickle
from typing import Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepneg.errors import ConfigError, DataError
from hepneg.expressions import Expression, MissingElements, identifier_expression
from hepneg.expressions.functions import FUNCTIONS

X = np.array([1.0, 2.0, -0.5], dtype=np.float32)
COUNT = np.array([1, 2, 3], dtype=np.uint32)
BIG = np.array([2**60 + 1, 2**63 + 5, 3], dtype=np.uint64)
JETS = ak.Array([[50.0, 40.0, 30.0], [], [60.0]])
ETA = ak.Array([[0.1, 2.7, -3.0], [], [-1.0]])
HITS = ak.Array([[[1.0, 2.0], [3.0]], [], [[], [4.0]]])
CHANNEL = np.array(["mumu", "ee", "mumu"])
COLUMNS: dict[str, Any] = {
    "hits": HITS,
    "channel": CHANNEL,
    "x": X,
    "n": COUNT,
    "id": BIG,
    "pt": JETS,
    "eta": ETA,
    "Jet.pt": X,
}

VALUES = {
    "x + 1": [2, 3, 0.5],
    "2 * x - n": [1, 2, -4],
    "x / n": [1, 1, -0.5 / 3],
    "n // 2": [0, 1, 1],
    "n % 2": [1, 0, 1],
    "x ** 2": [1, 4, 0.25],
    "-x": [-1, -2, 0.5],
    "n - 4": [-3, -2, -1],
    "x > 0": [1, 1, 0],
    "0 < x < 2": [1, 0, 0],
    "x > 0 and n < 2": [1, 0, 0],
    "x < 0 or n == 1": [1, 0, 1],
    "not x > 0": [0, 0, 1],
    "(x > 0) & (n < 2)": [1, 0, 0],
    "(x < 0) | (n == 1)": [1, 0, 1],
    "~(x > 0)": [0, 0, 1],
    "(n & 1) == 1": [1, 0, 1],
    "x != 2": [1, 0, 1],
    "True and x > 0": [1, 1, 0],
    'branch("Jet.pt") * 2': [2, 4, -1],
    "pi * x": np.pi * X,
    "pt[:, 0]": [50, 0, 60],
    "pt[:, -1]": [30, 0, 60],
    "pt[:, 1]": [40, 0, 0],
    "pad(pt, 1, -1.5)": [40, -1.5, -1.5],
    "sum(pt[:, :2])": [90, 0, 60],
    "pad(pt, 3, 1.5)[:, 2]": [30, 1.5, 1.5],
    "sum(pad(pt, 2, 1.0)[:, :2])": [90, 2, 61],
    "sum(sum(hits))": [6, 0, 4],
    "max(sum(hits))": [3, 0, 4],
    "hits[:, 0, 1]": [2, 0, 0],
    "sum(hits[:, 1])": [3, 0, 4],
    "sum(hits[:, :, 0])": [4, 0, 4],
    "sum(len(hits))": [3, 0, 1],
    "len(len(hits))": [2, 0, 2],
    "max(max(hits, default=-1), default=-2)": [3, -2, 4],
    "Jet.pt + 1": [2, 3, 0.5],
    "channel == 'mumu'": [1, 0, 1],
    "'mumu' != channel": [0, 1, 0],
    'x * (channel == "ee")': [0, 2, 0],
    "sum(pt)": [120, 0, 60],
    "sum(pt, axis=1)": [120, 0, 60],
    "max(pt)": [50, 0, 60],
    "min(pt, default=-1)": [30, -1, 60],
    "mean(pt, axis=1)": [40, 0, 60],
    "len(pt)": [3, 0, 1],
    "count(pt[pt > 35])": [2, 0, 1],
    "any(pt > 45)": [1, 0, 1],
    "all(pt > 45)": [0, 1, 1],
    "sum(abs(eta) < 2.5)": [1, 0, 1],
    "pt[abs(eta) > 2][:, 0]": [40, 0, 0],
    "sum(pt * x)": [120, 0, -30],
    "max(where(eta > 0, pt, 0))": [50, 0, 0],
    "where(x > 0, x, 0)": [1, 2, 0],
    "clip(x, 0, 1)": [1, 1, 0],
    "hypot(x, n)": np.hypot(X, COUNT),
    "delta_phi(3 * x, -3 * x)": (6 * X.astype(float) + np.pi) % (2 * np.pi) - np.pi,
    "delta_r(x, x, n, x)": np.abs(X - COUNT),
    "sign(x) * floor(abs(x))": [1, 2, 0],
    "minimum(x, n) + maximum(x, n)": X + COUNT,
}


@pytest.mark.parametrize("text", VALUES)
def test_values_are_those_of_numpy(text: str) -> None:
    result = Expression(text).evaluate(COLUMNS)
    np.testing.assert_allclose(result, np.asarray(VALUES[text], dtype=float), rtol=1e-7)


@pytest.mark.parametrize(
    "name", [n for n, f in FUNCTIONS.items() if hasattr(np, n) and not f.reduces and f.arguments == 1]
)
def test_functions_of_one_argument_agree_with_numpy_on_flat_and_jagged_columns(name: str) -> None:
    values = np.array([0.1, 0.5, 0.9])
    expected = getattr(np, name)(values)
    np.testing.assert_array_equal(Expression(f"{name}(v)").evaluate({"v": values}), expected)
    jagged = Expression(f"sum({name}(v))").evaluate({"v": ak.Array(values[:, np.newaxis].tolist())})
    np.testing.assert_array_equal(jagged, expected)


def test_a_plain_branch_is_returned_without_a_copy() -> None:
    assert Expression("x").evaluate(COLUMNS) is X


def test_integers_above_2_to_53_stay_exact() -> None:
    assert Expression("id").evaluate(COLUMNS).dtype == np.uint64
    np.testing.assert_array_equal(Expression(f"id == {2**60 + 1}").evaluate(COLUMNS), [True, False, False])
    np.testing.assert_array_equal(Expression("id % 10").evaluate(COLUMNS), BIG % np.uint64(10))
    np.testing.assert_array_equal(Expression("-1 < id").evaluate(COLUMNS), [True, True, True])


def test_branches_are_those_that_are_read() -> None:
    text = 'where(x > pi, sum(pt[eta < 1]), branch("a.b")) + n'
    assert Expression(text).branches == {"x", "pt", "eta", "a.b", "n"}


def test_line_breaks_are_blanks_and_equal_texts_are_equal() -> None:
    assert Expression("x\n  + 1") == Expression("x + 1")
    assert pickle.loads(pickle.dumps(Expression("x + 1"))) == Expression("x + 1")  # noqa: S301


@pytest.mark.parametrize(("text", "expected"), [("x / 0", np.inf), ("log(0 * x)", -np.inf), ("9**9**9**9 + x", np.inf)])
def test_undefined_numbers_are_silent_and_huge_powers_do_not_hang(text: str, expected: float) -> None:
    assert Expression(text).evaluate({"x": X[:1]})[0] == expected


@pytest.mark.parametrize(
    ("text", "piece", "reason"),
    [
        ("__class__", "'__class__'", "two underscores"),
        ("x.__class__", "'x.__class__'", 'write branch("x.__class__")'),
        ("().__class__.__bases__", "().__class__", "a dot joins the parts"),
        ("__import__('os')", "'__import__' at character 1", "unknown function"),
        ("1 + sqr(x)", "'sqr' at character 5", "did you mean 'sqrt'?"),
        ("(x + 1).y", "'(x + 1).y'", "a dot joins the parts of a branch's name only"),
        ("__weight__", "'__weight__'", 'write branch("__weight__")'),
        ("x # nominal\n* n", "'x # nominal * n'", "a comment (#) is not allowed"),
        ("x # nominal", "'x # nominal'", "a comment (#) is not allowed"),
        ("x < 'a'", "x < 'a'", "only be compared with == or !="),
        ("x + 1 == 'a'", "x + 1 == 'a'", "only be compared with == or !="),
        ("pad(pt, 0, 1.0)[:, 0]", "'0'", "lengthened to 1 to"),
        ("pt[:, 0, 0, 0]", "pt[:, 0, 0, 0]", "first index"),
        ("x.sum()", "'x.sum'", "only functions can be called"),
        ("lambda: x", "'lambda: x'", "a lambda"),
        ("[y for y in x]", "[y for y in x]", "a comprehension"),
        ("(y := x)", "y := x", "an assignment"),
        ("f'{x}'", "f'{x}'", "a formatted string"),
        ("'abc'", "'abc'", 'branch("…")'),
        ("x if n else 1", "x if n else 1", "where("),
        ("x in n", "'x in n'", "`in` and `is`"),
        ("x @ n", "'x @ n'", "operator is not allowed"),
        ("import os", "import os", "invalid syntax"),
        ("x +", "x +", "invalid syntax"),
        ("x == 1 & n > 2", "'1 & n' at character 6", "bind tighter"),
        ("abs(x & n == 1)", "'x & n'", "bind tighter"),
        ("pt[0]", "'pt[0]'", "picks events"),
        ("pt[1:]", "'pt[1:]'", "picks events"),
        ("pt[0, 1]", "'pt[0, 1]'", "first index must be ':'"),
        ("pt[:, 0.5]", "'0.5'", "whole number"),
        ("pt[:, n]", "'n'", "whole number"),
        ("pt[:, ::2]", "pt[:, ::2]", "step"),
        ("max(pt, axs=1)", "'axs=1'", "did you mean 'axis'?"),
        ("max(pt, axis=0)", "'axis=0'", "only axis=1"),
        ("sum(pt, **x)", "'**x'", "no such argument"),
        ("min(x, n)", "'min(x, n)'", "minimum(a, b)"),
        ("sqrt()", "'sqrt()'", "takes 1 argument"),
        ("pad(pt, 1)", "'pad(pt, 1)'", "fill value"),
        ("branch(x)", "'branch(x)'", "in quotes"),
        ("x < 1j", "'1j'", "complex"),
        ("é + (x).__y", "'(x).__y' at character 5", "two underscores"),
        ("", "empty", "empty"),
        ("x" * 5000, "5000 characters", "at most"),
        ("(" * 300 + "x" + ")" * 300, "((", "too many nested"),
        ("-" * 3900 + "x", "---", "cannot be parsed"),
    ],
)
def test_anything_else_is_refused_with_the_piece_and_its_place(text: str, piece: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Expression(text)
    message = str(caught.value)
    assert piece in message
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pt", "a list for each event"),
        ("pt[:, :1]", "a list for each event"),
        ("1 + 1", "must name a branch"),
        ("sum(x)", "reduces each event's list"),
        ("x[:, 0]", "needs a list for each event"),
        ("x[:, :2]", "needs a list for each event"),
        ("x[x > 0]", "selection:"),
        ("pt[eta]", "must be a condition"),
        ("x & n", "conditions or integers"),
        ("~n", "negates conditions"),
        ("sum(pt + eta[:, :1])", "broadcast"),
    ],
)
def test_a_result_that_is_no_column_is_a_data_error(text: str, reason: str) -> None:
    with pytest.raises(DataError, match="expression") as caught:
        Expression(text).evaluate(COLUMNS)
    assert reason in str(caught.value)


MISSED = {
    "pt[:, 0]": {"pt[:, 0]": [0, 1, 0]},
    "pt[:, 1] * x": {"pt[:, 1]": [0, 1, 1]},
    "pt[:, -1]": {"pt[:, -1]": [0, 1, 0]},
    "hits[:, 0, 1]": {"hits[:, 0, 1]": [0, 1, 1]},
    "max(pt)": {"max(pt)": [0, 1, 0]},
    "max(pt, default=0) + pad(pt, 0, 1.0) + pad(pt, 4, 1.0)[:, 3] + sum(pt)": {},
    "where(len(pt) > 1, pt[:, 1], 1.0)": {},
    "where(len(pt) > 0, pt[:, 1], pt[:, 0])": {"pt[:, 1]": [0, 0, 1], "pt[:, 0]": [0, 1, 0]},
    "len(pt) > 0 and pt[:, 0] > 55": {},
    "len(pt) == 0 or pt[:, 1] > 55": {"pt[:, 1]": [0, 0, 1]},
}


@pytest.mark.parametrize("text", MISSED)
def test_elements_without_a_fill_of_their_own_are_counted_where_they_are_used(text: str) -> None:
    columns = MissingElements(COLUMNS)
    Expression(text).evaluate(columns)
    expected = {what: np.array(mask, dtype=bool) for what, mask in MISSED[text].items()}
    assert columns.masks.keys() == expected.keys()
    for what, mask in expected.items():
        np.testing.assert_array_equal(columns.masks[what], mask)


def test_the_lengths_of_lists_that_were_indexed_are_remembered() -> None:
    columns = MissingElements(COLUMNS)
    Expression("pt[:, 0] + eta[:, 0]").evaluate(columns)
    assert columns.lengths == dict.fromkeys(["pt[:, 0]", "eta[:, 0]"], frozenset({0, 1, 3}))


def test_identifiers_are_expressions_or_names_of_any_kind() -> None:
    assert identifier_expression("Event.Number[:, 0]").branches == {"Event.Number"}
    assert identifier_expression("__event__").branches == {"__event__"}
    assert identifier_expression("event number").branches == {"event number"}


@given(st.text(max_size=40))
def test_any_text_either_parses_or_is_a_config_error(text: str) -> None:
    try:
        expression = Expression(text)
    except ConfigError as error:
        assert "\n" not in str(error)
    else:
        assert all(isinstance(name, str) for name in expression.branches)


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=4), min_size=1, max_size=8), st.integers(-4, 3))
def test_elements_equal_those_of_python_lists(lists: list[list[float]], index: int) -> None:
    column = ak.values_astype(ak.Array([*lists, [1.0]])[:-1], np.float64)
    expected = [row[index] if -len(row) <= index < len(row) else -7.0 for row in lists]
    np.testing.assert_array_equal(Expression(f"pad(v, {index}, -7.0)").evaluate({"v": column}), expected)

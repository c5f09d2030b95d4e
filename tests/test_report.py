"""The report: valid HTML that needs nothing else, says what was not run, and shows names as text whatever they hold."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
import pytest
import yaml
from conftest import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

import hepneg
from hepneg import workflow
from hepneg._core import formatting as shown
from hepneg._core.figure_names import shape_stem
from hepneg._core.formatting import luminosity_and_unit, with_p
from hepneg.config import Config
from hepneg.errors import DataError, HepnegWarning
from hepneg.report import build_page, load_results
from hepneg.report.pictures import read_pictures

HTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def text(finished: Config) -> str:
    return (finished.output / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> ET.Element:
    """The page as a tree; the strict parser refuses what is not well-formed HTML5."""
    tree: ET.Element = html5lib.HTMLParser(strict=True).parse(text)
    return tree


@pytest.fixture
def copied(finished: Config, tmp_path: Path) -> Config:
    """The same analysis with its results in a folder of its own, to change them."""
    output = tmp_path / "results"
    shutil.copytree(finished.output, output)
    return finished.model_copy(update={"output": output})


def every(page: ET.Element, tag: str, **attributes: str) -> list[ET.Element]:
    wanted = {name.rstrip("_"): value for name, value in attributes.items()}
    return [one for one in page.iter(HTML + tag) if wanted.items() <= dict(one.items()).items()]


def words(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def section(page: ET.Element, name: str) -> ET.Element:
    (found,) = every(page, "section", id=name)
    return found


def warnings_of(page: ET.Element) -> list[str]:
    """What the summary warns of, one sentence each."""
    return [words(item) for item in every(section(page, "summary"), "li")]


def parsed(config: Config) -> ET.Element:
    tree: ET.Element = html5lib.HTMLParser(strict=True).parse(workflow.report(config).result.html)
    return tree


def edit(config: Config, name: str, **keys: Any) -> None:
    path = config.output / name
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def test_the_sections_stand_in_order_and_the_navigation_leads_to_them(page: ET.Element) -> None:
    names = [one.get("id") for one in every(page, "section")]
    assert names == ["summary", "response", "weights", "shapes", "training", "comparison", "configuration"]
    (nav,) = every(page, "nav")
    assert [link.get("href") for link in every(nav, "a")] == [f"#{name}" for name in names]
    identifiers = [one.get("id") for one in page.iter() if one.get("id")]
    assert len(identifiers) == len(set(identifiers))
    for element in page.iter():
        for name in (element.get("aria-labelledby") or "").split():
            assert name in identifiers


def test_settings_of_another_model_are_not_shown_beside_metrics(copied: Config) -> None:
    """As after a training that was stopped between its model and its metrics: each result says which model it is of."""
    folder = copied.output / "model"
    assert load_results(copied).model is not None
    replace(hepneg.load_model(folder), seed=99).save(folder)
    with pytest.warns(HepnegWarning, match="metrics.json is of another model than the one in"):
        results = load_results(copied)
    assert results.model is None
    assert results.evaluation is not None


def test_headings_never_skip_a_level(page: ET.Element) -> None:
    levels = [int(one.tag[-1]) for one in page.iter() if re.fullmatch(re.escape(HTML) + "h[1-6]", str(one.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(level - before <= 1 for before, level in itertools.pairwise(levels))


def test_what_the_results_are_of_stands_on_top(page: ET.Element, finished: Config) -> None:
    facts = every(section(page, "summary"), "dl")[0]
    values = dict(zip(map(words, every(facts, "dt")), map(words, every(facts, "dd")), strict=True))
    metrics = json.loads((finished.output / "metrics.json").read_text())
    assert values["model"] == metrics["model"][:12]
    assert values["selection"] == "none"
    assert values["luminosity"] == "none: weights as they are"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", values["results of"])


def test_the_response_section_begins_with_the_stack(page: ET.Element) -> None:
    first = every(section(page, "response"), "figure")[0]
    assert "Stack of Response" in (every(first, "img")[0].get("alt") or "")


def test_luminosities_are_written_as_in_the_figures() -> None:
    assert luminosity_and_unit(0.02) == ("20", "pb")
    assert luminosity_and_unit(59.74) == ("59.7", "fb")


def test_p_values_are_written_as_such() -> None:
    assert with_p(1e-12).split() == ["p", "<", "10⁻¹⁰"]
    assert with_p(0.5).split() == ["p", "=", "0.5"]


def test_the_verdict_is_in_the_summary(page: ET.Element, finished: Config) -> None:
    check = json.loads((finished.output / "check.json").read_text())
    summary = words(section(page, "summary"))
    assert check["verdict"] in summary.split("Schemes to prefer")[0]
    assert f"best first: {', '.join(check['recommended_schemes'])}" in summary


def test_nothing_is_fetched(text: str, page: ET.Element, finished: Config) -> None:
    pdfs = {f"plots/{path.name}" for path in (finished.output / "plots").glob("*.pdf")}
    for element in page.iter():
        assert element.tag not in {HTML + tag for tag in ("link", "iframe", "object", "embed", "base")}
        assert (element.get("src") or "data:image/png;base64,").startswith("data:image/png;base64,")
        href = element.get("href")
        assert href is None or href.startswith("#") or href in pdfs
        assert not [name for name, _ in element.items() if name.startswith("on") or name == "style"]
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))


def test_the_policy_allows_our_style_and_script_and_nothing_else(page: ET.Element) -> None:
    (policy,) = [one for one in every(page, "meta") if one.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in (policy.get("content") or "").split(";"))
    assert rules.keys() == {"default-src", "img-src", "style-src", "script-src"}
    assert (rules["default-src"], rules["img-src"]) == ("'none'", "data:")
    for tag in ("style", "script"):
        (element,) = every(page, tag)
        digest = hashlib.sha256((element.text or "").encode()).digest()
        assert rules[f"{tag}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"


def test_a_name_that_is_html_is_shown_as_text(page: ET.Element) -> None:
    assert len(every(page, "script")) == 1
    rows = [words(row[0]) for row in every(section(page, "shapes"), "tr")]
    assert rows.count(HOSTILE) == 2  # once for each sample
    assert HOSTILE in words(every(page, "pre")[0]).replace("''", "'")
    alternatives = [one.get("alt") or "" for one in every(page, "img")]
    assert sum(HOSTILE in one for one in alternatives) == 2


def test_every_figure_is_there_once_with_its_alternative_text_and_its_pdf(page: ET.Element, finished: Config) -> None:
    images = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (finished.output / "plots").glob("*.png")}
    shown_images = []
    for figure in every(page, "figure"):
        (image,), (link,) = every(figure, "img"), every(figure, "a")
        content = base64.b64decode((image.get("src") or "").partition(",")[2])
        shown_images.append(hashlib.sha256(content).hexdigest())
        assert len(image.get("alt") or "") > 10
        assert image.get("decoding") == "async"
        assert (finished.output / (link.get("href") or "")).is_file()
    assert sorted(shown_images) == sorted(images)
    details = every(page, "details")
    assert len(details) == 7  # the table of all tests, and three features of two samples
    assert all(len(every(one, "summary")) == 1 for one in details)
    assert [len(every(one, "table")) for one in details] == [1] + [0] * 6
    assert [len(every(one, "img")) for one in details] == [0] + [1] * 6


def test_tables_are_sortable_and_their_headers_have_a_scope(page: ET.Element) -> None:
    tables = every(page, "table")
    assert len(tables) >= 6
    for table in tables:
        assert table.get("class") == "sortable"
        head, *rows = every(table, "tr")
        assert {one.get("scope") for one in every(head, "th")} == {"col"}
        forms = [one.get("class") for one in head]
        for row in rows:
            assert row[0].get("scope") == "row"
            assert len(row) == len(forms)
            for form, cell in list(zip(forms, row, strict=True))[1:]:
                value = cell.get("data-value")
                assert (value is not None) == (form == "number")
                assert not value or float(value) == float(value)


def test_the_numbers_are_those_of_the_files(page: ET.Element, finished: Config) -> None:
    metrics = json.loads((finished.output / "metrics.json").read_text())
    check = json.loads((finished.output / "check.json").read_text())
    assert shown.estimate(metrics["auc"], metrics["auc_error"]) in words_with_spaces(section(page, "response"))
    sizes = {
        (words(row[0]), words(row[1])): float(row[3].get("data-value") or "nan")
        for row in every(every(section(page, "shapes"), "tbody")[0], "tr")
    }
    assert sizes == {
        (feature, sample): shape["total_variation"]
        for sample, shapes in check["samples"].items()
        for feature, shape in shapes["features"].items()
    }


def words_with_spaces(element: ET.Element) -> str:
    return "".join(element.itertext())


def test_the_configuration_is_shown_whole(page: ET.Element, finished: Config) -> None:
    (pre,) = every(page, "pre")
    assert yaml.safe_load("".join(pre.itertext())) == finished.to_dict()


def test_the_same_results_give_the_same_page(finished: Config, text: str) -> None:
    assert build_page(load_results(finished)).html == text


@pytest.mark.parametrize(
    ("file", "command", "name"),
    [
        ("inspect.json", "hepneg inspect", "weights"),
        ("check.json", "hepneg check", "shapes"),
        ("metrics.json", "hepneg train", "training"),
        ("compare.json", "hepneg compare", "comparison"),
    ],
)
def test_a_step_that_was_not_run_is_named(copied: Config, file: str, command: str, name: str) -> None:
    (copied.output / file).unlink()
    outcome = workflow.report(copied)
    assert set(outcome.result.missing) == {command, "hepneg closure"}  # which `hepneg run` leaves out
    page = parsed(copied)
    assert f"not run: {command}" in words(section(page, name))
    assert f"not run: {command}" in words(section(page, "summary"))


@pytest.mark.parametrize("kept", ["inspect.json", "check.json", "metrics.json", "compare.json", "model"])
def test_one_step_alone_makes_a_page(copied: Config, kept: str) -> None:
    for path in copied.output.iterdir():
        if path.name != kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = parsed(copied)
    assert len(every(page, "section")) == 7
    assert not every(page, "img")
    for paragraph in every(page, "p", class_="missing"):
        assert words(paragraph).startswith(("not run: hepneg ", "plots/"))
    assert kept == "model" or "is not there: hepneg" in words(page)


def test_a_mean_sign_that_held_out_events_contradict_is_named(copied: Config) -> None:
    path = copied.output / "model" / "model.json"
    model = json.loads(path.read_text())
    assert model["health"]["samples"]["bkg"]["calibration"]["ndf"] > 0
    for chi2, named in ((1.0, False), (1e3, True)):
        model["health"]["samples"]["bkg"]["calibration"]["chi2"] = chi2
        path.write_text(json.dumps(model))
        about = [warning for warning in warnings_of(parsed(copied)) if "bkg" in warning and "χ² 1000" in warning]
        assert len(about) == named


def test_nothing_at_all_is_an_error(copied: Config) -> None:
    shutil.rmtree(copied.output)
    with pytest.raises(DataError, match=r"nothing to report in .*results; do `hepneg run` first"):
        workflow.report(copied)
    assert not copied.output.exists()


@pytest.mark.parametrize("name", ["inspect.json", "check.json", "metrics.json", "compare.json", "model/model.json"])
@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("{", "cannot be read"),
        ("[]", "schema version None"),
        ('{"schema_version": 9}', "schema version 9"),
        ('{"schema_version": 1}', "is not as this version writes it"),
    ],
)
def test_damaged_results_are_named(copied: Config, name: str, content: str, part: str) -> None:
    if name == "model/model.json" and "1" in content:
        content = content.replace("1", "2")  # its format is the second one
        (copied.output / "metrics.json").unlink()  # or it would be of another model
    (copied.output / name).write_text(content)
    with pytest.raises(DataError, match=part) as raised:
        workflow.report(copied)
    assert name in str(raised.value)


def test_a_file_that_is_no_image_is_taken_for_missing(copied: Config) -> None:
    (copied.output / "plots" / "roc.png").write_bytes(b"GIF89a")
    (copied.output / "plots" / "roc.pdf").unlink()
    (copied.output / "plots" / "calibration.pdf").unlink()
    page = parsed(copied)
    assert "plots/roc.png is not there: hepneg plot draws it." in words(section(page, "response"))
    assert "Calibration. PDF" not in words(page)


def test_the_choice_of_auto_is_told_with_its_reason(copied: Config) -> None:
    metrics = json.loads((copied.output / "metrics.json").read_text())
    edit(copied, "metrics.json", **metrics | {"scheme": "auto", "chosen": "refined", "reason": "the signs speak"})
    model = json.loads((copied.output / "model" / "model.json").read_text())
    edit(copied, "model/model.json", **model | {"scheme": {"name": "auto"}, "choice": {"scheme": "refined"}})
    comparison = json.loads((copied.output / "compare.json").read_text())
    row = comparison["schemes"]["absolute"] | {"chosen": "refined", "chosen_because": "the loss is lower"}
    edit(copied, "compare.json", schemes=comparison["schemes"] | {"auto": row})
    page = parsed(copied)
    assert "the signs speak" in words(section(page, "summary"))
    assert "auto: refined" in words(section(page, "training"))
    told = words(section(page, "comparison"))
    assert "the loss is lower" in told
    assert "auto: refined" in told


def test_results_of_another_configuration_are_pointed_out(copied: Config) -> None:
    other = copied.model_copy(update={"features": copied.features[:1]})
    added = set(warnings_of(parsed(other))) - set(warnings_of(parsed(copied)))
    assert sorted(name for warning in added for name in ("hepneg check", "hepneg train") if name in warning) == [
        "hepneg check",
        "hepneg train",
    ]


def test_what_needs_attention_is_pointed_out(copied: Config) -> None:
    metrics = json.loads((copied.output / "metrics.json").read_text())
    metrics["histories"][0]["message"] = "the loss ran away"
    metrics["samples"]["bkg"]["negative_bins"] = 3
    metrics["calibration"]["p_value"] = 1e-4
    metrics["overtraining"]["signal"]["p_value"] = 0.002
    edit(copied, "metrics.json", **metrics | {"scheme": "positive", "chosen": "positive"})
    edit(copied, "check.json", recommended_schemes=["paired"])
    edit(copied, "compare.json", recommended="absolute", failures={"paired": "it diverged"})
    edit(copied, "inspect.json", batch_risk={"signal": 0.2, "background": None})
    page = parsed(copied)
    warnings = warnings_of(page)
    for parts in (
        ("positive", copied.training.scheme.name),
        ("positive", "shapes", "paired"),
        ("comparison", "absolute", "positive"),
        ("Fold 0", "the loss ran away"),
        ("2 of 2 folds", "training.epochs"),
        ("signal", "p = 0.002"),
        ("calibrated", "10⁻⁴"),
        ("bkg", "3 bins"),
        ("signal", "Σw ≤ 0", "0.2"),
    ):
        assert any(all(part in warning for part in parts) for warning in warnings), parts
    assert "paired: it diverged" in words(section(page, "comparison"))


def test_the_health_of_the_scheme_is_shown(copied: Config) -> None:
    of_x2 = {"chi2": 26.6, "ndf": 8, "closure": [0.93, None, 1.1]}
    undefined = {"chi2": None, "ndf": 0, "closure": []}
    closure = {
        "clipped_share": 0.013,
        "clipped_sum": -12.0,
        "clipped_sum_error": 3.0,
        "floored_share": 0.2,
        "inclusive": 1.012,
        "inclusive_error": 0.0075,
        "calibration": {"chi2": 29.1, "ndf": 9},
        "features": {"x0": {"chi2": 4.0, "ndf": 9, "closure": [1.0]}, "x2": of_x2, "none": undefined},
    }
    health = {"largest_logit": 12.3, "negative_batches": 0.25, "samples": {"sig": closure}}
    edit(copied, "model/model.json", health=health)
    training = section(parsed(copied), "training")
    (row,) = [row for row in every(training, "tr") if words(row[0]) == "sig"]
    shares = [
        "sig",
        "1.3 %",
        "−12.0 ± 3.0",
        "20.0 %",
        "1.0120 ± 0.0075",
        "29.1 / 9",
        "26.6 / 8",
        "x2",
        "0.930 to 1.100",
    ]
    assert [words(cell) for cell in row] == shares
    assert "12.3" in words(training)
    assert "25.0 %" in words(training)
    edit(copied, "model/model.json", health=health | {"samples": {}})
    assert "ĝ" not in words(section(parsed(copied), "training"))


def test_undefined_numbers_are_dashes_that_sort_last(copied: Config) -> None:
    metrics = json.loads((copied.output / "metrics.json").read_text())
    metrics["samples"]["sig"] |= {"auc": None, "auc_error": None}
    edit(copied, "metrics.json", **metrics)
    row = next(row for row in every(section(parsed(copied), "response"), "tr") if words(row[0]) == "sig")
    assert (words(row[6]), row[6].get("data-value")) == ("—", "")


def test_a_multivariate_test_is_shown_where_there_is_one(copied: Config) -> None:
    samples = json.loads((copied.output / "check.json").read_text())["samples"]
    samples["sig"]["multivariate"] = {"auc": 0.6172, "p_value": 0.00123}
    edit(copied, "check.json", samples=samples)
    sentences = [words(paragraph) for paragraph in every(section(parsed(copied), "shapes"), "p")]
    assert [sentence for sentence in sentences if "AUC of 0.617" in sentence and "p = 0.0012" in sentence]


def test_regions_of_negative_density_are_named_with_their_sums(copied: Config) -> None:
    samples = json.loads((copied.output / "check.json").read_text())["samples"]
    figures = {"entries": 50, "sum_weights": {"value": -31.0, "error": 4.0}, "significance": -5.2, "p_value": 1e-5}
    cuts = [{"feature": "x0", "low": 1.0, "high": None}, {"feature": "x1", "low": None, "high": 2.0}]
    samples["sig"]["negative_regions"] = [
        {"where": "1 ≤ x0", "feature": "x0", "low": 1.0, "high": None, **figures},
        {"where": "1 ≤ x0 and x1 < 2", "cuts": cuts, **figures},
    ]
    samples["sig"]["subsample"] = {"used": 1000, "seen": 3000}
    edit(copied, "check.json", samples=samples)
    shown = words(section(parsed(copied), "shapes"))
    shown = shown.replace("\N{NO-BREAK SPACE}", " ")
    assert re.search(r"1 ≤ x0: −31\.0 ± 4\.0 \(−5\.2 ", shown)
    assert re.search(r"x1 < 2: −31\.0 ± 4\.0 in 1000 of 3000 events \(−5\.2 ", shown)
    assert "plots/negative_sig_x0_x1.png" in shown


def test_the_command_prints_the_path_and_what_is_missing(copied: Config, capsys: pytest.CaptureFixture[str]) -> None:
    from hepneg.cli import main

    (copied.output / "compare.json").unlink()
    path = copied.folder / "analysis.yaml"
    arguments = ["report", str(path), "--set", f"output={copied.output}"]
    for quiet in (False, True):
        with pytest.raises(SystemExit) as leaving:
            main([*arguments, *(["--quiet"] if quiet else [])])
        printed = capsys.readouterr().out
        assert leaving.value.code == 0
        assert ("report.html\nnot run: hepneg closure\nnot run: hepneg compare\n" in printed) != quiet
        assert not quiet or printed == ""


# Style


def colours(style: str) -> Iterator[dict[str, str]]:
    """The colours of each scheme: light, dark, paper."""
    for block in re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL):
        yield dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_has_the_contrast_that_wcag_asks_for(page: ET.Element) -> None:
    schemes = list(colours(every(page, "style")[0].text or ""))
    assert len(schemes) == 3
    for scheme in schemes:
        for ground in ("background", "raised"):
            for ink in ("text", "muted", "accent", "good", "bad", "unsure"):
                dark, bright = sorted((luminance(scheme[ground]), luminance(scheme[ink])))
                assert (bright + 0.05) / (dark + 0.05) >= 4.5, (ground, ink)


def test_the_page_adapts_to_dark_paper_and_phones(page: ET.Element) -> None:
    style = every(page, "style")[0].text or ""
    assert "@media (prefers-color-scheme: dark)" in style
    assert "details::details-content" in style.split("@media print")[1]
    assert re.search(r"\.scroll \{[^}]*overflow-x: auto", style)
    assert re.search(r"img \{[^}]*max-width: 100%", style)
    assert ":focus-visible" in style
    (viewport,) = [one for one in every(page, "meta") if one.get("name") == "viewport"]
    assert viewport.get("content") == "width=device-width, initial-scale=1"
    assert every(page, "html")[0].get("lang") == "en"
    boxes = [one for one in every(page, "div", class_="scroll") if one.get("tabindex") == "0"]
    assert len(boxes) == len(every(page, "table"))


# Numbers

SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (0.88493, 0.00192, "0.8849 ± 0.0019"),
        (25501849.9, 248619.7, "(2.550 ± 0.025) × 10⁷"),
        (-0.0000312, 0.0000021, "(−3.12 ± 0.21) × 10⁻⁵"),
        (0.0, 0.0, "0 ± 0"),
        (3.0, None, "3"),
        (None, 0.1, "—"),
    ],
)
def test_estimates(value: float | None, error: float | None, expected: str) -> None:
    assert shown.estimate(value, error).replace(SPACE, " ") == expected


def test_other_numbers() -> None:
    assert shown.count(1234567.4).replace("\N{NARROW NO-BREAK SPACE}", " ") == "1 234 567"
    assert shown.percent(0.1234, 0.0021).replace(SPACE, " ") == "12.34 ± 0.21 %"
    assert shown.percent(0.2476).replace(SPACE, " ") == "24.8 %"
    assert shown.p_value(1e-30).replace(SPACE, " ") == "< 10⁻¹⁰"
    assert shown.p_value(0.0) == shown.p_value(1e-30)
    assert shown.interval(None, 2.5) == "−∞ to 2.5"
    assert shown.interval(1500.0, None) == "1500 to ∞"
    assert {shown.count(None), shown.percent(None), shown.p_value(None), shown.significant(None)} == {"—"}


@given(st.floats(-1e300, 1e300), st.integers(1, 8))
def test_a_shown_number_is_the_number(number: float, digits: int) -> None:
    """Read back, it is within half a unit of its last digit."""
    text = shown.significant(number, digits).replace("−", "-").replace(SPACE, "")
    mantissa, _, power = text.partition("×10")
    digits_of = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    read = float(mantissa + (f"e{power.translate(digits_of)}" if power else ""))
    assert read == pytest.approx(number, rel=0.501 * 10.0 ** (1 - digits), abs=1e-300)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=6, unique=True))
def test_features_have_figures_of_their_own(features: list[str]) -> None:
    stems = [shape_stem("ttbar", feature) for feature in features]
    assert len(set(stems)) == len(stems)
    assert not any(set(stem) & set('/\\:*?"<>| ') for stem in stems)


def test_pictures_know_their_size_and_their_pdf(finished: Config) -> None:
    from PIL import Image

    pictures = read_pictures(finished.output / "plots")
    with Image.open(finished.output / "plots" / "roc.png") as image:
        assert (pictures["roc"].width, pictures["roc"].height) == image.size
    assert pictures["roc"].pdf == "plots/roc.pdf"
    assert replace(pictures["roc"], content=b"x").uri == "data:image/png;base64,eA=="


def test_templates_are_on_the_page_with_their_negative_bins(copied: Config, finished: Config) -> None:
    assert not every(parsed(copied), "section", id="fit-templates")
    workflow.templates(copied)
    shown = section(parsed(copied), "fit-templates")
    written = json.loads((copied.output / "templates" / "templates.json").read_text())
    table = every(shown, "table")[0]
    yields = [row for part in written["regions"].values() for row in part["samples"].values()]
    assert len(every(every(table, "tbody")[0], "tr")) == len(yields) > 0

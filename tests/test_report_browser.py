"""The report in a real browser: it fits every screen, sorts, prints whole, follows dark mode, fetches nothing."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import HUNG, LONG

from hepneg.config import Config

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--allow-file-access-from-files"),
    *("--virtual-time-budget=10000", "--dump-dom"),
)
WIDTHS = (320, 375, 768, 1280)
TABLE = "shapes-features"
COLUMN = 3  # total variation

# The page's own policy forbids any other script in it, so a second page holds it in frames and looks into them.
HARNESS = """<!DOCTYPE html><meta charset="utf-8"><title>harness</title><body><pre></pre><script>
const found = {};
const frames = [];
const look = () => {
  for (const frame of frames) {
    const view = frame.contentWindow, page = view.document;
    const root = page.documentElement;
    const wide = [...page.querySelectorAll("main *")].filter((one) =>
      !one.closest(".scroll, pre") && one.getBoundingClientRect().right > root.clientWidth + 1);
    found[frame.width] = {
      scroll: root.scrollWidth, window: view.innerWidth, sticking: wide.map((one) => one.outerHTML.slice(0, 80)),
      tables: page.querySelectorAll(".scroll").length,
      requests: view.performance.getEntriesByType("resource").map((one) => one.name)
        .filter((name) => !name.startsWith("data:")),
      images: [...page.images].filter((one) => one.complete && one.naturalWidth > 0).length,
      all: page.images.length,
    };
  }
  const view = frames[0].contentWindow, page = view.document;
  const table = page.querySelector("table[aria-labelledby='%(table)s']");
  const header = table.tHead.rows[0].cells[%(column)d];
  const state = () => ({
    direction: header.getAttribute("aria-sort"),
    values: [...table.tBodies[0].rows].map((row) => row.cells[%(column)d].dataset.value),
    names: [...table.tBodies[0].rows].map((row) => row.cells[0].textContent),
  });
  found.before = state();
  header.querySelector("button").click();
  found.once = state();
  header.querySelector("button").click();
  found.twice = state();
  table.tHead.rows[0].cells[0].querySelector("button").click();
  found.named = { ...state(), other: table.tHead.rows[0].cells[0].getAttribute("aria-sort") };
  const closed = () => page.querySelectorAll("details:not([open])").length;
  found.details = [closed()];
  view.dispatchEvent(new view.Event("beforeprint"));
  found.details.push(closed());
  view.dispatchEvent(new view.Event("afterprint"));
  found.details.push(closed());
  found.ground = view.getComputedStyle(page.body).backgroundColor;
  document.querySelector("pre").textContent = JSON.stringify(found);
};
for (const width of %(widths)s) {
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: "report.html", width, height: 800 });
  frames.push(frame);
  document.body.append(frame);
}
window.addEventListener("load", look);
</script></body>"""

pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium on this machine")


def look(folder: Path, profile: Path, *, dark: bool) -> dict[str, Any]:
    """Open the page in frames of several widths and return what the harness found."""
    harness = folder / "harness.html"
    harness.write_text(
        HARNESS % {"table": TABLE, "column": COLUMN, "widths": json.dumps(WIDTHS)},
        encoding="utf-8",
    )
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    command = [BROWSER, *FLAGS, scheme, f"--user-data-dir={profile}", harness.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HUNG, check=True)
    written = re.search(r"<pre>(.*?)</pre>", done.stdout, flags=re.DOTALL)
    assert written is not None, done.stderr
    assert written[1], done.stderr
    found: dict[str, Any] = json.loads(html.unescape(written[1]))
    return found


@pytest.fixture(scope="module")
def folder(finished: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = tmp_path_factory.mktemp("browser")
    shutil.copy(finished.output / "report.html", copied)
    return copied


@pytest.fixture(scope="module")
def seen(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return look(folder, tmp_path_factory.mktemp("profile"), dark=False)


@pytest.mark.parametrize("width", WIDTHS)
def test_only_tables_scroll_sideways(seen: dict[str, Any], width: int) -> None:
    frame = seen[str(width)]
    assert frame["window"] == width
    assert frame["scroll"] <= width
    assert frame["sticking"] == []


def test_every_picture_shows_and_nothing_is_requested(seen: dict[str, Any]) -> None:
    for width in WIDTHS:
        frame = seen[str(width)]
        assert frame["images"] == frame["all"] > 10
        assert frame["requests"] == []


def test_a_click_sorts_and_another_turns_the_order(seen: dict[str, Any]) -> None:
    values = {name: [float(value) for value in seen[name]["values"]] for name in ("before", "once", "twice")}
    assert (seen["once"]["direction"], seen["twice"]["direction"]) == ("descending", "ascending")
    assert values["once"] == sorted(values["before"], reverse=True)
    assert values["twice"] == sorted(values["before"])
    assert values["before"] != values["twice"]


def test_text_sorts_as_text_and_only_one_column_is_marked(seen: dict[str, Any]) -> None:
    names = seen["named"]["names"]
    assert sorted(names) == sorted(seen["before"]["names"])
    assert names.index(LONG) < names.index("x0")
    assert (seen["named"]["other"], seen["named"]["direction"]) == ("ascending", None)


def test_details_are_open_while_printing_and_closed_again(seen: dict[str, Any], folder: Path) -> None:
    folded = (folder / "report.html").read_text(encoding="utf-8").count("<details")
    assert folded >= 6
    assert seen["details"] == [folded, 0, folded]


def test_the_page_is_dark_where_the_reader_prefers_it(
    seen: dict[str, Any], folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert seen["ground"] == "rgb(255, 255, 255)"
    dark = look(folder, tmp_path_factory.mktemp("dark"), dark=True)
    assert dark["ground"] == "rgb(20, 24, 29)"

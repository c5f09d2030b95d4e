"""How the excess over the exact optimum changes with the number of events, and with the negative fraction.

    python analysis/closure/scan.py events       N from 5 × 10³ to 10⁶ of each label; an hour of one core
    python analysis/closure/scan.py fraction     f from 0.1 to 0.45, all three kinds of shapes; an hour of one core
    python analysis/closure/scan.py events --draw scan_events.json     the figure alone, from what was measured
    python analysis/closure/scan.py events --quick                     seconds, to see that it runs

A consistent scheme's excess falls like 1/N, that of a biased one levels off. The JSON file is written after every point
and taken up again when it is there, so a scan can be interrupted.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure import QUICK, Geometry, Setup, measure

import hepneg
from hepneg._core.output import write_json

FOLDER = Path(__file__).parent
SIZES = (5_000, 20_000, 80_000, 300_000, 1_000_000)
FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.45)
SCHEMES = {
    "events": ("absolute", "signed", "mixture", "refined", "combined"),
    "fraction": ("absolute", "signed", "mixture", "refined", "factorised", "combined", "auto"),
}
KEYS = {"events": "events", "fraction": "negative_fraction"}
SHAPES = ("strong", "mild", "equal")
MARKERS = "osD^vPo"


def points(kind: str, seeds: Sequence[int], largest: int) -> list[dict[str, Any]]:
    """Return what is to be measured, the cheap points first."""
    if kind == "events":
        # Two folds: what is compared are sizes, and the largest would take days with five.
        sizes = [size for size in SIZES if size <= largest]
        return [{"events": size, "seed": seed, "settings": {"folds": 2}} for size in sizes for seed in seeds]
    return [
        {"negative_fraction": fraction, "shapes": shapes, "seed": seed}
        for seed in seeds
        for shapes in SHAPES
        for fraction in FRACTIONS
    ]


def quick(wanted: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return two small points that take seconds and show nothing but that it runs."""
    two = [
        next(point for point in wanted if point.get(key) == value)
        for value in (wanted[0].get(key), wanted[-1].get(key))
    ]
    return [{**point, "events": 1500 * (1 + number), "settings": QUICK} for number, point in enumerate(two)]


def measured(point: dict[str, Any], schemes: Sequence[str]) -> Geometry:
    options = {key: value for key, value in point.items() if key != "seed"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hepneg.HepnegWarning)  # a runaway loss shows in the table
        return measure(Setup(**options, schemes=schemes, references=1, curve=(1.0,)), point["seed"])


def scan(kind: str, wanted: Sequence[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    """Measure what is not in the file yet, and return everything in it."""
    found: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    for point in wanted:
        if any(one["point"] == point for one in found):
            continue
        found.append({"point": point, **vars(measured(point, SCHEMES[kind]))})
        write_json(path, found)
        print(point, {name: f"{1e3 * value:.2f}e-3" for name, value in found[-1]["excess"].items()}, flush=True)
    return found


def means(found: Sequence[dict[str, Any]], key: str, name: str, **where: Any) -> tuple[list[float], list[float]]:
    """Return the values of a key and, for each, the mean excess of a scheme (``unsigned``: of the reference)."""
    chosen = [one for one in found if all(one["point"].get(k) == v for k, v in where.items())]
    values = sorted({one["point"][key] for one in chosen})

    def mean(value: float) -> float:
        some = [one for one in chosen if one["point"][key] == value]
        return float(np.mean([one["unit"] if name == "unsigned" else one["excess"][name] for one in some]))

    return values, [mean(value) for value in values]


def draw_events(found: Sequence[dict[str, Any]], stem: Path) -> None:
    from hepneg.plots.save_figure import save
    from hepneg.plots.style import COLOURS, NEUTRAL, in_print_style, new_figure

    @in_print_style
    def figure() -> Any:
        layout = new_figure()
        axes = layout.main
        for colour, marker, name in zip(COLOURS, MARKERS, SCHEMES["events"], strict=False):
            axes.plot(*means(found, "events", name), color=colour, marker=marker, label=name)
        sizes, unit = means(found, "events", "unsigned")
        axes.plot(sizes, unit, color=NEUTRAL, marker=".", linestyle="--", label="unsigned, $N(1-2f)^2$")
        guide = np.array([sizes[0], sizes[-1]])
        axes.plot(guide, unit[0] * 0.4 * guide[0] / guide, color=NEUTRAL, linestyle=":", linewidth=1, label="1/N")
        axes.set(
            xscale="log", yscale="log", xlabel="signed events N of each label", ylabel="excess cross-entropy [nats]"
        )
        axes.legend(ncols=2, loc="lower left")
        return layout.figure

    save(figure(), stem)


def draw_fraction(found: Sequence[dict[str, Any]], stem: Path) -> None:
    from hepneg.plots.save_figure import save
    from hepneg.plots.style import COLOURS, NEUTRAL, in_print_style, new_figure

    @in_print_style
    def figure(shapes: str) -> Any:
        layout = new_figure()
        axes = layout.main
        values, unit = means(found, "negative_fraction", "unsigned", shapes=shapes)
        for colour, marker, name in zip(COLOURS, MARKERS, SCHEMES["fraction"], strict=False):
            ratio = np.divide(means(found, "negative_fraction", name, shapes=shapes)[1], unit)
            # The default takes one of the others: drawn around it.
            style = {"linestyle": "--", "markerfacecolor": "none", "markersize": 11} if name == "auto" else {}
            axes.plot(values, ratio, color=colour, marker=marker, label=name, **style)
        axes.axhline(1.0, color=NEUTRAL, linestyle=":", linewidth=1)
        axes.set(yscale="log", xlabel="negative fraction f of both labels")
        axes.set_ylabel("excess over that of $N(1-2f)^2$ unsigned events")
        axes.legend(ncols=2, loc="best")
        return layout.figure

    for shapes in dict.fromkeys(one["point"]["shapes"] for one in found):
        save(figure(shapes), stem.with_name(f"{stem.name}_{shapes}"))


def table(kind: str, found: Sequence[dict[str, Any]]) -> str:
    """Return the measurements as Markdown: for each point the mean over its seeds."""
    lines = [f"| | seeds | unsigned [nats] | {' | '.join(SCHEMES[kind])} |", "|---" * (3 + len(SCHEMES[kind])) + "|"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        point = one["point"]
        name = f"N = {point['events']}" if kind == "events" else f"{point['shapes']}, f = {point['negative_fraction']}"
        groups.setdefault(name, []).append(one)
    for name, some in sorted(groups.items()) if kind == "fraction" else groups.items():
        unit = np.mean([one["unit"] for one in some])
        ratios = [np.mean([one["excess"][scheme] / one["unit"] for one in some]) for scheme in SCHEMES[kind]]
        lines.append(f"| {name} | {len(some)} | {unit:.2e} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=list(SCHEMES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13], help="of the geometries")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="most events of each label")
    parser.add_argument("-o", "--output", type=Path, help="JSON file of all points, default scan_KIND.json")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="measure nothing, draw this JSON file")
    parser.add_argument("--figures", type=Path, default=FOLDER / "figures")
    chosen = parser.parse_args(arguments)
    if chosen.draw:
        found = json.loads(chosen.draw.read_text())
    else:
        wanted = points(chosen.kind, chosen.seeds, chosen.largest)
        wanted = quick(wanted, KEYS[chosen.kind]) if chosen.quick else wanted
        found = scan(chosen.kind, wanted, chosen.output or Path(f"scan_{chosen.kind}.json"))
    chosen.figures.mkdir(parents=True, exist_ok=True)
    draw = {"events": draw_events, "fraction": draw_fraction}[chosen.kind]
    draw(found, chosen.figures / f"scan_{chosen.kind}")
    print(table(chosen.kind, found))


if __name__ == "__main__":
    main()

"""A datacard for combine that reads the ROOT file of the templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hepneg.templates.pyhf_workspace import LEAST_EFFECTIVE
from hepneg.templates.root_templates import shape_variations
from hepneg.templates.template_result import Templates


def datacard(templates: Templates, root_file: str) -> str:
    """Return the text of the card.

    Bins with at least ten effective events get one Gaussian parameter each, others Poisson ones by process
    (``autoMCStats``). Signals have process numbers of 0 and below.

    Args:
        templates: what the ROOT file holds.
        root_file: its path from the folder of the card.

    Format: https://cms-analysis.github.io/HiggsAnalysis-CombinedLimit/latest/part2/settinguptheanalysis.
    """
    columns = [(region, sample) for region in templates.regions for sample in templates.labels]
    rates = [f"{templates.regions[region].samples[sample].content.sum():.10g}" for region, sample in columns]
    observed = [f"{templates.observed(region).sum():.10g}" for region in templates.regions]
    number = _numbers(templates.labels)
    nuisances = [*_shapes(templates, columns), *_normalisations(templates, columns)]
    blocks = (
        [["imax", str(len(templates.regions))], ["jmax", str(len(templates.labels) - 1)], ["kmax", "*"]],
        [["shapes", "*", "*", root_file, "$CHANNEL/$PROCESS", "$CHANNEL/$PROCESS_$SYSTEMATIC"]],
        [["bin", *templates.regions], ["observation", *observed]],
        [
            ["bin", "", *(region for region, _ in columns)],
            ["process", "", *(sample for _, sample in columns)],
            ["process", "", *(str(number[sample]) for _, sample in columns)],
            ["rate", "", *rates],
        ],
        nuisances,
        [[region, "autoMCStats", f"{LEAST_EFFECTIVE:g}", "1", "1"] for region in templates.regions],
    )
    return "\n----\n".join("\n".join(_aligned(block)) for block in blocks if block) + "\n"


def _numbers(labels: Mapping[str, str]) -> dict[str, int]:
    signals = [name for name, label in labels.items() if label == "signal"]
    backgrounds = [name for name in labels if name not in signals]
    return {name: -number for number, name in enumerate(signals)} | {
        name: number for number, name in enumerate(backgrounds, start=1)
    }


def _shapes(templates: Templates, columns: Sequence[tuple[str, str]]) -> Iterator[list[str]]:
    varied: dict[str, set[tuple[str, str]]] = {}
    for name, region, sample, _ in shape_variations(templates):
        varied.setdefault(name, set()).add((region, sample))
    for name, own in varied.items():
        yield [name, "shape", *("1" if column in own else "-" for column in columns)]


def _normalisations(templates: Templates, columns: Sequence[tuple[str, str]]) -> Iterator[list[str]]:
    for name, factors in templates.normalisations.items():
        yield [name, "lnN", *(f"{factors[sample]:g}" if sample in factors else "-" for _, sample in columns)]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align the columns of some rows, which may differ in length."""
    most = max(map(len, rows))
    width = [max((len(row[i]) for row in rows if i < len(row)), default=0) for i in range(most)]
    for row in rows:
        yield "  ".join(word.ljust(width[i]) for i, word in enumerate(row)).rstrip()

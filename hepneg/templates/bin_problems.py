"""Bins that no fit should take as they are: Σw ≤ 0, or too few effective events; and joining them with neighbours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hepneg._core.arrays import FloatArray, IndexArray

NEGATIVE, FEW, EMPTY = "negative", "few", "empty"


def bin_problems(content: FloatArray, variance: FloatArray, least: float) -> list[str]:
    """Name what is wrong with each bin, an empty text where nothing is.

    Args:
        content: Σw, (C,).
        variance: Σw², (C,).
        least: effective events that are enough.
    """
    effective = content**2 / np.where(variance > 0, variance, np.inf)
    found = np.select([variance <= 0, content <= 0, effective < least], [EMPTY, NEGATIVE, FEW], "")
    return [str(problem) for problem in found]


def joined_starts(starts: IndexArray, fine: Mapping[str, tuple[FloatArray, FloatArray]], least: float) -> IndexArray:
    """Join bins with their neighbours until no sample has a bin with Σw ≤ 0 or too few effective events.

    Args:
        starts: first fine bin of each bin, (C,).
        fine: Σw and Σw² of the fine bins, (F,) each, by sample. Bins without events stay, and so does a sample that has
            too little in all bins together: no join could mend it.
        least: effective events that are enough.

    The bin is joined with the neighbour that holds less. As the choice is of the same events that fill the bins, it
    avoids their downward fluctuations: the contents that it leaves are somewhat too high.
    """
    able = {
        name: sums
        for name, sums in fine.items()
        if not any(bin_problems(sums[0].sum(keepdims=True), sums[1].sum(keepdims=True), least))
    }
    while len(starts) > 1:
        coarse = {name: [np.add.reduceat(part, starts) for part in sums] for name, sums in able.items()}
        wrong = [
            number
            for content, variance in coarse.values()
            for number, problem in enumerate(bin_problems(content, variance, least))
            if problem in {NEGATIVE, FEW}
        ]
        if not wrong:
            break
        total = np.sum([np.abs(content) for content, _ in coarse.values()], axis=0)
        starts = np.delete(starts, _boundary(wrong[0], total))
    return starts


def _boundary(number: int, total: FloatArray) -> int:
    """Return which start goes when a bin joins the neighbour that holds less."""
    if number == 0:
        return 1
    if number == len(total) - 1 or total[number - 1] <= total[number + 1]:
        return number
    return number + 1

"""What the raw weights of a sample are multiplied with."""

from __future__ import annotations

from fractions import Fraction

from hepneg.config import PB_TO_FB, Config
from hepneg.errors import DataError

__all__ = ["scale_factor"]


def scale_factor(config: Config, sample: str, sum_weights_all: float | Fraction) -> float:
    """Return what the raw weights of a sample are multiplied with.

    Args:
        config: the analysis.
        sample: name of the sample.
        sum_weights_all: Σ of the raw weights before the selection over the whole sample, of the events or of the
            generator; ignored where the configuration gives ``sum_of_weights`` as a number.

    Returns:
        σ[pb]·1000·L[1/fb] / Σw, or 1.0 for a sample without cross section, times its ``scale``.

    Raises:
        DataError: Σw is zero or has another sign than the cross section.
    """
    choice = config.sample(sample)
    if choice.cross_section is None or config.luminosity is None:
        return choice.scale_or_one
    given = choice.sum_of_weights
    total = float(sum_weights_all) if given is None or isinstance(given, str) else given
    if not total * choice.cross_section > 0:
        raise DataError(f"sample {sample!r}: {_mismatch(sample, total, choice.cross_section)}")
    return choice.scale_or_one * choice.cross_section * PB_TO_FB * config.luminosity / total


def _mismatch(sample: str, total: float, cross_section: float) -> str:
    summed = f"the weights before the selection sum to {total:g}, so they cannot be scaled to a cross section"
    if total == 0:
        return f"{summed}; give the sum over all generated events as `samples.{sample}.sum_of_weights`"
    return (
        f"{summed} of {cross_section:g} pb; an interference takes both negative, or else give the sum over all "
        f"generated events as `samples.{sample}.sum_of_weights`"
    )

"""The network ``tabular``: a perceptron on robustly scaled features and their shares of quantile bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hepneg._core.parameters import require_whole
from hepneg.networks.perceptron import Perceptron

if TYPE_CHECKING:
    from hepneg.networks.body import Body

MOST_BINS = 256


@dataclass(frozen=True)
class Tabular(Perceptron):
    """Linear layers with an activation in between, on features that are scaled by quartiles and split at quantiles.

    For flat tables of features with long tails, steps or few values. The layers begin smaller than those of ``mlp``,
    which gives smoother functions.

    Args:
        hidden: width of each hidden layer; empty for none: linear in the scaled features and their shares of bins.
        activation: ``silu``, ``relu``, ``gelu``, ``tanh``, ``sigmoid`` or ``clipped``.
        bins: between quantiles of each feature, from 0 (the scaled features alone) to 256; networks of signs have none.
    """

    name: ClassVar[str] = "tabular"
    bins: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        require_whole(0, MOST_BINS, bins=self.bins)

    def build(self, inputs: int, outputs: int) -> Body:
        """Return a new module (see :class:`hepneg.networks.Network`)."""
        from hepneg.networks.encoding import Encoding
        from hepneg.networks.perceptron_body import SMALL_START, PerceptronBody

        encoding = Encoding(inputs, self.bins)
        return PerceptronBody([encoding.width, *self.hidden, outputs], self.activation, encoding, SMALL_START)

    def build_members(self, inputs: int, members: int) -> Body:
        """Return several networks with one output each, evaluated as one, (n, members), on scaled features alone.

        These learn signs, which fluctuate more than densities: with shares of bins they follow the noise.
        """
        from hepneg.networks.encoding import Encoding
        from hepneg.networks.perceptron_body import SMALL_START, PackedPerceptrons

        encoding = Encoding(inputs, bins=0)
        widths = [encoding.width, *self.hidden, 1]
        return PackedPerceptrons(widths, self.activation, members, encoding, SMALL_START)

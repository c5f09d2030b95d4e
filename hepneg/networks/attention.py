"""The layers of the network ``particle_transformer``."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import nn

from hepneg.events import CollectionLayout
from hepneg.networks.encoding import Encoding
from hepneg.networks.objects import Objects, in_groups
from hepneg.networks.pair_features import PAIR_FEATURES, Kinematics, pair_features
from hepneg.networks.perceptron_body import Multilayer

__all__ = ["TransformerLayers"]

_FAR = -1e4
"""Added to the attention on objects that are not there."""
_PAIR_WIDTH = 16


class _Attention(nn.Module):
    """Attention of some tokens on all, and layers behind it, each added to its input (arXiv:1706.03762).

    Normalisation stands in front of either, so that the training needs no warm-up (arXiv:2002.04745).

    Args:
        width: of a token.
        heads: that share it.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.normalise, self.normalise_again = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask, self.show = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.behind = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))

    def forward(self, tokens: torch.Tensor, asking: int, bias: torch.Tensor) -> torch.Tensor:
        """Return the first tokens, (n, asking, width), after they have looked at all, (n, T, width).

        Args:
            tokens: (n, T, width).
            asking: how many look.
            bias: added to the attention, broadcast to (n, heads, asking, T).
        """
        seen = self.normalise(tokens)
        query = self._by_head(self.ask(seen[:, :asking]))
        key, value = (self._by_head(part) for part in self.show(seen).chunk(2, dim=-1))
        weight = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(self.size) + bias, dim=-1)
        gathered = (weight @ value).transpose(1, 2).flatten(2)
        first: torch.Tensor = tokens[:, :asking] + self.out(gathered)
        seen_through: torch.Tensor = first + self.behind(self.normalise_again(first))
        return seen_through

    def _by_head(self, tokens: torch.Tensor) -> torch.Tensor:
        events, number, _ = tokens.shape
        return tokens.reshape(events, number, self.heads, self.size).transpose(1, 2)


class TransformerLayers(nn.Module):
    """Outputs, (n, O), from features, (n, F), and objects.

    Args:
        inputs: F.
        outputs: O.
        collections: layouts by name.
        width: of a token.
        heads: of the attention.
        layers: between objects; one more gathers what they say.
        bins: of the encoding.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        collections: Mapping[str, CollectionLayout],
        width: int,
        heads: int,
        layers: int,
        bins: int,
    ) -> None:
        super().__init__()
        self.event = Encoding(inputs, bins)
        scale = {name: Encoding(len(one.features), bins, of=name) for name, one in collections.items()}
        self.scale = nn.ModuleDict(scale)
        self.token = nn.ModuleDict({name: Multilayer([one.width, width, width], "silu") for name, one in scale.items()})
        self.first = Multilayer([self.event.width, width, width], "silu")
        self.momenta = nn.ModuleDict({name: Kinematics(one.features) for name, one in collections.items()})
        self.pairs = any(one.known for one in self.momenta.values())
        self.pair_bias = Multilayer([PAIR_FEATURES + 1, _PAIR_WIDTH, heads], "silu") if self.pairs else None
        self.layers = nn.ModuleList(_Attention(width, heads) for _ in range(layers))
        self.gather = _Attention(width, heads)
        self.normalise = nn.LayerNorm(width)
        self.out = Multilayer([width + self.event.width, 2 * width, outputs], "silu")
        self.out.end_at_zero()

    def forward(self, features: torch.Tensor, objects: Mapping[str, Objects]) -> torch.Tensor:
        """Return the outputs."""
        return in_groups(self._outputs, features, objects)

    def _outputs(self, features: torch.Tensor, objects: Mapping[str, Objects]) -> torch.Tensor:
        event = self.event(features)
        tokens = torch.cat([self.token[name](self.scale[name](values)) for name, (values, _) in objects.items()], dim=1)
        mask = torch.cat([one.mask for one in objects.values()], dim=1)
        there = torch.where(mask, 0.0, _FAR)[:, None, None]
        bias = there + self._bias(objects)
        for layer in self.layers:
            tokens = layer(tokens, tokens.shape[1], bias)
        asked = torch.cat([self.first(event)[:, None], tokens], dim=1)
        seen = self.gather(asked, 1, nn.functional.pad(there, (1, 0)))[:, 0]
        outputs: torch.Tensor = self.out(torch.cat([self.normalise(seen), event], dim=1))
        return outputs

    def _bias(self, objects: Mapping[str, Objects]) -> torch.Tensor | float:
        """Return what pairs of objects add to their attention, (n, heads, L, L)."""
        if self.pair_bias is None:
            return 0.0
        # Nothing of the momenta is learnt; but they share a tensor with vectors of categories, which are.
        momenta = torch.cat([self.momenta[name](values.detach()) for name, (values, _) in objects.items()], dim=1)
        known = [
            one.mask.to(momenta.dtype) if self.momenta[name].known else torch.zeros_like(one.values[..., 0])
            for name, one in objects.items()
        ]
        both = torch.cat(known, dim=1)
        both = (both[:, :, None] * both[:, None])[..., None]
        pairs = torch.cat([pair_features(momenta) * both, both], dim=-1)
        bias: torch.Tensor = self.pair_bias(pairs)
        return bias.permute(0, 3, 1, 2)

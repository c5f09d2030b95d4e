"""What shows only when all samples are read: weights of very different sizes, and lists of different lengths."""

from __future__ import annotations

import warnings
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from hepneg.config import Config
from hepneg.errors import HepnegWarning
from hepneg.ntuples.chunk import Chunk
from hepneg.ntuples.file_lists import warn_about_file_lists

__all__ = ["ReadingNotes"]

MOST_RATIO = 100.0
"""Between Σ|w| per event of two samples of a class: beyond, one is normalised and the other is not."""
MOST_LENGTHS = 2
"""More lengths than these are those of objects, whose number varies from event to event; weights have one or two."""


@dataclass
class ReadingNotes:
    """Collected chunk by chunk.

    Attributes:
        sizes: Σ|w| of the raw weights and number of events, by sample.
        lengths: of lists from which weights took an element, by what was taken and by sample.
    """

    sizes: dict[str, tuple[float, int]] = field(default_factory=dict)
    lengths: dict[str, dict[str, frozenset[int]]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, sample: str, chunk: Chunk) -> None:
        """Add a chunk of a sample."""
        size, events = self.sizes.get(sample, (0.0, 0))
        self.sizes[sample] = size + float(np.abs(chunk.weight).sum()), events + len(chunk)
        for text, found in chunk.list_lengths.items():
            self.lengths[text][sample] = self.lengths[text].get(sample, frozenset()) | found

    def warn(self, config: Config) -> None:
        """Say what is odd.

        Warns:
            HepnegWarning: without a luminosity, samples of a class whose weights differ by more than a factor of 100;
                weights from lists of two lengths; lists of files that look incomplete.
        """
        warn_about_file_lists(config)
        if config.luminosity is None:
            self._warn_about_sizes(config)
        for text, by_sample in self.lengths.items():
            lengths = frozenset[int]().union(*by_sample.values())
            if 1 < len(lengths) <= MOST_LENGTHS:
                named = ", ".join(
                    f"{' or '.join(map(str, sorted(found)))} in {name!r}" for name, found in by_sample.items()
                )
                _warn(
                    f"a weight takes {text} from lists of different lengths ({named}): it need not be the same "
                    "variation"
                )

    def _warn_about_sizes(self, config: Config) -> None:
        for label in dict.fromkeys(sample.label for sample in config.samples.values()):
            mean = {
                name: config.samples[name].scale_or_one * size / events
                for name, (size, events) in self.sizes.items()
                if name in config.samples and config.samples[name].label == label and events and size > 0
            }
            if not mean:
                continue
            low, high = min(mean, key=mean.__getitem__), max(mean, key=mean.__getitem__)
            if mean[high] > MOST_RATIO * mean[low]:
                _warn(
                    f"the {label} samples {high!r} and {low!r} have weights of very different sizes (Σ|w| per event "
                    f"{mean[high]:.3g} and {mean[low]:.3g}), and are added as they are; give `luminosity:` and each "
                    "`cross_section:`, or `scale:`"
                )


def _warn(message: str) -> None:
    warnings.warn(message, HepnegWarning, stacklevel=4)

"""Templates on any executor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hepneg.columnar.event_columns import read_chunk
from hepneg.columnar.generated import generator_sums
from hepneg.config import Config
from hepneg.templates import Templates, make_templates
from hepneg.templates.template_pass import TemplatePass
from hepneg.templates.template_sums import TemplateSums

if TYPE_CHECKING:
    import awkward as ak


@dataclass(frozen=True)
class TemplateProcessor:
    """Fills the sums of templates with the selected events of a chunk.

    Attributes:
        one: the pass: what is read, and how it fills.
    """

    one: TemplatePass

    @property
    def config(self) -> Config:
        """The analysis whose files are to be read: that of the nominal events, of a variation, or of the data."""
        return self.one.config

    def __call__(self, events: ak.Array) -> dict[str, TemplateSums]:
        """Return the sums of these events, by the name of their sample.

        Raises:
            DataError: as :func:`hepneg.columnar.event_columns.read_chunk`; also a response outside [0, 1], or a model
                that cannot be read.
        """
        sample, chunk = read_chunk(self.config, events, systematics=self.one.variations)
        sums = self.one.empty(sample)
        self.one.fill(sums, sample, chunk)
        return {sample: sums}


def templates(config: Config, run: Callable[[TemplateProcessor], Mapping[str, Any]]) -> Templates:
    """Make templates on any executor: the same as :func:`hepneg.templates.make_templates`, to rounding.

    Samples with a cross section are normalised by the generator's sums that their files hold, which are read here.

    Args:
        config: the analysis.
        run: runs a processor over the files of its own configuration, which is once the nominal one, then that of each
            variation of other files, then that of the data:
            ``lambda processor: runner(fileset(processor.config), processor)``.

    Raises:
        HepnegError: as :func:`hepneg.templates.make_templates`.
    """
    return make_templates(config, run=lambda one: generator_sums(one.config)(run(TemplateProcessor(one))))

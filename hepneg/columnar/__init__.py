"""Columnar analyses: the classifier, the weight summary and the shape check on NanoEvents and coffea's executors.

:func:`response`, :func:`logit` and :func:`refined_weight` work on any array of records: NanoEvents inside a processor
of one's own, flat ntuples, or records made by hand. :func:`accumulate` and :func:`response_histogram` go over all files
with whatever runs their processors: a loop, processes of one machine, or a cluster::

    from coffea.nanoevents import NanoAODSchema
    from coffea.processor import DaskExecutor, Runner
    from hepneg import columnar

    runner = Runner(DaskExecutor(client=client), schema=NanoAODSchema)
    found = columnar.accumulate(config, lambda processor: runner(columnar.fileset(config), processor))
    found.weight_report(), found.shape_report()

Nothing here imports coffea; ``pip install 'hepneg[coffea]'`` brings it.
"""

from hepneg.columnar.event_columns import logit, refined_weight, response
from hepneg.columnar.processors import GeneratorSumsProcessor, ResponseProcessor, SubsampleProcessor, SumsProcessor
from hepneg.columnar.steps import accumulate, fileset, response_histogram, with_generator_sums
from hepneg.columnar.template_processor import TemplateProcessor, templates

__all__ = [
    "GeneratorSumsProcessor",
    "ResponseProcessor",
    "SubsampleProcessor",
    "SumsProcessor",
    "TemplateProcessor",
    "accumulate",
    "fileset",
    "logit",
    "refined_weight",
    "response",
    "response_histogram",
    "templates",
    "with_generator_sums",
]

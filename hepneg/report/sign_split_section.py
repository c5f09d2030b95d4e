"""The blocks on sign-split closure: classifiers trained with |w| on each sign and on both."""

from __future__ import annotations

from collections.abc import Iterator

from hepneg._core.figure_names import CLOSURE_STEM, CLOSURE_TESTS_STEM, closure_response_stem
from hepneg.report.blocks import Block, Gallery, Heading, NotRun, Text
from hepneg.report.result_tables import closure_table
from hepneg.report.results import Results

__all__ = ["closure_blocks"]

_COMMAND = "hepneg closure"


def closure_blocks(results: Results) -> Iterator[Block]:
    """Show how well classifiers trained with |w| fit each sign alone and both together."""
    closure = results.closure
    if closure is None:
        if results.config.task == "classification":
            yield NotRun(_COMMAND)
        return
    response = closure["response"]
    yield Heading("Sign-split closure", response["verdict"])
    yield Text(closure["conclusion"])
    yield closure_table(closure)
    yield Gallery((results.figure(CLOSURE_STEM), results.figure(CLOSURE_TESTS_STEM)))
    for name, shapes in response["samples"].items():
        reason = shapes["reason"]
        yield Text(f"Response of {name}, positive against negative events: {shapes['verdict']}: {reason}.")
    yield Gallery(
        tuple(
            results.figure(closure_response_stem(name), "closure_response", sample=name)
            for name, shapes in response["samples"].items()
            if shapes["features"]
        )
    )

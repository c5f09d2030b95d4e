"""Stacks on the page."""

from __future__ import annotations

from hepneg._core.class_names import class_of_response
from hepneg._core.figure_names import stack_stem
from hepneg.report.blocks import Figure, Gallery
from hepneg.report.results import Data, Results

__all__ = ["stack_gallery"]


def stack_gallery(results: Results, *, main: bool) -> tuple[Gallery, ...]:
    """Return the stacks of the response or prediction, or those of all other quantities."""
    stacks = (results.stacks or {"stacks": []})["stacks"]
    shown = [stack for stack in stacks if (stack["quantity"] in results.config.main_quantities) == main]
    return (Gallery(tuple(_stack(results, stack) for stack in shown)),) if shown else ()


def _title(results: Results, quantity: str) -> str:
    if quantity not in results.config.main_quantities:
        return quantity
    node = class_of_response(quantity)
    return f"Response of {node}" if node else quantity.capitalize()


def _stack(results: Results, stack: Data) -> Figure:
    name = _title(results, stack["quantity"])
    where = f"{name} in {stack['region']}" if stack["region"] else name
    data = " and data" if stack["data"] is not None else ""
    without = f" (without {stack['left_out']})" if stack["left_out"] else ""
    return results.figure(
        stack_stem(stack["quantity"], stack["region"]), "stack", quantity=f"{where}{without}", data=data
    )

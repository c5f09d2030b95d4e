"""The k networks of a training as one module, and that module as an ONNX graph."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from hepneg.events import InputLayout
from hepneg.networks.calibrated_network import mean_output
from hepneg.networks.class_outputs import class_log_odds, with_first_class
from hepneg.networks.objects import Objects, object_rows

__all__ = ["OPSET", "MeanClasses", "MeanEnsemble", "MeanRegression", "ensemble_graph", "input_names"]

# The newest set of operators that the runtimes of the experiments and ROOT's SOFIE read.
OPSET = 18


class MeanEnsemble(nn.Module):
    """From rows of raw inputs, (n, W), to the response and the mean log-odds of several networks, (n,) each.

    With a scale there is low + (high − low)·response as well.
    """

    def __init__(self, networks: Sequence[nn.Module], scale: tuple[float, float] | None = None) -> None:
        super().__init__()
        self.networks, self.scale = nn.ModuleList(networks), scale

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return response, log-odds, and the output on its scale where there is one."""
        logit = mean_output(list(self.networks), features, features.dtype)
        response = torch.sigmoid(logit)
        if self.scale is None:
            return response, logit
        low, high = self.scale
        return response, logit, low + (high - low) * response


class MeanClasses(nn.Module):
    """From rows of raw inputs, (n, W), to what is known of K classes; see :class:`hepneg.models.classifier.Classifier`.

    Responses and log-odds against all other classes, (n, K) each, and the networks' mean log-ratios against the first
    class, (n, K − 1), or (n,) of two classes.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return responses, log-odds and log-ratios."""
        log_ratios = mean_output(list(self.networks), features, features.dtype)
        logarithms = torch.log_softmax(with_first_class(log_ratios), dim=1)
        return torch.exp(logarithms), class_log_odds(logarithms), log_ratios


class MeanRegression(nn.Module):
    """From rows of raw inputs, (n, W), to the mean prediction of several networks and all their outputs, (n, T·M).

    The prediction is (n,), or (n, T) of T targets.
    """

    def __init__(self, networks: Sequence[nn.Module], shape: tuple[int, int], central: int) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.shape, self.central = shape, central

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the prediction and all outputs, the quantiles where there are several."""
        outputs = torch.stack([network(features) for network in self.networks]).mean(dim=0)
        prediction = outputs.reshape(-1, *self.shape)[..., self.central]
        return prediction[:, 0] if self.shape[0] == 1 else prediction, outputs


class _OfObjects(nn.Module):
    """From features, (n, F), and for each collection padded objects, (n, most, m), and their number, (n,)."""

    def __init__(self, ensemble: nn.Module, layout: InputLayout) -> None:
        super().__init__()
        self.ensemble, self.layout = ensemble, layout

    def forward(self, features: torch.Tensor, objects: list[torch.Tensor]) -> Any:
        """Return what the networks make of rows; what stands behind the objects does not matter."""
        columns = [features]
        for padded, number in zip(objects[::2], objects[1::2], strict=True):
            there = torch.arange(padded.shape[1]) < number[:, None]
            columns.append(object_rows(Objects(torch.where(there[..., None], padded, 0.0), there), padded.shape[1]))
        return self.ensemble(torch.cat(columns, dim=1))


def input_names(layout: InputLayout) -> list[str]:
    """Return the names of a graph's inputs: ``features``, and ``jets`` and ``jets_number`` for a collection jets."""
    return ["features", *(name for part in layout.collections for name in (part, f"{part}_number"))]


def ensemble_graph(ensemble: nn.Module, layout: InputLayout, outputs: Sequence[str], opset: int = OPSET) -> Any:
    """Return the mean of networks as an ``onnx.ModelProto`` with any number of events.

    Args:
        ensemble: takes rows of raw inputs, (n, W), to a tuple of tensors; left as it is.
        layout: of the inputs.
        outputs: names of these tensors.
        opset: version of the set of operators.

    Returns:
        A model with the inputs of :func:`input_names` and these outputs, in the lowest version of the format
        that has such operators: older runtimes read it.
    """
    ensemble = copy.deepcopy(ensemble).cpu().eval()
    events, inputs = torch.export.Dim("events"), [torch.zeros(2, layout.scalars)]
    for part in layout.collections.values():
        inputs += [torch.zeros(2, part.most, len(part.features)), torch.ones(2, dtype=torch.int64)]
    shapes: Any = ({0: events},)
    arguments: Any = tuple(inputs)
    if layout.collections:
        ensemble = _OfObjects(ensemble, layout).eval()
        arguments, shapes = (inputs[0], inputs[1:]), ({0: events}, [{0: events}] * (len(inputs) - 1))
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            ensemble,
            arguments,
            input_names=input_names(layout),
            output_names=list(outputs),
            opset_version=opset,
            dynamo=True,
            dynamic_shapes=shapes,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    return _lowest_version(_without_traces(program.model_proto))


def _lowest_version(model: Any) -> Any:
    """Give a model the lowest version of the format (IR) that has its operators; the exporter writes the newest."""
    from onnx.helper import find_min_ir_version_for

    model.ir_version = find_min_ir_version_for(list(model.opset_import))
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter says about its own parts and about torchvision."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _without_traces(model: Any) -> Any:
    """Remove the stack traces, with the paths of this machine, that the exporter keeps on every part."""
    graph = model.graph
    for part in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer, graph, model):
        del part.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
    return model

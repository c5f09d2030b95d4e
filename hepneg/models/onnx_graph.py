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

from hepneg.networks.calibrated_network import mean_output

__all__ = ["OPSET", "MeanEnsemble", "MeanRegression", "ensemble_graph"]

# The newest set of operators that the runtimes of the experiments and ROOT's SOFIE read.
OPSET = 18


class MeanEnsemble(nn.Module):
    """From raw features, (n, F), to the response and the mean log-odds of several networks, (n,) each.

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


class MeanRegression(nn.Module):
    """From raw features, (n, F), to the mean prediction of several networks and all their outputs, (n, T·M).

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


def ensemble_graph(ensemble: nn.Module, inputs: int, outputs: Sequence[str], opset: int = OPSET) -> Any:
    """Return the mean of networks as an ``onnx.ModelProto`` with any number of events.

    Args:
        ensemble: takes raw features, (n, F), to a tuple of tensors; left as it is.
        inputs: F.
        outputs: names of these tensors.
        opset: version of the set of operators.

    Returns:
        A model with the input ``features``, (events, F) float32, and these outputs, in the lowest version of the format
        that has such operators: older runtimes read it.
    """
    ensemble = copy.deepcopy(ensemble).cpu().eval()
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            ensemble,
            (torch.zeros(2, inputs),),
            input_names=["features"],
            output_names=list(outputs),
            opset_version=opset,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("events")},),
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

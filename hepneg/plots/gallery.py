"""Which figures an analysis gets, under which names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from hepneg._core.figure_names import (
    CLOSURE_STEM,
    CLOSURE_TESTS_STEM,
    MULTIVARIATE_STEM,
    YARDSTICK_STEM,
    boxes_stem,
    by_sign_stem,
    closure_response_stem,
    components_stem,
    correlations_stem,
    overview_stem,
    shape_stem,
    stack_stem,
)
from hepneg.config import Config, FigureFormat, Plots
from hepneg.evaluation.classification import Evaluation
from hepneg.evaluation.regression import RegressionEvaluation
from hepneg.evaluation.stack import Stack
from hepneg.plots.correlation_plot import plot_sign_correlations
from hepneg.plots.feature_overview import plot_feature_overview
from hepneg.plots.merit_plots import plot_calibration, plot_roc, plot_significance
from hepneg.plots.multivariate_plot import plot_multivariate
from hepneg.plots.negative_regions import plot_negative_boxes
from hepneg.plots.regression_plots import plot_bias, plot_pulls, plot_residuals, plot_response_matrix
from hepneg.plots.response_plot import plot_response, plot_response_by_sign, plot_response_components
from hepneg.plots.shape_plots import plot_effect_sizes, plot_feature_shape
from hepneg.plots.sign_split_plot import plot_closure_curves, plot_closure_tests
from hepneg.plots.stack_plot import plot_stack
from hepneg.plots.style import save
from hepneg.plots.systematics_plot import plot_yardsticks
from hepneg.plots.training_curves import plot_learning_curves, plot_overtraining
from hepneg.plots.weight_plots import plot_weights
from hepneg.shapes import ShapeReport
from hepneg.studies import SignSplitClosure
from hepneg.weights import WeightReport

__all__ = [
    "closure_figures",
    "evaluation_figures",
    "regression_figures",
    "response_figures",
    "save_figures",
    "shape_figures",
    "stack_figures",
    "weight_figures",
]

Figures = Iterator[tuple[str, Figure]]
_DEFAULTS = Plots()


def weight_figures(report: WeightReport) -> Figures:
    """Draw the weight summary."""
    yield "weights", plot_weights(report).figure


def shape_figures(report: ShapeReport, settings: Plots = _DEFAULTS) -> Figures:
    """Draw the effect sizes, the features of each sample, and the tests of all of them together.

    Args:
        report: the shape check.
        settings: say which features get a figure of their own; the others share one.
    """
    yield "shapes", plot_effect_sizes(report).figure
    together = {sample: shapes.multivariate for sample, shapes in report.samples.items() if shapes.multivariate}
    if together:
        yield MULTIVARIATE_STEM, plot_multivariate(together).figure
    if any(shapes.systematics for shapes in report.samples.values()):
        yield YARDSTICK_STEM, plot_yardsticks(report).figure
    for sample, shapes in report.samples.items():
        if shapes.joint and shapes.joint.correlations:
            yield correlations_stem(sample), plot_sign_correlations(shapes.joint.correlations, sample=sample).figure
        others = []
        for feature, shape in shapes.features.items():
            if settings.has_page(shape.p_adjusted, report.alpha):
                yield shape_stem(sample, feature), plot_feature_shape(shape, sample=sample).figure
            else:
                others.append(shape)
        if others:
            yield overview_stem(sample), plot_feature_overview(others, sample=sample).figure
        for density in shapes.joint.densities if shapes.joint else ():
            drawn = plot_negative_boxes(density, shapes.drawn_boxes, sample=sample)
            yield boxes_stem(sample, *density.names), drawn.figure


def closure_figures(closure: SignSplitClosure) -> Figures:
    """Draw how well classifiers trained with |w| fit each sign and both together, and their response by sign."""
    yield CLOSURE_STEM, plot_closure_curves(closure).figure
    yield CLOSURE_TESTS_STEM, plot_closure_tests(closure).figure
    label = "Response of a classifier trained with |w|"
    for sample, shapes in closure.response.samples.items():
        for shape in shapes.features.values():
            yield closure_response_stem(sample), plot_feature_shape(shape, sample=sample, axis_label=label).figure


def evaluation_figures(evaluation: Evaluation | RegressionEvaluation) -> Figures:
    """Draw what a model is worth, whatever its task."""
    return response_figures(evaluation) if isinstance(evaluation, Evaluation) else regression_figures(evaluation)


def response_figures(evaluation: Evaluation) -> Figures:
    """Draw the response and what it is worth."""
    yield "response", plot_response(evaluation).figure
    yield "response_log", plot_response(evaluation, scale="log").figure
    for row in evaluation.samples:
        yield components_stem(row.sample), plot_response_components(evaluation, row.sample).figure
        yield by_sign_stem(row.sample), plot_response_by_sign(evaluation, row.sample).figure
    yield "roc", plot_roc(evaluation).figure
    yield "calibration", plot_calibration(evaluation).figure
    yield "significance", plot_significance(evaluation).figure
    if evaluation.overtraining:
        yield "overtraining", plot_overtraining(evaluation).figure
    if evaluation.histories:
        yield "learning_curves", plot_learning_curves(evaluation.histories).figure


def stack_figures(stacks: Iterable[Stack], config: Config) -> Figures:
    """Draw every stack as the configuration asks."""
    scales = {variable.name: variable.scale for variable in config.drawn_variables}
    for stack in stacks:
        scale = scales.get(stack.quantity) or config.plots.scale
        look = config.plots.model_copy(update={"scale": scale})
        own = config.title_of(stack.quantity) if stack.quantity != "response" else (look.title, None)
        options: dict[str, Any] = {"title": own[0], "unit": own[1], "luminosity": config.luminosity}
        yield stack_stem(stack.quantity, stack.region), plot_stack(stack, look=look, **options).figure


def regression_figures(evaluation: RegressionEvaluation) -> Figures:
    """Draw how far predictions lie from their targets."""
    yield "residuals", plot_residuals(evaluation).figure
    yield "pulls", plot_pulls(evaluation).figure
    yield "bias", plot_bias(evaluation).figure
    yield "response_matrix", plot_response_matrix(evaluation).figure
    if evaluation.histories:
        yield "learning_curves", plot_learning_curves(evaluation.histories, unit="").figure


def save_figures(
    figures: Iterable[tuple[str, Figure]], folder: Path, formats: Sequence[FigureFormat] = ("png",)
) -> list[Path]:
    """Save each figure and return the paths.

    Args:
        figures: by their names without suffix.
        folder: for the files.
        formats: of each figure; the file of another format that an earlier job wrote of it is removed.

    Raises:
        OutputError: a file cannot be written.
    """
    return [path for stem, figure in figures for path in save(figure, folder / stem, formats)]

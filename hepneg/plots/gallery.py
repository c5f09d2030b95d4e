"""Which figures an analysis gets, under which names. Each is drawn when it is called for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hepneg._core.class_names import class_of_response
from hepneg._core.figure_names import (
    CLASS_CALIBRATION_STEM,
    CLOSURE_STEM,
    CLOSURE_TESTS_STEM,
    CONFUSION_STEM,
    CORRELATED_RESIDUALS_STEM,
    MULTIVARIATE_STEM,
    YARDSTICK_STEM,
    boxes_stem,
    by_sign_stem,
    class_response_stem,
    closure_response_stem,
    components_stem,
    correlations_stem,
    overtraining_stem,
    overview_stem,
    shape_stem,
    stack_stem,
    target_stem,
)
from hepneg.config import Config, Feature, Plots
from hepneg.evaluation.several_targets import SeveralTargets
from hepneg.plots.axis_titles import axis_title
from hepneg.plots.class_plots import plot_class_calibration, plot_class_response, plot_confusion
from hepneg.plots.comparison_plot import plot_comparison
from hepneg.plots.correlation_plot import plot_sign_correlations
from hepneg.plots.feature_overview import plot_feature_overview
from hepneg.plots.merit_plots import plot_calibration, plot_roc, plot_significance
from hepneg.plots.multivariate_plot import plot_multivariate
from hepneg.plots.negative_regions import plot_negative_boxes
from hepneg.plots.regression_plots import (
    plot_bias,
    plot_pulls,
    plot_residual_correlations,
    plot_residuals,
    plot_response_matrix,
)
from hepneg.plots.response_plot import plot_response, plot_response_by_sign, plot_response_components
from hepneg.plots.running_rates import has_running_state, plot_running_rates
from hepneg.plots.shape_plots import plot_effect_sizes, plot_feature_shape
from hepneg.plots.sign_split_plot import plot_closure_curves, plot_closure_tests
from hepneg.plots.stack_plot import plot_stack
from hepneg.plots.style import Drawn
from hepneg.plots.systematics_plot import plot_yardsticks
from hepneg.plots.training_curves import plot_learning_curves, plot_overtraining
from hepneg.plots.weight_plots import plot_weights
from hepneg.shapes import ShapeReport

if TYPE_CHECKING:
    from hepneg.evaluation.class_evaluation import ClassEvaluation
    from hepneg.evaluation.classification import Evaluation
    from hepneg.evaluation.regression import RegressionEvaluation
    from hepneg.evaluation.stack import Stack
    from hepneg.studies import SignSplitClosure
    from hepneg.studies.scheme_comparison import Comparison
    from hepneg.weights import WeightReport

__all__ = [
    "Figures",
    "class_figures",
    "closure_figures",
    "comparison_figures",
    "regression_figures",
    "response_figures",
    "shape_figures",
    "stack_figures",
    "weight_figures",
]

Figures = Iterator[tuple[str, Callable[[], Drawn]]]
"""The name of each figure, and what draws it."""

_DEFAULTS = Plots()


def weight_figures(report: WeightReport) -> Figures:
    """Draw the weight summary."""
    yield "weights", partial(plot_weights, report)


def shape_figures(report: ShapeReport, settings: Plots = _DEFAULTS, features: Sequence[Feature] = ()) -> Figures:
    """Draw the effect sizes, the features of each sample, and the tests of all of them together.

    Args:
        report: the shape check.
        settings: say which features get a figure of their own; the others share one.
        features: with the titles and units of their axes.
    """
    titles = {
        part.name: axis_title(part.title or part.name, part.unit, settings, plain_text=part.title is None)
        for part in features
        if part.title or part.unit
    }
    yield "shapes", partial(plot_effect_sizes, report)
    together = {sample: shapes.multivariate for sample, shapes in report.samples.items() if shapes.multivariate}
    if together:
        yield MULTIVARIATE_STEM, partial(plot_multivariate, together)
    if any(shapes.systematics for shapes in report.samples.values()):
        yield YARDSTICK_STEM, partial(plot_yardsticks, report)
    for sample, shapes in report.samples.items():
        if shapes.joint and shapes.joint.correlations:
            yield correlations_stem(sample), partial(plot_sign_correlations, shapes.joint.correlations, sample=sample)
        others = []
        for feature, shape in shapes.features.items():
            if settings.has_page(shape.p_adjusted, report.alpha):
                label = titles.get(feature)
                yield shape_stem(sample, feature), partial(plot_feature_shape, shape, sample=sample, axis_label=label)
            else:
                others.append(shape)
        if others:
            yield overview_stem(sample), partial(plot_feature_overview, others, sample=sample)
        for density in shapes.joint.densities if shapes.joint else ():
            yield (
                boxes_stem(sample, *density.names),
                partial(plot_negative_boxes, density, shapes.drawn_boxes, sample=sample),
            )


def comparison_figures(comparison: Comparison) -> Figures:
    """Draw the response under several schemes."""
    yield "comparison", partial(plot_comparison, comparison)


def closure_figures(closure: SignSplitClosure) -> Figures:
    """Draw how well classifiers trained with |w| fit each sign and both together, and their response by sign."""
    yield CLOSURE_STEM, partial(plot_closure_curves, closure)
    yield CLOSURE_TESTS_STEM, partial(plot_closure_tests, closure)
    label = "Response of a classifier trained with |w|"
    for sample, shapes in closure.response.samples.items():
        for shape in shapes.features.values():
            yield closure_response_stem(sample), partial(plot_feature_shape, shape, sample=sample, axis_label=label)


def response_figures(evaluation: Evaluation, look: Plots = _DEFAULTS, luminosity: float | None = None) -> Figures:
    """Draw the response and what it is worth."""
    response = partial(plot_response, evaluation, look=look, luminosity=luminosity)
    yield "response", response
    yield "response_log", partial(response, scale="log")
    for row in evaluation.samples:
        yield components_stem(row.sample), partial(plot_response_components, evaluation, row.sample, look=look)
        yield by_sign_stem(row.sample), partial(plot_response_by_sign, evaluation, row.sample, look=look)
    yield "roc", partial(plot_roc, evaluation)
    yield "calibration", partial(plot_calibration, evaluation)
    yield "significance", partial(plot_significance, evaluation)
    if evaluation.overtraining:
        yield "overtraining", partial(plot_overtraining, evaluation)
    if evaluation.histories:
        yield "learning_curves", partial(plot_learning_curves, evaluation.histories)
    if has_running_state(evaluation.histories):
        yield "running_rates", partial(plot_running_rates, evaluation.histories)


def class_figures(evaluation: ClassEvaluation, look: Plots = _DEFAULTS, luminosity: float | None = None) -> Figures:
    """Draw the response of each of several classes and what it is worth."""
    for name in evaluation.classes:
        response = partial(plot_class_response, evaluation, name, look=look, luminosity=luminosity)
        yield class_response_stem(name), response
        yield class_response_stem(name, logarithmic=True), partial(response, scale="log")
    yield CONFUSION_STEM, partial(plot_confusion, evaluation)
    yield CLASS_CALIBRATION_STEM, partial(plot_class_calibration, evaluation)
    for name in evaluation.overtraining:
        yield overtraining_stem(name), partial(plot_overtraining, evaluation, name)
    if evaluation.histories:
        yield "learning_curves", partial(plot_learning_curves, evaluation.histories)


def stack_figures(stacks: Iterable[Stack], config: Config) -> Figures:
    """Draw every stack as the configuration asks."""
    scales = {variable.name: variable.scale for variable in config.drawn_variables}
    for stack in stacks:
        scale = scales.get(stack.quantity) or config.plots.scale
        look = config.plots.model_copy(update={"scale": scale})
        main = stack.quantity in config.main_quantities
        own = (_main_title(stack.quantity, config), None) if main else config.title_of(stack.quantity)
        options: dict[str, Any] = {"title": own[0], "unit": own[1], "luminosity": config.luminosity}
        yield stack_stem(stack.quantity, stack.region), partial(plot_stack, stack, look=look, **options)


def _main_title(quantity: str, config: Config) -> str:
    """Return the title of a response, with the class that it is of where there are several."""
    node = class_of_response(quantity)
    return f"{config.main_title}: {node}" if node else config.main_title


def regression_figures(evaluation: RegressionEvaluation | SeveralTargets) -> Figures:
    """Draw how far predictions lie from their targets, of each of several, and how the residuals go together."""
    parts = evaluation.targets.items() if isinstance(evaluation, SeveralTargets) else [("", evaluation)]
    for name, part in parts:
        for kind, draw in _OF_TARGET.items():
            yield target_stem(kind, name), partial(draw, part)
    if isinstance(evaluation, SeveralTargets):
        yield CORRELATED_RESIDUALS_STEM, partial(plot_residual_correlations, evaluation)
    if evaluation.histories:
        yield "learning_curves", partial(plot_learning_curves, evaluation.histories, unit="")


_OF_TARGET: dict[str, Callable[[RegressionEvaluation], Drawn]] = {
    "residuals": plot_residuals,
    "pulls": plot_pulls,
    "bias": plot_bias,
    "response_matrix": plot_response_matrix,
}

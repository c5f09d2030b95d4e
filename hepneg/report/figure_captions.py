"""What the page says of each figure: its caption, the same for who cannot see it, and the command that draws it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CAPTIONS", "FigureCaption"]

_PARTS = "Positive, negative and all events."


class FigureCaption(NamedTuple):
    """Texts of a figure, with the names of its sample and features in braces."""

    caption: str
    alternative: str
    command: str = "hepneg plot"


CAPTIONS = {
    "weights": FigureCaption(
        "Signed sums of the samples.", "Positive, negative and net sums of weights of each sample", "hepneg inspect"
    ),
    "shapes": FigureCaption(
        "Total variation between positive and negative shapes.",
        "Total variation of every feature in every sample, with its error and the noise taken off",
        "hepneg check",
    ),
    "shapes_multivariate": FigureCaption(
        "Permutation importance: by how much the AUC of a classifier of the sign falls when a feature is permuted.",
        "Permutation importance with its error, by feature and sample",
        "hepneg check",
    ),
    "shapes_yardstick": FigureCaption(
        "Displacement of each shape by |w|, over the spread of the systematic variations.",
        "Bars of the systematic spread and points of the bias of |w|, by feature and sample",
        "hepneg check",
    ),
    "shape": FigureCaption(
        "{feature} in {sample}: positive and negative events.",
        "Normalised shapes of {feature} for positive and negative events of {sample}, ratio and pulls",
        "hepneg check",
    ),
    "overview": FigureCaption(
        "Features of {sample} without a figure of their own: positive and negative events, with error bands.",
        "Normalised shapes of several features for positive and negative events of {sample}, in small panels",
        "hepneg check",
    ),
    "correlations": FigureCaption(
        "Correlations in {sample}: positive events, negative events, and the difference over its error.",
        "Correlation matrices of the features for positive and negative events of {sample}, and their difference",
        "hepneg check",
    ),
    "boxes": FigureCaption(
        "{x} and {y} in {sample}: signed density, with the boxes in which it is negative.",
        "Signed density of {sample} in {x} and {y} in units of its error; boxes with negative sums outlined",
        "hepneg check",
    ),
    "closure": FigureCaption(
        "Observed share of signal minus response, by the response.",
        f"Observed share of signal minus response, by the response. {_PARTS}",
        "hepneg closure",
    ),
    "closure_tests": FigureCaption(
        "χ² per bin of the residuals in each feature; full points are mismodelled.",
        f"χ² per bin of the residuals in each feature. {_PARTS}",
        "hepneg closure",
    ),
    "closure_response": FigureCaption(
        "Response of {sample} to a classifier trained with |w|: positive and negative events.",
        "Normalised response of positive and negative events of {sample}, ratio and pulls",
        "hepneg closure",
    ),
    "learning_curves": FigureCaption(
        "Validation loss and training objective by epoch.", "Learning curve of each fold with error band and best epoch"
    ),
    "running_rates": FigureCaption(
        "What the objective followed: running rates of the training batches, and the price.",
        "Running sensitivity and specificity, or share, and price by epoch for each fold",
    ),
    "overtraining": FigureCaption(
        "Response to events held out and trained on; Kolmogorov–Smirnov test: {p_values}.",
        "Normalised response of signal and background to events held out and trained on, with their ratio",
    ),
    "overtraining_of_node": FigureCaption(
        "Response of {node} to events held out and trained on; Kolmogorov–Smirnov test, corrected for the number of "
        "tests: {p_values}.",
        "Normalised response of {node} of its own and all other events, held out and trained on, with their ratio",
    ),
    "stack": FigureCaption(
        "{quantity}: all samples stacked{data}, with the uncertainty of their sum.",
        "Stack of {quantity}: Σw of every sample by bin{data}, the error band of the sum, ratio where there are data",
    ),
    "response": FigureCaption(
        "Net response of every sample, normalised.", "Share of Σw by response for every sample, with errors"
    ),
    "response_log": FigureCaption(
        "The same on a logarithmic axis.",
        "Share of Σw by response for every sample on a logarithmic axis, negative bins marked",
    ),
    "class_response": FigureCaption(
        "Net response of {node} for the events of each class, normalised.",
        "Share of Σw by the probability of {node} for the events of every class, with errors",
    ),
    "class_response_log": FigureCaption(
        "The same on a logarithmic axis.",
        "Share of Σw by the probability of {node} for every class on a logarithmic axis, negative bins marked",
    ),
    "confusion": FigureCaption(
        "Where the events of each class go: signed shares of Σw by the most probable class.",
        "Matrix of the signed shares of each class's Σw by the most probable class at equal priors, with errors",
    ),
    "class_calibration": FigureCaption(
        "Calibration of each class against all others.",
        "Observed signed share of each class against its response, with errors and the diagonal",
    ),
    "components": FigureCaption(
        "{sample}: positive, negative and net.",
        "Response of {sample}: positive, negative and net sums of weights in each bin",
    ),
    "by_sign": FigureCaption(
        "{sample}: shapes by sign.",
        "Normalised response of the positive and of the negative events of {sample}, with their ratio",
    ),
    "roc": FigureCaption("Signed ROC curve.", "Background efficiency against signal efficiency with its error band"),
    "calibration": FigureCaption(
        "Calibration.",
        "Observed signal share against the response, with errors and the diagonal; open: before the calibration",
    ),
    "significance": FigureCaption(
        "Significance of a cut.", "Expected significance against the cut on the response, with errors"
    ),
    "residuals": FigureCaption("Residuals.", "Share of Σw by prediction minus target for every sample, with errors"),
    "pulls": FigureCaption(
        "Pulls.", "Share of Σw by residual over its expected width, with a unit normal distribution"
    ),
    "bias": FigureCaption(
        "Bias and resolution.", "Mean residual and its standard deviation in bins of prediction and of target"
    ),
    "residual_correlations": FigureCaption(
        "Correlation of the residuals of each pair of targets.",
        "Matrix of the correlations between the residuals of the targets, in per cent with errors",
    ),
    "response_matrix": FigureCaption("Response matrix.", "Signed share of the predictions in each bin of the target"),
    "comparison_of_classes": FigureCaption(
        "Net response of each class to its own events under each scheme, and differences to the recommended scheme, "
        "paired on the same events.",
        "Normalised response of each class to its own events under each scheme, and differences of mean AUC and loss",
        "hepneg compare",
    ),
    "comparison": FigureCaption(
        "Net response under each scheme, and differences to the recommended one, paired on the same events.",
        "Normalised response of every sample under each scheme, and differences of AUC and loss with errors",
        "hepneg compare",
    ),
}
"""By what a figure shows; a figure that is drawn once has the name of its file."""

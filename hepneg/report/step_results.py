"""What the steps of an analysis return: a result each, and the files that hold it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from hepneg.evaluation.evaluation import AnyEvaluation
    from hepneg.models.classifier import Classifier
    from hepneg.models.regressor import Regressor
    from hepneg.report.page import ReportPage
    from hepneg.shapes import ShapeReport
    from hepneg.weights import WeightReport

Result = TypeVar("Result")


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """The result of a step, and the files that it wrote."""

    result: Result
    files: tuple[Path, ...]

    def with_files(self, files: Iterable[Path]) -> Outcome[Result]:
        """Return it with more files."""
        return Outcome(self.result, (*self.files, *files))


@dataclass(frozen=True, eq=False)
class Trained:
    """A classifier or regressor, and its evaluation. A response from elsewhere has neither model nor digest."""

    model: Classifier | Regressor | None
    evaluation: AnyEvaluation
    digest: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return what ``metrics.json`` holds: the evaluation, and the digest of the model that it is of."""
        return {**self.evaluation.to_dict(), "model": self.digest}


@dataclass(frozen=True, eq=False)
class RunResult:
    """The results of the main job, step by step."""

    weights: WeightReport
    shapes: ShapeReport
    trained: Trained
    report: ReportPage

    def to_dict(self) -> dict[str, Any]:
        """Return the results, JSON-ready: the contents of their files by the name of the step."""
        return {
            "schema_version": 1,
            "inspect": self.weights.to_dict(),
            "check": self.shapes.to_dict(),
            "train": self.trained.to_dict(),
            "report": self.report.to_dict(),
        }

"""What the steps left under ``output``, read back."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from hepneg._core.input import read_small_text
from hepneg.config import Config
from hepneg.errors import DataError, HepnegWarning
from hepneg.report.blocks import Figure
from hepneg.report.figure_captions import CAPTIONS
from hepneg.report.pictures import Picture, read_pictures

__all__ = ["FILES", "Data", "Results", "load_results"]

Data: TypeAlias = Mapping[str, Any]

FILES = {
    "weights": "inspect.json",
    "shapes": "check.json",
    "closure": "closure.json",
    "evaluation": "metrics.json",
    "model": "model/model.json",
    "comparison": "compare.json",
    "stacks": "stacks.json",
    "templates": "templates/templates.json",
}
"""The file behind each field of :class:`Results`."""

_SCHEMA_VERSIONS = {"model.json": 2}
"""Of the files whose format is not the first one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Results:
    """Everything that the page is made from.

    Attributes:
        config: the analysis.
        weights: content of ``inspect.json``, or None where the step was not run.
        shapes: content of ``check.json``, or None.
        closure: content of ``closure.json``, or None.
        evaluation: content of ``metrics.json``, or None.
        model: content of ``model/model.json``, or None.
        comparison: content of ``compare.json``, or None.
        stacks: content of ``stacks.json``, or None.
        templates: content of ``templates/templates.json``, or None.
        day: on which the newest of these was written, empty where that is not known.
        pictures: figures by their names without suffix.
    """

    config: Config
    weights: Data | None = None
    shapes: Data | None = None
    closure: Data | None = None
    evaluation: Data | None = None
    model: Data | None = None
    comparison: Data | None = None
    stacks: Data | None = None
    templates: Data | None = None
    day: str = ""
    pictures: Mapping[str, Picture]

    def __repr__(self) -> str:
        present = [name for field, name in FILES.items() if getattr(self, field) is not None]
        return f"Results({self.config.name!r}: {', '.join(present)}; {len(self.pictures)} figures)"

    def label(self, sample: str) -> str:
        """Return the label of a sample, or an empty string for one that the configuration does not know."""
        known = self.config.samples.get(sample)
        return known.label if known else ""

    def figure(self, stem: str, kind: str = "", **names: str) -> Figure:
        """Return a figure of the page.

        Args:
            stem: name of the file without suffix.
            kind: of :data:`~hepneg.report.figure_captions.CAPTIONS`; left out, the stem.
            **names: what its caption names: the sample, the features.
        """
        texts = CAPTIONS[kind or stem]
        caption, alternative = texts.caption.format(**names), texts.alternative.format(**names)
        return Figure(stem, caption, alternative, self.pictures.get(stem), texts.command)


def load_results(config: Config, *, pictures: bool = True) -> Results:
    """Read the results of an analysis.

    Args:
        config: the analysis; the files are looked for under its ``output``.
        pictures: whether to read the figures, which may be of an earlier job.

    Raises:
        DataError: there is nothing, or a file is damaged or of another version of the format.
    """
    contents = {field: _read(config.output / name) for field, name in FILES.items()}
    if all(content is None for content in contents.values()):
        raise DataError(f"nothing to report in {config.output}: it holds no results; do `hepneg run` first")
    drawn = read_pictures(config.output / "plots") if pictures else {}
    return Results(config=config, pictures=drawn, day=_newest(config), **_of_one_model(config, contents))


def _newest(config: Config) -> str:
    """Return the day (UTC) on which the newest result was written, from the files' times: the files hold no clock."""
    paths = [config.output / name for name in FILES.values()]
    times = [path.stat().st_mtime for path in paths if path.exists()]
    return datetime.fromtimestamp(max(times), UTC).date().isoformat()


def _of_one_model(config: Config, contents: dict[str, Data | None]) -> dict[str, Data | None]:
    """Leave the model out where the evaluation is of another one: its seed and settings are not those of the figures.

    Warns:
        HepnegWarning: it is so.
    """
    evaluation, model = contents["evaluation"], contents["model"]
    if evaluation is None or model is None or evaluation.get("model") in {None, model.get("digest")}:
        return contents
    warnings.warn(
        f"{config.output / 'metrics.json'} is of another model than the one in {config.output / 'model'}, which the "
        "page leaves out: run `hepneg plot` or `hepneg train`",
        HepnegWarning,
        stacklevel=3,
    )
    return {**contents, "model": None}


def _read(path: Path) -> Data | None:
    try:
        data = json.loads(read_small_text(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}; run the step that writes it again") from None
    version = data.get("schema_version") if isinstance(data, dict) else None
    wanted = _SCHEMA_VERSIONS.get(path.name, 1)
    if version != wanted:
        raise DataError(f"{path} has schema version {version}, not {wanted}; run the step that writes it again")
    content: Data = data
    return content

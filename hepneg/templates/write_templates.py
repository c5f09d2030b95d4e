"""The files of templates: JSON always, and what fits take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from hepneg._core.output import atomic_path, make_folder, write_json
from hepneg.config.template_settings import FORMATS, TemplateFormat
from hepneg.templates.cabinetry_config import cabinetry_config
from hepneg.templates.combine_card import datacard
from hepneg.templates.pyhf_workspace import workspace
from hepneg.templates.root_templates import write_root
from hepneg.templates.template_result import Templates

_ROOT, _PYHF, _CABINETRY, _COMBINE = "templates.root", "pyhf.json", "cabinetry.yaml", "datacard.txt"


def write_templates(
    templates: Templates, folder: str | Path, formats: Sequence[TemplateFormat] = FORMATS
) -> tuple[Path, ...]:
    """Write ``templates.json``, and ``templates.root``, ``pyhf.json``, ``cabinetry.yaml`` and ``datacard.txt``.

    Args:
        templates: what to write.
        folder: where; created where needed.
        formats: of :data:`~hepneg.config.template_settings.FORMATS`. cabinetry and combine read the ROOT file, which
            is written with them.

    Raises:
        OutputError: a file cannot be written.
    """
    target = make_folder(Path(folder))
    files = [write_json(target / "templates.json", templates.to_dict())]
    if {"root", "cabinetry", "combine"} & set(formats):
        files.append(write_root(target / _ROOT, templates))
    if "pyhf" in formats:
        files.append(write_json(target / _PYHF, workspace(templates)))
    if "cabinetry" in formats:
        content = yaml.safe_dump(cabinetry_config(templates, _ROOT), sort_keys=False)
        files.append(_write(target / _CABINETRY, content))
    if "combine" in formats:
        files.append(_write(target / _COMBINE, datacard(templates, _ROOT)))
    return tuple(files)


def _write(path: Path, content: str) -> Path:
    with atomic_path(path) as temporary:
        temporary.write_text(content, encoding="utf-8")
    return path

"""Systematic variations that are other files or trees: the configuration that reads them instead of the nominal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from hepneg.config import Config
from hepneg.config.samples import Sample
from hepneg.config.systematic_settings import Variation
from hepneg.errors import ConfigError, HepnegError
from hepneg.ntuples.files import sample_files
from hepneg.ntuples.identity import base_name

__all__ = ["of_variation", "varied_configs"]

_NOMINAL = re.compile(r"`samples\.[^`]+\.files`")


def varied_configs(config: Config) -> Iterator[tuple[str, bool, Config]]:
    """Yield each variation that is of other files or trees: name, whether in the same files, and what reads it.

    Raises:
        ConfigError: files that cannot be told apart by sample.
        DataError: a pattern of a sample's nominal files matches nothing.
    """
    for key, systematic in config.systematics.items():
        for name, variation in systematic.variations(key).items():
            if variation.weight is not None:
                continue
            affected = {
                sample: part for sample, part in config.samples.items() if systematic.applies_to(sample, part.label)
            }
            samples = {sample: _varied(config, sample, variation, name, len(affected)) for sample in affected}
            view = config.model_copy(update={"samples": samples, "data": {}, "systematics": {}})
            yield name, variation.files is None, view


@contextmanager
def of_variation(name: str) -> Iterator[None]:
    """Say in errors of which variation they are."""
    try:
        yield
    except HepnegError as error:
        text = _NOMINAL.sub("the files of the variation", str(error))
        raise type(error)(f"systematic variation {name!r}: {text}") from None


def _varied(config: Config, sample: str, variation: Variation, name: str, affected: int) -> Sample:
    """Return a sample with the files and the tree of a variation."""
    changed: dict[str, object] = {"tree": variation.tree} if variation.tree is not None else {}
    if variation.files is not None:
        changed |= {"files": tuple(_files(config, sample, variation.files)), "friends": None}
        if affected > 1 and not any("{" in pattern for pattern in variation.files):
            raise ConfigError(
                f"systematic variation {name!r} has the same files for {affected} samples; write {{sample}} or "
                "{stem} in their names, or say by `samples:` which sample it is of"
            )
    return config.samples[sample].model_copy(update=changed)


def _files(config: Config, sample: str, patterns: tuple[str, ...]) -> Iterator[str]:
    """Fill in the names of the sample and of its files."""
    for pattern in patterns:
        named = pattern.replace("{sample}", sample)
        if "{stem}" not in named:
            yield named
            continue
        for path in sample_files(config, sample):
            yield named.replace("{stem}", PurePosixPath(base_name(path)).stem)

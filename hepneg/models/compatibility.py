"""Is what a model says of the events of a configuration still said by networks that have not seen them?"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from hepneg.config import Config
from hepneg.errors import DataError, HepnegWarning
from hepneg.models.model import Model, ModelInputs
from hepneg.ntuples.identity import find_same

__all__ = ["require_same_events"]


def require_same_events(config: Config, model: Model) -> None:
    """Refuse a configuration under which the folds or the inputs of a model are others than in its training.

    An event is held out by a rule on its identifier. Other identifiers give other folds, and networks would be judged
    on events that they have seen.

    Args:
        config: as it is now.
        model: as it was trained.

    Raises:
        DataError: other expressions of the features or the target, other identifiers, or other labels of samples; the
            message says which.

    Warns:
        HepnegWarning: another selection or weight than that of the training; both may be wanted.
    """
    if not model.inputs.files:
        return  # trained on arrays: nothing is known of files
    now, trained = ModelInputs.from_config(config), model.inputs
    for problem in (*_other_inputs(now, trained), *_other_folds(now, trained), *_other_labels(config, model)):
        raise DataError(f"{problem}: run `hepneg train` again, or take the configuration of the training")
    for what, new, old in (("selection", now.selection, trained.selection), ("weight", now.weight, trained.weight)):
        if new != old:
            was, is_now = (f"{text!r}" if text else "none" for text in (old, new))
            message = f"the model was trained with the {what} {was}, and is judged here with {is_now}"
            warnings.warn(message, HepnegWarning, stacklevel=3)


def _other_inputs(now: ModelInputs, trained: ModelInputs) -> Iterator[str]:
    if tuple(now.features) != tuple(trained.features):
        yield (
            f"the configuration has the features {', '.join(now.features)}, "
            f"but the model takes {', '.join(trained.features)}"
        )
        return
    for name, expression in trained.features.items():
        if now.features[name] != expression:
            yield f"the feature {name!r} was {expression!r} in the training, and is {now.features[name]!r} now"
    if list(now.targets.items()) != list(trained.targets.items()):
        was, is_now = (", ".join(map(repr, part.targets.values())) or "none" for part in (trained, now))
        yield f"the target was {was} in the training, and is {is_now} now"
    objects = [{name: part.to_dict() for name, part in inputs.collections.items()} for inputs in (now, trained)]
    if objects[0] != objects[1]:
        yield "the `collections:` are others than in the training"
    if {k: tuple(v) for k, v in now.categories.items()} != {k: tuple(v) for k, v in trained.categories.items()}:
        yield "the `categories:` of the features are others than in the training"


def _other_folds(now: ModelInputs, trained: ModelInputs) -> Iterator[str]:
    if now.folds != trained.folds:
        by = [repr(folds["by"]) if folds else "a hash of the identifier" for folds in (trained.folds, now.folds)]
        yield f"folds were by {by[0]} in the training, and are by {by[1]} now"
        return
    if now.event_id != trained.event_id:
        names = [", ".join(ids) or "the file name and the entry" for ids in (trained.event_id, now.event_id)]
        yield (
            f"events were identified by {names[0]} in the training, and are by {names[1]} now, which makes other folds"
        )
    elif not now.event_id:
        for file in now.files:
            known = find_same(file, trained.files)
            if known is None or known.name != file.name:
                yield (
                    f"{file.name} is no file of the training, and without `event_id:` its events cannot be known "
                    "again, nor their folds"
                )


def _other_labels(config: Config, model: Model) -> Iterator[str]:
    for name, sample in config.samples.items():
        trained = model.samples.get(name, {}).get("label", sample.label)
        if config.task == "classification" and trained != sample.label:
            yield f"the sample {name!r} was {trained} in the training, and is {sample.label} now"

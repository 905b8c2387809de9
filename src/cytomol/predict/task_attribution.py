"""Which atoms drive a predictor's answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytomol.chem.occlusion.attribution import ExplainedMolecule, occlude
from cytomol.chem.occlusion.masked_molecules import MaskedMolecules
from cytomol.errors import ConfigError, InputError
from cytomol.predict.predictor import Predictor

__all__ = ["explain_tasks", "named_tasks"]

_MOST_TASKS = 10


def named_tasks(predictor: Predictor, names: Sequence[str]) -> list[str]:
    """Return the tasks to explain: those named, or all where there are few.

    Raises
    ------
    InputError
        If a task is unknown, or none is named and there are many.
    """
    known = list(predictor.names)
    if not names:
        if len(known) > _MOST_TASKS:
            raise InputError(
                f"the model has {len(known)} tasks", hint=f"choose some with --task, such as {known[0]}"
            )
        return known
    for name in names:
        if name not in known:
            some = ", ".join(known[:_MOST_TASKS]) + (", ..." if len(known) > _MOST_TASKS else "")
            raise InputError(f"the model has no task {name!r}", hint=f"it has {some}")
    return list(dict.fromkeys(names))


def explain_tasks(
    predictor: Predictor, smiles: Sequence[str], tasks: Sequence[str], *, batch_size: int = 256
) -> list[ExplainedMolecule]:
    """Return what the answers to some tasks lose without each atom and each piece of a molecule.

    A task of two classes is explained by the probability of its second class, one of more classes by the
    probability of each (``task=class``), one of values by the value, in the unit of the table. A measured
    profile that the predictor has of a molecule stays as it is.

    Parameters
    ----------
    predictor
        The predictor; any learner will do.
    smiles
        Molecules, length n.
    tasks
        Names of tasks.
    batch_size
        Molecules that the encoder sees at once.

    Returns
    -------
    list of ExplainedMolecule
        One for each molecule, in order, valid or not.

    Examples
    --------
    >>> from cytomol import PropertyRegressor
    >>> model = PropertyRegressor("forest").fit(["CCO", "CCN", "CCC", "CCCl"] * 5, [0.1, 0.4, 0.2, 0.9] * 5)
    >>> explained = explain_tasks(model.predictor_, ["CCCO", "not a molecule"], model.predictor_.names)
    >>> explained[0].attributions[0].atoms.shape, explained[1].error != ""
    ((4,), True)
    """
    if predictor.features.encoders:
        raise ConfigError(
            "atoms cannot be hidden from an encoder of vectors, so what they add is not known",
            where=predictor.features.encoders[0].name,
            hint="explain a model that was made without --encoder",
        )
    molecules = MaskedMolecules.read(smiles, predictor.features.options)
    store = predictor.features.store_from(molecules.store)
    columns = _columns(predictor, tasks)
    names = [predictor.encoding.columns[column] for column in columns]
    values = np.full((len(store), len(columns)), np.nan)
    rows = np.flatnonzero(store.valid)
    if rows.size:
        valid = store if rows.size == len(store) else store.take(rows)
        blocks = predictor.features.raw(valid, batch_size=batch_size)
        values[rows] = predictor.answer(blocks, members=False)[0][:, columns]
    return occlude(molecules, names, values, store.errors)


def _columns(predictor: Predictor, tasks: Sequence[str]) -> list[int]:
    """Return in which columns of the answer the tasks stand."""
    places = zip(predictor.tasks, predictor.encoding.places(), strict=True)
    return [
        column for task, place in places if task.name in tasks for column in range(place.start, place.stop)
    ]

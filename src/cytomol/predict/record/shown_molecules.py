"""Molecules that a reader should see: the worst and the most surprising answers, and what some rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.digits import shown
from cytomol.assays.labels import Task
from cytomol.predict.predictor import Predictor
from cytomol.predict.record.record_parts import Attributed, Neighbour, ShownMolecule, numbers
from cytomol.predict.record.tested_rows import TestedRows

if TYPE_CHECKING:
    from cytomol.predict.fitting import Fitting

__all__ = ["attributed_molecules", "label_text", "worst_and_surprising"]

_NEAREST = 2
_CLASS_DIGITS = 0.5
_MOST_ATOMS = 80  # of a molecule whose atoms are explained

Why = Literal["worst", "surprising"]
Vector = NDArray[np.float64]


def label_text(task: Task, value: float, spread: float, side: int = 0) -> str:
    """Return a label as a reader would write it.

    >>> label_text(Task("a", "binary", ("no", "yes")), 1.0, 0.5)
    'yes'
    >>> label_text(Task("b", "regression"), 2.0, 1.0, -1)
    '<2.00'
    """
    if np.isnan(value):
        return "not measured"
    if task.kind != "regression":
        return task.classes[int(value)]
    return {-1: "<", 0: "", 1: ">"}[int(side)] + shown(float(value), spread)


def worst_and_surprising(
    fitting: Fitting, tested: TestedRows, place: int, *, most: int = 4
) -> list[ShownMolecule]:
    """Return the tested molecules with the largest errors, and those wrong though a like one is near.

    Surprising is the product of the error and the likeness to the nearest molecule that was learnt from.

    Parameters
    ----------
    fitting, tested
        What was fitted, and the rows that it was tested on.
    place
        Of the task.
    most
        Molecules of either kind.
    """
    error = _errors(fitting, tested, place)
    if not np.isfinite(error).any():
        return []
    order = np.argsort(-np.nan_to_num(error, nan=-1.0), kind="stable")
    worst = [row for row in order[:most].tolist() if error[row] > 0]
    product = np.nan_to_num(error * tested.similarity, nan=-1.0)
    product[worst] = -1.0
    surprising = [row for row in np.argsort(-product, kind="stable")[:most].tolist() if product[row] > 0]
    chosen: list[tuple[int, Why]] = [(row, "worst") for row in worst]
    chosen += [(row, "surprising") for row in surprising]
    return [_shown(fitting, tested, place, row, why) for row, why in chosen]


def attributed_molecules(
    fitting: Fitting, tested: TestedRows, evaluated: Predictor, place: int
) -> list[Attributed]:
    """Return what each atom adds to the answers to the highest, the middle and the lowest of the tested.

    Of a task of three and more classes these are the surest, the middle and the least sure, and what an atom
    adds to is the probability of the class that was predicted. Measured profiles stay as they are.

    Parameters
    ----------
    fitting, tested, place
        As in :func:`worst_and_surprising`.
    evaluated
        The predictor that was tested.
    """
    from cytomol.predict.task_attribution import explain_tasks

    task = fitting.table.labels.tasks[place]
    if evaluated.features.encoders:  # what an atom adds to another encoder's vectors is not known
        return []
    said, labels, spread, smiles = _said(fitting, tested, place)
    several = task.kind == "multiclass"
    height = tested.columns[:, fitting.encoding.places()[place]].max(axis=1) if several else said
    sizes = np.array([len(text) for text in smiles])
    rows = np.flatnonzero(~np.isnan(said) & ~np.isnan(labels) & (sizes <= 2 * _MOST_ATOMS))
    if not len(rows):
        return []
    order = rows[np.argsort(-height[rows], kind="stable")]
    chosen = list(dict.fromkeys([order[0], order[len(order) // 2], order[-1]]))
    explained = explain_tasks(evaluated, [smiles[row] for row in chosen], [task.name])
    found = []
    for row, one in zip(chosen, explained, strict=True):
        of_class = task.classes[int(said[row])] if several else ""
        if not one.attributions:
            continue
        own = one.attributions[int(said[row]) if several else 0]
        predicted, (read_as, order) = _said_text(task, said[row], spread), one.read_as()
        if np.isfinite(own.atoms).all():
            found.append(
                Attributed(
                    task=task.name,
                    id=fitting.table.names[tested.rows[row]],
                    smiles=read_as,
                    measured=label_text(task, labels[row], spread),
                    predicted=f"{predicted} with probability {height[row]:.2f}" if several else predicted,
                    atoms=numbers(own.atoms[order]),
                    of_class=of_class,
                    profiled=_profiled(evaluated, smiles[row]),
                )
            )
    return found


def _profiled(predictor: Predictor, smiles: str) -> bool:
    """Say whether a measured profile of the molecule is among what the predictor reads."""
    return any(bool(np.isfinite(block.of([smiles])).any()) for block in predictor.features.profiles)


def _said(fitting: Fitting, tested: TestedRows, place: int) -> tuple[Vector, Vector, float, list[str]]:
    """Return what was said of each tested row, its labels, their spread and the molecules."""
    labels = fitting.table.labels.matrix[:, place]
    known = labels[~np.isnan(labels)]
    said = fitting.encoding.task_values(tested.columns)[:, place]
    task = fitting.table.labels.tasks[place]
    column = fitting.encoding.places()[place].start
    if tested.certainty is not None and task.kind == "binary":
        said = tested.certainty.calibrated[:, column]
    spread = float(known.std()) if task.kind == "regression" and len(known) else _CLASS_DIGITS
    return said, labels[tested.rows], spread, [fitting.store.smiles[row] for row in tested.rows]


def _errors(fitting: Fitting, tested: TestedRows, place: int) -> Vector:
    """Return the size of each error, NaN where nothing was measured, shape (n,)."""
    labels = fitting.table.labels
    task = labels.tasks[place]
    said, observed, _, _ = _said(fitting, tested, place)
    if task.kind == "multiclass":
        probability = tested.columns[:, fitting.encoding.places()[place]]
        own = probability[np.arange(len(observed)), np.nan_to_num(observed).astype(np.int64)]
        return np.where(np.isnan(observed), np.nan, 1 - own)
    error = said - observed
    if labels.bounds is not None:  # a bound is wrong by what lies beyond it
        side = labels.bounds[tested.rows, place]
        error = np.where(side < 0, np.maximum(error, 0), np.where(side > 0, np.minimum(error, 0), error))
    return np.abs(error)


def _shown(fitting: Fitting, tested: TestedRows, place: int, row: int, why: Why) -> ShownMolecule:
    labels = fitting.table.labels
    task, at = labels.tasks[place], int(tested.rows[row])
    said, observed, spread, smiles = _said(fitting, tested, place)
    side = 0 if labels.bounds is None else int(labels.bounds[at, place])
    certainty = tested.certainty
    word = None if certainty is None else certainty.words[row]
    return ShownMolecule(
        task=task.name,
        why=why,
        id=fitting.table.names[at],
        smiles=smiles[row],
        measured=label_text(task, observed[row], spread, side),
        predicted=_said_text(task, said[row], spread),
        interval=_interval(fitting, tested, place, row, spread),
        place=word or "",
        nearest=_nearest(fitting, tested, place, row, spread),
    )


def _said_text(task: Task, said: float, spread: float) -> str:
    if task.kind == "binary":
        return f"{task.classes[1]} with probability {said:.2f}"
    return label_text(task, said, spread)


def _interval(fitting: Fitting, tested: TestedRows, place: int, row: int, spread: float) -> str:
    certainty, column = tested.certainty, fitting.encoding.places()[place].start
    if certainty is None or fitting.table.labels.tasks[place].kind != "regression":
        return ""
    low, high = certainty.low[row, column], certainty.high[row, column]
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    return f"{shown(float(low), spread)} to {shown(float(high), spread)}"


def _nearest(fitting: Fitting, tested: TestedRows, place: int, row: int, spread: float) -> list[Neighbour]:
    """Return the nearest molecules of those that the answering fit had learnt this task from."""
    from cytomol.chem.similarity import tanimoto_top_k

    labels = fitting.table.labels
    measured = ~np.isnan(labels.matrix[:, place])
    train = np.flatnonzero(tested.learnt_from[tested.part[row]] & measured)
    if not len(train):
        return []
    bits, asked = fitting.fingerprints, fitting.fingerprints[tested.rows[[row]]]
    found, similarity = tanimoto_top_k(bits[train], min(_NEAREST, len(train)), queries=asked)
    neighbours = []
    for at, likeness in zip(found[0].tolist(), similarity[0].tolist(), strict=True):
        if at < 0:
            continue
        own = int(train[at])
        side = 0 if labels.bounds is None else int(labels.bounds[own, place])
        neighbours.append(
            Neighbour(
                id=fitting.table.names[own],
                smiles=fitting.store.smiles[own],
                similarity=likeness,
                measured=label_text(labels.tasks[place], labels.matrix[own, place], spread, side),
            )
        )
    return neighbours

"""Rows of an input answered in order: chunks in, a table with one row for each molecule out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.errors import ConfigError, InputError
from cytomol.predict.predictions import Predictions
from cytomol.predict.predictor import Predictor
from cytomol.tables.columns import free_name
from cytomol.tables.molecules import MoleculeTable, find_column

__all__ = ["Answer", "OnError", "embed_rows", "predict_rows"]

OnError = Literal["keep", "raise", "drop"]
Progress = Callable[[int, int], None]
# Large enough that starting the processes that featurize costs little, small enough for any memory.
CHUNK = 16384


@dataclass(frozen=True)
class Answer:
    """A finished output table.

    Attributes
    ----------
    frame
        Columns of the input, the answers (predictions) and "error".
    arrays
        Matrices aligned with the rows (embeddings).
    rows, invalid
        Number of input rows, and of those that are no valid molecules.
    renamed
        Answers that are called otherwise, since the input has a column of that name: old name to new.
    reason
        Why the first invalid molecule is invalid; "" if none is.
    """

    frame: pd.DataFrame
    arrays: dict[str, NDArray[Any]]
    rows: int
    invalid: int
    renamed: dict[str, str] = field(default_factory=dict)
    reason: str = ""


def predict_rows(
    predictor: Predictor,
    table: MoleculeTable,
    *,
    keep: Sequence[str] | None = None,
    on_error: OnError = "keep",
    batch_size: int = 256,
    chunk: int = CHUNK,
    workers: int | None = None,
    progress: Progress | None = None,
    uncertainty: bool = False,
    coverage: float = 0.9,
    evidence: bool = False,
) -> Answer:
    """Predict every row of a table, in order.

    Parameters
    ----------
    predictor
        What answers.
    table
        The molecules.
    keep
        Columns of the input that the output holds, after the SMILES; None for all of them, as they stand.
        An answer that has the name of one of them gets another name.
    on_error
        What an invalid molecule does: "keep" (empty values, reason in ``error``), "raise", "drop".
    batch_size, chunk
        Molecules that the encoder sees at once, and that are in memory as features at once.
    workers
        Processes that featurize; None chooses.
    progress
        Called with (molecules done, molecules in all).
    uncertainty, coverage
        Say too how certain the answers are, for this coverage .
    """
    kept = _kept(table, keep)
    asked: dict[str, Any] = {"uncertainty": True, "coverage": coverage} if uncertainty else {}
    asked |= {"evidence": True} if evidence else {}
    parts: list[Predictions] = []
    errors: list[str] = []
    for start, smiles, report in _chunks(table, chunk, progress):
        answer = predictor.predict(smiles, batch_size=batch_size, workers=workers, progress=report, **asked)
        parts.append(answer)
        errors += _reasons(table, start, answer.errors, on_error)
    answers = Predictions.join(parts).frame()
    return _finish(table, kept, answers, {}, errors, on_error=on_error)


def embed_rows(
    backbone: Backbone,
    table: MoleculeTable,
    *,
    keep: Sequence[str] | None = None,
    on_error: OnError = "keep",
    batch_size: int = 256,
    chunk: int = CHUNK,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Embed every row of a table, in order; parameters as :func:`predict_rows`."""
    from cytomol.chem.featurize import featurize

    kept = _kept(table, keep)
    parts: list[NDArray[np.float32]] = []
    errors: list[str] = []
    for start, smiles, report in _chunks(table, chunk, progress):
        store = featurize(smiles, backbone.feature_options, workers=workers, cache=None, progress=report)
        parts.append(backbone.embed(store, batch_size=batch_size)[0])
        errors += _reasons(table, start, store.errors, on_error)
    arrays = {"embedding": np.concatenate(parts)}
    return _finish(table, kept, pd.DataFrame(), arrays, errors, on_error=on_error)


def _chunks(
    table: MoleculeTable, size: int, progress: Progress | None
) -> Sequence[tuple[int, list[str], Progress | None]]:
    """Return (first row, SMILES, progress of this chunk) for every chunk; an empty table is one chunk."""
    if size < 1:
        raise ConfigError(f"cannot answer in chunks of {size} molecules", hint="use 1 or more")
    smiles = table.smiles

    def report(start: int) -> Progress | None:
        return None if progress is None else (lambda done, _: progress(start + done, len(smiles)))

    return [(i, smiles[i : i + size], report(i)) for i in range(0, max(1, len(smiles)), size)]


def _reasons(table: MoleculeTable, start: int, errors: Sequence[str], on_error: OnError) -> list[str]:
    """Return the reason of every row of a chunk, the reader's own reason first."""
    reasons = [table.errors.get(start + i, error) for i, error in enumerate(errors)]
    if on_error == "raise":
        for i, reason in enumerate(reasons):
            if reason:
                raise InputError(
                    f"invalid molecule {table.smiles[start + i]!r}: {reason}",
                    where=f"{table.where}, row {start + i + 1}",
                    hint="--on-error keep answers such rows with an empty value and the reason",
                )
    return reasons


def _kept(table: MoleculeTable, keep: Sequence[str] | None) -> pd.DataFrame:
    """Return the columns of the input that the output begins with, unaltered."""
    if keep is None:
        return table.frame
    names = [find_column(table.frame, name, where=table.where, option="--keep") for name in keep]
    return table.frame[list(dict.fromkeys([table.smiles_col, *names]))]


def _finish(
    table: MoleculeTable,
    kept: pd.DataFrame,
    answers: pd.DataFrame,
    arrays: dict[str, NDArray[Any]],
    errors: list[str],
    *,
    on_error: OnError,
) -> Answer:
    last = pd.DataFrame({"error": pd.Series(errors, dtype=object)})
    answers = pd.concat([answers, last], axis=1)
    renamed = _other_names([*answers.columns, *arrays], [str(name) for name in kept.columns], arrays)
    answers = answers.rename(columns=renamed)
    arrays = {renamed.get(name, name): array for name, array in arrays.items()}
    frame = pd.concat([kept.reset_index(drop=True), answers], axis=1)
    if len(frame) != len(table) or len(errors) != len(table):
        raise AssertionError(f"{len(table)} rows in, {len(frame)} out")  # never: rows are answered in order
    invalid = np.array([bool(error) for error in errors], dtype=bool)
    if on_error == "drop":
        frame = frame[~invalid].reset_index(drop=True)
        arrays = {name: array[~invalid] for name, array in arrays.items()}
    reason = next((f"row {row + 1}: {error}" for row, error in enumerate(errors) if error), "")
    return Answer(frame, arrays, len(errors), int(invalid.sum()), renamed, reason)


def _other_names(names: list[str], kept: list[str], arrays: dict[str, NDArray[Any]]) -> dict[str, str]:
    """Return new names for answers that share theirs with a column of the input, which stays as it is."""
    taken, renamed = {*kept, *names}, {}
    for name in names:
        columns = {f"{name}_{i}" for i in range(arrays[name].shape[1])} if name in arrays else set()
        if name in kept or columns & set(kept):
            other = "error_of_molecule" if name == "error" else f"{name}_predicted"
            renamed[name] = free_name(name, taken, other)
            taken.add(renamed[name])
    return renamed

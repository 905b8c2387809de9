"""Say of the profiles of a corpus how far they can be trusted, and where they were measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.genes import GeneIndex, join_genes
from cytomol.corpus.identifiers import as_ids, as_inchikeys
from cytomol.corpus.join import JoinKey, MoleculeIndex, join_molecules
from cytomol.corpus.problems import Problems
from cytomol.corpus.provenance import Correction, Provenance
from cytomol.corpus.read_provenance import reliabilities
from cytomol.corpus.schema import Corpus, Modality
from cytomol.corpus.tables import read_ids
from cytomol.errors import InputError

__all__ = ["ProfileAnnotation", "annotate_profiles", "correct_by"]


@dataclass(frozen=True)
class ProfileAnnotation:
    """A table that speaks of the molecules (or genes) of a modality, and what to take from it.

    Attributes
    ----------
    path
        CSV, TSV or Parquet, joined by id, InChIKey or SMILES.
    reliability
        Column that says how far profiles can be trusted; "" takes none. The mean where a molecule has
        several rows.
    labels
        Column of the table by the column that the modality shall have (``Metadata_Plate``, ...); where a
        molecule has rows of different values, it gets none of them.
    select
        Values that a row of the table must have, by column; all rows by default.
    key
        How rows find their molecules.
    """

    path: Path
    reliability: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    select: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key: JoinKey = "auto"


def annotate_profiles(corpus: Corpus, name: str, said: ProfileAnnotation, problems: Problems) -> Corpus:
    """Return the corpus with what a table says of the profiles of a modality; what was known before stays.

    Parameters
    ----------
    corpus
        The corpus.
    name
        The modality.
    said
        The table.
    problems
        Receives how it joined.

    Raises
    ------
    InputError
        If there is no such modality or column, no row joins, or a reliability lies outside [-1, 1].
    """
    modality = corpus.select([name]).modalities[name]
    whole = read_ids(said.path)
    keep = _selected(whole, said)
    frame = whole[keep].reset_index(drop=True)
    rows, owners = _joined(corpus, modality, frame, said, problems)
    about = modality.provenance
    if said.reliability:
        values = reliabilities(whole[keep], said.reliability, str(said.path))
        spoken = _spread(pd.Series(values), rows, owners, how="mean").to_numpy(np.float32)
        old = about.reliability
        kept = spoken if old is None else np.where(np.isnan(spoken), old, spoken).astype(np.float32)
        about = replace(about, reliability=kept)
        problems.note(f"{name}: {_share(~np.isnan(spoken))} profiles got a reliability")
    for label, column in said.labels.items():
        said_of_row = as_ids(frame[column])
        text = (
            _spread(said_of_row.where(said_of_row != ""), rows, owners, how="same")
            .fillna("")
            .to_numpy(object)
        )
        old = about.labels.get(label, np.full(len(modality), "", dtype=object))
        about = replace(about, labels={**about.labels, label: np.where(text == "", old, text)})
        problems.note(f"{name}: {_share(text != '')} profiles got a {label}")
    return _with(corpus, modality, about)


def correct_by(corpus: Corpus, name: str, correction: Correction, by: str) -> Corpus:
    """Return the corpus in which training corrects a modality for plate or library.

    Parameters
    ----------
    corpus
        The corpus.
    name
        The modality.
    correction
        "center", "standardise", or "none".
    by
        Column of its labels; "" with "none".

    Raises
    ------
    InputError
        If there is no such modality or column.
    """
    modality = corpus.select([name]).modalities[name]
    try:
        about = replace(modality.provenance, correction=correction, by=by)
    except InputError as error:
        raise InputError(error.what, where=f"modality {name}", hint=error.hint) from None
    return _with(corpus, modality, about)


def _with(corpus: Corpus, modality: Modality, about: Provenance) -> Corpus:
    changed = replace(modality, provenance=about)
    return replace(corpus, modalities={**corpus.modalities, modality.name: changed})


def _selected(frame: pd.DataFrame, said: ProfileAnnotation) -> NDArray[np.bool_]:
    """Return which rows have the wanted values."""
    wanted = [column for column in (said.reliability, *said.labels.values(), *said.select) if column]
    if missing := [column for column in wanted if column not in frame]:
        raise InputError(
            f"has no column {missing[0]!r}",
            where=str(said.path),
            hint=f"columns: {', '.join(map(str, frame.columns[:12]))}",
        )
    keep = np.ones(len(frame), np.bool_)
    for column, values in said.select.items():
        keep &= as_ids(frame[column]).isin(values).to_numpy(bool)
    if not keep.any():
        chosen = " and ".join(f"{column} {' or '.join(values)}" for column, values in said.select.items())
        raise InputError(f"has no row with {chosen}" if chosen else "holds no rows", where=str(said.path))
    return keep


def _joined(
    corpus: Corpus, modality: Modality, frame: pd.DataFrame, said: ProfileAnnotation, problems: Problems
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return whom each row of the table speaks of, -1 for nobody, and whose each profile is.

    Molecules that share an InChIKey count as one.
    """
    metadata = pd.DataFrame({str(name): as_ids(frame[name]) for name in frame})
    where, owners = str(said.path), modality.rows
    if modality.entity == "gene":
        rows, report = join_genes(metadata, GeneIndex(corpus.genes), where=where, column=None)
    else:
        index = MoleculeIndex(corpus.molecules)
        rows, report = join_molecules(metadata, index, where=where, key=said.key, leave_out=True, hints=False)
        first = _first_of_each(corpus.molecules)
        rows = np.where(rows >= 0, first[rows], -1)
        owners = first[owners]
    problems.join(report)
    if not np.isin(rows, owners).any():
        raise InputError(f"speaks of no {modality.entity} with a profile of {modality.name}", where=where)
    return rows, owners


def _first_of_each(molecules: pd.DataFrame) -> NDArray[np.int64]:
    """Return, for each molecule, the first one of the same InChIKey, shape (molecules,)."""
    own = np.arange(len(molecules), dtype=np.int64)
    if "inchikey" not in molecules:
        return own
    keys = as_inchikeys(molecules["inchikey"]).to_numpy(str)
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    return np.where(keys == "", own, first[group])


def _spread(
    values: pd.Series[Any], rows: NDArray[np.int64], owners: NDArray[np.int64], *, how: str
) -> pd.Series[Any]:
    """Return one value for each profile: the mean of its owner's rows, or the value that all agree on."""
    known = (rows >= 0) & values.notna().to_numpy(bool)
    groups = values[known].groupby(rows[known])
    of_entity = groups.mean() if how == "mean" else groups.first().where(groups.min() == groups.max())
    return of_entity.reindex(owners)


def _share(which: NDArray[np.bool_]) -> str:
    return f"{int(which.sum()):,} of {len(which):,}"

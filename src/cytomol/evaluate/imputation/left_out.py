"""Which measured molecules a model has not learnt from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytomol.artifact.backbone import BACKBONE_FOLDER
from cytomol.artifact.shipped import model_place
from cytomol.cells.modality import TrainedModality
from cytomol.cells.unseen import MeasuredMolecules
from cytomol.corpus.readers import read_corpus
from cytomol.corpus.schema import Corpus
from cytomol.errors import ConfigError, InputError, note
from cytomol.files import sha256
from cytomol.training.dataset.exclude import listed_blocks
from cytomol.training.dataset.prepare import corpus_digest

__all__ = ["Unseen", "left_out_molecules", "training_facts"]


@dataclass(frozen=True)
class Unseen:
    """Measured molecules by modality, and those that may teach.

    Attributes
    ----------
    molecules
        Which the model has not learnt from.
    others
        The other molecules of the corpus, the mean profile of each: the model may have learnt from them.
        Empty for a table.
    """

    molecules: dict[str, MeasuredMolecules]
    others: dict[str, MeasuredMolecules]


def training_facts(model: str | Path) -> dict[str, Any]:
    """Return what a model directory says of the data that it was trained on; empty where it says nothing."""
    folder = model_place(model)
    folder = folder / BACKBONE_FOLDER if (folder / BACKBONE_FOLDER).is_dir() else folder
    record = folder / "training.json"
    if not record.is_file():
        return {}
    data: dict[str, Any] = json.loads(record.read_text(encoding="utf-8")).get("data", {})
    return data


def left_out_molecules(
    model: str | Path,
    modalities: Sequence[TrainedModality],
    source: str | Path,
    held_out: str | Path | None = None,
    *,
    option: str = "--held-out",
) -> Unseen:
    """Return measured molecules that a model has not learnt from, by modality.

    Parameters
    ----------
    model
        The model directory, whose record says what it was trained on.
    modalities
        Modalities; those that the source lacks are left out.
    source
        A corpus, or one table of profiles with a column of SMILES.
    held_out
        File with the molecules to take; needed for the corpus that the model was trained on.
    option
        How the user names that file, for messages.

    Raises
    ------
    InputError
        If the source holds profiles of none of the modalities, or the model has learnt from these profiles.
    """
    facts = training_facts(model)
    among = None if held_out is None else listed_blocks(held_out)
    if not Path(source).is_dir():
        _doubt(facts, held_out, str(source))
        return Unseen(_of_table(source, modalities, among), {})
    corpus = read_corpus(source)
    if held_out is None and facts.get("corpus") == corpus_digest(corpus):
        raise InputError(
            "is the corpus that the model has learnt from",
            where=str(source),
            hint=f"name the file of molecules that were left out of pretraining with {option}"
            if facts.get("exclude")
            else "give profiles of molecules that it has not seen, or pretrain with --exclude-profiles-of",
        )
    _doubt(facts, held_out, str(source))
    return _of_corpus(corpus, modalities, among, str(source))


def _of_corpus(
    corpus: Corpus, modalities: Sequence[TrainedModality], among: set[str] | None, where: str
) -> Unseen:
    there = [
        one
        for one in modalities
        if one.name in corpus.modalities and corpus.modalities[one.name].entity == "molecule"
    ]
    if not there:
        wanted = ", ".join(one.name for one in modalities)
        has = ", ".join(name for name, one in corpus.modalities.items() if one.entity == "molecule")
        raise InputError(
            f"holds no profiles of molecules of {wanted}", where=where, hint=f"it has {has or 'none'}"
        )
    found = {one.name: MeasuredMolecules.of_corpus(corpus, one, where=where, among=among) for one in there}
    others = {
        one.name: MeasuredMolecules.of_corpus(corpus, one, where=where, beyond=among, averaged=True)
        for one in there
        if among is not None
    }
    return Unseen(found, others)


def _of_table(
    source: str | Path, modalities: Sequence[TrainedModality], among: set[str] | None
) -> dict[str, MeasuredMolecules]:
    """Return the molecules for the modalities whose features a table has; say what it lacks if for none.

    A gene's profile may have the features of a molecule's: nothing that is measured of molecules is such.
    """
    found: dict[str, MeasuredMolecules] = {}
    problem: InputError | None = None
    for one in modalities:
        if one.entity != "molecule":
            problem = problem or InputError(
                f"is of molecules, and {one.name} holds profiles of {one.entity}s", where=str(source)
            )
            continue
        try:
            found[one.name] = MeasuredMolecules.of_table(source, one, among=among)
        except InputError as error:
            problem = problem or error
    if not found:
        raise problem or ConfigError("no modality is asked for")
    return found


def _doubt(facts: dict[str, Any], held_out: str | Path | None, where: str) -> None:
    """Say so where nothing shows that the model has not seen the molecules."""
    excluded = facts.get("exclude") or []
    excluded = [excluded] if isinstance(excluded, str) else excluded
    if held_out is None or sha256(Path(held_out)) not in excluded:
        note(
            "the model's record does not show that it left these molecules out; if it has learnt from their"
            " profiles, intervals are too narrow and scores too good",
            where=where,
        )

"""Models and simple matchers as one thing: what places the candidates, and whether it has seen them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.directory import kind_of, load_model
from cytomol.cells.space import Way
from cytomol.errors import ModelDirectoryError
from cytomol.evaluate.matching.candidates import Candidates
from cytomol.evaluate.matching.simple_matchers import Lesson, simple_matchers

__all__ = ["Entrant", "Seen", "model_entrant", "simple_entrants", "unlike_names"]

Places = tuple[NDArray[np.floating], NDArray[np.floating]]
Seen = Literal["no", "yes", "unknown"]
_WORST_FIRST: tuple[Seen, ...] = ("yes", "unknown", "no")
_BITS = 2048


@dataclass(frozen=True)
class Entrant:
    """Something that matches molecules and profiles.

    Attributes
    ----------
    name
        In the rows.
    seen
        Whether it has learnt from the candidates' profiles: "no", "yes", or "unknown".
    places
        Returns places of the candidates' molecules and profiles, rows of length 1, shape (candidates, width).
    """

    name: str
    seen: Seen
    places: Callable[[], Places]


def model_entrant(
    path: Path,
    candidates: Candidates,
    *,
    name: str,
    held_out: Collection[str],
    corpus: str,
    way: Way = "auto",
) -> Entrant:
    """Return the entrant of a model directory: a backbone, or a matcher.

    Parameters
    ----------
    path
        The directory.
    candidates
        Who has to be placed.
    name
        In the rows.
    held_out
        SHA-256 of the files that say who is held out.
    corpus
        Digest of the corpus.
    way
        Of a backbone: see :class:`~cytomol.cells.space.CellSpace`.

    Raises
    ------
    InputError
        If the model has not learnt from the modality, or the features have other names.
    ModelDirectoryError
        If the directory is none of a model that matches.
    """
    place = _matcher if (path / "manifest.json").is_file() and kind_of(path) == "matcher" else _backbone
    return Entrant(name, _seen(path, held_out, corpus), place(path, candidates, way))


def _matcher(path: Path, candidates: Candidates, way: Way) -> Callable[[], Places]:  # noqa: ARG001 - one form
    from cytomol.cells.matcher.matcher_model import MatcherModel

    model, modality = MatcherModel.load(path), candidates.modality
    if model.name != modality.name:
        raise ModelDirectoryError(
            f"the matcher was fitted on {model.name}, not on {modality.name}",
            where=str(path),
            hint=f"choose --modality {model.name}, or fit another one",
        )
    values = model.aligned(candidates.values, modality.columns, where=f"modality {modality.name}")
    return lambda: (model.molecules(candidates.smiles)[0], model.profiles(values))


def _backbone(path: Path, candidates: Candidates, way: Way) -> Callable[[], Places]:
    from cytomol.artifact.backbone import load_backbone
    from cytomol.cells.modality import trained_modality
    from cytomol.cells.space import CellSpace

    modality = candidates.modality
    trained = trained_modality(load_backbone(path), modality.name, of="molecule")
    space = CellSpace.of(trained, way)
    values = trained.aligned(candidates.values, modality.columns, where=f"modality {modality.name}")
    values = trained.corrected(values, modality.provenance.take(candidates.profile).frame())
    return lambda: (space.molecules(candidates.smiles)[0], space.profiles(values))


def _seen(path: Path, held_out: Collection[str], corpus: str) -> Seen:
    """Say whether a model's record tells that the candidates were left out of its training."""
    from cytomol.artifact.backbone import BACKBONE_FOLDER

    found = {_seen_by(data, held_out, corpus) for data in _records(path, BACKBONE_FOLDER)}
    return next(seen for seen in _WORST_FIRST if seen in found)


def _records(path: Path, inside: str) -> list[dict[str, Any]]:
    """Return what the record tells of the training data of a model, and of the backbone of a matcher."""
    if (path / "manifest.json").is_file() and kind_of(path) == "matcher":
        facts = load_model(path).config["facts"]
        return [one.get("data") or {} for one in (facts, facts.get("backbone")) if one is not None]
    for folder in (path, path / inside):
        if (folder / "training.json").is_file():
            return [load_model(folder).read_json("training.json").get("data", {})]
    return [{}]


def _seen_by(data: dict[str, Any], held_out: Collection[str], corpus: str) -> Seen:
    left_out = set(data.get("exclude") or ())
    if held_out and set(held_out) <= left_out:
        return "no"
    return "yes" if data.get("corpus") == corpus and not left_out else "unknown"


def simple_entrants(
    names: Sequence[str],
    candidates: Candidates,
    smiles: Sequence[str],
    rows: NDArray[np.bool_],
    *,
    workers: int | None = None,
) -> list[Entrant]:
    """Return simple matchers that learn from other molecules of the corpus.

    Parameters
    ----------
    names
        Which.
    candidates
        Who has to be matched.
    smiles
        Every molecule of the corpus.
    rows
        Profiles to learn from, bool, shape (profiles,).
    workers
        Processes that featurize.
    """
    from cytomol.cells.matcher.prepared_profiles import ProfilePreparation
    from cytomol.chem.featurize import FeatureOptions, featurize

    if not names:
        return []
    ways = [simple_matchers[name] for name in names]  # an unknown one is said now
    modality = candidates.modality
    found, place = np.unique(modality.rows[rows], return_inverse=True)
    options = FeatureOptions(graph=False, morgan_bits=0, maccs=False).fingerprint(2, _BITS, counts=True)
    store = featurize([*(smiles[row] for row in found), *candidates.smiles], options, workers=workers)
    counts = np.where(store.valid[:, None], store.dense("counts"), 0)
    usable = store.valid[: len(found)][place]
    preparation = ProfilePreparation.fit(modality.values[rows][usable])
    width = preparation.width  # without the norm
    lesson = Lesson(
        counts[: len(found)][place][usable],
        preparation.transform(modality.values[rows][usable])[:, :width],
        counts[len(found) :],
        preparation.transform(candidates.values)[:, :width],
    )
    return [
        Entrant(name, "no", lambda way=way: way(lesson))  # type: ignore[misc]
        for name, way in zip(names, ways, strict=True)
    ]


def unlike_names(paths: Sequence[Path]) -> list[str]:
    """Return a name for each directory: its last part, with a number where that is there already.

    Examples
    --------
    >>> unlike_names([Path("a/model"), Path("b/model"), Path("c")])
    ['model', 'model 2', 'c']
    """
    names: list[str] = []
    for path in paths:
        name, number = path.resolve().name, 2
        while name in names:
            name, number = f"{path.resolve().name} {number}", number + 1
        names.append(name)
    return names

"""The space of a model directory, whatever kind of model it holds."""

from __future__ import annotations

from pathlib import Path

from cytomol.artifact.backbone import load_backbone
from cytomol.artifact.directory import kind_of
from cytomol.artifact.shipped import model_place
from cytomol.cells.matcher import matcher_model
from cytomol.cells.matcher.matcher_model import MatcherModel
from cytomol.cells.modality import trained_modality
from cytomol.cells.space import CellSpace, Space, Way
from cytomol.errors import ConfigError, InputError

__all__ = ["open_space"]


def open_space(path: str | Path, modality: str | None = None, way: Way = "auto") -> Space:
    """Return the space in which a backbone or a matcher places molecules and profiles.

    Parameters
    ----------
    path
        Directory that ``pretrain`` or ``matcher`` made.
    modality
        Whose profiles; None where there is just one to choose.
    way
        Of a backbone: see :class:`CellSpace`.

    Raises
    ------
    InputError
        If the model has not learnt from the modality, or from several and none is named.
    ConfigError
        If it does not place molecules in this way.

    Examples
    --------
    >>> from cytomol.corpus.planted import generate_planted
    >>> from cytomol.cells.matcher.matcher_model import fit_matcher
    >>> corpus = generate_planted(200).corpus
    >>> keys = [key[:14] for key in corpus.molecules["inchikey"]]
    >>> _ = fit_matcher(corpus.smiles, keys, corpus.modalities["morphology"]).save("matcher")
    >>> open_space("matcher").way
    'matcher'
    """
    place = model_place(path)
    if not (place / "manifest.json").is_file() or kind_of(place) != matcher_model.KIND:
        return CellSpace.of(trained_modality(load_backbone(place), modality), way)
    model = MatcherModel.load(place)
    if modality not in {None, model.name}:
        raise InputError(f"the matcher was not fitted on {modality!r}", hint=f"it knows {model.name}")
    if way not in {"auto", model.way}:
        raise ConfigError("a matcher has one way to compare", hint=f"leave {way!r} out")
    return model

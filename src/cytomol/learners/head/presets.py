"""Settings of heads by name: our own, those of a paper, and those that its authors' code sets by hand."""

from __future__ import annotations

from typing import Any, NamedTuple

from cytomol.errors import ConfigError

__all__ = ["AUTHORS_SETS", "authors", "check_preset", "paper", "preset_names"]


class _Set(NamedTuple):
    """What CHMR's authors set by hand for one data set."""

    lr: float
    dropout: float
    hidden: int
    batch_size: int
    patience: int
    epochs: int
    norm: str
    gamma: float = 0.0


class _Trees(NamedTuple):
    """The forest that they add to the head on some sets."""

    trees: int
    seed: int
    class_weight: float


_SETS = {
    "chembl2k": _Set(1e-3, 0.9, 1800, 5120, 50, 300, "layer"),
    "toxcast": _Set(1e-2, 0.8, 1800, 5120, 50, 300, "layer"),
    "broad6k": _Set(2e-3, 0.8, 1800, 5120, 50, 300, "layer"),
    "bbbp": _Set(1e-3, 0.5, 2400, 5120, 50, 300, "layer"),
    "bace": _Set(5e-4, 0.5, 1800, 16, 5, 100, "batch", gamma=0.005),
    "clintox": _Set(5e-3, 0.9, 2400, 32, 5, 100, "layer", gamma=0.01),
    "sider": _Set(5e-4, 0.2, 1200, 5120, 20, 30, "batch", gamma=0.1),
    "hiv": _Set(1e-3, 0.8, 1800, 10240, 50, 300, "batch", gamma=0.001),
    "biogenadme": _Set(2e-3, 0.8, 1200, 5120, 50, 300, "layer"),
}
_FORESTS = {
    "bace": _Trees(500, 7, 1.43),
    "clintox": _Trees(75, 5, 10.0),
    "sider": _Trees(500, 4, 3.4),
    "hiv": _Trees(1000, 0, 10.0),
}
# for a set that they did not run: what most of their sets have
_OTHER = _Set(1e-3, 0.8, 1800, 5120, 50, 300, "layer")

AUTHORS_SETS = tuple(_SETS)
"""Data sets for which CHMR's authors give settings."""


def preset_names() -> list[str]:
    """Return the names of all presets of a head."""
    return ["default", "paper", "authors", *(f"authors:{name}" for name in AUTHORS_SETS)]


def check_preset(name: str) -> None:
    """Refuse a name that is no preset.

    Raises
    ------
    ConfigError
        If it is unknown; the known ones are listed.
    """
    if name not in preset_names():
        raise ConfigError(f"unknown preset {name!r}", hint=f"known: {', '.join(preset_names())}")


def paper(head: str) -> dict[str, Any]:
    """Return the options of the published head "infoalign" or "chmr"."""
    common = {"optimizer": "adam", "standardize_embedding": False, "head": head}
    if head == "infoalign":
        return {**common, "features": "embedding", "weight_decay": 1e-5, "batch_size": 5120, "lr": 1e-2}
    return {**common, "features": "1d+embedding", "weight_decay": 0.0}


def authors(head: str | None, data_set: str | None = None) -> dict[str, Any]:
    """Return the options of the head in the authors' code.

    Parameters
    ----------
    head
        Published head that goes with the backbone's method. InfoAlign's authors have one form for every set;
        any other gets CHMR's. Without a backbone (None) it is CHMR's head on the 1D features alone.
    data_set
        One of ``AUTHORS_SETS``; None for the settings that most of them share.
    """
    common: dict[str, Any] = {
        "optimizer": "adam",
        "weight_decay": 1e-5,
        "schedule": "cosine",
        "target_scaling": "raw",
        "standardize_embedding": False,
        "embedding_mode": "frozen" if head is None else "training",
    }
    if head == "infoalign":
        infoalign = {"head": "infoalign", "features": "embedding", "lr": 1e-3, "batch_size": 5120}
        return {**common, **infoalign, **_ends(50, 300)}
    own = _OTHER if data_set is None else _SETS[data_set]
    chmr = {
        "head": "chmr",
        "bits_radius": 1,
        "lr": own.lr,
        "dropout": own.dropout,
        "hidden": own.hidden,
        "batch_size": own.batch_size,
        "norm": own.norm,
    }
    return {**common, **chmr, **_ends(own.patience, own.epochs), **_forest(data_set, own.gamma)}


def _ends(patience: int, epochs: int) -> dict[str, int]:
    """Return when training ends: theirs stops after more than ``patience`` epochs, ours after as many."""
    return {"patience": patience + 1, "epochs": epochs}


def _forest(data_set: str | None, gamma: float) -> dict[str, float]:
    forest = _FORESTS.get(data_set or "")
    if forest is None:
        return {}
    return {
        "forest_gamma": gamma,
        "forest_trees": forest.trees,
        "forest_seed": forest.seed,
        "forest_class_weight": forest.class_weight,
    }

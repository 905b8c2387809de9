"""A sample of molecules and their profiles, drawn in two dimensions as the backbone places them.

The map holds no structure and no name of a molecule: a backbone may be handed on without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.training.dataset.data import PretrainData
from cytomol.training.dataset.profile_inputs import ProfileInput
from cytomol.training.overview.code_use import code_book, nodes_of

__all__ = ["FEWEST", "cell_map", "flattened", "placed_profiles", "sampled"]

FEWEST = 10
"""Points below which nothing is drawn."""

MOST_MOLECULES, MOST_PROFILES = 450, 300
_FOR_NEIGHBOURS = 500  # points from which on t-SNE shows more than the two main directions

_STEPS = 500  # of t-SNE: after these little moves, and twice as many take twice as long


def sampled(
    valid: NDArray[np.bool_], wanted: NDArray[np.bool_], *, most: int, seed: int
) -> NDArray[np.int64]:
    """Draw molecules: two in three of those that are wanted, as far as there are so many.

    Parameters
    ----------
    valid, wanted
        Molecules that may be drawn, and those of which something is known, bool, shape (n,).
    most
        How many at most.
    seed
        Seed of the draw.

    Examples
    --------
    >>> wanted = np.arange(100) < 5
    >>> rows = sampled(np.ones(100, bool), wanted, most=9, seed=0)
    >>> len(rows), int(wanted[rows].sum()) >= 5
    (9, True)
    """
    rng = np.random.default_rng([seed, 17])
    known, other = (rng.permutation(np.flatnonzero(valid & side)) for side in (wanted, ~wanted))
    first = known[: max(2 * most // 3, most - len(other))]
    return np.sort(np.concatenate([first, other[: most - len(first)]]))


def placed_profiles(
    backbone: Backbone, profiles: dict[str, ProfileInput], rows: NDArray[np.int64]
) -> dict[str, NDArray[np.float32]]:
    """Return the places of the measured profiles of some molecules, by modality, shape (profiles, width)."""
    method, found = backbone.method, {}
    for name in method.profiles or ():
        if (profile := profiles.get(name)) is None:
            continue
        values, present = profile.measured.gather(rows, profile.placeholder)
        with torch.inference_mode():
            own = torch.from_numpy(values[present]).to(backbone.device)
            found[name] = method.project(name, own).float().cpu().numpy()
    return {name: places for name, places in found.items() if len(places)}


def flattened(places: NDArray[np.float32], *, seed: int) -> tuple[NDArray[np.float32], str]:
    """Return two coordinates for each place, float32, shape (n, 2), and how they were found.

    Few places are drawn along their two main directions, many by t-SNE.

    Parameters
    ----------
    places
        Rows of length 1, shape (n, width), without NaN.
    seed
        Seed of everything random.

    References
    ----------
    van der Maaten and Hinton, JMLR 9 (2008).

    Examples
    --------
    >>> flattened(np.eye(12, dtype=np.float32), seed=0)[1]
    'the two main directions'
    """
    if len(places) < _FOR_NEIGHBOURS:
        centred = places.astype(np.float64) - places.mean(axis=0)
        left, strength, _ = np.linalg.svd(centred, full_matrices=False)
        flat = np.zeros((len(places), 2))
        flat[:, : min(2, len(strength))] = (left * strength)[:, :2]
        return flat.astype(np.float32), "the two main directions"
    from sklearn.manifold import TSNE

    return TSNE(random_state=seed, max_iter=_STEPS).fit_transform(places).astype(np.float32), "t-SNE"


def cell_map(
    backbone: Backbone,
    data: PretrainData,
    rows: NDArray[np.int64],
    anchors: NDArray[np.float32],
    texts: Mapping[str, Sequence[str]],
) -> dict[str, Any] | None:
    """Return the points of the map, as lists of equal length, and two figures beside it.

    Parameters
    ----------
    backbone
        The trained model.
    data
        What it has learnt from.
    rows
        Molecules that are drawn, int64, shape (n,).
    anchors
        Where the model places them, shape (n, width).
    texts
        What is known of each molecule of the corpus, "" where nothing is: its ``label``, and the modalities
        that were ``measured`` of it.

    Returns
    -------
    ``way``, ``names`` ("molecule", then modalities), for each point ``x``, ``y``, ``is`` (its place in
    ``names``), ``label`` and ``measured``, with ``nodes`` (of each level a list; none without codes);
    ``own`` (how near profiles lie to their molecule: share of the drawn molecules that are nearer, in
    percent) and ``alike`` (how often the nearest labelled molecule has the same label). None where fewer
    than ten places are finite.
    """
    profiles = placed_profiles(backbone, data.profiles, rows)
    share = MOST_PROFILES // max(1, len(profiles))
    tables = [anchors, *(table[:share] for table in profiles.values())]
    places = np.concatenate(tables)
    kind = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    rest = [""] * (len(places) - len(rows))
    known = {name: [said[row] for row in rows] + rest for name, said in texts.items()}
    finite = np.flatnonzero(np.isfinite(places).all(axis=1))
    if len(finite) < FEWEST:
        return None
    places, kind = places[finite], kind[finite]
    unit = _unit(places)
    points, way = flattened(unit, seed=backbone.config.seed)
    book = code_book(backbone.method)
    known = {name: [said[row] for row in finite] for name, said in known.items()}
    return {
        "way": way,
        "names": ["molecule", *profiles],
        "x": points[:, 0].astype(float).round(3).tolist(),
        "y": points[:, 1].astype(float).round(3).tolist(),
        "is": kind.tolist(),
        "nodes": [] if book is None else nodes_of(book, places).T.tolist(),
        **known,
        "own": _own_found(profiles, data.profiles, rows, anchors),
        "alike": _alike(
            unit[kind == 0], [name for name, one in zip(known["label"], kind, strict=True) if one == 0]
        ),
    }


def _own_found(
    profiles: Mapping[str, NDArray[np.float32]],
    inputs: Mapping[str, ProfileInput],
    rows: NDArray[np.int64],
    anchors: NDArray[np.float32],
) -> list[dict[str, Any]]:
    """Return of each modality how near profiles lie to their molecule, in percent of all that are drawn."""
    molecules, found = _unit(anchors), []
    for name, places in profiles.items():
        own = np.flatnonzero(inputs[name].measured.position[rows] >= 0)
        similarity = _unit(places) @ molecules.T
        itself = similarity[np.arange(len(own)), own][:, None]
        others = max(1, len(rows) - 1)
        before = (similarity > itself).sum(axis=1) + 0.5 * ((similarity == itself).sum(axis=1) - 1)
        found.append(
            {"name": name, "profiles": len(own), "median_percent": float(100 * np.median(before / others))}
        )
    return found


def _alike(places: NDArray[np.float32], labels: Sequence[str]) -> dict[str, Any] | None:
    """Return how often the nearest labelled molecule has the same label, and how often by chance."""
    known = np.array([row for row, label in enumerate(labels) if label], np.int64)
    names = np.array([labels[row] for row in known])
    _, kinds, counts = np.unique(names, return_inverse=True, return_counts=True)
    if len(known) < FEWEST or len(counts) < 2:
        return None
    similarity = places[known] @ places[known].T
    np.fill_diagonal(similarity, -np.inf)
    chance = (counts * (counts - 1)).sum() / (len(known) * (len(known) - 1))
    same = kinds[similarity.argmax(axis=1)] == kinds
    return {"molecules": len(known), "share": float(same.mean()), "chance": float(chance)}


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)

"""CKA, discrepancy and retrieval between molecules and modalities, before and after training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.cells.modality import TrainedModality
from cytomol.counted import agreeing
from cytomol.evaluate.alignment.aligned_tables import MOLECULE, Seen, features, places, untrained
from cytomol.evaluate.alignment.cka import linear_cka
from cytomol.evaluate.alignment.discrepancy import squared_mmd
from cytomol.evaluate.alignment.drawn_coordinates import Drawing, drawn
from cytomol.evaluate.alignment.paired_retrieval import retrieve_pairs
from cytomol.methods.chmr import CHMR

__all__ = ["COLUMNS", "STAGES", "alignment_rows", "coordinates"]

STAGES = ("features", "untrained", "trained")
COLUMNS = (
    *("first", "second", "stage", "molecules", "cka", "cka_debiased", "mmd2"),
    *("first_finds_second", "second_finds_first", "top5_first", "top5_second", "mrr_first", "mrr_second"),
    "chance",
)
_FEWEST = 4


def alignment_rows(
    backbone: Backbone,
    modalities: Sequence[TrainedModality],
    table: Seen,
    *,
    report: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Return a row for each pair of molecules and modalities and each stage of training.

    Parameters
    ----------
    backbone
        The model.
    modalities
        Which of its modalities.
    table
        Molecules with their profiles.
    report
        Is told what is left out.

    Returns
    -------
    Columns ``COLUMNS``: the pair; ``stage`` ("features" before any model, "untrained", "trained");
    ``molecules`` that have both; ``cka`` and its debiased form; ``mmd2``; how many of the first find
    their own second as the nearest, and so on, within the nearest 5%, and the mean reciprocal rank;
    ``chance`` of being the nearest. What a stage has no common space for is NaN.
    """
    rows = []
    before = untrained(backbone)
    names = [MOLECULE, *(one.name for one in modalities)]
    for first, second in combinations(names, 2):
        both = table.having(first, second)
        if len(both) < _FEWEST:
            if report is not None:
                have = agreeing(len(both), "molecule", "has", "have", comma=False)
                report(f"{first} and {second}: {have} both, left out")
            continue
        part = _taken(table, both)
        for stage, model in zip(STAGES, (None, before, backbone), strict=True):
            rows.append(_row((first, second), stage, model or backbone, part, modalities))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def coordinates(
    backbone: Backbone,
    modalities: Sequence[TrainedModality],
    table: Seen,
    *,
    way: Drawing = "tsne",
    seed: int = 0,
) -> pd.DataFrame:
    """Return where molecules and profiles lie, drawn in two dimensions together, and their codes.

    Parameters
    ----------
    backbone
        The model.
    modalities
        Which of its modalities; profiles of those that it does not project are left out.
    table
        Molecules with their profiles.
    way
        "tsne", "umap" or "pacmap".
    seed
        Seed of the drawing.

    Returns
    -------
    A row for each molecule and each of its profiles: ``what`` ("molecule" or the modality), ``mol_id``,
    ``smiles``, ``x``, ``y``, and for a model with a code book ``code_1``, ``code_2``, ... (the node of each
    level).
    """
    parts, points = [], []
    for name in [MOLECULE, *(one.name for one in modalities if one.projected)]:
        chosen = table.having(name)
        if not len(chosen):
            continue
        part = _taken(table, chosen)
        space = modalities[0] if name == MOLECULE else TrainedModality(backbone, name)
        found = places(backbone, part, name, space)
        points.append(found)
        frame = pd.DataFrame({"what": name, "mol_id": part.ids, "smiles": part.smiles})
        parts.append(pd.concat([frame, _codes(backbone, part, name)], axis=1))
    drawing = drawn(np.concatenate(points), way, seed=seed)
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(3, "x", drawing[:, 0])
    frame.insert(4, "y", drawing[:, 1])
    return frame


def _row(
    pair: tuple[str, str], stage: str, model: Backbone, part: Seen, modalities: Sequence[TrainedModality]
) -> dict[str, Any]:
    first, second = pair
    row: dict[str, Any] = {
        "first": first,
        "second": second,
        "stage": stage,
        "molecules": len(part.rows),
        "chance": 1 / len(part.rows),
    }
    if stage == "features":
        sides = [features(model, part, name) for name in (first, second)]
        return row | _cka(*sides)
    # a method that decodes has a space for each modality: the one whose profiles are looked at
    of = {one.name: one for one in modalities}
    if first != MOLECULE and not (of[first].projected and of[second].projected):
        return row
    sides = [places(model, part, name, of[second]) for name in (first, second)]
    there, back = retrieve_pairs(*sides)
    return {
        **row,
        **_cka(*sides),
        "mmd2": squared_mmd(*sides),
        "first_finds_second": there.first,
        "second_finds_first": back.first,
        "top5_first": there.top,
        "top5_second": back.top,
        "mrr_first": there.reciprocal,
        "mrr_second": back.reciprocal,
    }


def _cka(X: NDArray[np.float32], Y: NDArray[np.float32]) -> dict[str, float]:
    return {"cka": linear_cka(X, Y), "cka_debiased": linear_cka(X, Y, debiased=True)}


def _taken(table: Seen, chosen: NDArray[np.int64]) -> Seen:
    return Seen(
        rows=table.rows[chosen],
        smiles=[table.smiles[place] for place in chosen],
        ids=[table.ids[place] for place in chosen],
        profiles={name: values[chosen] for name, values in table.profiles.items()},
    )


def _codes(backbone: Backbone, part: Seen, name: str) -> pd.DataFrame:
    """Return the path of each molecule or profile through the code book; no columns without one."""
    method = backbone.method
    if not isinstance(method, CHMR) or method.quantizer is None:
        return pd.DataFrame(index=range(len(part.rows)))
    import torch

    paths = []
    with torch.inference_mode():
        for rows in _blocks(len(part.rows)):
            if name == MOLECULE:
                store = backbone.store([part.smiles[row] for row in rows])
                batch = backbone.builder.build(store, np.arange(len(store))).to(backbone.device)
                projected = method.anchor(batch)
            else:
                values = backbone.profile_rows(name, part.profiles[name][rows])
                typical = backbone.profile_rows(name, TrainedModality(backbone, name).typical.mean[None])
                filled = np.where(np.isnan(values), typical, values)
                projected = method.project(name, torch.from_numpy(filled).to(backbone.device))
            paths.append(method.quantizer(projected).path.cpu().numpy())
    path = np.concatenate(paths)
    return pd.DataFrame({f"code_{level + 1}": path[:, level] for level in range(path.shape[1])})


def _blocks(rows: int, size: int = 512) -> Iterator[NDArray[np.int64]]:
    for start in range(0, rows, size):
        yield np.arange(start, min(start + size, rows))

"""One job: pretrain a configuration, then score it; ``python -m benchmarks.fidelity.job SPECIFICATION OUT``.

Without a method in the specification it scores what needs no backbone: fingerprints alone, and a ridge from
fingerprints to profiles.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.fidelity.grounds import Ground
from benchmarks.fidelity.learner import blocks_side_by_side, score_linear
from benchmarks.fidelity.matching import Places, correlations, cosines, hits, places_by_group
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.evaluate.sets import BenchmarkSet, load_set
from cytomol.files import atomic_file

__all__ = ["bits", "main", "modality_of", "run_job"]

_RADIUS = 2
_ALPHAS = (1.0, 10.0, 100.0, 1000.0)


def main(arguments: list[str] | None = None) -> int:
    """Run the job of a specification; return the exit status."""
    specification, out = map(Path, arguments or sys.argv[1:])
    result = run_job(json.loads(specification.read_text(encoding="utf-8")), out.with_suffix(".backbone"))
    with atomic_file(out, force=True) as temporary:
        temporary.write_text(json.dumps(result) + "\n", encoding="utf-8")
    return 0


def run_job(specification: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return scores by figure, fold and task, places by direction, group and fold, and the seconds taken.

    Parameters
    ----------
    specification
        ``ground``; for a backbone also ``method``, ``config`` and ``leaky``, which leaves nobody out.
    folder
        Where the backbone is written; it is removed afterwards.
    """
    import torch

    torch.set_num_threads(1)
    started = time.perf_counter()
    ground = Ground.of_table(specification["ground"])
    if "method" not in specification:
        scores, places = _downstream(ground, None), {"ridge": _ridge_places(ground)}
        return {"scores": scores, "places": places, "epochs": 0, "seconds": time.perf_counter() - started}
    backbone = _pretrained(specification, ground, folder)
    trained = time.perf_counter() - started
    places = {} if specification["leaky"] else _matched(ground, backbone)
    return {
        "scores": _downstream(ground, backbone),
        "places": {"anchor": places} if places else {},
        "epochs": backbone.config.epochs,
        "seconds": trained,
        "seconds_scoring": time.perf_counter() - started - trained,
    }


def _pretrained(specification: dict[str, Any], ground: Ground, folder: Path) -> Backbone:
    """Pretrain, load and remove the model directory again: a hundred of them would fill a disk."""
    from benchmarks.fidelity.forms import METHODS

    from cytomol.training.pretrain import pretrain

    method = specification["method"]
    try:
        pretrain(
            ground.corpus,
            METHODS[method].build(specification["config"]),
            folder,
            method=method,
            force=True,
            exclude_profiles_of=None if specification["leaky"] else ground.excluded,
            quiet=True,
        )
        return Backbone.load(folder)
    finally:
        for path in (folder, folder.with_name(f"{folder.name}.partial")):
            shutil.rmtree(path, ignore_errors=True)


def bits(smiles: list[str]) -> NDArray[np.float32]:
    """Return Morgan bits and MACCS keys, shape (n, 1191); zeros for an invalid molecule."""
    from cytomol.chem.featurize import FeatureOptions, featurize

    options = FeatureOptions(graph=False, morgan_radius=_RADIUS, morgan_bits=1024, maccs=True)
    store = featurize(smiles, options, workers=1)
    packed = [
        np.unpackbits(
            np.asarray(store.blocks[name]), axis=1, count=store.widths[name], bitorder="little"
        ).astype(np.float32)
        for name in ("morgan", "maccs")
    ]
    return np.concatenate(packed, axis=1)


def _sets(ground: Ground) -> Iterator[tuple[str, BenchmarkSet, NDArray[np.bool_]]]:
    """Yield the name of each figure, its set and which of the set's tasks it looks at."""
    if ground.name != "planted":
        for name in ground.sets:
            data = load_set(name)
            short = "auc" if data.metric == "roc_auc" else data.metric
            yield f"{name} {short}", data, np.ones(len(data.labels.names), np.bool_)
        return
    corpus = Path(ground.corpus)
    data = load_set(corpus / "assays.csv", split_file=corpus / "split.csv")
    drivers = pd.read_parquet(corpus / "truth" / "assays.parquet").set_index("task")["driver"]
    for driver in ("response", "structure"):
        yield f"{driver} auc", data, np.array([drivers[task] == driver for task in data.labels.names])


def _downstream(ground: Ground, backbone: Backbone | None) -> dict[str, dict[str, dict[str, float]]]:
    """Score the one learner on the embedding beside fingerprints, or on fingerprints alone."""
    scores: dict[str, dict[str, dict[str, float]]] = {}
    features: dict[str, NDArray[np.float32]] = {}
    for figure, data, chosen in _sets(ground):
        train = data.folds == "train"
        if data.name not in features:
            blocks, standardise = [bits(data.smiles)], [False]
            if backbone is not None:
                store = backbone.store(data.smiles, workers=1)
                blocks.insert(0, np.nan_to_num(backbone.embed(store)[0]))
                standardise.insert(0, True)
            features[data.name] = blocks_side_by_side(blocks, standardise, train)
        labels = data.labels.matrix[:, chosen].astype(np.float64)
        names = [name for name, kept in zip(data.labels.names, chosen, strict=True) if kept]
        scored = score_linear(features[data.name], labels, data.folds, data.metric)
        scores[figure] = {
            fold: {
                task: float(value) for task, value in zip(names, values, strict=True) if np.isfinite(value)
            }
            for fold, values in scored.by_fold.items()
        }
    return scores


def _candidates(ground: Ground) -> tuple[pd.DataFrame, dict[str, NDArray[np.bool_]]]:
    """Return the molecules that have to find their profile, and their groups."""
    table = pd.read_csv(ground.matching, keep_default_na=False)
    groups = {"all": np.ones(len(table), np.bool_)}
    if table["bioactive"].any():
        groups["bioactive"] = table["bioactive"].to_numpy(np.bool_)
    return table, groups


def _measured(ground: Ground) -> tuple[NDArray[np.float32], NDArray[np.int64], list[str], NDArray[np.bool_]]:
    """Return the modality's profiles, their molecules, all SMILES, and which profiles were left out."""
    from cytomol.corpus import read_corpus
    from cytomol.training.dataset.exclude import connectivity_blocks, listed_blocks

    corpus = read_corpus(ground.corpus)
    modality, listed = corpus.modalities[ground.modality], listed_blocks(ground.excluded)
    blocks = connectivity_blocks(corpus)
    left_out = np.array([blocks[row] in listed for row in modality.rows])
    return np.asarray(modality.values), modality.rows, list(corpus.smiles), left_out


def _matched(ground: Ground, backbone: Backbone) -> Places:
    """Rank profiles for each molecule and molecules for each profile; nothing without the modality.

    CHMR compares the anchor with the projected profile, InfoAlign the decoded profile with the scaled one.
    """
    import torch

    from cytomol.corpus import read_corpus

    widths = {name: modality.width for name, modality in read_corpus(ground.corpus).modalities.items()}
    where = modality_of(list(backbone.scalers), widths, ground.modality)
    if where is None:
        return {}
    name, columns = where
    table, groups = _candidates(ground)
    measured, _, _, left_out = _measured(ground)
    values = np.full((len(measured), backbone.scalers[name].width), np.nan, np.float32)
    values[:, columns] = measured
    store = backbone.store(table["smiles"].tolist(), workers=1)
    rows = np.arange(len(table))
    with torch.inference_mode():
        batches = [backbone.builder.build(store, part) for part in np.array_split(rows, len(rows) // 256 + 1)]
        if backbone.name == "chmr":
            method: Any = backbone.method
            read = _as_read(backbone, name, values[table["profile"]], ground)
            projected = method.profiles[name](torch.from_numpy(read))
            anchors = torch.cat([method.anchor(batch) for batch in batches])
            similarity = cosines(anchors.float().numpy(), projected.float().numpy())
        else:
            decoded = torch.cat([backbone.method.impute(batch)[name] for batch in batches])
            scaled = _scaled(backbone, name, values)[:, columns]
            typical = scaled[~left_out].mean(axis=0)
            found = decoded.float().numpy()[:, columns]
            similarity = correlations(found, scaled[table["profile"]], typical)
    return places_by_group(similarity, table["fold"].to_numpy(str), groups)


def _scaled(backbone: Backbone, name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return profiles on the axis of the decoders, the middle where not measured."""
    return np.nan_to_num(np.clip(backbone.scalers[name].transform(values), 0, 1), nan=0.5)


def modality_of(
    known: Sequence[str], widths: Mapping[str, int], modality: str
) -> tuple[str, NDArray[np.int64]] | None:
    """Return which modality of a backbone holds one of the corpus, alone or joined with others, and where.

    Parameters
    ----------
    known
        Modalities of the backbone; one that was joined is called after its parts, ``a+b``.
    widths
        Columns of each modality of the corpus.
    modality
        The one of the corpus.

    Returns
    -------
    name, columns
        None if the backbone learnt from nothing of it.
    """
    for name in known:
        parts = name.split("+")
        if modality in parts:
            first = sum(widths[part] for part in parts[: parts.index(modality)])
            return name, np.arange(first, first + widths[modality])
    return None


def _as_read(
    backbone: Backbone, name: str, values: NDArray[np.float32], ground: Ground
) -> NDArray[np.float32]:
    """Return profiles as the projector reads them; where not measured, as in training, the column's mean."""
    found = backbone.profile_rows(name, values)
    if not np.isnan(found).any():
        return found
    from cytomol.corpus import read_corpus
    from cytomol.corpus.pooled import pool_modalities
    from cytomol.training.dataset.exclude import exclude_profiles_of

    learnt = exclude_profiles_of(read_corpus(ground.corpus), ground.excluded).corpus
    learnt = pool_modalities(learnt.select(name.split("+")))
    known = backbone.profile_rows(name, np.asarray(learnt.modalities[name].values))
    return np.where(np.isnan(found), np.nanmean(known, axis=0), found)


def _ridge_places(ground: Ground) -> Places:
    """Rank by the correlation with a profile that ridge regression predicts from fingerprints.

    The strength of the penalty is the one with most hits on valid.
    """
    table, groups = _candidates(ground)
    values, molecules, smiles, left_out = _measured(ground)
    known = ~left_out & ~np.isnan(values).any(axis=1)
    center, spread = values[known].mean(axis=0), np.maximum(values[known].std(axis=0), 1e-12)
    z = np.nan_to_num((values - center) / spread).astype(np.float64)
    X = bits([smiles[row] for row in molecules[known]]).astype(np.float64)
    mean = X.mean(axis=0)
    queries = bits(table["smiles"].tolist()) - mean
    gram, product = (X - mean).T @ (X - mean), (X - mean).T @ z[known]
    folds, most = table["fold"].to_numpy(str), -1.0
    best: Places = {}
    for alpha in _ALPHAS:
        predicted = queries @ np.linalg.solve(gram + alpha * np.eye(len(gram)), product)
        similarity = correlations(predicted, z[table["profile"]], np.zeros(z.shape[1]))
        found = places_by_group(similarity, folds, groups)
        score = sum(float(hits(found[direction]["all"]["valid"], 0.05).mean()) for direction in found)
        if score > most:
            best, most = found, score
    return best


if __name__ == "__main__":
    sys.exit(main())

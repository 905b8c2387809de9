"""What batches are drawn from, put together from inputs that are there already."""

from __future__ import annotations

import numpy as np
from benchmarks.growth.material import Material

from cytomol.artifact.batches import BatchBuilder
from cytomol.chem.features import ATOM_FEATURE_SIZES, BOND_FEATURE_SIZES
from cytomol.context import ContextGraph
from cytomol.corpus.scaling import FeatureScaler
from cytomol.methods.needs import Filling
from cytomol.nn.batch import Dimensions
from cytomol.training.dataset.data import PretrainData
from cytomol.training.dataset.profile_inputs import profile_input
from cytomol.training.dataset.targets import BitTarget, DenseTarget, Target

__all__ = ["pretrain_data"]


def pretrain_data(
    material: Material, graph: ContextGraph, walk_length: int, *, profiles: bool
) -> PretrainData:
    """Return what `prepare` would, without computing features, graph and neighbours again.

    Parameters
    ----------
    material
        The inputs.
    graph
        The context graph.
    walk_length
        Steps of a walk.
    profiles
        Profiles are inputs too, completed from neighbours, as CHMR has them.
    """
    corpus, store = material.corpus, material.store
    scalers = {name: FeatureScaler.fit(m.values, "robust") for name, m in corpus.modalities.items()}
    held = np.zeros(len(store), np.bool_)
    morgan = np.ascontiguousarray(store.blocks["morgan"])
    targets: dict[str, Target] = {
        "morgan": BitTarget(0, morgan, store.widths["morgan"], store.valid, store.valid)
    }
    for name, modality in corpus.modalities.items():
        scaled = np.clip(scalers[name].transform(modality.values), 0, 1)
        known = np.ones(len(modality), np.bool_)
        targets[name] = DenseTarget(graph.offsets[name], scaled, known, known)
    inputs = {}
    if profiles:
        inputs = {
            name: profile_input(*material.profiles(name), held, material.neighbours, Filling(), seed=0)
            for name in corpus.modalities
        }
    return PretrainData(
        store=store,
        graph=graph,
        builder=BatchBuilder(("2d",)),
        targets=targets,
        profiles=inputs,
        scalers=scalers,
        input_scalers=scalers if profiles else {},
        train=np.flatnonzero(store.valid),
        validation=np.zeros(0, np.int64),
        walk_length=walk_length,
        dimensions=Dimensions(
            atom_features=tuple(ATOM_FEATURE_SIZES),
            bond_features=tuple(BOND_FEATURE_SIZES),
            views={},
            modalities={name: modality.width for name, modality in corpus.modalities.items()},
            targets={name: target.width for name, target in targets.items()},
            binary_targets=("morgan",),
        ),
    )

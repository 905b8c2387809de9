"""Molecules that may stall: they are featurized in a process of their own, which can be killed.

RDKit's descriptors, fingerprints and ring search take longer than a second for a few large or densely fused
molecules, up to hours for some, and nothing stops them from within. `chunk.is_light` tells the molecules that
cannot do so; all others go through the worker processes that conformers have.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.chunk import empty_store, featurize_chunk
from cytomol.chem.geometry.pool import run_workers
from cytomol.chem.options import FeatureOptions
from cytomol.chem.store import MoleculeStore

__all__ = ["compute", "featurize_heavy", "settled"]

_LOST = "given up, may succeed another time: "
_ENTRY = "cytomol.chem.heavy:compute"


def settled(store: MoleculeStore) -> bool:
    """Tell whether a store may be kept: no row was given up because the machine was busy."""
    return not any(reason.startswith(_LOST) for reason in store.errors)


def featurize_heavy(smiles: Sequence[Any], options: FeatureOptions, workers: int) -> MoleculeStore:
    """Featurize molecules in worker processes; one that exceeds its time has a reason and no features.

    Parameters
    ----------
    smiles
        Molecules as they are written.
    options
        What to compute, and the limits.
    workers
        Processes.
    """
    settings = {name: value for name, value in asdict(options).items() if not name.startswith("geometry")}
    requests = [json.dumps([text, settings]) for text in smiles]
    rows: dict[int, MoleculeStore] = {}
    limit = options.molecule_timeout
    with closing(run_workers(requests, _ENTRY, timeout=limit, workers=workers)) as outcomes:
        for outcome in outcomes:
            text = smiles[outcome.index]
            if outcome.values is not None:
                rows[outcome.index] = _unpack(text, outcome.values, options)
            else:
                reason = f"{_LOST}{outcome.reason}" if outcome.kind == "lost" else outcome.reason
                rows[outcome.index] = empty_store(text, reason, options)
    return MoleculeStore.concatenate([rows[i] for i in range(len(rows))])


def compute(request: str) -> NDArray[np.float32]:
    """Featurize one molecule in a worker; its arrays come back as bytes in the guise of float32."""
    text, settings = json.loads(request)
    store = featurize_chunk([text], FeatureOptions(**settings), alone=True)
    arrays = {name: getattr(store, name) for name in ("atoms", "edges", "edge_features")}
    arrays |= {f"block_{name}": block for name, block in store.blocks.items()}
    stream = io.BytesIO()
    np.savez(stream, error=np.array(store.errors[0]), **arrays)
    body = stream.getvalue()
    framed = len(body).to_bytes(4, "little") + body
    return np.frombuffer(framed + b"\0" * (-len(framed) % 4), dtype=np.float32)


def _unpack(text: Any, values: NDArray[np.float32], options: FeatureOptions) -> MoleculeStore:
    """Return what `compute` packed, as a store of one row."""
    framed = values.tobytes()
    body = framed[4 : 4 + int.from_bytes(framed[:4], "little")]
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        atoms, edges, kinds = (arrays[name] for name in ("atoms", "edges", "edge_features"))
        return MoleculeStore(
            smiles=[text],
            errors=[str(arrays["error"])],
            atoms=atoms,
            atom_offsets=np.array([0, len(atoms)], dtype=np.int64),
            edges=edges,
            edge_features=kinds,
            edge_offsets=np.array([0, len(kinds)], dtype=np.int64),
            blocks={name: arrays[f"block_{name}"] for name in options.widths},
            widths=options.widths,
        )

"""A stand-in with the interface of unimol_tools (0.1): representations that a test can predict."""

from __future__ import annotations

import os

import numpy as np

MADE: list[object] = []


class UniMolRepr:
    """Takes atoms and coordinates, returns 512 numbers per molecule: a list, or a dict as of old."""

    def __init__(self, data_type="molecule", batch_size=32, remove_hs=False, model_name="unimolv1", **kwargs):
        assert data_type == "molecule"
        assert remove_hs is False
        assert not kwargs
        if os.environ.get("FAKE_UNIMOL") == "no weights":
            message = "weights cannot be fetched"
            raise OSError(message)
        self.batches: list[int] = []
        MADE.append(self)

    def get_repr(self, data=None, return_atomic_reprs=False, return_tensor=False):
        assert isinstance(data, dict)
        assert set(data) == {"atoms", "coordinates"}
        style = os.environ.get("FAKE_UNIMOL", "symbols")
        if style == "broken":
            message = "shape mismatch"
            raise RuntimeError(message)
        vectors = []
        for atoms, coordinates in zip(data["atoms"], data["coordinates"], strict=True):
            assert len(atoms) == len(coordinates)
            assert all(len(point) == 3 for point in coordinates)
            if style == "numbers":  # what later releases do with lists of atoms
                [int(atom) for atom in atoms]
            else:
                assert all(isinstance(atom, str) for atom in atoms)
            if style == "no iodine" and "I" in atoms:
                message = "index out of range"
                raise IndexError(message)
            vector = np.zeros(512)
            vector[0] = len(atoms)
            vector[1] = np.ptp(np.asarray(coordinates), axis=0).max()
            vectors.append(vector)
        self.batches.append(len(vectors))
        if style == "dict":
            return {"cls_repr": vectors, "atomic_reprs": []}
        if style == "narrow":
            return [vector[:10] for vector in vectors]
        return vectors

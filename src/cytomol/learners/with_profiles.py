"""Any learner of structures, with measured profiles beside it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.learners.base import Learner, Learning, Matrix, learners
from cytomol.learners.cell_kernel import CellKernel, measured_rows
from cytomol.learners.former import restored_as
from cytomol.learners.fusion_weights import fuse, fusion_weights
from cytomol.learners.matrix import measured_exactly

__all__ = ["ALONE", "WithProfiles"]

ALONE = ("structure", "profiles", "norm")
"""Sources whose own answers stand beside the fused ones."""

_TERMS = {
    "joint": ("structure", "profile", "norm", "both"),
    "profiles": ("profile", "norm"),
    "norm": ("norm",),
}


class WithProfiles(Learner):
    """A learner of structures, and what measured profiles add to it.

    Three sources are fused: the learner, which reads structures; a Gaussian process on structures and
    profiles together (:class:`~cytomol.learners.cell_kernel.CellKernel`); and one on profiles alone. Their
    weights are those that the validation rows with a profile make likely, task by task, drawn to what the
    tasks have in common. A molecule without a profile is answered by the learner of structures alone, as if
    there were no profiles.

    Parameters
    ----------
    structure
        The learner of structures.
    structure_name
        Its name in the registry.
    profiles
        Names of the blocks of profiles.
    projected
        Names of the blocks of the same profiles as a backbone projects them; with any, a Gaussian process on
        structures and these is fused as well.

    Attributes
    ----------
    weights
        Of each fused source in each task, shape (sources, tasks).
    """

    name: ClassVar[str] = "with-profiles"
    summary: ClassVar[str] = "a learner of structures, fused with measured profiles"

    def __init__(
        self,
        structure: Learner,
        structure_name: str,
        profiles: Sequence[str],
        projected: Sequence[str] = (),
    ) -> None:
        self.structure, self.structure_name = structure, structure_name
        self.profiles, self.projected = tuple(profiles), tuple(projected)
        self.blocks = tuple(dict.fromkeys((*structure.blocks, "counts", *profiles, *projected)))
        self.kernels = {name: CellKernel(profiles, terms) for name, terms in _TERMS.items()}
        if projected:
            self.kernels["projected"] = CellKernel(projected)
        self.beside = tuple(name for name in self.kernels if name != "norm")
        self.weights: NDArray[np.float64] = np.zeros((1 + len(self.beside), 0))
        self.binary = True
        self.details: dict[str, Any] = {}

    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Fit every source on the training rows, then the weights on the validation rows with a profile."""
        self.binary = learning.kind == "classification"
        self.structure.fit(blocks, learning)
        measured = self.measured(blocks)
        of_measured = replace(learning, train=learning.train & measured, valid=learning.valid & measured)
        for kernel in self.kernels.values():
            kernel.fit(blocks, of_measured)
        held = {name: block[of_measured.valid] for name, block in blocks.items()}
        asked = _as_embedded_now(blocks, learning)
        structure = self.structure.held_out(asked, learning)[0][measured[learning.valid]]
        sources = np.stack([structure, *(self.kernels[name].predict(held) for name in self.beside)])
        labels = measured_exactly(learning)[of_measured.valid]
        self.weights = fusion_weights(sources, labels, learning.kind)
        self.details = {
            **getattr(self.structure, "details", {}),
            "profiles": {
                "train": int(of_measured.train.sum()),
                "valid": int(of_measured.valid.sum()),
                "weights": dict(
                    zip(("structure", *self.beside), self.weights.mean(axis=1).round(4).tolist(), strict=True)
                ),
            },
        }

    def refit(self, blocks: Mapping[str, Matrix], learning: Learning) -> WithProfiles:
        """Return one whose sources are fitted on the training rows, with the weights that this one has."""
        new = copy.copy(self)
        new.structure = self.structure.refit(blocks, learning)
        of_measured = replace(learning, train=learning.train & self.measured(blocks))
        new.kernels = {name: kernel.refit(blocks, of_measured) for name, kernel in self.kernels.items()}
        return new

    def measured(self, blocks: Mapping[str, Matrix]) -> NDArray[np.bool_]:
        """Return which rows have a profile of any modality, shape (n,)."""
        found = np.zeros(len(blocks[self.profiles[0]]), dtype=bool)
        for name in self.profiles:
            found |= measured_rows(blocks[name])
        return found

    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the fused answers."""
        answers: NDArray[np.float64] = self._with_profiles(self.structure.predict(blocks)[None], blocks)[0]
        return answers

    def members(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the answers of the members of the learner of structures, each fused with the profiles."""
        return self._with_profiles(self.structure.members(blocks), blocks)

    def answer(self, blocks: Mapping[str, Matrix]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what :meth:`predict` and :meth:`members` return."""
        answers, members = self.structure.answer(blocks)
        both = self._with_profiles(np.concatenate([answers[None], members]), blocks)
        return both[0], both[1:]

    def held_out(
        self, blocks: Mapping[str, Matrix], learning: Learning
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the fused answers to the validation rows, by sources that were not fitted on them."""
        answers, members = self.structure.held_out(blocks, learning)
        held = {name: block[learning.valid] for name, block in blocks.items()}
        both = self._with_profiles(np.concatenate([answers[None], members]), held)
        return both[0], both[1:]

    def alone(self, blocks: Mapping[str, Matrix]) -> dict[str, NDArray[np.float64]]:
        """Return what each source says alone, by name (:data:`ALONE`), each (n, tasks).

        Of a molecule without a profile the profiles and their norm know no more than the mean.
        """
        found = {"structure": self.structure.predict(blocks)}
        return found | {name: self.kernels[name].predict(blocks) for name in ALONE[1:]}

    def _with_profiles(
        self, structure: NDArray[np.float64], blocks: Mapping[str, Matrix]
    ) -> NDArray[np.float64]:
        """Fuse answers of the learner of structures, (members, n, tasks), with those of the profiles."""
        rows = np.flatnonzero(self.measured(blocks))
        result = np.array(structure, dtype=np.float64)
        if not rows.size:
            return result
        asked = {name: block[rows] for name, block in blocks.items()}
        beside = [self.kernels[name].predict(asked) for name in self.beside]
        kind = "classification" if self.binary else "regression"
        for member in result:
            member[rows] = fuse(np.stack([member[rows], *beside]), self.weights, kind)
        return result

    def seconds(self, rows: int, columns: int) -> float | None:
        """Return about how long the learner of structures takes; profiles add little."""
        return self.structure.seconds(rows, columns)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the state of every source, each under its name, and the weights."""
        table, own = self.structure.state()
        arrays: dict[str, NDArray[Any]] = {"weights": self.weights}
        arrays |= {f"structure/{name}": array for name, array in own.items()}
        kernels = {}
        for name, kernel in self.kernels.items():
            kernels[name], own = kernel.state()
            arrays |= {f"{name}/{key}": array for key, array in own.items()}
        return {
            "learner": self.structure_name,
            "structure": table,
            "kernels": kernels,
            "profiles": list(self.profiles),
            "projected": list(self.projected),
            "binary": self.binary,
        }, arrays

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`state`."""
        saved = Checked(table, arrays, "learner with profiles")
        kind = type(learners[restored_as(name := saved.word("learner"))]())
        own = saved.below("structure", "structure/")
        profiles, projected = saved.words("profiles"), saved.words("projected")
        if not profiles:
            raise ModelDirectoryError("learner with profiles: it reads no profiles")
        new = cls(kind.restore(own.table, own.arrays), name, profiles, projected)
        kernels = Checked(saved.mapping("kernels"), arrays, "learner with profiles")
        for source in new.kernels:
            own = kernels.below(source, f"{source}/")
            new.kernels[source] = CellKernel.restore(own.table, own.arrays)
        shape = f"{1 + len(new.beside)} tasks"
        new.weights = saved.array("weights", np.float64, shape, finite=True)
        new.binary = saved.flag("binary")
        return new


def _as_embedded_now(blocks: Mapping[str, Matrix], learning: Learning) -> dict[str, Matrix]:
    """Return the blocks with the validation rows embedded anew, where fitting has changed the embedding."""
    import torch

    found = dict(blocks)
    if learning.live is not None:
        rows = np.flatnonzero(learning.valid)
        learning.live.network.eval()
        with torch.inference_mode():
            parts = [
                learning.live.embed(torch.from_numpy(rows[at : at + 256]), torch.device("cpu"))
                for at in range(0, len(rows), 256)
            ]
        found["embedding"] = blocks["embedding"].copy()
        found["embedding"][rows] = torch.cat(parts).float().numpy()
    return found

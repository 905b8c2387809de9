"""Which atoms drive what a backbone says of a cell, by integrated gradients through the encoder.

    A_i = (x_i - x'_i) * integral over t in [0, 1] of dF/dx_i at x' + t (x - x')

x are the embeddings of the atoms and the bits of the fingerprints, x' is zero: atoms and fingerprints that
say nothing, in the same graph. An atom is given the sum over its embedding, and its shares of the bits that
it takes part in. All together add up to F(x) - F(x') (completeness); what no atom can be given is told apart.

Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", ICML 2017.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import Chem
from torch import Tensor, nn

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.batches import batches_by_size
from cytomol.cells.explain.explained_value import ExplainedValue
from cytomol.chem.occlusion.attribution import Attribution, ExplainedMolecule, unexplained
from cytomol.chem.occlusion.masked_bits import environments
from cytomol.chem.occlusion.masked_keys import key_matches
from cytomol.chem.occlusion.masked_molecules import MaskedMolecules
from cytomol.nn.batch import Batch

__all__ = ["PathIntegral", "integrate_value", "path_nodes"]

_POWER = 2  # t = s**2: a normalised view turns away from nothing near the beginning of the path


def path_nodes(steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where on the path [0, 1] gradients are taken, and their weights, shape (steps,) each.

    Nodes of Gauss and Legendre in s, where t = s**2.

    Examples
    --------
    >>> t, weight = path_nodes(16)
    >>> round(float((weight * t**2).sum()), 12)
    0.333333333333
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    s, of_s = (nodes + 1) / 2, weights / 2
    return s**_POWER, of_s * _POWER * s ** (_POWER - 1)


@dataclass(frozen=True, eq=False)
class PathIntegral:
    """Integrated gradients of one batch.

    Attributes
    ----------
    atoms
        Of each atom of the batch, float64, shape (atoms,).
    bits
        Of each bit of the 1D view of each molecule, float64, shape (B, bits); no bits without that view.
    value, baseline
        F(x) and F(x') of each molecule, float64, shape (B,).
    """

    atoms: NDArray[np.float64]
    bits: NDArray[np.float64]
    value: NDArray[np.float64]
    baseline: NDArray[np.float64]

    @classmethod
    def of(cls, backbone: Backbone, batch: Batch, value: ExplainedValue, *, steps: int) -> PathIntegral:
        """Integrate along the straight path from the baseline."""
        encoder = backbone.method.encoder
        table = None if encoder is None or batch.graph is None else encoder.atoms
        full = None
        if table is not None and batch.graph is not None:
            with torch.no_grad():
                full = table(batch.graph.atoms)
        bits = batch.views.get("1d")
        with torch.no_grad():
            whole = value.read(batch)
            answer = value.score(whole, whole).double()
        path = _Path(batch, table, full, bits, value, whole)
        atoms = torch.zeros(0 if full is None else len(full), dtype=torch.float64)
        of_bits = torch.zeros((batch.size, 0 if bits is None else bits.shape[1]), dtype=torch.float64)
        for t, weight in zip(*path_nodes(steps), strict=True):
            of_atoms, of_view = path.gradients(float(t))
            if of_atoms is not None and full is not None:
                atoms += weight * (of_atoms.double() * full.double()).sum(dim=1).cpu()
            if of_view is not None and bits is not None:
                of_bits += weight * (of_view.double() * bits.double()).cpu()
        with torch.no_grad():
            nothing = path.value(0.0)[0].double()
        return cls(atoms.numpy(), of_bits.numpy(), answer.cpu().numpy(), nothing.cpu().numpy())


@dataclass(frozen=True, eq=False)
class _Path:
    """The straight path from the baseline to a batch."""

    batch: Batch
    table: nn.Module | None
    atoms: Tensor | None
    bits: Tensor | None
    of: ExplainedValue
    whole: Tensor

    def value(self, t: float) -> tuple[Tensor, list[Tensor | None]]:
        """Return F at t, shape (B,), and the inputs there: embeddings of atoms, bits."""
        graded = torch.is_grad_enabled()
        inputs = [
            None if one is None else (one * t).detach().requires_grad_(graded)
            for one in (self.atoms, self.bits)
        ]
        views = self.batch.views if inputs[1] is None else {**self.batch.views, "1d": inputs[1]}
        with _embedded(self.table, inputs[0]):
            rows = self.of.read(replace(self.batch, views=views))
        return self.of.score(rows, self.whole), inputs

    def gradients(self, t: float) -> tuple[Tensor | None, Tensor | None]:
        """Return dF/dx at t by atom embedding and by bit; None for a view that is not read."""
        with torch.enable_grad():
            value, inputs = self.value(t)
            read = [one for one in inputs if one is not None]
            found = iter(torch.autograd.grad(value.sum(), read, allow_unused=True))
        of_atoms, of_bits = (None if one is None else next(found) for one in inputs)
        return of_atoms, of_bits


@contextmanager
def _embedded(table: nn.Module | None, embedding: Tensor | None) -> Iterator[None]:
    """Let the encoder read these embeddings of its atoms."""
    if table is None or embedding is None:
        yield
        return
    handle = table.register_forward_hook(lambda *_: embedding)
    try:
        yield
    finally:
        handle.remove()


def integrate_value(
    backbone: Backbone,
    smiles: Sequence[str],
    value: ExplainedValue,
    *,
    steps: int = 64,
    batch_size: int = 64,
) -> list[ExplainedMolecule]:
    """Return what each atom adds to a value by integrated gradients; a piece adds what its atoms add.

    Parameters
    ----------
    backbone
        That the value is computed with.
    smiles
        Molecules, length n.
    value
        The value.
    steps
        Places on the path at which gradients are taken.
    batch_size
        Molecules in a pass.

    Returns
    -------
    list of ExplainedMolecule
        One for each molecule, in order, valid or not.
    """
    backbone.method.eval()
    options = backbone.feature_options
    molecules = MaskedMolecules.read(smiles, options)
    store = molecules.whole(options)
    explained = [unexplained(text, error) for text, error in zip(smiles, store.errors, strict=True)]
    for part in batches_by_size(store, np.flatnonzero(store.valid), batch_size):
        batch = backbone.builder.build(store, part).to(backbone.device)
        integral = PathIntegral.of(backbone, batch, value, steps=steps)
        ends = np.cumsum(store.atom_counts[part]) if len(integral.atoms) else np.zeros(len(part), int)
        starts = ends - store.atom_counts[part] if len(integral.atoms) else ends
        for place, number in enumerate(part):
            mol, piece = molecules.mols[number], molecules.pieces[number]
            assert mol is not None
            atoms = np.zeros(len(piece))
            atoms += integral.atoms[starts[place] : ends[place]] if len(integral.atoms) else 0
            if integral.bits.shape[1]:
                atoms += integral.bits[place] @ _shares(mol, options.morgan_radius, options.morgan_bits)
            explained[number] = ExplainedMolecule(
                smiles[number], mol, "", piece, [_attribution(value.name, integral, place, atoms, piece)]
            )
    return explained


def _attribution(
    name: str, integral: PathIntegral, place: int, atoms: NDArray[np.float64], piece: NDArray[np.int64]
) -> Attribution:
    whole, nothing = float(integral.value[place]), float(integral.baseline[place])
    return Attribution(
        name,
        whole,
        atoms,
        np.bincount(piece, weights=atoms).astype(np.float64),
        baseline=nothing,
        unattributed=whole - nothing - float(atoms.sum()),
    )


def _shares(mol: Chem.Mol, radius: int, bits: int) -> NDArray[np.float64]:
    """Return how each bit of the 1D view is shared among the atoms, shape (bits, atoms)."""
    keys = key_matches(mol).shares(mol.GetNumAtoms())
    return np.concatenate([environments(mol, radius, bits).shares(), keys])

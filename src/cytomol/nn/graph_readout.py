"""How the atoms of a molecule become one row."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, inf

from cytomol.nn.segments import Groups, total
from cytomol.registry import Registry

__all__ = ["Readout", "readouts"]

Readout = Callable[[Tensor, Groups], Tensor]
"""Pool the atoms of each molecule, (atoms, d) -> (molecules, d); a molecule without atoms gets zeros."""

readouts: Registry[Readout] = Registry("readout")

readouts.register("sum")(total)


@readouts.register("mean")
def _mean(atoms: Tensor, molecules: Groups) -> Tensor:
    return total(atoms, molecules) / _counts(atoms, molecules).clamp(min=1)


@readouts.register("max")
def _largest(atoms: Tensor, molecules: Groups) -> Tensor:
    """Take the largest entry of each column; atoms that tie share the gradient, as torch has it."""
    # a start of -inf, not of zero: a largest entry of exactly zero would share its gradient with the start
    start = atoms.new_full((len(molecules.offsets), atoms.shape[1]), -inf)
    index = molecules.index[:, None].expand_as(atoms)
    largest = start.scatter_reduce(0, index, atoms, "amax")
    return largest.masked_fill(_counts(atoms, molecules) == 0, 0.0)


def _counts(atoms: Tensor, molecules: Groups) -> Tensor:
    """Count the atoms of each molecule, shape (molecules, 1)."""
    return molecules.sum(atoms.new_ones(len(atoms), 1))

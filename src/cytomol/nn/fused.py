"""The graph encoder's layer on a CPU: few passes over memory instead of one per elementary operation.

The same functions as the plain modules of ``nn.encoder`` and ``nn.gin``, in float32, forwards and backwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from cytomol.nn import kernels
from cytomol.nn.batch_moments import Moments, array_of, moments_of, normalise_backward
from cytomol.nn.dropout import Dropout, random_bits
from cytomol.nn.linear import onednn_is_faster, product
from cytomol.nn.norm import BatchNorm
from cytomol.nn.threads import group_ranges, row_ranges, share

__all__ = ["Folded", "FusedGraph", "gather", "perceive", "stamp"]

_NO_BITS = np.empty((0, 0), np.int16)


def _half() -> bool:
    """Say whether matrix products are wanted in bfloat16, by autocast; everything else stays in float32."""
    return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16


def _factor(rows: Tensor, *, half: bool) -> Tensor:
    """Return a factor as products want it: for oneDNN with rows of zeros (see ``linear.product``)."""
    if not half and not onednn_is_faster():
        return rows
    factor = rows.new_empty(_round(len(rows)), rows.shape[1], dtype=torch.bfloat16 if half else rows.dtype)
    factor[: len(rows)] = rows
    factor[len(rows) :] = 0
    return factor


def _times(left: Tensor, right: Tensor, rows: int) -> Tensor:
    """Return left @ right.T in float32, of two factors; the result has ``rows`` rows."""
    if left.dtype == torch.bfloat16:
        return torch.mm(left, right.t()).float()[:rows]
    return product(left, right, out=_room(len(left), len(right)))[:rows]


@dataclass(frozen=True)
class FusedGraph:
    """Graphs of a batch as the loops read them.

    Attributes
    ----------
    layout
        Molecules, atoms and edges.
    molecules
        Ranges of molecules with about equally many atoms, one for each thread.
    """

    layout: kernels.Layout
    molecules: list[tuple[int, int]]

    @classmethod
    def build(cls, molecule: Tensor, edge_index: Tensor, bond: Tensor, size: int) -> FusedGraph:
        """Arrange atoms by molecule and edges by target, both sorted already.

        Parameters
        ----------
        molecule
            Molecule of each atom, int64, non-decreasing, shape (atoms,).
        edge_index
            Source and target of each edge, sorted by target, int64, shape (2, edges).
        bond
            Row of the bond table of each edge, int64, shape (edges,).
        size
            Number of molecules.
        """
        atoms = np.searchsorted(molecule.numpy(), np.arange(size + 1))
        edges = np.searchsorted(edge_index[1].numpy(), np.arange(len(molecule) + 1))
        layout = kernels.Layout(atoms, edges, edge_index[0].contiguous().numpy(), bond.numpy())
        return cls(layout, group_ranges(atoms))


def _room(count: int, width: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return an unfilled table of ``count`` rows in memory for a round number of them.

    Batches differ a little in their number of atoms. Memory of equal sizes is found again when a step frees
    it; of sizes that never repeat, a heap falls into pieces.
    """
    return torch.empty(_round(count), width, dtype=dtype)[:count]


def _round(count: int) -> int:
    """Return the next multiple of a power of two, an eighth to a sixteenth of ``count``."""
    step = 1 << max(6, count.bit_length() - 4)
    return -(-count // step) * step


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 - autograd binds by position
        ctx: Any, h: Tensor, v: Tensor, table: Tensor, eps: Tensor, graph: FusedGraph
    ) -> tuple[Tensor, Tensor, Tensor]:
        h = h.contiguous()
        lifted, mixed, pooled = _room(*h.shape), _room(*h.shape), h.new_empty(v.shape)
        factor = np.float32(1) + np.float32(eps.item())
        inputs = (array_of(h), array_of(v), array_of(table), factor, graph.layout)
        out = (lifted.numpy(), mixed.numpy(), pooled.numpy())
        share(graph.molecules, lambda first, last, _: kernels.gather(*inputs, first, last, out))
        ctx.save_for_backward(lifted, table)
        ctx.graph, ctx.factor = graph, factor
        return lifted, mixed, pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        lifted, table = ctx.saved_tensors
        graph: FusedGraph = ctx.graph
        by_h, by_v = _room(*lifted.shape), torch.empty_like(gradients[2])
        by_table = np.zeros((len(graph.molecules), *table.shape), np.float32)
        inputs = (lifted.numpy(), array_of(table), ctx.factor, graph.layout, tuple(map(array_of, gradients)))
        rows = (by_h.numpy(), by_v.numpy())

        def work(first: int, last: int, thread: int) -> float:
            return kernels.gather_gradient(*inputs, first, last, (*rows, by_table[thread]))

        by_eps = sum(share(graph.molecules, work))
        return by_h, by_v, torch.from_numpy(by_table.sum(axis=0)), lifted.new_tensor([by_eps]), None


def gather(
    h: Tensor, v: Tensor, table: Tensor, eps: Tensor, graph: FusedGraph
) -> tuple[Tensor, Tensor, Tensor]:
    """Lift atoms by their molecule's virtual node, mix in their neighbours, and add up molecules.

    Parameters
    ----------
    h
        Atoms, shape (atoms, d).
    v
        Virtual nodes, shape (molecules, d).
    table
        Embedding of each kind of bond, shape (kinds, d).
    eps
        Weight of an atom beside its neighbours, less one, shape (1,).
    graph
        Graphs of the batch.

    Returns
    -------
    lifted
        h_i + v_m, shape (atoms, d).
    mixed
        (1 + eps) lifted_i + sum over j -> i of relu(lifted_j + table_ji), shape (atoms, d).
    pooled
        Sum of the lifted atoms of each molecule, shape (molecules, d).
    """
    return cast("tuple[Tensor, Tensor, Tensor]", _Gather.apply(h, v, table, eps, graph))  # type: ignore[no-untyped-call]


class _Perceive(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        mixed: Tensor,
        base: Tensor,
        parameters: tuple[Tensor, ...],
        modules: tuple[nn.BatchNorm1d, nn.BatchNorm1d, bool, float],
        *leaves: Tensor,
    ) -> Tensor:
        del leaves  # they are the parameters, named once more for autograd
        first_weight, first_bias, second_weight, second_bias = parameters
        first_norm, second_norm, rectified, p = modules
        half = _half()
        given = _factor(mixed, half=half)
        kind = torch.bfloat16 if half else torch.float32
        first, second = first_weight.detach().to(kind), second_weight.detach().to(kind)
        with torch.autocast("cpu", enabled=False):
            hidden = _times(given, first, len(mixed))
            inner = moments_of(hidden.numpy(), first_bias, first_norm)
            active, on = _rectify(hidden, inner)
            active = _factor(active, half=half)
            update = _times(active, second, len(mixed))
            outer = moments_of(update.numpy(), second_bias, second_norm)
            result, passes, factor = _normalise(update, outer, base, rectified=rectified, p=p)
        ctx.save_for_backward(given, hidden, on, active, update, passes, first, second)
        ctx.moments, ctx.factor = (inner, outer), factor
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        given, hidden, on, active, update, passes, first, second = ctx.saved_tensors
        inner, outer = ctx.moments
        n, half = len(hidden), given.dtype == torch.bfloat16
        gradient = gradients[0].contiguous()
        by_update, by_gamma2, by_beta2 = normalise_backward(
            gradient, passes, ctx.factor, update, outer, out=_room(*update.shape)
        )
        by_update = _factor(by_update, half=half)
        by_second = _times(by_update.t(), active.t(), len(second))
        by_active = _times(by_update, second.t(), n)
        by_hidden, by_gamma1, by_beta1 = normalise_backward(by_active, on, 1.0, hidden, inner, out=by_active)
        by_hidden = _factor(by_hidden, half=half)
        by_first = _times(by_hidden.t(), given.t(), len(first))
        by_mixed = _times(by_hidden, first.t(), n)
        # a constant before a batch norm changes nothing: its gradient is exactly zero
        zeros = torch.zeros_like(by_gamma1), torch.zeros_like(by_gamma2)
        return (
            by_mixed,
            gradient,
            None,
            None,
            *(by_first, zeros[0], by_gamma1, by_beta1, by_second, zeros[1], by_gamma2, by_beta2),
        )


def _rectify(rows: Tensor, moments: Moments) -> tuple[Tensor, Tensor]:
    """Return the ReLU of normalised rows, and where a gradient passes."""
    active, on = _room(*rows.shape), _room(len(rows), rows.shape[1], torch.bool)
    inputs, out = (rows.numpy(), (moments.mean, moments.scale, moments.offset)), (active.numpy(), on.numpy())
    share(row_ranges(len(rows)), lambda a, b, _: kernels.rectify(*inputs, a, b, out))
    return active, on


def _normalise(
    rows: Tensor, moments: Moments, base: Tensor, *, rectified: bool, p: float
) -> tuple[Tensor, Tensor, float]:
    """Return base + dropout(relu(normalised rows)), where a gradient passes, and the factor of dropout."""
    dropped = round(p * 2**16)
    factor = 2**16 / (2**16 - dropped)
    bits = random_bits(rows.shape).numpy() if p else _NO_BITS
    result, passes = _room(*rows.shape), _room(len(rows), rows.shape[1], torch.bool)
    inputs = (rows.numpy(), (moments.mean, moments.scale, moments.offset), array_of(base), rectified)
    drop, out = (bits, dropped - 2**15, np.float32(factor)), (result.numpy(), passes.numpy())
    share(row_ranges(len(rows)), lambda a, b, _: kernels.normalise(*inputs, drop, a, b, out))
    return result, passes, factor


def perceive(
    mixed: Tensor, base: Tensor, mlp: nn.Sequential, norm: BatchNorm, dropout: Dropout, *, rectified: bool
) -> Tensor:
    """Perceptron, batch norm, activation, dropout and residual of a layer, in training.

    Parameters
    ----------
    mixed
        Rows to be transformed, shape (atoms, d).
    base
        Rows to which the result is added, shape (atoms, d).
    mlp
        Linear, batch norm, ReLU, linear.
    norm
        Batch norm of the result.
    dropout
        Dropout of the activated result.
    rectified
        Apply a ReLU after the norm.

    Returns
    -------
    base + dropout(relu(norm(mlp(mixed)))), shape (atoms, d).
    """
    first, inner, _, second = cast("tuple[nn.Linear, BatchNorm, nn.ReLU, nn.Linear]", tuple(mlp))
    leaves = [first.weight, first.bias, inner.weight, inner.bias]
    leaves += [second.weight, second.bias, norm.weight, norm.bias]
    parameters = (first.weight, first.bias, second.weight, second.bias)
    modules = (inner, norm, rectified, dropout.p if dropout.training else 0.0)
    result = _Perceive.apply(mixed.contiguous(), base, parameters, modules, *leaves)  # type: ignore[no-untyped-call]
    return cast("Tensor", result)


@dataclass(frozen=True)
class Folded:
    """A perceptron with batch norms in evaluation, where a norm is part of the linear layer before it.

    Attributes
    ----------
    first, second
        Weight and bias of the two linear layers.
    """

    first: tuple[Tensor, Tensor]
    second: tuple[Tensor, Tensor]

    @classmethod
    def build(cls, mlp: nn.Sequential, norm: nn.Module) -> Folded:
        """Fold linear, batch norm, ReLU, linear (the first four of ``mlp``), and the norm that follows."""
        first, inner, _, second = cast("tuple[nn.Linear, BatchNorm, nn.ReLU, nn.Linear]", tuple(mlp)[:4])
        return cls(_fold(first, inner), _fold(second, cast("BatchNorm", norm)))

    def perceive(self, mixed: Tensor, base: Tensor, *, rectified: bool) -> Tensor:
        """Return what :func:`perceive` gives in evaluation, without a gradient; shapes as there."""
        update = _evaluated(_evaluated(mixed, *self.first, rectified=True), *self.second)
        rows, below = update.numpy(), array_of(base)
        share(row_ranges(len(rows)), lambda a, b, _: kernels.add_rectified(rows, below, rectified, a, b))
        return update

    def rectified(self, rows: Tensor) -> Tensor:
        """Return relu(norm(mlp(rows))), shape as ``rows``, without a gradient."""
        return _evaluated(_evaluated(rows, *self.first, rectified=True), *self.second, rectified=True).float()


def stamp(module: nn.Module) -> tuple[tuple[int, int], ...]:
    """Return a stamp that differs once a weight or running moment of a module was replaced or changed."""
    held = [*module.parameters(), *module.buffers()]
    return tuple((t.data_ptr(), 0 if t.is_inference() else t._version) for t in held)


def _evaluated(rows: Tensor, weight: Tensor, bias: Tensor, *, rectified: bool = False) -> Tensor:
    """Return rows @ weight.T + bias, or its ReLU: float32, or the input of a second such in bfloat16."""
    if not _half():
        return product(rows, weight, bias, rectified=rectified)
    result = torch.nn.functional.linear(rows, weight, bias)
    return result.relu_() if rectified else result.float()


def _fold(linear: nn.Linear, norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return linear.weight * scale[:, None], (linear.bias - norm.running_mean) * scale + norm.bias

"""The graph encoder's layer on a CPU: few passes over memory instead of one per elementary operation.

The same functions as the plain modules of ``nn.encoder``, in float32, forwards and backwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from cytomol.nn import kernels
from cytomol.nn.dropout import Dropout, random_bits
from cytomol.nn.linear import FEWEST_ROWS, product
from cytomol.nn.norm import BatchNorm

__all__ = ["Folded", "FusedGraph", "fits", "gather", "perceive"]

_pool: ThreadPoolExecutor | None = None
_CACHED_ROWS = 2048  # atoms whose widest table, of 600 columns, takes 5 MB
_ROUND = 1024  # rows
_NO_BITS = np.empty((0, 0), np.int16)


def fits(rows: Tensor) -> bool:
    """Say whether the fused functions take such rows: enough of them, float32, on a CPU, no autocast."""
    return (
        len(rows) >= FEWEST_ROWS
        and rows.device.type == "cpu"
        and rows.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
    )


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

    @property
    def chunks(self) -> Iterator[tuple[int, int]]:
        """Ranges of molecules whose rows stay in a processor's cache from one operation to the next."""
        atoms, first = self.layout.atoms, 0
        while first < len(atoms) - 1:
            last = int(np.searchsorted(atoms, atoms[first] + _CACHED_ROWS, side="right")) - 1
            last = min(max(last, first + 1), len(atoms) - 1)
            yield first, last
            first = last

    def part(self, first: int, last: int) -> FusedGraph:
        """Return molecules ``first`` to ``last`` as a batch of their own."""
        atoms, edges, source, bond = self.layout
        start, end = atoms[first], atoms[last]
        inside = slice(edges[start], edges[end])
        layout = kernels.Layout(
            atoms[first : last + 1] - start,
            edges[start : end + 1] - edges[start],
            source[inside] - start,
            bond[inside],
        )
        return FusedGraph(layout, _molecule_ranges(layout.atoms))

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
        return cls(layout, _molecule_ranges(atoms))


def _threads(rows: int) -> int:
    """Threads worth their start for so many rows."""
    return max(1, min(torch.get_num_threads(), rows // 512))


def _ranges(cuts: list[int]) -> list[tuple[int, int]]:
    return list(pairwise(cuts))


def _molecule_ranges(atoms: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Divide molecules among threads, to each about as many atoms."""
    rows = int(atoms[-1])
    cuts = np.searchsorted(atoms, np.linspace(0, rows, _threads(rows) + 1)[1:-1])
    return _ranges([0, *cuts.tolist(), len(atoms) - 1])


def _row_ranges(rows: int) -> list[tuple[int, int]]:
    return _ranges(np.linspace(0, rows, _threads(rows) + 1).astype(int).tolist())


def _forget_threads() -> None:
    """Start afresh in a process that was forked: the threads stayed behind."""
    global _pool  # noqa: PLW0603 - see _share
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def _share(ranges: list[tuple[int, int]], work: Callable[[int, int, int], Any]) -> list[Any]:
    """Call ``work(first, last, thread)`` for every range, side by side, the first one here."""
    global _pool  # noqa: PLW0603 - threads live as long as the process
    if len(ranges) == 1:
        return [work(*ranges[0], 0)]
    if _pool is None:
        _pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="cytomol-kernels")
    rest = [_pool.submit(work, *span, k) for k, span in enumerate(ranges[1:], start=1)]
    return [work(*ranges[0], 0), *(job.result() for job in rest)]


def _room(count: int, width: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return an unfilled table of ``count`` rows in memory for a round number of them.

    Batches differ a little in their number of atoms. Memory of equal sizes is found again when a step frees
    it; of sizes that never repeat, a heap falls into pieces.
    """
    room = -(-count // _ROUND) * _ROUND
    return torch.empty(room, width, dtype=dtype)[:count]


def _array(tensor: Tensor) -> NDArray[Any]:
    return tensor.detach().contiguous().numpy()


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 - autograd binds by position
        ctx: Any, h: Tensor, v: Tensor, table: Tensor, eps: Tensor, graph: FusedGraph
    ) -> tuple[Tensor, Tensor, Tensor]:
        h = h.contiguous()
        lifted, mixed, pooled = _room(*h.shape), _room(*h.shape), h.new_empty(v.shape)
        factor = np.float32(1) + np.float32(eps.item())
        inputs = (_array(h), _array(v), _array(table), factor, graph.layout)
        out = (lifted.numpy(), mixed.numpy(), pooled.numpy())
        _share(graph.molecules, lambda first, last, _: kernels.gather(*inputs, first, last, out))
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
        inputs = (lifted.numpy(), _array(table), ctx.factor, graph.layout, tuple(map(_array, gradients)))
        rows = (by_h.numpy(), by_v.numpy())

        def work(first: int, last: int, thread: int) -> float:
            return kernels.gather_gradient(*inputs, first, last, (*rows, by_table[thread]))

        by_eps = sum(_share(graph.molecules, work))
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


class _Moments(NamedTuple):
    """Mean, reciprocal deviation, scale and offset of a batch norm's columns, float32."""

    mean: NDArray[np.float32]
    reciprocal: NDArray[np.float32]
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]


def _moments(rows: NDArray[np.float32], bias: Tensor, norm: nn.BatchNorm1d) -> _Moments:
    """Take a batch's moments, without the bias, which they absorb, and update the running ones with it."""
    n = len(rows)
    shift = rows[0].copy()  # sums of squares about a row lose no digits to a large mean
    spans = _row_ranges(n)
    sums = np.zeros((len(spans), 2, rows.shape[1]))
    _share(spans, lambda first, last, k: kernels.column_sums(rows, shift, first, last, sums[k]))
    first, second = sums.sum(axis=0) / n
    variance = np.maximum(second - first**2, 0)
    mean = first + shift
    reciprocal = 1 / np.sqrt(variance + norm.eps)
    scale = _array(norm.weight) * reciprocal
    if norm.running_mean is not None and norm.running_var is not None:
        assert norm.num_batches_tracked is not None
        assert norm.momentum is not None
        norm.num_batches_tracked += 1
        with torch.no_grad():
            norm.running_mean.lerp_(torch.from_numpy(mean).float() + bias, norm.momentum)
            norm.running_var.lerp_(torch.from_numpy(variance * n / (n - 1)).float(), norm.momentum)
    offset = _array(norm.bias) - mean * scale
    return _Moments(*(columns.astype(np.float32) for columns in (mean, reciprocal, scale, offset)))


def _normalise_backward(
    gradient: Tensor, passes: Tensor, factor: float, rows: Tensor, moments: _Moments, *, out: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Write the gradient of a batch norm's rows to ``out``; return it and those of weight and bias.

    With g = factor x gradient where it passes and x̂ = (x - mean) reciprocal, it is
    scale (g - mean of g - x̂ mean of (g x̂)).
    """
    given, mask, x, result = _array(gradient), passes.numpy(), rows.numpy(), out.numpy()
    spans, n = _row_ranges(len(x)), len(x)
    sums = np.zeros((len(spans), 2, x.shape[1]))
    centre = (moments.mean, moments.reciprocal)
    _share(spans, lambda a, b, k: kernels.column_gradient_sums(given, mask, x, centre, a, b, sums[k]))
    by_bias, by_weight = factor * sums.sum(axis=0)
    slope = -moments.scale * moments.reciprocal * by_weight / n
    offset = -moments.scale * by_bias / n - slope * moments.mean
    columns = (np.float32(factor) * moments.scale, slope.astype(np.float32), offset.astype(np.float32))
    _share(spans, lambda a, b, _: kernels.normalise_gradient(given, mask, x, columns, a, b, result))
    return out, torch.from_numpy(by_weight).float(), torch.from_numpy(by_bias).float()


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
        hidden = product(mixed, first_weight, out=_room(len(mixed), len(first_weight)))
        inner = _moments(hidden.numpy(), first_bias, first_norm)
        active, on = _room(*hidden.shape), _room(len(hidden), hidden.shape[1], torch.bool)
        arrays = (hidden.numpy(), (inner.scale, inner.offset))
        targets = (active.numpy(), on.numpy())
        _share(_row_ranges(len(hidden)), lambda a, b, _: kernels.rectify(*arrays, a, b, targets))

        update = product(active, second_weight, out=_room(*base.shape))
        outer = _moments(update.numpy(), second_bias, second_norm)
        dropped = round(p * 2**16)
        bits = random_bits(update.shape).numpy() if p else _NO_BITS
        factor = 2**16 / (2**16 - dropped)
        result, passes = _room(*update.shape), _room(len(update), update.shape[1], torch.bool)
        given = (update.numpy(), (outer.scale, outer.offset), _array(base), rectified)
        drop = (bits, dropped - 2**15, np.float32(factor))
        out = (result.numpy(), passes.numpy())
        _share(_row_ranges(len(update)), lambda a, b, _: kernels.normalise(*given, drop, a, b, out))

        ctx.save_for_backward(mixed, hidden, on, active, update, passes, first_weight, second_weight)
        ctx.moments, ctx.factor = (inner, outer), factor
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        mixed, hidden, on, active, update, passes, first_weight, second_weight = ctx.saved_tensors
        inner, outer = ctx.moments
        gradient = gradients[0].contiguous()
        by_update, by_gamma2, by_beta2 = _normalise_backward(
            gradient, passes, ctx.factor, update, outer, out=_room(*update.shape)
        )
        by_active = product(by_update, second_weight.t(), out=_room(*active.shape))
        by_second = product(by_update.t(), active.t())
        by_hidden, by_gamma1, by_beta1 = _normalise_backward(by_active, on, 1.0, hidden, inner, out=by_active)
        by_mixed = product(by_hidden, first_weight.t(), out=_room(*mixed.shape))
        by_first = product(by_hidden.t(), mixed.t())
        # a constant before a batch norm changes nothing: its gradient is exactly zero
        zeros = torch.zeros_like(by_gamma1), torch.zeros_like(by_gamma2)
        return (
            by_mixed,
            gradient,
            None,
            None,
            *(by_first, zeros[0], by_gamma1, by_beta1, by_second, zeros[1], by_gamma2, by_beta2),
        )


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
    """A layer's perceptron and norms in evaluation, where a batch norm is part of the linear layer before it.

    Attributes
    ----------
    first, second
        Weight and bias of the two linear layers.
    """

    first: tuple[Tensor, Tensor]
    second: tuple[Tensor, Tensor]

    @classmethod
    def build(cls, mlp: nn.Sequential, norm: BatchNorm) -> Folded:
        """Fold the running moments of both norms."""
        first, inner, _, second = cast("tuple[nn.Linear, BatchNorm, nn.ReLU, nn.Linear]", tuple(mlp))
        return cls(_fold(first, inner), _fold(second, norm))

    def perceive(self, mixed: Tensor, base: Tensor, *, rectified: bool) -> Tensor:
        """Return what :func:`perceive` gives in evaluation, without a gradient; shapes as there."""
        update = product(product(mixed, *self.first, rectified=True), *self.second)
        rows, below = update.numpy(), _array(base)
        _share(_row_ranges(len(rows)), lambda a, b, _: kernels.add_rectified(rows, below, rectified, a, b))
        return update


def _fold(linear: nn.Linear, norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return linear.weight * scale[:, None], (linear.bias - norm.running_mean) * scale + norm.bias

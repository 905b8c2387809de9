"""Processes that train together: each has a part of every batch, and all compute the loss of the whole.

What a process cannot know alone it asks of the others here: rows of the whole batch (:func:`gathered`), sums
over it (:func:`summed`, :func:`reduced`) and where its own rows lie in it (:func:`place`). Between
:func:`begin` and :func:`end`; outside of these, and in one process, nothing is asked and nothing changes.

Gradients are averaged over processes afterwards. As all compute the same loss of the same rows, the gradient
of that average by rows of one process is known there: it is the own part times the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, distributed
from torch.autograd.function import once_differentiable

__all__ = [
    "Together",
    "begin",
    "counts",
    "current",
    "drawn",
    "end",
    "gathered",
    "part_of",
    "place",
    "reduced",
    "summed",
    "told_by_first",
]

T = TypeVar("T")


@dataclass(frozen=True)
class Together:
    """Who trains together.

    Attributes
    ----------
    rank
        This process, counted from 0.
    world
        Number of processes, at least 2.
    group
        Through which they talk; None for torch's default.
    """

    rank: int
    world: int
    group: Any = None


_current: Together | None = None


def begin(device: torch.device) -> None:
    """Train together with the processes of torch's default group from now on; all of them call this.

    On a CPU they talk beside the averaging of gradients, whose order may differ from process to process.
    """
    global _current  # noqa: PLW0603 - who trains together is a fact of the process, as torch's group is
    world = distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1
    if world > 1:
        group = distributed.new_group() if device.type == "cpu" else None
        _current = Together(distributed.get_rank(), world, group)


def end() -> None:
    """Train alone again."""
    global _current  # noqa: PLW0603 - see begin
    _current = None


def current() -> Together | None:
    """Return who trains together; None for a process that is alone."""
    return _current


def part_of(count: int, rank: int, world: int) -> slice:
    """Return the part of ``count`` things that is one process's; parts differ by one in size at most.

    Examples
    --------
    >>> [list(range(5))[part_of(5, rank, 2)] for rank in range(2)]
    [[0, 1, 2], [3, 4]]
    """
    least, more = divmod(count, world)
    first = rank * least + min(rank, more)
    return slice(first, first + least + (rank < more))


def counts(*own: int) -> list[list[int]]:
    """Return numbers of every process: one list for each process, with its values of ``own``."""
    if (now := _current) is None:
        return [list(own)]
    here = torch.tensor(own, dtype=torch.int64, device=_device(now))
    parts = [torch.empty_like(here) for _ in range(now.world)]
    distributed.all_gather(parts, here, group=now.group)
    return [part.tolist() for part in parts]


def place(rows: int) -> tuple[int, int]:
    """Return how many rows the processes before this one have, and how many all have together."""
    if (now := _current) is None:
        return 0, rows
    of_each = [count for (count,) in counts(rows)]
    return sum(of_each[: now.rank]), sum(of_each)


def drawn(
    rows: int,
    device: torch.device,
    draw: Callable[[int], Tensor],
    filled: Callable[[int], int] | None = None,
) -> Tensor:
    """Draw random numbers for rows so that on a CPU it does not matter which process has which.

    There every process draws for the whole batch, from generators in equal states, and takes its part. An
    accelerator draws for its own rows.

    Parameters
    ----------
    rows
        Rows of this process.
    device
        Where they are.
    draw
        Draws for a number of rows, shape (number, ...).
    filled
        How many rows there are to be for a number of them; the last ones only fill the table up. As many
        when None.

    Returns
    -------
    Shape (filled(rows), ...); in one process ``draw(filled(rows))``.
    """
    enough = rows if filled is None else filled(rows)
    if _current is None or device.type != "cpu":
        return draw(enough)
    before, whole = place(rows)
    own = draw(whole if filled is None else filled(whole))[before : before + rows]
    return own if enough == rows else torch.cat([own, own.new_zeros(enough - rows, *own.shape[1:])])


def gathered(value: T) -> T:
    """Return the rows of all processes, in their order, with the gradient of those of this one.

    Parameters
    ----------
    value
        Tensor of a row for each molecule, or a dict, tuple, list or dataclass of such and of None. All have
        the same number of rows.
    """
    if (now := _current) is None:
        return value
    tensors = list(_tensors(value))
    of_each = [count for (count,) in counts(len(tensors[0]))]
    whole = iter(_Gather.apply(now, of_each, *tensors))  # type: ignore[no-untyped-call]
    return cast("T", _rebuilt(value, whole))


def summed(tensor: Tensor) -> Tensor:
    """Return the sum over all processes of a part of the loss which all go on with alike."""
    return tensor if _current is None else cast("Tensor", _Sum.apply(tensor, _current, True))  # type: ignore[no-untyped-call]


def reduced(tensor: Tensor) -> Tensor:
    """Return the sum over all processes of what each goes on with in its own way, as batch norms do."""
    return tensor if _current is None else cast("Tensor", _Sum.apply(tensor, _current, False))  # type: ignore[no-untyped-call]


def told_by_first(*tensors: Tensor) -> None:
    """Put what the first process has in the tensors of all, in place: what each computed alike is then equal.

    Rounding may differ between machines, and a choice that hangs on the last digit with it.
    """
    if (now := _current) is not None:
        for tensor in tensors:
            distributed.broadcast(tensor, 0, group=now.group)


def _device(now: Together) -> torch.device:
    """Return where the backend of a group wants its tensors."""
    if now.group is None and distributed.get_backend() == "nccl":
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, now: Together, alike: bool) -> Tensor:
        ctx.now, ctx.alike = now, alike
        total = tensor.detach().clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total, group=now.group)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.alike:
            return gradients[0] * ctx.now.world, None, None
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total, group=ctx.now.group)
        return total, None, None


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, now: Together, of_each: list[int], *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.now, ctx.own = now, slice(sum(of_each[: now.rank]), sum(of_each[: now.rank + 1]))
        own, most = len(tensors[0]), max(of_each)
        # all tables go as one of bytes, which every backend takes
        rows = torch.cat([_bytes(tensor) for tensor in tensors], dim=1)
        sent = rows.new_zeros(most, rows.shape[1])
        sent[:own] = rows
        parts = [torch.empty_like(sent) for _ in of_each]
        distributed.all_gather(parts, sent, group=now.group)
        whole = torch.cat([part[:count] for part, count in zip(parts, of_each, strict=True)])
        widths = [_row_bytes(tensor) for tensor in tensors]
        columns = torch.split(whole, widths, dim=1)
        tables = tuple(
            column.contiguous().view(tensor.dtype).view(len(whole), *tensor.shape[1:])
            for column, tensor in zip(columns, tensors, strict=True)
        )
        ctx.mark_non_differentiable(*(table for table in tables if not table.is_floating_point()))
        return tables

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        own = (g[ctx.own] * ctx.now.world if g.is_floating_point() else None for g in gradients)
        return (None, None, *own)


def _bytes(tensor: Tensor) -> Tensor:
    """Return rows as bytes, uint8, shape (n, bytes of a row)."""
    flat = tensor.detach().reshape(len(tensor), tensor.shape[1:].numel()).contiguous()
    return flat.view(torch.uint8)


def _row_bytes(tensor: Tensor) -> int:
    return tensor.shape[1:].numel() * tensor.element_size()


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors of a nested value, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _tensors(getattr(value, field.name))


def _rebuilt(value: Any, tensors: Iterator[Tensor]) -> Any:
    """Return a nested value with other tensors in the places of its own."""
    if isinstance(value, Tensor):
        return next(tensors)
    if isinstance(value, dict):
        return {name: _rebuilt(item, tensors) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_rebuilt(item, tensors) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _rebuilt(getattr(value, f.name), tensors) for f in fields(value)})
    return value

"""Bytes that a computation touches: what every operation reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["bytes_touched"]

_NO_WRITE = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}
_LOOK_UPS = {
    "index_select",
    "index",
    "gather",
    "embedding",
    "take",
    "_embedding_bag_forward_only",
    "_embedding_bag",
}


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        del types
        result = function(*args, **(kwargs or {}))
        self.bytes += _bytes_of(function, _tensors((args, kwargs or {})), _tensors(result))
        return result


def bytes_touched(computation: Callable[[], Any]) -> int:
    """Return the bytes that the operations of a computation read and write.

    Every operation of torch reads its inputs and writes its outputs once; views cost nothing, and a look-up
    reads of its table what it takes. What stays in a cache between operations counts all the same.

    Parameters
    ----------
    computation
        Runs once and is watched, forwards and backwards.
    """
    with _Recorder() as recorder:
        computation()
    return recorder.bytes


def _bytes_of(function: Any, inputs: list[Tensor], outputs: list[Tensor]) -> int:
    name = function.overloadpacket.__name__
    if name in _NO_WRITE:
        return 0
    held = {_storage(tensor) for tensor in inputs}
    if outputs and not function._schema.is_mutable and all(_storage(tensor) in held for tensor in outputs):
        return 0  # a view
    read = [_extent(tensor) for tensor in inputs]
    if name in _LOOK_UPS and read:
        read[0] = min(read[0], _looked_up(name, inputs, outputs))
    return sum(read) + sum(_extent(tensor) for tensor in outputs)


def _looked_up(name: str, inputs: list[Tensor], outputs: list[Tensor]) -> int:
    """Return the bytes that a look-up takes from its table."""
    if name.startswith("_embedding_bag"):
        table, indices = inputs[:2]
        return indices.numel() * table.shape[1] * table.element_size()
    return _extent(outputs[0])


def _extent(tensor: Tensor) -> int:
    """Return the bytes of different elements: an expanded row is read once."""
    count = tensor.element_size()
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        count *= size if stride or not size else 1
    return count


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().data_ptr())


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)]

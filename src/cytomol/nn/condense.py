"""Rows of a table of which not all take part."""

from __future__ import annotations

from torch import Tensor

__all__ = ["condense"]

LOOKING_IS_FREE = frozenset({"cpu"})  # devices whose tensors the host reads without waiting


def condense(part: Tensor | None, *tables: Tensor) -> tuple[Tensor | None, tuple[Tensor, ...]]:
    """Leave out the rows that take no part, on a CPU.

    It saves their arithmetic. An accelerator would have to stop and tell the host how many rows are left:
    there they stay, for the mask to tell them apart.

    Parameters
    ----------
    part
        Rows that take part, bool, shape (n,); all of them when None.
    tables
        Tensors of n rows.

    Returns
    -------
    The mask of the rows that are left, None where all of them take part, and their tables.
    """
    if part is None or part.device.type not in LOOKING_IS_FREE:
        return part, tables
    index = part.nonzero().flatten()
    return None, tuple(table.index_select(0, index) for table in tables)

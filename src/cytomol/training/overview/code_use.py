"""How the codes of a tree are used by molecules and by profiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.methods import Method
from cytomol.nn.quantizer import CodeBook, FlatQuantizer

__all__ = ["code_book", "code_use", "nodes_of"]


def code_book(method: Method) -> CodeBook | None:
    """Return the codes that a method was trained with; None where it has none."""
    book = getattr(method, "quantizer", None)
    return book if isinstance(book, CodeBook) else None


def nodes_of(book: CodeBook, places: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the node of each level for places, shape (n, width); int64, shape (n, levels).

    Rows with NaN have no node: -1.
    """
    nodes = np.full((len(places), len(book.level_sizes)), -1, np.int64)
    placed = np.flatnonzero(np.isfinite(places).all(axis=1))
    device = next(iter(book.state_dict().values())).device
    with torch.inference_mode():
        rows = torch.from_numpy(places[placed]).float().to(device)
        nodes[placed] = book(torch.nn.functional.normalize(rows, dim=1)).path.cpu().numpy()
    return nodes


def code_use(book: CodeBook, nodes: NDArray[np.int64]) -> dict[str, Any]:
    """Count the molecules in each node.

    Parameters
    ----------
    book
        The codes.
    nodes
        From :func:`nodes_of`.

    Returns
    -------
    ``binary`` (whether node k of a level lies below node k // 2 of the level before), ``molecules``
    (how many were counted), and ``levels``, a list of counts by node for each level.
    """
    placed = nodes[nodes[:, -1] >= 0]
    return {
        "binary": not isinstance(book, FlatQuantizer),
        "molecules": len(placed),
        "levels": [
            np.bincount(placed[:, level], minlength=size).tolist()
            for level, size in enumerate(book.level_sizes)
        ],
    }

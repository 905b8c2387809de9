"""What a cell of a notebook prints, in one piece."""

from __future__ import annotations

from typing import Any

__all__ = ["in_one_piece", "register"]


def in_one_piece(outputs: list[Any]) -> list[Any]:
    r"""Return the outputs of a cell with the pieces of a stream joined as they were printed.

    A shell's cell prints in pieces of 100 bytes, and myst-nb, which merges them, ends each with a new line.

    Parameters
    ----------
    outputs
        As a notebook has them: each with ``output_type``, a stream with ``name`` and ``text``.

    Examples
    --------
    >>> piece = {"output_type": "stream", "name": "stdout"}
    >>> in_one_piece([{**piece, "text": "424 rows, 42"}, {**piece, "text": "4 valid\n"}])
    [{'output_type': 'stream', 'name': 'stdout', 'text': '424 rows, 424 valid\n'}]
    """
    joined: list[Any] = []
    streams: dict[str, Any] = {}
    for output in outputs:
        if output["output_type"] != "stream":
            joined.append(output)
        elif (known := streams.get(output["name"])) is not None:
            known["text"] += output["text"]
        else:
            streams[output["name"]] = output
            joined.append(output)
    return joined


def register() -> None:
    """Join the pieces before myst-nb merges them (``nb_merge_streams``)."""
    from myst_nb.core import render

    merge = render.coalesce_streams
    render.coalesce_streams = lambda outputs: merge(in_one_piece(outputs))

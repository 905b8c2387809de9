"""A tree in which molecules and profiles have a path: the one trained with the model, or a fitted one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.directory import load_model, load_weights, write_model
from cytomol.cells.tree.tree_card import tree_card
from cytomol.checked import Checked
from cytomol.counted import counted
from cytomol.errors import ConfigError, InputError, ModelDirectoryError
from cytomol.nn.leaf_quantizer import LeafQuantizer
from cytomol.nn.quantizer import CodeBook, FlatQuantizer
from cytomol.nn.tree_growth import grow_leaves, inner_nodes

__all__ = ["KIND", "CodeTree", "Codes", "Places", "fit_tree", "load_tree", "trained_tree", "write_tree"]

KIND = "tree"
MAX_DEPTH = 10
Places = Literal["anchor", "decoded"]
_CHUNK = 8192  # rows that are routed at a time


class Codes(NamedTuple):
    """Paths of rows.

    Attributes
    ----------
    path
        Node of each level, numbered within the level, int64, shape (n, levels); -1 for a row without place.
    distance
        1 - cosine of the row and its last node's code, float32, shape (n,); NaN without place.
    """

    path: NDArray[np.int64]
    distance: NDArray[np.float32]


@dataclass(frozen=True)
class CodeTree:
    """Codes on levels, and the places in which they are compared.

    Attributes
    ----------
    book
        The codes and how a row finds its own.
    form
        "trained" with the model, or "fitted" to the places of molecules afterwards.
    places
        "anchor": molecules by the method's anchor, profiles by its projection; "decoded": both as profiles of
        ``modality``.
    modality
        Of decoded places.
    """

    book: CodeBook
    form: Literal["trained", "fitted"]
    places: Places = "anchor"
    modality: str | None = None

    @property
    def level_sizes(self) -> tuple[int, ...]:
        """Number of nodes of each level."""
        return self.book.level_sizes

    @property
    def binary(self) -> bool:
        """Whether each node has two children, so that a path is a row of turns."""
        return not isinstance(self.book, FlatQuantizer)

    def codes(self, places: NDArray[np.float32]) -> Codes:
        """Find the paths of places, shape (n, width); those with NaN have none.

        Examples
        --------
        >>> import numpy as np
        >>> rows = np.array([[1, 0.1], [1, -0.1], [-1, 0.1], [-1, -0.1]], np.float32)
        >>> tree = fit_tree(rows, depth=2)
        >>> path, distance = tree.codes(rows)
        >>> len(set(tree.texts(path))), bool(distance.max() < 1e-6)
        (4, True)
        """
        levels = len(self.level_sizes)
        path = np.full((len(places), levels), -1, np.int64)
        distance = np.full(len(places), np.nan, np.float32)
        placed = np.flatnonzero(np.isfinite(places).all(axis=1))
        codes = self.book.unit_codes()
        with torch.inference_mode():
            for start in range(0, len(placed), _CHUNK):
                rows = placed[start : start + _CHUNK]
                values = torch.nn.functional.normalize(torch.from_numpy(places[rows]).float(), dim=1)
                chosen, nodes, _ = self.book(values)
                path[rows] = nodes.numpy()
                distance[rows] = (1 - (values * codes[chosen[:, -1]]).sum(dim=1)).numpy()
        return Codes(path, distance)

    def texts(self, path: NDArray[np.int64]) -> list[str]:
        """Write paths as turns from the root, such as "0110"; in a flat book as the number of the code.

        Parameters
        ----------
        path
            Node of each level, int64, shape (n, levels); "" for rows of -1.
        """
        levels = path.shape[1]
        return [self.text(levels, int(node)) for node in path[:, -1]]

    def text(self, level: int, node: int) -> str:
        """Write the path to a node of a level, counted from 1."""
        if node < 0:
            return ""
        return format(node, f"0{level}b") if self.binary else str(node)


def trained_tree(backbone: Backbone) -> CodeTree:
    """Return the tree that a model was trained with.

    Raises
    ------
    ConfigError
        If it was trained without one.
    """
    book = getattr(backbone.method, "quantizer", None)
    if not isinstance(book, CodeBook):
        raise ConfigError(
            f"the model ({backbone.name}) was trained without a tree",
            hint="cytomol hierarchy --tree fitted -o DIR fits one, and codes reads it by --tree DIR/tree",
        )
    return CodeTree(book.eval(), "trained")


def fit_tree(
    places: NDArray[np.float32], *, depth: int = 6, where: Places = "anchor", modality: str | None = None
) -> CodeTree:
    """Fit a binary tree to places: leaves by k-means, like leaves paired upwards. There is no chance in it.

    Parameters
    ----------
    places
        Shape (n, width); rows with NaN are left out.
    depth
        Levels; the last has 2^depth nodes.
    where, modality
        What places these are: see :class:`CodeTree`.

    Raises
    ------
    InputError
        If there are fewer molecules than nodes of the last level.
    """
    if not 1 <= depth <= MAX_DEPTH:
        raise ConfigError(f"a tree of {depth} levels", hint=f"choose 1 to {MAX_DEPTH}")
    rows = torch.from_numpy(places[np.isfinite(places).all(axis=1)])
    if len(rows) < 2**depth:
        molecules, levels = counted(len(rows), "molecule", comma=False), counted(depth, "level")
        raise InputError(
            f"{molecules} cannot fill a tree of {levels} with {2**depth} nodes on the last",
            hint="choose a smaller --depth",
        )
    leaves, sums = grow_leaves(rows, depth)
    with torch.random.fork_rng():
        book = LeafQuantizer(rows.shape[1], depth)
    book.codes.copy_(inner_nodes(leaves, sums))
    return CodeTree(book.eval(), "fitted", where, modality)


def write_tree(tree: CodeTree, directory: Path, backbone: Backbone) -> None:
    """Write a fitted tree as a directory of its own, bound to the model whose places it divides."""
    directory.mkdir()
    card = tree_card(
        model=backbone.name,
        digest=backbone.digest,
        levels=len(tree.level_sizes),
        places=tree.places,
        modality=tree.modality,
    )
    write_model(
        directory,
        kind=KIND,
        config={
            "depth": len(tree.level_sizes),
            "places": tree.places,
            "modality": tree.modality,
            "model": backbone.digest,
        },
        weights={"codes": tree.book.codes},
        statistics={},
        texts={"README.md": card},
    )


def load_tree(path: str | Path, backbone: Backbone) -> CodeTree:
    """Read a fitted tree.

    Raises
    ------
    ModelDirectoryError
        If the directory is absent, altered or of another kind, or the tree was fitted to another model.
    """
    found = load_model(path, kind=KIND)
    config: dict[str, Any] = found.config
    if config.get("model") != backbone.digest:
        raise ModelDirectoryError(
            "the tree was fitted to another model",
            where=str(path),
            hint="fit one to this model: cytomol hierarchy --tree fitted",
        )
    saved = Checked(config, {}, f"{path}: config.json")
    depth = saved.whole("depth", 1, MAX_DEPTH)
    saved.word("places")
    if saved.table.get("modality") is not None:
        saved.word("modality")
    codes = found.weights.get("codes")
    if codes is None or codes.ndim != 2 or len(codes) != 2 ** (depth + 1) - 2:
        raise ModelDirectoryError("does not hold the codes of a tree", where=str(path))
    with torch.random.fork_rng():
        book = LeafQuantizer(codes.shape[1], depth)
    state = book.state_dict() | {"codes": codes}
    load_weights(book, state, where=str(path))
    return CodeTree(book.eval(), "fitted", config["places"], config.get("modality"))

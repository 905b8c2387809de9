"""Which profiles go missing together: those of a molecule, of a scaffold, or of a plate."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cytomol.corpus.schema import Corpus
from cytomol.counted import counted
from cytomol.errors import ConfigError, InputError
from cytomol.registry import Registry
from cytomol.tables import read_table
from cytomol.training.dataset.exclude import connectivity_blocks

__all__ = ["Hideable", "patterns", "read_plates"]

_PLATE = "plate"
_SUFFIXES = (".parquet", ".csv", ".csv.gz", ".tsv")


@dataclass(frozen=True)
class Hideable:
    """A corpus whose profiles can be hidden, and what is known of where they come from.

    Attributes
    ----------
    corpus
        The corpus.
    blocks
        Connectivity of each molecule, "" where there is none, shape (molecules,).
    plates
        Plate of each profile, by modality; modalities without plates are absent.
    """

    corpus: Corpus
    blocks: NDArray[np.str_]
    plates: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)

    @classmethod
    def of(cls, corpus: Corpus, plates: Mapping[str, NDArray[np.str_]] | None = None) -> Self:
        """Return a corpus with the connectivities of its molecules."""
        return cls(corpus, np.array(connectivity_blocks(corpus), str), plates or {})

    @cached_property
    def molecules(self) -> NDArray[np.int64]:
        """A number per molecule, equal for molecules of equal connectivity, shape (molecules,)."""
        named = [block or f"row {row}" for row, block in enumerate(self.blocks)]
        return np.unique(np.array(named), return_inverse=True)[1].astype(np.int64)

    @cached_property
    def scaffolds(self) -> NDArray[np.int64]:
        """A number per molecule, equal for molecules of equal scaffold, shape (molecules,).

        A molecule without rings, or one that cannot be read, has a scaffold of its own.
        """
        scaffolds = _scaffolds(tuple(self.corpus.smiles))
        names = [name or f"alone {self.molecules[row]}" for row, name in enumerate(scaffolds)]
        return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)


@functools.lru_cache(maxsize=1)
def _scaffolds(smiles: tuple[str, ...]) -> list[str]:
    """Return scaffolds, "" where there is none; once for all parts of a corpus, for they take a while."""
    from cytomol.chem.scaffolds import murcko_scaffold

    found = []
    for text in smiles:
        try:
            found.append(murcko_scaffold(text))
        except InputError:
            found.append("")
    return found


Pattern = Callable[[Hideable, str], NDArray[np.int64]]
patterns: Registry[Pattern] = Registry("pattern")
"""Each gives, for a modality, a number per profile, equal for profiles that go missing together."""


@patterns.register("random")
def at_random(hideable: Hideable, modality: str) -> NDArray[np.int64]:
    """Molecules (all forms of a connectivity), or genes, go missing one by one."""
    table = hideable.corpus.modalities[modality]
    return table.rows if table.entity == "gene" else hideable.molecules[table.rows]


@patterns.register("scaffold")
def by_scaffold(hideable: Hideable, modality: str) -> NDArray[np.int64]:
    """Molecules of a scaffold go missing together."""
    table = hideable.corpus.modalities[modality]
    if table.entity == "gene":
        raise ConfigError(f"{modality} is of genes, which have no scaffold", hint="hide it at random")
    return hideable.scaffolds[table.rows]


@patterns.register("plate")
def by_plate(hideable: Hideable, modality: str) -> NDArray[np.int64]:
    """Profiles of a plate go missing together."""
    if modality not in hideable.plates:
        raise ConfigError(
            f"it is not known on which plates {modality} was measured",
            hint=f"give a folder with a table {modality}.csv or .parquet that has a column {_PLATE}",
        )
    return np.unique(hideable.plates[modality], return_inverse=True)[1].astype(np.int64)


def read_plates(folder: Path | None, corpus: Corpus) -> dict[str, NDArray[np.str_]]:
    """Read the plate of each profile, by modality: tables NAME.parquet or .csv with a column ``plate``.

    Parameters
    ----------
    folder
        Where they are, each with a row per profile in the order of the modality's table; None for no plates.
    corpus
        Whose profiles they are.

    Raises
    ------
    InputError
        If the folder is absent or has no such table, or a table has no plates or another number of rows.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise InputError("there is no such folder of plates", where=str(folder))
    found = {}
    for name, modality in corpus.modalities.items():
        for path in (folder / f"{name}{suffix}" for suffix in _SUFFIXES):
            if not path.is_file():
                continue
            table = read_table(path)
            if _PLATE not in table.columns:
                raise InputError(
                    f"has no column {_PLATE}", where=str(path), hint=f"it has {', '.join(table.columns)}"
                )
            if len(table) != len(modality):
                rows = counted(len(table), "row", comma=False)
                raise InputError(
                    f"{rows} for {counted(len(modality), 'profile', comma=False)} of {name}",
                    where=str(path),
                    hint="one row a profile, in the order of the modality's table",
                )
            found[name] = table[_PLATE].astype(str).to_numpy(str)
            break
    if not found:
        raise InputError(
            "holds no table of plates",
            where=str(folder),
            hint=f"name it {next(iter(corpus.modalities), 'NAME')}.csv",
        )
    return found

"""Leave what is known of given molecules out of pretraining, for honest evaluation."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.keys import connectivity_block, inchikey
from cytomol.chem.parse import parse_smiles
from cytomol.corpus.schema import Corpus, Modality, Relation
from cytomol.errors import InputError
from cytomol.files import require_file, sha256
from cytomol.tables import read_molecules, read_table
from cytomol.tables.read import format_of
from cytomol.tables.text import cut_lines, read_text

__all__ = [
    "Exclusion",
    "as_paths",
    "connectivity_blocks",
    "exclude_profiles_of",
    "listed_blocks",
    "molecule_groups",
]

_INCHIKEY = re.compile(r"[A-Z]{14}(-[A-Z]{10}-[A-Z])?")
_KEY_COLUMNS = ("inchikey", "inchi_key", "standard_inchi_key", "inchikey14")


class Exclusion(NamedTuple):
    """A corpus without what is known of listed molecules, and how much left.

    Attributes
    ----------
    corpus
        Without those profiles and relations.
    molecules
        How many molecules of the corpus are listed.
    profiles, relations
        How many profiles and links of relations left.
    """

    corpus: Corpus
    molecules: int
    profiles: int
    relations: int

    @property
    def counts(self) -> dict[str, int]:
        """The three numbers by name."""
        return {"molecules": self.molecules, "profiles": self.profiles, "relations": self.relations}


def exclude_profiles_of(
    corpus: Corpus, paths: str | Path | Sequence[str | Path], *, relations: bool = True
) -> Exclusion:
    """Return the corpus without the profiles and relations of the molecules in files; structures stay.

    A relation says what a molecule does (its annotated targets, say), which may be the very label of an
    assay; so it leaves with the profiles. Molecules are compared by the first block of the InChIKey:
    stereoisomers, isotopes and charged forms of a listed molecule lose theirs too.

    Parameters
    ----------
    corpus
        The corpus.
    paths
        One file or several: a table (CSV, TSV, Parquet) with a column of InChIKeys or of SMILES, an
        ``.smi`` or ``.sdf`` file, or a text file with one InChIKey a line.
    relations
        False keeps the relations, so that only what was measured in cells is held out.

    Raises
    ------
    InputError
        If a file cannot be read or names no molecule that can be identified.
    """
    listed = set[str]().union(*(listed_blocks(path) for path in as_paths(paths)))
    blocks = connectivity_blocks(corpus)
    marked = np.fromiter((block in listed for block in blocks), np.bool_, len(blocks))
    reduced = corpus.without_profiles_of(marked)
    if relations:
        reduced = reduced.without_relations_of(marked)
    return Exclusion(
        reduced,
        int(marked.sum()),
        _entries(corpus.modalities) - _entries(reduced.modalities),
        _entries(corpus.relations) - _entries(reduced.relations),
    )


def as_paths(paths: str | Path | Sequence[str | Path] | None) -> tuple[Path, ...]:
    """Return one path, several or none as a tuple."""
    if paths is None:
        return ()
    return (Path(paths),) if isinstance(paths, str | Path) else tuple(Path(path) for path in paths)


def _entries(tables: Mapping[str, Modality] | Mapping[str, Relation]) -> int:
    return sum(len(table) for table in tables.values())


def listed_blocks(path: str | Path) -> set[str]:
    """Return the first InChIKey blocks of the molecules in a file."""
    path = require_file(path, what="molecule file")
    return set(_listed_blocks(path, sha256(path)))


@functools.lru_cache(maxsize=32)
def _listed_blocks(path: Path, _digest: str) -> frozenset[str]:
    """Read a file once for all trainings of a process, as long as its content stays: keys take a while."""
    keys = _listed_keys(path)
    if keys is None:
        table = read_molecules(path)
        keys = _keys_of_smiles(table.smiles)
    blocks = {connectivity_block(key) for key in keys if key}
    if not blocks:
        raise InputError(
            "names no molecule that can be identified", where=str(path), hint="give SMILES or InChIKeys"
        )
    return frozenset(blocks)


def connectivity_blocks(corpus: Corpus) -> list[str]:
    """Return the first InChIKey block of each molecule, known or computed; "" where there is none."""
    smiles = corpus.smiles
    if "inchikey" in corpus.molecules.columns:
        known = corpus.molecules["inchikey"].fillna("").astype(str).tolist()
    else:
        known = [""] * len(smiles)
    missing = [row for row, key in enumerate(known) if not _INCHIKEY.fullmatch(key)]
    for row, key in zip(missing, _keys_of_smiles([smiles[row] for row in missing]), strict=True):
        known[row] = key
    return [connectivity_block(key) for key in known]


def molecule_groups(corpus: Corpus) -> NDArray[np.int64]:
    """Return a number per molecule, equal for molecules of equal connectivity, int64, shape (molecules,)."""
    blocks = connectivity_blocks(corpus)
    named = [block or f"row {row}" for row, block in enumerate(blocks)]
    return np.unique(np.array(named), return_inverse=True)[1].astype(np.int64)


def _listed_keys(path: Path) -> Sequence[str] | None:
    """Return the InChIKeys that a file lists; None if it lists none."""
    kind = format_of(path)
    if kind in {"csv", "tsv", "parquet"}:
        table = read_table(path, text=True)
        for column in table.columns:
            if column.strip().lower() in _KEY_COLUMNS:
                return [str(key).strip() for key in table[column].dropna()]
        # A headless list of keys: the header itself is a key.
        if len(table.columns) == 1 and _INCHIKEY.fullmatch(table.columns[0].strip()):
            return [table.columns[0].strip(), *(str(key).strip() for key in table.iloc[:, 0].dropna())]
        return None
    if kind in {"txt", ""}:
        lines = [line.strip() for line in cut_lines(read_text(path)) if line.strip()]
        if lines and _INCHIKEY.fullmatch(lines[-1]):
            return [line for line in lines if _INCHIKEY.fullmatch(line)]
    return None


def _keys_of_smiles(smiles: Iterable[str]) -> list[str]:
    molecules = (parse_smiles(text).mol for text in smiles)
    return ["" if mol is None else inchikey(mol) for mol in molecules]

"""The layout in which InfoAlign and CHMR publish their pretraining sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.genes import GeneIndex, join_genes
from cytomol.corpus.identifiers import as_ids, plain_name
from cytomol.corpus.join import MoleculeIndex, join_molecules
from cytomol.corpus.manifest import guess_kind
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import ProfileTable, modality_from, without_infinite
from cytomol.corpus.readers.base import readers
from cytomol.corpus.readers.npz import read_matrix
from cytomol.corpus.schema import Corpus, Modality, Relation
from cytomol.corpus.tables import gene_table, molecule_table
from cytomol.counted import agreeing, counted
from cytomol.errors import InputError
from cytomol.tables import read_table
from cytomol.tables.number_texts import as_numbers

__all__ = ["InfoAlignLayout"]

_ENTREZ = "ncbi_gene_id"
_BLOCK = 8192


@readers.register("infoalign")
class InfoAlignLayout:
    """Directory with ``structure.csv.gz``, ``NAME.csv.gz`` + ``NAME_feature.npz``, ``G-G.csv.gz``.

    Every ``NAME_feature.npz`` is a modality of any width: of genes when its table has a column
    ``ncbi_gene_id``, else of molecules. Tables of genes repeat a gene's profile for every molecule that
    targets it: these become one profile per gene and the relation ``molecule_gene``. Genes carry their
    symbol where ``L1k_idmaps.csv`` knows it, else their NCBI id; ``entrez_id`` always is the NCBI id.
    """

    def recognises(self, path: Path) -> bool:
        """Tell by the table of structures, at any of the three published levels."""
        return _raw_folder(path) is not None

    def read(self, path: Path, problems: Problems) -> Corpus:
        """Read the corpus."""
        folder = _raw_folder(path)
        if folder is None:
            raise InputError(
                "holds no structure.csv.gz", where=str(path), hint="name pretrain/raw or a folder above it"
            )
        return _Reading(folder, problems).corpus()


def _raw_folder(path: Path) -> Path | None:
    for folder in (path, path / "raw", path / "pretrain" / "raw"):
        if _find(folder, "structure") is not None:
            return folder
    return None


def _find(folder: Path, stem: str) -> Path | None:
    return next((p for s in (".csv.gz", ".csv") if (p := folder / f"{stem}{s}").exists()), None)


@dataclass(frozen=True)
class _Table:
    """One table with the features that belong to its rows."""

    name: str
    where: str
    frame: pd.DataFrame
    features: NDArray[np.float32]

    @property
    def of_genes(self) -> bool:
        return _ENTREZ in self.frame


class _Reading:
    def __init__(self, folder: Path, problems: Problems) -> None:
        self.folder = folder
        self.problems = problems
        structure = _find(folder, "structure")
        assert structure is not None
        frame = read_table(structure, text=True)
        frame = frame.loc[:, (frame != "").any()]
        self.molecules = molecule_table(frame, where=str(structure), problems=problems, keep_first=True)
        self.molecule_index = MoleculeIndex(self.molecules)
        self.landmarks = self._landmarks()
        self.symbols = {i: symbol for i, symbol in reversed(self.landmarks) if i >= 0}
        self.tables = [self._table(path) for path in sorted(folder.glob("*_feature.npz"))]
        self.links = self._gene_links()
        self.genes = self._gene_table()
        self.gene_index = GeneIndex(self.genes)

    def corpus(self) -> Corpus:
        modalities = {table.name: self._modality(table) for table in self.tables}
        relations: dict[str, Relation] = {}
        targets = self._molecule_gene()
        if targets is not None:
            relations["molecule_gene"] = targets
        if self.links is not None:
            relations["gene_gene"] = self._gene_gene(self.links)
        return Corpus(self.molecules, self.genes, modalities, relations, tuple(self.problems.notes))

    def _table(self, features: Path) -> _Table:
        name = features.name.removesuffix("_feature.npz")
        path = _find(self.folder, name)
        if path is None:
            raise InputError(f"{name}.csv.gz not found beside it", where=str(features))
        frame, values = read_table(path), read_matrix(features)
        if len(frame) != len(values):
            raise InputError(
                f"has {counted(len(values), 'row')}, but {path.name} has {len(frame):,}", where=str(features)
            )
        return _Table(name, str(path), frame, values)

    def _landmarks(self) -> list[tuple[int, str]]:
        """Return NCBI id (-1 where unknown) and symbol of each column of the expression table."""
        path = _find(self.folder, "L1k_idmaps")
        if path is None:
            return []
        frame = read_table(path, text=True)
        names = {plain_name(c): c for c in frame.columns}
        symbol = next((names[n] for n in ("genesymbol", "symbol", "prgenesymbol") if n in names), None)
        if _ENTREZ not in frame:
            raise InputError(f"has no column {_ENTREZ!r}", where=str(path))
        ids = self._entrez(frame[_ENTREZ], str(path))
        texts = frame[symbol] if symbol else pd.Series([""] * len(frame))
        return [(int(i), str(t).strip()) for i, t in zip(ids, texts, strict=True)]

    def _entrez(self, column: pd.Series[Any], where: str) -> NDArray[np.int64]:
        """Return NCBI ids as integers, -1 where there is none."""
        text = as_ids(column)
        numbers = as_numbers(text.where(text != ""))
        wrong = (numbers.isna() & (text != "")) | (numbers % 1 > 0)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"{text.iloc[row]!r} is not an NCBI gene id",
                where=f"{where}, row {row + 1}, column {column.name}",
            )
        return numbers.fillna(-1).to_numpy(np.int64)

    def _gene_links(self) -> tuple[str, pd.DataFrame] | None:
        path = _find(self.folder, "G-G")
        if path is None:
            return None
        frame = read_table(path)
        for name in ("source_id", "target_id"):
            if name not in frame:
                raise InputError(f"has no column {name!r}", where=str(path))
        ends = {name: self._entrez(frame[name], str(path)) for name in ("source_id", "target_id")}
        return str(path), pd.DataFrame(ends)

    def _gene_table(self) -> pd.DataFrame:
        """Return every gene that any table names, by NCBI id."""
        known = [np.array(list(self.symbols), np.int64)]
        known += [self._entrez(t.frame[_ENTREZ], t.where) for t in self.tables if t.of_genes]
        if self.links is not None:
            known += [self.links[1]["source_id"].to_numpy(), self.links[1]["target_id"].to_numpy()]
        ids = np.unique(np.concatenate(known))
        ids = ids[ids >= 0]
        names = pd.Series([self.symbols.get(int(i), "") or str(i) for i in ids], dtype=object)
        names = names.where(~names.duplicated(), pd.Series(ids.astype(str), dtype=object))
        frame = pd.DataFrame({"gene_id": names, "entrez_id": ids})
        return gene_table(frame, where=str(self.folder), problems=self.problems)

    def _modality(self, table: _Table) -> Modality:
        kind = guess_kind(table.name)
        columns = self._columns(table, kind)
        profiles = ProfileTable(table.where, table.frame, table.features, columns)
        profiles = without_infinite(profiles, self.problems)
        if not table.of_genes:
            rows, report = join_molecules(
                table.frame, self.molecule_index, where=table.where, column="mol_id", key="id", hints=False
            )
            self.problems.join(report)
            return modality_from(profiles, rows, name=table.name, kind=kind, entity="molecule")
        rows, report = join_genes(table.frame, self.gene_index, where=table.where, column=_ENTREZ)
        self.problems.join(report)
        once = self._once_per_gene(profiles, rows)
        return modality_from(profiles, once, name=table.name, kind=kind, entity="gene", aggregate="mean")

    def _columns(self, table: _Table, kind: str) -> tuple[str, ...]:
        """Return feature names: genes for expression (row i of L1k_idmaps names column i), else numbers."""
        width = table.features.shape[1]
        columns = [f"{table.name}_{i}" for i in range(width)]
        if kind == "expression" and not table.of_genes and len(self.landmarks) == width:
            by_id = dict(zip(self.genes["entrez_id"], self.genes["gene_id"], strict=True))
            names = [by_id.get(i, column) for (i, _), column in zip(self.landmarks, columns, strict=True)]
            if len(set(names)) == width:
                columns = names
        return tuple(columns)

    def _once_per_gene(self, table: ProfileTable, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``rows`` with -1 at every row that repeats the first profile of its gene."""
        genes, first, group = np.unique(rows, return_index=True, return_inverse=True)
        repeats = np.ones(len(rows), bool)
        for start in range(0, len(rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            here, there = table.features[part], table.features[first[group[part]]]
            repeats[part] = ((here == there) | (np.isnan(here) & np.isnan(there))).all(axis=1)
        repeats[first] = False
        once = np.where(repeats, -1, rows)
        distinct = int((once >= 0).sum())
        several = distinct - int((genes >= 0).sum())
        if several:
            differ = agreeing(
                several, "profile", "differs from the first of its", "differ from the first of their"
            )
            self.problems.note(f"{table.where}: {differ} gene; the mean is used")
        return once

    def _molecule_gene(self) -> Relation | None:
        """Return which molecule targets which gene, from all tables of genes, each pair once."""
        pairs = []
        for table in self.tables:
            if table.of_genes and "mol_id" in table.frame:
                molecules, report = join_molecules(
                    table.frame,
                    self.molecule_index,
                    where=table.where,
                    column="mol_id",
                    key="id",
                    hints=False,
                )
                genes, _ = join_genes(table.frame, self.gene_index, where=table.where, column=_ENTREZ)
                self.problems.join(report)
                pairs.append(np.stack([molecules, genes], axis=1)[(molecules >= 0) & (genes >= 0)])
        if not pairs:
            return None
        distinct = np.unique(np.concatenate(pairs), axis=0)
        weight = np.ones(len(distinct), np.float32)
        return Relation("molecule_gene", "molecule", "gene", distinct[:, 0], distinct[:, 1], weight)

    def _gene_gene(self, links: tuple[str, pd.DataFrame]) -> Relation:
        where, frame = links
        ends = []
        for name in ("source_id", "target_id"):
            ids = pd.DataFrame({name: frame[name].where(frame[name] >= 0)})
            rows, report = join_genes(ids, self.gene_index, where=where, column=name)
            self.problems.join(report)
            ends.append(rows)
        kept = (ends[0] >= 0) & (ends[1] >= 0)
        weight = np.ones(int(kept.sum()), np.float32)
        return Relation("gene_gene", "gene", "gene", ends[0][kept], ends[1][kept], weight)

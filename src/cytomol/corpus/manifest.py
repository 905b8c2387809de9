"""``corpus.toml``: which files a corpus consists of; worked out from file names where it is absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import Field

from cytomol.config import Config
from cytomol.corpus.provenance import Correction
from cytomol.corpus.schema import Entity
from cytomol.errors import InputError

__all__ = ["MANIFEST", "Manifest", "ModalityEntry", "RelationEntry", "guess_kind", "load_manifest"]

MANIFEST = "corpus.toml"
_SUFFIXES = (".parquet", ".csv.gz", ".tsv.gz", ".csv", ".tsv")
_KINDS = {
    "morphology": ("morphology", "cellpainting", "cp"),
    "expression": ("expression", "transcriptomics", "ge", "l1000"),
    "perturbation": ("gene", "crispr", "orf", "perturbation"),
}


class ModalityEntry(Config):
    """One table of profiles; what is left out is worked out from the columns."""

    name: str = Field(min_length=1, description="Unique name.")
    file: str = Field(min_length=1, description="Path below the corpus directory.")
    kind: str = Field(default="", description="morphology, expression, perturbation or another word.")
    entity: Entity | None = Field(default=None, description="Whose profiles.")
    id: str | None = Field(default=None, description="Column that holds the id.")
    correction: Correction | None = Field(
        default=None,
        description="What training does to the profiles of one plate or library: none; center brings their "
        "mean to that of all, standardise their mean and spread.",
    )
    correct_by: str | None = Field(
        default=None,
        pattern="^Metadata_",
        description="Column of the table by which they are corrected, such as Metadata_Plate.",
    )


class RelationEntry(Config):
    """One table of links with columns source, target and, if they differ, weight."""

    name: str = Field(min_length=1, description="Unique name.")
    file: str = Field(min_length=1, description="Path below the corpus directory.")
    source: Entity | None = Field(default=None, description="What the source column holds.")
    target: Entity | None = Field(default=None, description="What the target column holds.")


class Manifest(Config):
    """Files of a corpus."""

    version: Literal[1] = Field(default=1, description="Version of this layout.")
    molecules: str = Field(default="molecules.parquet", description="Table of molecules.")
    genes: str | None = Field(default=None, description="Table of genes.")
    modalities: tuple[ModalityEntry, ...] = Field(default=(), description="Tables of profiles.")
    relations: tuple[RelationEntry, ...] = Field(default=(), description="Tables of links.")
    history: tuple[str, ...] = Field(default=(), description="What was noted when the corpus was made.")

    def to_toml(self) -> str:
        """Return the manifest as TOML."""
        head = self.model_dump(exclude={"modalities", "relations"}, exclude_none=True)
        lines = [f"{key} = {_toml(value)}" for key, value in head.items()]
        for table, entries in (("modalities", self.modalities), ("relations", self.relations)):
            for entry in entries:
                lines += ["", f"[[{table}]]"]
                lines += [f"{k} = {_toml(v)}" for k, v in entry.model_dump(exclude_none=True).items()]
        return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Return a string, number or list as TOML (of which JSON is a part, but for control characters)."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def load_manifest(directory: Path) -> Manifest:
    """Return the manifest of a corpus directory: read, or worked out from the files that lie there.

    Raises
    ------
    InputError
        If the directory holds no corpus, two tables have the same name, or a table lies outside of it.
    ConfigError
        If ``corpus.toml`` is malformed.
    """
    path = directory / MANIFEST
    manifest = Manifest.load(path) if path.exists() else _infer(directory)
    for entries in (manifest.modalities, manifest.relations):
        names = [entry.name for entry in entries]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise InputError(f"two tables are called {repeated[0]}", where=str(directory))
    _refuse_outside(manifest, directory)
    return manifest


def _refuse_outside(manifest: Manifest, directory: Path) -> None:
    """Raise where a table would be read from outside of the corpus, by its path or by a link."""
    tables = [*(one.file for one in manifest.modalities), *(one.file for one in manifest.relations)]
    for file in (manifest.molecules, *([manifest.genes] if manifest.genes else []), *tables):
        if "\0" in file or not (directory / file).resolve().is_relative_to(directory.resolve()):
            raise InputError(
                f"names the file {file[:200]!r}, which lies outside of the corpus",
                where=str(directory / MANIFEST),
                hint="copy it into the folder",
            )


def _infer(directory: Path) -> Manifest:
    molecules = _table(directory, "molecules")
    if molecules is None:
        raise InputError(
            "holds no corpus: neither corpus.toml nor molecules.parquet",
            where=str(directory),
            hint="`cytomol corpus build` makes one",
        )
    genes = _table(directory, "genes")
    modalities = tuple(
        ModalityEntry(name=name, file=file, kind=guess_kind(name))
        for name, file in _tables(directory, "modalities")
    )
    relations = tuple(RelationEntry(name=name, file=file) for name, file in _tables(directory, "relations"))
    return Manifest(molecules=molecules, genes=genes, modalities=modalities, relations=relations)


def guess_kind(name: str) -> str:
    """Return the kind that a table's name speaks of: the first known word, else the first word."""
    words = name.lower().replace("-", "_").split("_")
    for word in words:
        for kind, synonyms in _KINDS.items():
            if word in synonyms:
                return kind
    return words[0]


def _table(directory: Path, stem: str) -> str | None:
    return next((stem + suffix for suffix in _SUFFIXES if (directory / (stem + suffix)).exists()), None)


def _tables(directory: Path, folder: str) -> list[tuple[str, str]]:
    """Return (name, relative path) of every table in a folder, sorted by name."""
    place = directory / folder
    if not place.exists():
        return []
    if not place.is_dir():
        raise InputError("is a file where a directory of tables belongs", where=str(place))
    found = []
    for path in sorted(place.iterdir()):
        suffix = next((s for s in _SUFFIXES if path.name.lower().endswith(s)), None)
        if suffix and not path.name.startswith("."):
            found.append((path.name[: -len(suffix)], f"{folder}/{path.name}"))
    return found

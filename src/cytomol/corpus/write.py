"""Write a corpus in the own layout, whole or not at all."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd

from cytomol.corpus.build_report import REPORT, BuildReport
from cytomol.corpus.manifest import MANIFEST, Manifest, ModalityEntry, RelationEntry, load_manifest
from cytomol.corpus.schema import Corpus, Entity, Modality, Relation
from cytomol.errors import InputError
from cytomol.files import atomic_directory
from cytomol.files.ours import MARK

__all__ = ["write_corpus"]

_IDS: dict[Entity, str] = {"molecule": "mol_id", "gene": "gene_id"}


def write_corpus(
    corpus: Corpus,
    path: str | Path,
    *,
    force: bool = False,
    report: BuildReport | None = None,
    beside: Path | None = None,
) -> None:
    """Write ``molecules.parquet``, ``genes.parquet``, ``modalities/``, ``relations/`` and ``corpus.toml``.

    Reading the directory again gives the same tables, in the same order; the corpus's notes become the
    manifest's ``history``.

    Parameters
    ----------
    corpus
        What to write.
    path
        Directory to be made.
    force
        Replace an existing one.
    report
        What became of the tables that it was built of; written beside the corpus as ``build.json``.
    beside
        A corpus directory whose further files (assays, splits, the truth of a planted one) are kept.

    Raises
    ------
    OutputError
        If the directory exists, or cannot be written.
    InputError
        If two tables or two features of a table would have the same name on disk.

    Examples
    --------
    >>> from cytomol.corpus.planted import generate_planted
    >>> write_corpus(generate_planted(200).corpus, "corpus")
    >>> sorted(path.name for path in Path("corpus").glob("*.parquet"))
    ['genes.parquet', 'molecules.parquet']
    """
    files = {
        folder: _file_names(folder, list(entries))
        for folder, entries in (("modalities", corpus.modalities), ("relations", corpus.relations))
    }
    manifest = Manifest(
        genes="genes.parquet" if len(corpus.genes) else None,
        modalities=tuple(
            ModalityEntry(
                name=m.name,
                file=file,
                kind=m.kind,
                entity=m.entity,
                id=_IDS[m.entity],
                correction=None if m.provenance.correction == "none" else m.provenance.correction,
                correct_by=m.provenance.by or None,
            )
            for m, file in zip(corpus.modalities.values(), files["modalities"], strict=True)
        ),
        relations=tuple(
            RelationEntry(name=r.name, file=file, source=r.source_entity, target=r.target_entity)
            for r, file in zip(corpus.relations.values(), files["relations"], strict=True)
        ),
        history=corpus.notes,
    )
    with atomic_directory(path, force=force) as temporary:
        corpus.molecules.to_parquet(temporary / manifest.molecules, index=False)
        if manifest.genes:
            corpus.genes.to_parquet(temporary / manifest.genes, index=False)
        for folder in files:
            (temporary / folder).mkdir()
        for modality, file in zip(corpus.modalities.values(), files["modalities"], strict=True):
            _modality_frame(corpus, modality).to_parquet(temporary / file, index=False)
        for relation, file in zip(corpus.relations.values(), files["relations"], strict=True):
            _relation_frame(corpus, relation).to_parquet(temporary / file, index=False)
        (temporary / MANIFEST).write_text(manifest.to_toml(), encoding="utf-8")
        if report is not None:
            report.write(temporary)
        if beside is not None:
            _keep_further_files(beside, temporary)


def _keep_further_files(directory: Path, new: Path) -> None:
    """Copy what lies in a corpus directory and is no table of the corpus, where the new one has none."""
    old = load_manifest(directory)
    profiles, links = [entry.file for entry in old.modalities], [entry.file for entry in old.relations]
    own = {MANIFEST, REPORT, MARK, old.molecules, old.genes, *profiles, *links}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory)
        if path.is_file() and name.as_posix() not in own and not (new / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, new / name)


def _file_names(folder: str, names: list[str]) -> list[str]:
    """Return one Parquet file per name; characters that a file system may refuse become ``_``."""
    files = [
        f"{folder}/{re.sub(r'[^A-Za-z0-9._+-]', '_', name).lstrip('.') or '_'}.parquet" for name in names
    ]
    lowered = [file.lower() for file in files]
    for name, file in zip(names, lowered, strict=True):
        if lowered.count(file) > 1:
            raise InputError(f"two tables are called {name!r} (but for case and punctuation)", where=folder)
    return files


def _ids(corpus: Corpus, entity: Entity) -> pd.Series[str]:
    return corpus.molecules["mol_id"] if entity == "molecule" else corpus.genes["gene_id"]


def _modality_frame(corpus: Corpus, modality: Modality) -> pd.DataFrame:
    id_name = _IDS[modality.entity]
    reserved = [c for c in modality.columns if c == id_name or c.startswith("Metadata_")]
    if reserved or len(set(modality.columns)) < modality.width:
        what = f"feature {reserved[0]!r} has the name of an id" if reserved else "features share a name"
        raise InputError(what, where=f"modality {modality.name}", hint="rename the feature")
    frame = pd.DataFrame(modality.values, columns=list(modality.columns))
    ids = _ids(corpus, modality.entity).to_numpy()[modality.rows]
    frame.insert(0, id_name, ids)
    for place, (name, column) in enumerate(modality.provenance.frame().items(), start=1):
        frame.insert(place, str(name), column.to_numpy())
    return frame


def _relation_frame(corpus: Corpus, relation: Relation) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source": _ids(corpus, relation.source_entity).to_numpy()[relation.source],
            "target": _ids(corpus, relation.target_entity).to_numpy()[relation.target],
            "weight": relation.weight,
        }
    )

"""The corpus of the shipped backbone: what of the real one is under an open licence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
from benchmarks.default_backbone.licences import MODALITIES, MOLECULES, RELATIONS, allowed
from benchmarks.quality.backbones import corpus_folder

from cytomol.chem.keys import canonical_smiles
from cytomol.chem.parse import parse_smiles
from cytomol.files import atomic_directory

__all__ = ["COUNTS", "open_corpus"]

COUNTS = "counts.json"


def open_corpus(work: Path) -> Path:
    """Write the part of the corpus that is openly licensed, where that was not done; return the folder.

    Beside its files lies ``counts.json``: what was taken and what was left out, by source.
    """
    folder = work / "corpus"
    if folder.exists():
        return folder
    root = corpus_folder()
    molecules, counts = _molecules(root)
    ids = set(molecules["mol_id"])
    with atomic_directory(folder, force=False) as made:
        (made / "modalities").mkdir()
        (made / "relations").mkdir()
        molecules.to_parquet(made / "molecules.parquet", index=False)
        pd.read_parquet(root / "genes.parquet").to_parquet(made / "genes.parquet", index=False)
        for source in MODALITIES:
            table = pd.read_parquet(root / "modalities" / f"{source.name}.parquet")
            kept = table if "gene_id" in table else table[table["mol_id"].isin(ids)]
            counts["profiles"][source.name] = {
                "rows": len(table),
                "taken": len(kept) if source.open else 0,
            }
            if source.open:
                kept.to_parquet(made / "modalities" / f"{source.name}.parquet", index=False)
        for name in allowed(RELATIONS):
            table = pd.read_parquet(root / "relations" / f"{name}.parquet")
            kept = _stated_by_hub(table, molecules) if name == "compound_targets_gene" else table
            counts["relations"][name] = {"rows": len(table), "taken": len(kept)}
            kept.to_parquet(made / "relations" / f"{name}.parquet", index=False)
    (work / COUNTS).write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    return folder


def _molecules(root: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the molecules that an open source has, in canonical SMILES, and the counts by source."""
    table = pd.read_parquet(root / "molecules.parquet")
    sources = table["sources"].str.split("|")
    opened = set(allowed(MOLECULES))
    kept = table[[not opened.isdisjoint(names) for names in sources]].copy()
    # The text of a SMILES may be that of a closed source: it is written anew from the structure.
    kept["smiles"] = [_canonical(smiles) for smiles in kept["smiles"]]
    kept["sources"] = ["|".join(sorted(opened.intersection(names.split("|")))) for names in kept["sources"]]
    by_source = kept["sources"].str.split("|").explode().value_counts()
    everywhere = sources.explode().value_counts()
    names = [source.name for source in MOLECULES]
    counts: dict[str, Any] = {
        "molecules": {
            name: {"rows": int(everywhere.get(name, 0)), "taken": int(by_source.get(name, 0))}
            for name in names
        },
        "all": {"rows": len(table), "taken": len(kept)},
        "profiles": {},
        "relations": {},
    }
    return kept, counts


def _canonical(smiles: str) -> str:
    molecule = parse_smiles(smiles).mol
    return smiles if molecule is None else canonical_smiles(molecule)


def _stated_by_hub(relation: pd.DataFrame, molecules: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of molecule and target that the Repurposing Hub itself states."""
    known = pd.read_parquet(Path(os.environ["CYTOMOL_DATA"]) / "cell" / "mechanisms.parquet")
    hub = known[known["source"] == "repurposing_hub"].dropna(subset=["inchikey", "target"])
    blocks = dict(zip(molecules["mol_id"], molecules["inchikey"].str[:14], strict=True))
    pairs = {
        (key[:14], gene.strip())
        for key, targets in zip(hub["inchikey"], hub["target"], strict=True)
        for gene in targets.split("|")
    }
    stated = [
        (blocks.get(source), target) in pairs
        for source, target in zip(relation["source"], relation["target"], strict=True)
    ]
    return relation[stated]

"""Copies of the corpora, of profiled molecules alone, that say how far profiles can be trusted."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cells.ground import Ground
from numpy.typing import NDArray

from cytomol.corpus import read_corpus
from cytomol.corpus.provenance import Provenance
from cytomol.corpus.schema import Corpus, Modality
from cytomol.corpus.write import write_corpus

__all__ = ["FORMS", "Form", "annotated", "corpus_of", "labels_of"]

LIBRARY, PLATE = "Metadata_Library", "Metadata_Plate"


@dataclass(frozen=True)
class Form:
    """One way to treat the profiles.

    Attributes
    ----------
    weights
        ``profile_weights`` of the training.
    correction
        How they are corrected for the library (real) or the plate (planted).
    """

    weights: str = "none"
    correction: str = "none"


FORMS = {
    "as measured": Form(),
    "weighted": Form(weights="reliability"),
    "centered": Form(correction="center"),
    "standardised": Form(correction="standardise"),
    "weighted and centered": Form("reliability", "center"),
}


def annotated(ground: Ground, work: Path) -> Path:
    """Write the annotated corpus of a ground where it is not there; return its folder."""
    folder = work / "corpora" / ground.name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        corpus = _profiled(read_corpus(ground.corpus), ground.modality)
        about = _real(corpus, ground) if ground.name == "real" else _planted(corpus, ground)
        modality = replace(corpus.modalities[ground.modality], provenance=about)
        write_corpus(replace(corpus, modalities={ground.modality: modality}, notes=()), folder)
    return folder


def corpus_of(folder: Path, form: Form, ground: Ground, *, first: bool) -> Corpus:
    """Read an annotated corpus, with the correction that a form declares.

    ``first``: of each connectivity the first profile alone, in the order of the candidates.
    """
    corpus = read_corpus(folder)
    if first:
        modality = corpus.modalities[ground.modality].take(ground.candidates["profile"].to_numpy())
        corpus = _profiled(replace(corpus, modalities={ground.modality: modality}), ground.modality)
    (name, modality), *_ = corpus.modalities.items()
    by = next(iter(modality.provenance.labels)) if form.correction != "none" else ""
    about = replace(modality.provenance, correction=form.correction, by=by)  # type: ignore[arg-type]
    return replace(corpus, modalities={name: replace(modality, provenance=about)})


def labels_of(ground: Ground) -> pd.DataFrame:
    """Return labels of assays, 0 or 1 or NaN, a row for each candidate and a column for each assay."""
    candidates = ground.candidates
    if ground.name == "real":
        table = pd.read_parquet(Path(os.environ["CYTOMOL_DATA"]) / "cell" / "assay_labels_209.parquet")
        table = table.assign(block=table["inchikey"].str[:14])
        wide = table.pivot_table(index="block", columns="chembl_assay_id", values="active", aggfunc="max")
        return wide.reindex(candidates["inchikey"]).reset_index(drop=True)
    assays = pd.read_csv(ground.corpus / "assays.csv")
    tasks = assays.drop(columns="smiles")
    binary = [name for name in tasks if set(tasks[name].dropna().unique()) <= {0, 1}]
    rows = pd.Series(range(len(assays)), index=assays["smiles"]).reindex(candidates["smiles"])
    return tasks[binary].reindex(rows.to_numpy()).reset_index(drop=True)


def _profiled(corpus: Corpus, name: str) -> Corpus:
    """Return the molecules with a profile of a modality, and that modality."""
    modality = corpus.modalities[name]
    kept, rows = np.unique(modality.rows, return_inverse=True)
    molecules = corpus.molecules.iloc[kept].reset_index(drop=True)
    genes = corpus.genes.iloc[:0]
    return Corpus(molecules, genes, {name: replace(modality, rows=rows.astype(np.int64))})


def _real(corpus: Corpus, ground: Ground) -> Provenance:
    """Replicate correlations by InChIKey; the library is that of known drugs and tools, or the other one."""
    table = pd.read_parquet(Path(os.environ["CYTOMOL_DATA"]) / "cell" / "replicate_correlation.parquet")
    table = table[(table["dataset"] == "CDRP_U2OS") & (table["assay"] == "cell_painting")]
    by_key = table.dropna(subset=["inchikey"]).groupby("inchikey")["replicate_corr"].mean()
    rows = corpus.modalities[ground.modality].rows
    keys = corpus.molecules["inchikey"].to_numpy(str)[rows]
    candidates = ground.candidates
    known = set(candidates.loc[candidates["bioactive"].astype(bool), "inchikey"])
    library = np.array(["known" if key[:14] in known else "diverse" for key in keys], dtype=object)
    return Provenance(by_key.reindex(keys).to_numpy(np.float32), {LIBRARY: library})


def _planted(corpus: Corpus, ground: Ground) -> Provenance:
    """Correlation with a second measurement, whose noise is that of another well; plates as planted.

    The corpus was written from the truth in the order of its wells, so both tables are in the order of the
    profiles.
    """
    modality = corpus.modalities[ground.modality]
    ids = corpus.molecules["mol_id"].to_numpy(str)[modality.rows]
    truth = pd.read_parquet(ground.corpus / "truth" / "noiseless" / "morphology.parquet").set_index("mol_id")
    clean = truth.loc[ids, list(modality.columns)].to_numpy(np.float64)
    plates = pd.read_parquet(ground.corpus / "truth" / "plates" / "morphology.parquet")
    assert plates["mol_id"].tolist() == ids.tolist()
    return Provenance(
        _second_measurement(modality, clean), {PLATE: plates["plate"].astype(str).to_numpy(object)}
    )


def _second_measurement(modality: Modality, clean: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the correlation over features of each profile with one of the same truth and other noise."""
    rng = np.random.default_rng(0)
    measured = np.where(np.isnan(modality.values), clean, modality.values)
    again = clean + (measured - clean)[rng.permutation(len(clean))]
    spread = np.maximum(np.median(np.abs(measured - np.median(measured, axis=0)), axis=0), 1e-9)
    sides = [(side - np.median(measured, axis=0)) / spread for side in (measured, again)]
    sides = [np.clip(side, -10, 10) for side in sides]
    sides = [side - side.mean(axis=1, keepdims=True) for side in sides]
    norms = np.linalg.norm(sides[0], axis=1) * np.linalg.norm(sides[1], axis=1)
    return np.asarray((sides[0] * sides[1]).sum(axis=1) / np.maximum(norms, 1e-12), dtype=np.float32)

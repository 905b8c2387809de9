"""Write a planted corpus with its truth, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.planted.generate import generate_planted
from cytomol.corpus.planted.options import PlantedOptions
from cytomol.corpus.planted.truth import PlantedCorpus, Truth
from cytomol.corpus.write import write_corpus
from cytomol.files import atomic_directory, check_output

__all__ = ["write_planted"]

_NOISELESS_LIMIT = 20_000  # molecules up to which full noiseless profiles are written out

_README = """\
A planted corpus: {size} made-up molecules, seed {seed}. Nothing here was measured.

What a method may see
  corpus.toml, molecules.parquet, genes.parquet, modalities/, relations/
                  the corpus for pretraining, in cytomol's own layout
  assays.csv      smiles and one column per task: 1, 0, empty = not measured. Few molecules are labelled.
                  structure_* tasks follow from the structure, response_* tasks from the cell's response.
  split.csv       index (row of assays.csv from 0), fold (train, valid, test); no scaffold in two folds
  heldout.csv     the molecules of the test fold, without labels

  .cytomol        the list of these files, by which --force knows that it may replace them

What it may not see: truth/
  molecules.parquet       how each molecule was made, its target, mechanism, family and path in the tree
  responses.parquet       its latent response (r00, r01, ...)
  genes.parquet, gene_responses.parquet
                          role and place in the tree of each gene; latent response to its knock-out
  targets.parquet         the leaves of the tree, the structural rule that leads there, their responses
  assays.parquet          what each task reads
  relations/              source, target, correct: which links are right
  plates/                 the plate of each profile, in the order of the modality's table
  readouts/               arrays gain, offset, loading, center, unit of each modality:
                          profile = center + unit * (factors @ loading), with
                          factors = tanh(response @ gain + offset) - tanh(offset)
  noiseless/              what a perfect instrument would have measured, of every molecule or gene
                          (molecules: in corpora of at most {limit} only; the read-outs give them at any size)

The profiles of the test molecules are in the corpus. Leave them out of pretraining for an honest test:
  cytomol pretrain . --exclude-profiles-of heldout.csv ...
"""


def write_planted(
    path: str | Path,
    size: int,
    seed: int = 0,
    *,
    options: PlantedOptions | None = None,
    force: bool = False,
) -> PlantedCorpus:
    """Plant a corpus and write it, its assays and its truth into one directory.

    Parameters
    ----------
    path
        Directory to be made.
    size, seed, options
        As for :func:`~cytomol.corpus.planted.generate_planted`.
    force
        Replace an existing directory.

    Returns
    -------
    PlantedCorpus
        What was written.

    Raises
    ------
    OutputError
        If the directory exists, or cannot be written.
    InputError
        If ``size`` or ``seed`` is out of range.
    """
    check_output(path, force=force)
    planted = generate_planted(size, seed, options)
    with atomic_directory(path, force=force) as directory:
        write_corpus(planted.corpus, directory, force=True)
        _write_assays(planted, directory)
        _write_truth(planted, directory / "truth")
        text = _README.format(size=size, seed=seed, limit=_NOISELESS_LIMIT)
        (directory / "README.txt").write_text(text, encoding="utf-8")
    return planted


def _write_assays(planted: PlantedCorpus, directory: Path) -> None:
    labels = planted.assays.copy()
    tasks = labels.columns.drop("smiles")
    labels[tasks] = labels[tasks].astype("Int8")
    labels.to_csv(directory / "assays.csv", index=False, lineterminator="\n")
    split = pd.DataFrame({"index": np.arange(len(labels)), "fold": planted.fold})
    split.to_csv(directory / "split.csv", index=False, lineterminator="\n")
    labels.loc[planted.fold == "test", ["smiles"]].to_csv(
        directory / "heldout.csv", index=False, lineterminator="\n"
    )


def _response_table(ids: pd.DataFrame | pd.Series[str], responses: NDArray[np.float32]) -> pd.DataFrame:
    names = [f"r{number:02d}" for number in range(responses.shape[1])]
    table = pd.DataFrame(responses, columns=names)
    return pd.concat([ids.reset_index(drop=True), table], axis=1)


def _write_truth(planted: PlantedCorpus, directory: Path) -> None:
    truth, corpus = planted.truth, planted.corpus
    for folder in ("relations", "plates", "readouts", "noiseless"):
        (directory / folder).mkdir(parents=True)
    tables = {
        "molecules": truth.molecules,
        "responses": _response_table(truth.molecules["mol_id"], truth.responses),
        "genes": truth.genes,
        "gene_responses": _response_table(truth.genes["gene_id"], truth.gene_responses),
        "targets": _response_table(truth.targets, truth.target_responses),
        "assays": truth.assays,
    }
    ids = {
        "molecule": corpus.molecules["mol_id"].to_numpy(),
        "gene": corpus.genes["gene_id"].to_numpy(),
    }
    for name, relation in corpus.relations.items():
        tables[f"relations/{name}"] = pd.DataFrame(
            {
                "source": ids[relation.source_entity][relation.source],
                "target": ids[relation.target_entity][relation.target],
                "correct": truth.relations[name],
            }
        )
    for name, plates in truth.plates.items():
        modality = corpus.modalities[name]
        id_name = "mol_id" if modality.entity == "molecule" else "gene_id"
        tables[f"plates/{name}"] = pd.DataFrame(
            {id_name: ids[modality.entity][modality.rows], "plate": plates}
        )
    for name, table in tables.items():
        table.to_parquet(directory / f"{name}.parquet", index=False)
    _write_readouts(planted, truth, directory)


def _write_readouts(planted: PlantedCorpus, truth: Truth, directory: Path) -> None:
    for name, readout in truth.readouts.items():
        # written without np.savez, whose archives hold the time of writing
        parts = {"gain": readout.gain, "offset": readout.offset[None], "loading": readout.loading}
        parts |= {"center": readout.center[None], "unit": readout.unit[None]}
        for part, array in parts.items():
            np.save(directory / "readouts" / f"{name}_{part}.npy", np.squeeze(array))
        modality = planted.corpus.modalities[name]
        of_molecules = modality.entity == "molecule"
        if of_molecules and len(planted.corpus) > _NOISELESS_LIMIT:
            continue
        table = pd.DataFrame(truth.noiseless(name), columns=list(modality.columns))
        ids = truth.molecules["mol_id"] if of_molecules else truth.genes["gene_id"]
        pd.concat([ids, table], axis=1).to_parquet(directory / "noiseless" / f"{name}.parquet", index=False)

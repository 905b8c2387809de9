"""Rows of expected profiles against measured ones: ``python -m benchmarks.cells.imputation``.

Backbones are read from ``WORK/backbones/{real,planted}-METHOD-0``, pretrained without the profiles of fold 0
(``Ground.held_out(0)``); one that is not there is left out, and its rows are added when it is. Molecules of
the valid half calibrate and choose, those of the test half are scored. Seeds: 0.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cells.ground import Ground, planted_ground, real_ground
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.cells.impute.decoding import decoded_modalities
from cytomol.cells.impute.feature_calibration import standardised
from cytomol.cells.modality import TrainedModality
from cytomol.cells.unseen import MeasuredMolecules
from cytomol.corpus import read_corpus
from cytomol.corpus.schema import Corpus
from cytomol.corpus.structures import BLOCK
from cytomol.errors import InputError
from cytomol.evaluate.imputation.beside import ExpectedBy, expected_by_source
from cytomol.evaluate.imputation.scored_rows import score_rows
from cytomol.evaluate.imputation.scores import reliability
from cytomol.files import atomic_file

__all__ = ["REPLICATES", "main"]

REPLICATES = 4  # wells of a compound in CDRP
_FOLD = 0


def main() -> int:
    """Add the rows that are missing; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of grounds and backbones")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the rows, which are gone on with")
    arguments = parser.parse_args()
    parts = [pd.read_csv(arguments.out)] if arguments.out.exists() else []
    done = {name for part in parts for name in part["backbone"]}
    for ground in (planted_ground(arguments.work), real_ground(arguments.work)):
        kind = ground.name.split("-")[0]
        for path in sorted((arguments.work / "backbones").glob(f"{kind}-*-{_FOLD}")):
            if path.name in done or not (path / "manifest.json").exists():
                continue
            backbone = Backbone.load(path)
            if backbone.method.decoded:
                parts += _rows(ground, backbone, path.name)
                _write(pd.concat(parts, ignore_index=True), arguments.out)
    return 0


def _rows(ground: Ground, backbone: Backbone, name: str) -> Iterator[pd.DataFrame]:
    """Yield the rows of each modality of molecules that a backbone decodes."""
    corpus, table = read_corpus(ground.corpus), ground.candidates
    fold = table[table["outer"] == _FOLD]
    parts = {part: set(fold.loc[fold["part"] == part, "inchikey"]) for part in ("valid", "test")}
    for modality in decoded_modalities(backbone):
        if modality.entity != "molecule":
            continue
        where = str(ground.corpus)
        valid, test = (
            MeasuredMolecules.of_corpus(corpus, modality, where=where, among=parts[part])
            for part in ("valid", "test")
        )
        beyond = parts["valid"] | parts["test"]
        others = MeasuredMolecules.of_corpus(corpus, modality, where=where, beyond=beyond, averaged=True)
        try:
            by = expected_by_source(modality, valid, test, others)
        except InputError as error:
            print(f"{name}, {modality.name}: {error}", file=sys.stderr)
            continue
        strata, ceiling = _strata(table, test), _ceiling(ground, test)
        for against, measured, sources in _held_against(ground, corpus, modality, test, by):
            rows = score_rows(measured, sources, strata)
            rows.insert(0, "backbone", name)
            rows.insert(1, "modality", modality.name)
            rows.insert(2, "against", against)
            if modality.name == ground.modality and against == "measured":
                rows["ceiling"] = [ceiling.get(stratum) for stratum in rows["stratum"]]
            yield rows
        print(f"{name}, {modality.name}: {len(test)} molecules", file=sys.stderr, flush=True)


def _held_against(
    ground: Ground, corpus: Corpus, modality: TrainedModality, test: MeasuredMolecules, by: ExpectedBy
) -> list[tuple[str, NDArray[np.float64], ExpectedBy]]:
    """Return what is scored against what: measured profiles, and on a planted corpus the noiseless ones too.

    There the noiseless profile is a source as well: what it scores on measured ones is the ceiling.
    """
    measured = standardised(test.values, modality.typical)
    path = ground.corpus / "truth" / "noiseless" / f"{modality.name}.parquet"
    if not path.exists():
        return [("measured", measured, by)]
    table = pd.read_parquet(path).set_index("mol_id")[list(modality.columns)]
    true = standardised(table.loc[_mol_ids(corpus, test)].to_numpy(np.float32), modality.typical)
    beside = ExpectedBy(by.expected | {"noiseless truth": true}, by.coverage, by.mean_alone)
    return [("measured", measured, beside), ("noiseless", true, ExpectedBy(by.expected, {}, {}))]


def _mol_ids(corpus: Corpus, test: MeasuredMolecules) -> list[str]:
    """Return the id in the corpus of each molecule."""
    place = {smiles: row for row, smiles in reversed(list(enumerate(corpus.smiles)))}
    ids = corpus.molecules["mol_id"].tolist()
    return [ids[place[smiles]] for smiles in test.smiles]


def _strata(table: pd.DataFrame, test: MeasuredMolecules) -> dict[str, NDArray[np.bool_]]:
    """Return the molecules of each group; a library compound is one that is no known bioactive."""
    known = table.set_index("inchikey").loc[test.blocks]
    everyone = {"all": np.ones(len(test), np.bool_)}
    bioactive, active = known["bioactive"].to_numpy(bool), (known["active"] == 1).to_numpy(bool)
    return everyone | {
        "active": active,
        "inactive": (known["active"] == 0).to_numpy(bool),
        "bioactive": bioactive,
        "bioactive and active": bioactive & active,
    }


def _ceiling(ground: Ground, test: MeasuredMolecules) -> dict[str, float]:
    """Return the most that a correlation by profile can reach, by stratum: the root of the reliability."""
    if not ground.name.startswith("real"):
        return {}
    table = pd.read_parquet(Path(os.environ["CYTOMOL_DATA"]) / "cell" / "replicate_correlation.parquet")
    table = table[(table["dataset"] == "CDRP_U2OS") & (table["assay"] == "cell_painting")].dropna(
        subset=["inchikey"]
    )
    by_block = table.groupby(table["inchikey"].str[:BLOCK])["replicate_corr"].mean()
    found = by_block.reindex(test.blocks).to_numpy(float)
    most = np.sqrt(reliability(found, REPLICATES))
    strata = _strata(ground.candidates, test)
    return {
        name: float(np.nanmean(most[rows])) for name, rows in strata.items() if (~np.isnan(most[rows])).any()
    }


def _write(rows: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = rows.select_dtypes("number").columns
    with atomic_file(path, force=True) as temporary:
        rows.assign(**{name: rows[name].round(5) for name in numbers}).to_csv(
            temporary, index=False, lineterminator="\n"
        )


if __name__ == "__main__":
    sys.exit(main())

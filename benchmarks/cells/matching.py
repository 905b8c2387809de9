"""Who finds the profile of a molecule of a held-out scaffold, and the molecule of a profile.

``python -m benchmarks.cells.matching --work WORK -o benchmarks/results/cells/matching.csv [--backbones DIR]``

Every entrant sees four of the five scaffold folds of :mod:`benchmarks.cells.ground`; the candidates are the
test halves of the folds, each fold and stratum ranked by itself, queries pooled. Backbones were pretrained
without fold 0 and are compared on it alone. Choices (``--part valid``) were made on the valid halves. Places
are kept in WORK, so a run that was cut goes on. Seed 0 throughout; 2,000 bootstrap draws over queries.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cells.ground import FOLDS, Ground, planted_ground, real_ground
from numpy.typing import NDArray

from cytomol.artifact.backbone import load_backbone
from cytomol.cells.matcher.backbone_blocks import BackboneBlocks
from cytomol.cells.matcher.cell_matcher import MatcherOptions
from cytomol.cells.matcher.matcher_model import fit_matcher
from cytomol.cells.matcher.structure_kernel import structure_blocks
from cytomol.corpus import read_corpus
from cytomol.corpus.schema import Corpus
from cytomol.evaluate.matching.candidates import Candidates, find_candidates, learnable_profiles
from cytomol.evaluate.matching.contest import Rankings, rank_entrant, rows_of
from cytomol.evaluate.matching.entrants import Entrant, model_entrant, simple_entrants
from cytomol.evaluate.matching.query_intervals import pooled
from cytomol.evaluate.matching.strata import ALL, stratum
from cytomol.files import atomic_file
from cytomol.training.dataset.exclude import connectivity_blocks

__all__ = ["STRATA", "main", "oracle_places"]

Places = tuple[NDArray[np.floating], NDArray[np.floating]]
BIOACTIVE = "bioactive=1"
ACTIVE = "active=1 in bioactive=1"
STRATA = {
    "real": (ALL, BIOACTIVE, ACTIVE, "bioactive=1 & active=1", "bioactive=0", "active=1"),
    "planted": (ALL, BIOACTIVE, "bioactive=0"),
}
SIMPLE = ("neighbour", "ridge", "cca")
METHODS = ("contrastive", "chmr", "infoalign")
SEED = 0
_LABEL = {True: "1", False: "0"}  # 1.0 and 0.0 too


@dataclass
class Field:
    """One fold of one ground: its candidates, and what has placed them so far."""

    ground: Ground
    corpus: Corpus
    blocks: list[str]
    fold: int
    folder: Path

    def __post_init__(self) -> None:
        table = self.ground.candidates
        self.table = table[table["outer"] == self.fold].reset_index(drop=True)
        held_out = set(self.table["inchikey"])
        found = find_candidates(self.corpus, self.blocks, self.ground.modality, held_out)
        place = {block: row for row, block in enumerate(found.blocks)}
        order = np.array([place[key] for key in self.table["inchikey"]])
        self.candidates = Candidates(
            found.modality,
            tuple(found.smiles[row] for row in order),
            tuple(found.blocks[row] for row in order),
            found.profile[order],
            found.rest,
        )

    def read(self, smiles: Sequence[str]) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.bool_]]:
        """Return what a matcher reads of the ground's molecules; computed once for all folds."""
        texts = tuple(self.ground.candidates["smiles"])  # a molecule a connectivity, as everywhere here
        place = {text: row for row, text in enumerate(texts)}
        rows = np.array([place[text] for text in smiles])
        blocks, valid = _structures(texts)
        return {name: block[rows] for name, block in blocks.items()}, valid[rows]

    def bioactive_rest(self) -> NDArray[np.bool_]:
        """Return the profiles of bioactive molecules outside the fold."""
        table = self.ground.candidates
        listed = set(table.loc[table["bioactive"], "inchikey"])
        return self.candidates.rest & learnable_profiles(self.candidates.modality, self.blocks, listed=listed)

    def places(self, name: str, make: Callable[[], Places]) -> Places:
        """Return the places that an entrant gives, from the folder where they lie already."""
        path = self.folder / f"{self.ground.name}-{self.fold}-{name.replace(' ', '_')}.npz"
        if not path.exists():
            molecules, profiles = make()
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(path, force=True) as temporary, temporary.open("wb") as handle:
                np.savez(handle, molecules=molecules, profiles=profiles)
            print(f"{self.ground.name}, fold {self.fold}: placed by {name}", flush=True)
        with np.load(path) as arrays:
            return arrays["molecules"], arrays["profiles"]

    def rankings(self, name: str, places: Places, part: str) -> Rankings:
        """Rank one half of the fold in every stratum."""
        kept = (self.table["part"] == part).to_numpy()
        texts = {
            column: np.array([_LABEL.get(cell, "") for cell in self.table.loc[kept, column]])
            for column in ("bioactive", "active")
        }
        strata = [
            stratum(text, texts, int(kept.sum())) for text in STRATA[self.ground.name.partition("-")[0]]
        ]
        own = tuple(side[kept] for side in places)
        return rank_entrant(Entrant(name, "no", lambda: own), strata)  # type: ignore[arg-type,return-value]


@functools.lru_cache(maxsize=1)
def _structures(smiles: tuple[str, ...]) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.bool_]]:
    return structure_blocks(smiles, workers=1)


def oracle_places(field: Field, knows: str) -> Places:
    """Place molecules of a planted corpus by what made their profiles.

    Parameters
    ----------
    field
        The fold.
    knows
        "target": expects the mean noiseless profile of the molecule's target, and of a molecule without one
        that of all such; "response": expects the molecule's own noiseless profile.

    Notes
    -----
    Both sides are whitened by the covariance of the noise, which an oracle knows too.
    """
    truth, name = field.ground.corpus / "truth", field.ground.modality
    molecules = pd.read_parquet(truth / "molecules.parquet").set_index("mol_id")
    noiseless = pd.read_parquet(truth / "noiseless" / f"{name}.parquet").set_index("mol_id")
    ids = field.corpus.molecules["mol_id"].to_numpy()
    modality = field.candidates.modality
    clean = noiseless.reindex(ids)[list(modality.columns)].to_numpy(float)
    target = molecules["target"].reindex(ids).to_numpy()
    expected = clean
    if knows == "target":
        means = {one: clean[target == one].mean(axis=0) for one in np.unique(target)}
        expected = np.stack([means[one] for one in target])
    measured = modality.values  # noqa: PD011 - no pandas
    noise = np.nan_to_num(measured - clean[modality.rows])
    covariance = np.cov(noise.T) + 1e-6 * np.eye(noise.shape[1]) * noise.var()
    whiten = np.linalg.inv(np.linalg.cholesky(covariance)).T
    middle = clean.mean(axis=0)
    own = modality.rows[field.candidates.profile]
    measured = np.where(np.isnan(field.candidates.values), middle, field.candidates.values)
    sides = (expected[own] - middle) @ whiten, (measured - middle) @ whiten
    unit = [side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12) for side in sides]
    return unit[0], unit[1]


def _simple(field: Field, names: Sequence[str], rows: NDArray[np.bool_], suffix: str) -> dict[str, Places]:
    entrants: dict[str, Entrant] = {}

    def make(name: str) -> Places:
        if not entrants:
            found = simple_entrants(names, field.candidates, field.corpus.smiles, rows, workers=1)
            entrants.update({entrant.name: entrant for entrant in found})
        return entrants[name].places()

    return {name + suffix: field.places(name + suffix, lambda name=name: make(name)) for name in names}  # type: ignore[misc]


def _matcher(field: Field, rows: NDArray[np.bool_]) -> Places:
    model = fit_matcher(
        field.corpus.smiles,
        field.blocks,
        field.candidates.modality,
        rows=rows,
        options=MatcherOptions(seed=SEED),
        read=field.read,
    )
    asked, _ = field.read(field.candidates.smiles)
    return model.matcher.molecules(asked), model.profiles(field.candidates.values)


def _backed(field: Field, backbone: Path) -> Places:
    """Return the places of a matcher that reads the embedding of a backbone too."""
    extra = BackboneBlocks(load_backbone(backbone))
    model = fit_matcher(
        field.corpus.smiles,
        field.blocks,
        field.candidates.modality,
        rows=field.candidates.rest,
        options=MatcherOptions(seed=SEED),
        extra=extra,
        read=functools.partial(extra, workers=1),
    )
    asked = model.store(field.candidates.smiles, workers=1)
    return model.molecules(asked)[0], model.profiles(field.candidates.values)


def _fitted(field: Field) -> dict[str, Places]:
    """Return the places of all that is fitted here."""
    everything, listed = field.candidates.rest, field.bioactive_rest()
    placed = _simple(field, SIMPLE, everything, "")
    placed["matcher"] = field.places("matcher", lambda: _matcher(field, everything))
    placed |= _simple(field, ("ridge",), listed, " on bioactives")
    placed["matcher on bioactives"] = field.places("matcher on bioactives", lambda: _matcher(field, listed))
    if field.ground.name.startswith("planted"):
        for knows in ("target", "response"):
            placed[f"oracle: {knows}"] = field.places(
                f"oracle {knows}",
                lambda knows=knows: oracle_places(field, knows),  # type: ignore[misc]
            )
    return placed


def _pretrained(field: Field, backbones: Path) -> dict[str, Places]:
    """Return the places of the backbones that were pretrained without the fold, where they are there."""
    placed = {}
    for method in METHODS:
        path = backbones / f"{field.ground.name.partition('-')[0]}-{method}-{field.fold}"
        if not (path / "manifest.json").exists():
            continue
        for way in ("projected", "decoded"):
            if (method, way) == ("infoalign", "projected") or (method, way) == ("contrastive", "decoded"):
                continue
            name = method if method != "chmr" else f"{method}, {way}"

            def make(path: Path = path, way: str = way, name: str = name) -> Places:
                entrant = model_entrant(
                    path,
                    field.candidates,
                    name=name,
                    held_out=(),
                    corpus="",
                    way=way,  # type: ignore[arg-type]
                )
                return entrant.places()

            placed[name] = field.places(name, make)
        name = f"matcher with {method}"
        placed[name] = field.places(name, functools.partial(_backed, field, path))
    return placed


def _rows(ground: Ground, work: Path, backbones: Path | None, part: str) -> Iterator[pd.DataFrame]:
    corpus = read_corpus(ground.corpus)
    blocks = connectivity_blocks(corpus)
    parts: dict[str, list[Rankings]] = {}
    for fold in range(FOLDS):
        field = Field(ground, corpus, blocks, fold, work / "matching")
        fitted = {name: field.rankings(name, places, part) for name, places in _fitted(field).items()}
        for name, rankings in fitted.items():
            parts.setdefault(name, []).append(rankings)
        if backbones is not None and (pretrained := _pretrained(field, backbones)):
            ranked = {name: field.rankings(name, places, part) for name, places in pretrained.items()}
            yield _table(fitted | ranked, ground, f"fold {fold}", part)
    together = {
        name: {key: pooled([one[key] for one in rankings]) for key in rankings[0]}
        for name, rankings in parts.items()
    }
    yield _table(together, ground, "all folds", part)


def _table(rankings: dict[str, Rankings], ground: Ground, folds: str, part: str) -> pd.DataFrame:
    seen = dict.fromkeys(rankings, "no")
    tables = [
        rows_of(rankings, seen, reference=reference, seed=SEED)
        for reference in ("ridge", "infoalign")
        if reference in rankings
    ]
    if len(tables) == 2:  # the claim that sufficiency beats contrast: these pairs alone
        tables[1] = tables[1][tables[1]["model"] == "contrastive"]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "ground", ground.name)
    table.insert(1, "folds", folds)
    table.insert(2, "part", part)
    return table.drop(columns="seen")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the rows; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cells.matching")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder of the grounds; places are kept here"
    )
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--backbones", type=Path, help="folder with NAME-METHOD-FOLD, as pretrain made them")
    parser.add_argument("--grounds", nargs="*", default=["planted", "real"])
    parser.add_argument("--part", default="test", choices=["valid", "test"])
    given = parser.parse_args(arguments)
    makers = {"planted": planted_ground, "real": real_ground}
    tables = [
        table
        for name in given.grounds
        for table in _rows(makers[name](given.work), given.work, given.backbones, given.part)
    ]
    rows = pd.concat(tables, ignore_index=True)
    numbers = rows.select_dtypes("float").columns
    rows[numbers] = rows[numbers].round(5)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(given.out, force=True) as temporary:
        rows.to_csv(temporary, index=False, lineterminator="\n")
    print(f"wrote {len(rows):,} rows to {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

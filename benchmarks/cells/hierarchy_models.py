"""Models whose trees are compared, the places of their molecules and profiles, and known classes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cells.ground import Ground
from benchmarks.quality.planted import run_cytomol
from numpy.typing import NDArray

from cytomol.files import atomic_file

__all__ = ["FINGERPRINTS", "MODELS", "Model", "Places", "classes_of", "find_places"]

FINGERPRINTS = "fingerprints"
_MANY = 5  # molecules that a mechanism of the real corpus must have


@dataclass(frozen=True)
class Model:
    """A backbone.

    Attributes
    ----------
    ground
        "planted" or "real".
    name
        As rows and page call it; seeds of one name are compared.
    seed
        Of its training.
    folder
        Below the work directory.
    options
        How ``cytomol pretrain`` makes it.
    """

    ground: str
    name: str
    seed: int
    folder: str
    options: tuple[str, ...]


_CHMR = ("--method", "chmr", "--views", "1d,2d")
_CONTRASTIVE = ("--method", "contrastive")
_INFOALIGN = ("--method", "infoalign")
_SMALL = ("--method", "chmr", "--views", "1d", "--epochs", "25")
_LEAVES = ("--quantizer", "leaves", "--quantized", "anchor", "--reverse-assignment", "none")
_FORMS = {"leaves": ("CHMR on 1d, tree over leaves", _LEAVES), "tree": ("CHMR on 1d, published tree", ())}
_CDRP = ("--modalities", "morphology_cdrp_pc50")

MODELS = (
    Model("planted", "CHMR", 0, "backbones/planted-chmr-0", (*_CHMR, "--epochs", "40")),
    *(
        Model("planted", name, seed, f"hierarchy/planted-{form}-{seed}", (*_SMALL, *options))
        for seed in range(3)
        for form, (name, options) in _FORMS.items()
    ),
    Model(
        "real", "contrastive", 0, "backbones/real-contrastive-0", (*_CONTRASTIVE, *_CDRP, "--epochs", "10")
    ),
    Model("planted", "contrastive", 0, "backbones/planted-contrastive-0", (*_CONTRASTIVE, "--epochs", "15")),
    Model("planted", "InfoAlign", 0, "backbones/planted-infoalign-0", (*_INFOALIGN, "--epochs", "40")),
    Model("real", "CHMR", 0, "backbones/real-chmr-0", (*_CHMR, "--epochs", "8")),
    Model("real", "InfoAlign", 0, "backbones/real-infoalign-0", (*_INFOALIGN, "--epochs", "8")),
)


@dataclass(frozen=True)
class Places:
    """Where the molecules and profiles of a ground lie.

    Attributes
    ----------
    molecules
        Shape (molecules, width).
    profiles
        Shape (profiles, width); None for a method that projects none.
    of_profile
        Molecule of each profile, int64, shape (profiles,).
    """

    molecules: NDArray[np.float32]
    profiles: NDArray[np.float32] | None
    of_profile: NDArray[np.int64]


def classes_of(ground: Ground) -> pd.DataFrame:
    """Return the molecules that are divided, with the row of each in the corpus, and their classes.

    Columns: ``molecule`` (row of the corpus), ``smiles``, ``unseen`` (its profile was held out of
    pretraining) and one for each kind of classes, -1 where nothing is known. Of the real corpus these are one
    molecule a connectivity, of those with morphology or with a mechanism that five or more have.
    """
    molecules = pd.read_parquet(ground.corpus / "molecules.parquet")
    keys = molecules["inchikey"].astype(str).str[:14]
    held_out = set(pd.read_csv(ground.held_out(0))["inchikey"])
    table = pd.DataFrame({"molecule": np.arange(len(molecules)), "smiles": molecules["smiles"]})
    table["unseen"] = keys.isin(held_out)
    if ground.name != "real":
        truth = pd.read_parquet(ground.corpus / "truth" / "molecules.parquet")
        for kind in ("family", "mechanism", "target"):
            table[kind] = truth[kind].astype(np.int64)
        return table
    known = pd.read_parquet(Path(os.environ["CYTOMOL_DATA"]) / "cell" / "mechanisms.parquet")
    known = known.dropna(subset=["inchikey", "moa"])
    known = known.assign(key=known["inchikey"].str[:14]).drop_duplicates("key").set_index("key")["moa"]
    moa = keys.map(known)
    measured = np.isin(np.arange(len(molecules)), ground.candidates["molecule"])
    # of several rows of a connectivity, the one with the profile
    order = np.argsort(~measured, kind="stable")
    first = pd.Series(False, index=molecules.index)
    first.iloc[order] = ~keys.iloc[order].duplicated().to_numpy()
    often = moa.where(first).value_counts()
    moa = moa.where(moa.isin(often[often >= _MANY].index))
    table["mechanism"] = pd.factorize(moa, sort=True)[0]
    return table[first & (measured | (table["mechanism"] >= 0))].reset_index(drop=True)


def find_places(model: Model, ground: Ground, work: Path, table: pd.DataFrame) -> Places:
    """Return places under a model, which is pretrained where it is absent; kept in the work directory."""
    folder = work / model.folder
    if not folder.exists():
        run_cytomol(
            "pretrain", ground.corpus, *model.options, "--exclude-profiles-of", ground.held_out(0),
            "--precision", "bf16-mixed", "--threads", 1, "--seed", model.seed, "-o", folder,
        )  # fmt: skip
    kept = work / "hierarchy" / "places" / f"{folder.name}.npz"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(kept) as temporary:
            np.savez(temporary, **_places(folder, ground, table))
    with np.load(kept) as arrays:
        profiles = arrays.get("profiles")
        return Places(arrays["molecules"], profiles, arrays["of_profile"])


def _places(folder: Path, ground: Ground, table: pd.DataFrame) -> dict[str, NDArray[np.generic]]:
    from cytomol.artifact.backbone import load_backbone
    from cytomol.cells.modality import TrainedModality
    from cytomol.cells.tree.tree_places import place_molecules, place_profiles
    from cytomol.corpus import read_corpus

    backbone = load_backbone(folder)
    store = backbone.store(table["smiles"].tolist(), workers=1)
    arrays: dict[str, NDArray[np.generic]] = {"molecules": place_molecules(backbone, store)}
    modality = read_corpus(ground.corpus).modalities[ground.modality]
    trained = TrainedModality(backbone, ground.modality)
    row = pd.Series(table.index, index=table["molecule"]).reindex(modality.rows).fillna(-1).to_numpy(np.int64)
    arrays["of_profile"] = row
    if trained.projected:
        arrays["profiles"] = place_profiles(trained, modality.values)
    return arrays

"""Small corpora in every layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SMILES = ["CCO", "c1ccccc1O", "CC(=O)O", "CCN", "C[C@H](N)C(=O)O"]


@pytest.fixture
def molecules() -> pd.DataFrame:
    return pd.DataFrame({"mol_id": [f"m{i}" for i in range(5)], "smiles": SMILES})


@pytest.fixture
def own(tmp_path: Path, molecules: pd.DataFrame) -> Path:
    """A corpus in the own layout without manifest, as CSV and Parquet mixed."""
    root = tmp_path / "own"
    (root / "modalities").mkdir(parents=True)
    (root / "relations").mkdir()
    molecules.to_parquet(root / "molecules.parquet")
    genes = pd.DataFrame(
        {"gene_id": ["TP53", "EGFR", "KRAS"], "entrez_id": pd.array([7157, 1956, None], "Int64")}
    )
    genes.to_parquet(root / "genes.parquet")
    pd.DataFrame({"mol_id": ["m3", "m1", "m1"], "f0": [1.0, 2.0, 4.0], "f1": [0.5, np.nan, 3.0]}).to_csv(
        root / "modalities" / "morphology_test.csv", index=False
    )
    pd.DataFrame({"gene_id": ["KRAS", "TP53"], "a": [1.0, 2.0], "b": [3.0, 5.0]}).to_parquet(
        root / "modalities" / "gene_crispr.parquet"
    )
    pd.DataFrame(
        {
            "source": ["m0", "m0", "m2", "m4"],
            "target": ["TP53", "KRAS", "KRAS", "EGFR"],
            "weight": [1, 0.5, 1, 1.0],
        }
    ).to_csv(root / "relations" / "targets.csv", index=False)
    pd.DataFrame({"source": ["TP53"], "target": ["EGFR"], "weight": [-0.25]}).to_parquet(
        root / "relations" / "regulates.parquet"
    )
    return root


@pytest.fixture
def raw(tmp_path: Path, molecules: pd.DataFrame) -> Path:
    """A corpus in the InfoAlign/CHMR layout; widths unlike any published one."""
    root = tmp_path / "published" / "pretrain" / "raw"
    root.mkdir(parents=True)
    repeated = pd.concat([molecules, molecules.iloc[[0]]])
    repeated.to_csv(root / "structure.csv.gz", index=False)
    _pair(root, "CP-JUMP", {"cell_jid": ["cj0", "cj1"], "mol_id": ["m3", "m1"]}, np.arange(6.0).reshape(2, 3))
    _pair(root, "GE", {"express_id": ["e0"], "mol_id": ["m2"]}, np.array([[1.5, -2.5]]))
    profile = np.array([[1.0, np.nan, 2.0]])
    _pair(
        root,
        "G-CRISPR",
        {"ncbi_gene_id": [7157.0, 7157.0, 3845.0], "mol_id": ["m0", "m1", None]},
        np.concatenate([profile, profile, profile * 3]),
    )
    _pair(root, "G-ORF", {"ncbi_gene_id": [7157], "mol_id": ["m0"]}, np.array([[9.0]]))
    pd.DataFrame({"source_id": [7157, 1956], "target_id": [1956, 99]}).to_csv(
        root / "G-G.csv.gz", index=False
    )
    pd.DataFrame({"gene_symbol": ["EGFR", "TP53"], "ncbi_gene_id": [1956, 7157]}).to_csv(
        root / "L1k_idmaps.csv", index=False
    )
    return root


def _pair(root: Path, name: str, table: dict[str, list[object]], features: np.ndarray) -> None:
    pd.DataFrame(table).to_csv(root / f"{name}.csv.gz", index=False)
    np.savez(root / f"{name}_feature.npz", data=features)


@pytest.fixture
def plates() -> Callable[[], pd.DataFrame]:
    """A pycytominer table: two plates, a control without molecule, one missing value."""

    def make() -> pd.DataFrame:
        return pd.DataFrame(
            {
                "Metadata_Plate": [1, 1, 1, 2, 2, 2, 3],
                "Metadata_broad_sample": ["m0", "m1", "DMSO", "m0", "m1", "DMSO", "m0"],
                "Metadata_InChIKey": ["LFQSCWFLJHTTHZ-UHFFFAOYSA-N", "ISWSIDIOOBJBQZ-UHFFFAOYSA-N", ""] * 2
                + ["LFQSCWFLJHTTHZ-UHFFFAOYSA-N"],
                "Metadata_smiles": ["OCC", "Oc1ccccc1", ""] * 2 + ["OCC"],
                "Cells_area": [1.0, 10.0, 0.0, 2.0, 20.0, 0.0, 9.0],
                "Nuclei_area": [1.0, np.nan, 0.0, 5.0, 7.0, 0.0, 3.0],
            }
        )

    return make

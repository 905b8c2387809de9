"""The verbs codes and hierarchy as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.artifact.backbone import Backbone
from cytomol.cells.tree.code_tree import trained_tree
from cytomol.corpus.planted import write_planted

Run = Callable[..., Any]
SMALL = (
    "--width", "16", "--layers", "2", "--batch-size", "48", "--threads", "1", "--accelerator", "cpu",
    "--no-report",
)  # fmt: skip
NODES = [f"node_{level}" for level in range(1, 7)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "corpus"
    write_planted(path, 220, seed=2)
    return path


@pytest.fixture(scope="module")
def models(cytomol: Run, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return backbones of one epoch, by name."""
    folder = tmp_path_factory.mktemp("backbones")
    made = {
        "chmr": ("chmr", "--views", "1d"),
        "leaves": ("chmr", "--views", "1d", "--quantizer", "leaves"),
        "infoalign": ("infoalign",),
    }
    for name, (method, *options) in made.items():
        done = cytomol(
            "pretrain", corpus, "--method", method, *options, "--epochs", 1, *SMALL, "-o", folder / name, "-q"
        )
        assert done.code == 0, done.err
    return {name: folder / name for name in made}


@pytest.fixture(scope="module")
def fitted(
    cytomol: Run, corpus: Path, models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the hierarchy of InfoAlign, with a tree of four levels in the space of decoded profiles."""
    out = tmp_path_factory.mktemp("fitted") / "tree"
    done = cytomol(
        "hierarchy", models["infoalign"], "--corpus", corpus, "--tree", "fitted", "--depth", 4,
        "--places", "decoded", "--modality", "morphology", "-o", out, "--workers", 1,
    )  # fmt: skip
    assert done.code == 0, done.err
    card = (out / "tree" / "README.md").read_text(encoding="utf-8")
    assert "--tree fitted --depth 4 --places decoded --modality morphology" in card
    return out


@pytest.fixture
def molecules(tmp_path: Path, corpus: Path) -> Path:
    path = tmp_path / "in.csv"
    smiles = pd.read_parquet(corpus / "molecules.parquet")["smiles"].tolist()[:3]
    pd.DataFrame({"smiles": [smiles[0], "C1CC", *smiles[1:]], "path": ["007", "x", "", "8"]}).to_csv(
        path, index=False
    )
    return path


@pytest.mark.parametrize("model", ["chmr", "leaves"])
def test_formats_agree_and_rows_are_answered_in_order(
    cytomol: Run, models: dict[str, Path], molecules: Path, tmp_path: Path, model: str
) -> None:
    anndata = pytest.importorskip("anndata")
    for suffix in ("csv", "tsv", "parquet", "h5ad"):
        done = cytomol("codes", models[model], molecules, "-o", tmp_path / f"o.{suffix}", "--workers", 1)
        assert done.code == 0, done.err
    assert "coded 3 of 4 molecules" in done.err
    backbone = Backbone.load(models[model])
    smiles = pd.read_csv(molecules)["smiles"].tolist()
    store = backbone.store(smiles, workers=1)
    expected = backbone.method.codes(backbone.builder.build(store, np.array([0, 2, 3]))).numpy()
    texts = {"dtype": {"path": str, "path_of_tree": str}}
    tables = [
        pd.read_csv(tmp_path / "o.csv", **texts),
        pd.read_csv(tmp_path / "o.tsv", sep="\t", **texts),
        pd.read_parquet(tmp_path / "o.parquet"),
    ]
    for table in tables:
        assert table["path"].fillna("").tolist() == ["007", "x", "", "8"]  # the user's column stays
        assert table["smiles"].tolist() == smiles
        np.testing.assert_array_equal(table[NODES].iloc[[0, 2, 3]].to_numpy(np.int64), expected)
        assert table[NODES].iloc[1].isna().all()
        assert [int(text, 2) for text in table["path_of_tree"].iloc[[0, 2, 3]]] == expected[:, -1].tolist()
        assert table["distance"].iloc[[0, 2, 3]].between(0, 2).all()
        assert "C1CC" in table["smiles"].iloc[1]
        assert table["error"].iloc[1]
    annotated = anndata.read_h5ad(tmp_path / "o.h5ad")
    np.testing.assert_array_equal(annotated.obsm["codes"][[0, 2, 3]], expected)
    assert annotated.obsm["codes"][1].tolist() == [-1] * 6


def test_invalid_molecules_may_be_dropped_or_stop_it(
    cytomol: Run, models: dict[str, Path], molecules: Path, tmp_path: Path
) -> None:
    run = ("codes", models["chmr"], molecules, "--workers", 1)
    assert cytomol(*run, "-o", tmp_path / "d.csv", "--on-error", "drop").code == 0
    assert len(pd.read_csv(tmp_path / "d.csv")) == 3
    done = cytomol(*run, "-o", tmp_path / "r.csv", "--on-error", "raise")
    assert done.code == 2
    assert "in.csv, row 2: invalid molecule " in done.err
    assert not (tmp_path / "r.csv").exists()


def test_profiles_have_a_path_beside_their_molecules(
    cytomol: Run, models: dict[str, Path], corpus: Path, tmp_path: Path
) -> None:
    profiles = corpus / "modalities" / "morphology.parquet"
    done = cytomol(
        "codes", models["chmr"], profiles, "--modality", "morphology", "--molecules",
        corpus / "molecules.parquet", "-o", tmp_path / "o.csv", "--workers", 1,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "profile and molecule share" in done.err
    table = pd.read_csv(tmp_path / "o.csv", dtype={"path": str, "molecule_path": str})
    ids = pd.read_parquet(profiles)["mol_id"]
    assert table["mol_id"].tolist() == ids.tolist()
    cytomol("codes", models["chmr"], corpus / "molecules.parquet", "-o", tmp_path / "m.csv", "--workers", 1)
    own = pd.read_csv(tmp_path / "m.csv", dtype={"path": str}).set_index("mol_id")["path"]
    assert table["molecule_path"].tolist() == own.loc[ids].tolist()
    for one, other, shared in table[["path", "molecule_path", "shared_levels"]].itertuples(index=False):
        assert one[:shared] == other[:shared]
        assert shared == 6 or one[shared] != other[shared]


def test_a_fitted_tree_codes_what_a_method_without_a_tree_decodes(
    cytomol: Run, models: dict[str, Path], fitted: Path, corpus: Path, tmp_path: Path
) -> None:
    run = ("codes", models["infoalign"], "--tree", fitted / "tree", "--workers", 1)
    assert cytomol(*run, corpus / "molecules.parquet", "-o", tmp_path / "m.csv").code == 0
    paths = pd.read_csv(tmp_path / "m.csv", dtype={"path": str})["path"].tolist()
    members = pd.read_csv(fitted / "members.csv", dtype={"path": str})["path"].tolist()
    assert paths == members
    profiles = corpus / "modalities" / "morphology.parquet"
    done = cytomol(*run, profiles, "--modality", "morphology", "-o", tmp_path / "p.csv")
    assert done.code == 0, done.err
    assert "molecule_path" not in pd.read_csv(tmp_path / "p.csv")
    done = cytomol(*run, corpus / "modalities" / "expression.parquet", "--modality", "expression", "-o",
                   tmp_path / "e.csv")  # fmt: skip
    assert done.code == 2
    assert "the tree divides profiles of morphology, and expression has no place in it" in done.err


def test_the_hierarchy_tells_what_nodes_have_in_common(
    cytomol: Run, models: dict[str, Path], corpus: Path, tmp_path: Path
) -> None:
    molecules = pd.read_parquet(corpus / "molecules.parquet")
    truth = pd.read_parquet(corpus / "truth" / "molecules.parquet")
    labels = tmp_path / "labels.csv"
    names = [f"family {number}" if number >= 0 else "" for number in truth["family"]]
    pd.DataFrame({"inchikey": molecules["inchikey"], "family": names}).to_csv(labels, index=False)
    out = tmp_path / "out"
    done = cytomol(
        "hierarchy", models["leaves"], "--corpus", corpus, "--labels", labels, "-o", out, "--workers", 1
    )
    assert done.code == 0, done.err
    assert "level 6: " in done.out
    told = json.loads((out / "hierarchy.json").read_text())
    card = (out / "README.md").read_text(encoding="utf-8")
    assert all(f"| {one['level']} | {one['nodes']} | {one['used']} |" in card for one in told["levels"][:6])
    tested = [
        f"- {one['kind']}: {one['significant']} of {one['tests']:,} tests" for one in told["enrichment"]
    ]
    assert all(line in card for line in tested)
    assert "cytomol hierarchy MODEL --corpus CORPUS -o DIR" in card
    assert "`tree`" not in card
    assert [one["kind"] for one in told["enrichment"]] == ["scaffold", "compound_targets_gene", "family"]
    members = pd.read_csv(out / "members.csv", dtype={"path": str})
    assert members["mol_id"].tolist() == molecules["mol_id"].tolist()
    levels = pd.read_csv(out / "levels.csv").query("of == 'molecules'")
    for level, used in zip(levels["level"], levels["used"], strict=True):
        assert members["path"].str[:level].nunique() == used
    nodes = pd.read_csv(out / "nodes.csv", dtype={"path": str})
    assert nodes.groupby("level")["members"].sum().tolist() == [len(molecules)] * 6
    typical = pd.read_csv(out / "typical.csv", dtype={"path": str})
    leaf = typical[(typical["level"] == 6) & (typical["rank"] == 1)]
    nearest = members.groupby("path")["distance"].min()
    np.testing.assert_allclose(leaf["distance"], nearest.loc[leaf["path"]], atol=1e-5)
    enrichment = pd.read_csv(out / "enrichment.csv", dtype={"path": str})
    family = enrichment[enrichment["kind"] == "family"]
    assert (family["q"] >= family["p"]).all()
    agreement = pd.read_csv(out / "agreement.csv")
    assert set(agreement["of"]) == {"morphology", "expression"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("codes", "infoalign", "in.csv", "-o", "o.csv"), "trained without a tree"),
        (("codes", "chmr", "in.csv", "-o", "o.xlsx"), "unknown kind of output"),
        (("codes", "chmr", "in.csv", "-o", "o.csv", "--smiles-col", "structure"), "no column 'structure'"),
        (("codes", "chmr", "bad.csv", "-o", "o.csv"), "none of its 2 rows holds a molecule that can be read"),
        (("codes", "chmr", "in.csv", "-o", "o.csv", "--tree", "nowhere"), "model directory not found"),
        (("codes", "chmr", "in.csv", "-o", "o.csv", "--molecules", "in.csv"), "name its --modality"),
        (("codes", "chmr", "narrow.csv", "--modality", "morphology", "-o", "o.csv"), "lacks 59 of the 60"),
        (("codes", "chmr", "narrow.csv", "--modality", "sound", "-o", "o.csv"), "no modality 'sound'"),
        (("hierarchy", "chmr", "-o", "o"), "either --corpus or --molecules"),
        (("hierarchy", "chmr", "--molecules", "bad.csv", "-o", "o"), "none of the molecules can be read"),
        (("hierarchy", "chmr", "--molecules", "in.csv", "-o", "o", "--tree", "fitted"), "cannot fill a tree"),
        (("hierarchy", "chmr", "--molecules", "in.csv", "-o", "o", "--labels", "in.csv"), "no column of lab"),
        (("hierarchy", "infoalign", "--molecules", "in.csv", "-o", "o"), "trained without a tree"),
        (("hierarchy", "chmr", "--molecules", "in.csv", "-o", "o", "--depth", "4"), "go with --tree fitted"),
        (("hierarchy", "chmr", "--molecules", "in.csv", "-o", "o", "--label-col", "moa"), "with --labels"),
        (("hierarchy", "chmr", "--molecules", "in.csv", "-o", "o", "--tree", "fitted", "--modality", "x"),
         "--modality goes with --places decoded"),
    ],
)  # fmt: skip
def test_bad_input_has_one_clear_message(
    cytomol: Run,
    models: dict[str, Path],
    molecules: Path,
    tmp_path: Path,
    *,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    frame = pd.read_csv(molecules)[["smiles"]]
    frame.to_csv(molecules, index=False)
    pd.DataFrame({"smiles": ["C1CC", "xyz"]}).to_csv(tmp_path / "bad.csv", index=False)
    pd.DataFrame({"Metadata_Well": ["A1"], "Cells_AreaShape_1": [0.1]}).to_csv(
        tmp_path / "narrow.csv", index=False
    )
    before = sorted(path.name for path in tmp_path.iterdir())
    verb, model, *rest = arguments
    files = {name: tmp_path / name for name in ("in.csv", "bad.csv", "narrow.csv", "o.csv", "o.xlsx", "o")}
    done = cytomol(verb, models[model], *(files.get(one, one) for one in rest))
    assert done.code == 2
    assert message in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_odd_tables_keep_their_columns_and_their_molecules(
    cytomol: Run, models: dict[str, Path], tmp_path: Path
) -> None:
    """Columns called like answers stay; of two rows of a molecule the one that can be read is tested."""
    propanol = "BDERNNFJNOPAEC-UHFFFAOYSA-N"
    rows = [("C1CC", propanol, "first"), ("CCCO", propanol, "second"), ("CCO", "", "third")]
    table = pd.DataFrame(rows, columns=["SMILES", "InChI Key", "path"]).assign(distance="far")
    table.to_csv(tmp_path / "in.csv", index=False)
    out = tmp_path / "out"
    done = cytomol("hierarchy", models["chmr"], "--molecules", tmp_path / "in.csv", "-o", out, "--workers", 1)
    assert done.code == 0, done.err
    assert "2 of 3 rows are molecules with a path, 2 of them distinct" in done.out
    members = pd.read_csv(out / "members.csv", dtype={"path_of_tree": str})
    assert members["path"].tolist() == ["first", "second", "third"]
    assert members["distance"].tolist() == ["far"] * 3
    assert members["path_of_tree"].str.len().tolist()[1:] == [6, 6]
    typical = (out / "typical.csv").read_text().splitlines()[0].split(",")
    assert len(set(typical)) == len(typical)


def test_a_tree_of_another_model_is_refused(
    cytomol: Run, models: dict[str, Path], fitted: Path, molecules: Path, tmp_path: Path
) -> None:
    done = cytomol("codes", models["chmr"], molecules, "--tree", fitted / "tree", "-o", tmp_path / "o.csv")
    assert done.code == 2
    assert "the tree was fitted to another model" in done.err
    assert trained_tree(Backbone.load(models["chmr"])).form == "trained"

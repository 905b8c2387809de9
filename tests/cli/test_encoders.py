"""--encoder and --plugin of finetune, predict and score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Run = Callable[..., Any]
QUICK = (
    "--learner", "forest", "--workers", "1", "--threads", "1", "--calibration-folds", "0", "--no-report",
    "--split-type", "random",
)  # fmt: skip
PLUGIN = """
import numpy as np
from rdkit.Chem import MolFromSmiles
from rdkit.Avalon.pyAvalonTools import GetAvalonCountFP
from cytomol.chem.encoders import MoleculeEncoder, Pretraining, encoders


@encoders.register("tests-avalon")
class Avalon(MoleculeEncoder):
    name, version, width = "tests-avalon", "1", 64
    pretraining = Pretraining.nothing()

    def encode(self, smiles):
        found = [list(GetAvalonCountFP(MolFromSmiles(text), 64)) for text in smiles]
        return np.log1p(np.array(found, dtype=np.float32))
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of a module that registers an encoder."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "tests_avalon_plugin.py").write_text(PLUGIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield "tests_avalon_plugin"


def test_an_encoder_of_ones_own(cytomol: Run, assays: Path, plugin: str, tmp_path: Path) -> None:
    common = ("--encoder", "tests-avalon", "--plugin", plugin)
    done = cytomol("finetune", assays, *QUICK, *common, "-o", tmp_path / "model")
    assert done.code == 0, done.err
    assert "encoder tests-avalon: 64 numbers a molecule" in done.err
    assert "what it may have seen: tests-avalon: learnt from no labels" in done.err
    done = cytomol("predict", tmp_path / "model", assays, "-o", tmp_path / "p.csv", "--plugin", plugin)
    assert done.code == 0, done.err
    assert pd.read_csv(tmp_path / "p.csv")["nitrogen_predicted"].notna().all()
    done = cytomol("score", tmp_path / "model", assays, "--plugin", plugin)
    assert done.code == 0, done.err
    done = cytomol("predict", tmp_path / "model", assays, "-o", tmp_path / "q.csv", "--encoder", "minimol")
    assert done.code == 2
    assert "the model knows which encoders it reads: tests-avalon" in done.err


def test_a_table_of_vectors(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(assays)[["smiles"]]
    frame["length"], frame["rings"] = frame["smiles"].str.len(), frame["smiles"].str.count("1")
    frame[4:].to_parquet(tmp_path / "mine.parquet")
    given = ("--encoder", f"file:{tmp_path / 'mine.parquet'}")
    done = cytomol("finetune", assays, *QUICK, *given, "-o", tmp_path / "model")
    assert done.code == 0, done.err
    assert "4 of 60 molecules are invalid and left out; row 1: no row of " in done.err
    assert "does not say what it was pretrained on" in done.err
    done = cytomol("predict", tmp_path / "model", assays, "-o", tmp_path / "p.csv")
    assert done.code == 2
    assert "--encoder file:TABLE, with the 2 columns length, rings" in done.err
    done = cytomol("predict", tmp_path / "model", assays, "-o", tmp_path / "p.csv", *given)
    assert done.code == 0, done.err
    assert "4 invalid" in done.err
    answered = pd.read_csv(tmp_path / "p.csv")
    assert answered["nitrogen_predicted"].isna().tolist() == [row < 4 for row in range(60)]
    assert answered["error"][:4].str.startswith("no row of ").all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--encoder", "nothing"), "unknown encoder 'nothing'"),
        (("--plugin", "no_such_module"), "plugin no_such_module: cannot be imported"),
        (("--encoder", "file:absent.csv"), "absent.csv"),
    ],
)
def test_what_cannot_be_used_is_said(
    cytomol: Run, assays: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    done = cytomol("finetune", assays, *QUICK, *options, "-o", tmp_path / "model")
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "model").exists()

"""What the product promises, on the corpus whose truth is known: cell data help response-driven assays."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from cytomol.assays.labels import read_labels
from cytomol.assays.splits import read_split
from cytomol.corpus.planted import write_planted
from cytomol.evaluate.comparison import Comparison, compare_on_planted, random_forest
from cytomol.methods.config import CHMRConfig
from cytomol.predict.config import SCORED_ALONE, FinetuneConfig
from cytomol.predict.finetune import finetune
from cytomol.training.pretrain import pretrain


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Pretrain with and without cell data, fine-tune alike, and compare on held-out scaffolds."""
    folder = tmp_path_factory.mktemp("planted")
    corpus = folder / "corpus"
    write_planted(corpus, 1200, seed=0)
    table = pd.read_csv(corpus / "assays.csv")
    labels = read_labels(table, None, ignore=["smiles"], task_type="auto", where="assays.csv")
    folds = read_split(corpus / "split.csv", len(table))
    models, head = {}, FinetuneConfig.build({"learner": "head", **SCORED_ALONE})
    for name, modalities in (("aware", None), ("blind", ())):
        config = CHMRConfig(views=("1d",), modalities=modalities, batch_size=128, epochs=15, threads=1)
        excluded = corpus / "heldout.csv"
        backbone = folder / f"backbone-{name}"
        pretrain(corpus, config, backbone, method="chmr", exclude_profiles_of=excluded, quiet=True)
        fitted = finetune(table["smiles"].tolist(), labels, head, backbone=backbone, folds=folds, workers=1)
        models[name] = folder / f"model-{name}"
        fitted.predictor.save(models[name])
    with pytest.MonkeyPatch.context() as patch:  # a fifth of the trees; 0.006 less on response assays
        patch.setattr("cytomol.evaluate.comparison.random_forest", partial(random_forest, trees=100))
        return compare_on_planted(corpus, models)


@pytest.mark.slow
def test_cell_aware_beats_structure_only_on_response_assays(comparison: Comparison) -> None:
    means = comparison.by_driver()["response"]
    # 0.72 against 0.61 and 0.63 in the run that set this; half of that gain would still be worth having
    assert means["aware"] > means["blind"] + 0.05
    assert means["aware"] > means["random forest"] + 0.05  # one of 500 trees is 0.005 better


@pytest.mark.slow
def test_cell_data_do_not_harm_structure_assays(comparison: Comparison) -> None:
    means = comparison.by_driver()["structure"]
    assert means["aware"] > means["blind"] - 0.05
    assert means["random forest"] > 0.75


def test_random_forest_skips_a_task_of_one_class() -> None:
    labels = np.array([[0.0, 1.0], [1.0, 1.0], [0.0, np.nan], [1.0, 1.0]])
    predicted = random_forest(["C", "CCO", "CC", "CCCO"], labels, np.ones(4, dtype=bool), trees=10)
    assert np.isnan(predicted[:, 1]).all()
    assert ((predicted[:, 0] >= 0) & (predicted[:, 0] <= 1)).all()

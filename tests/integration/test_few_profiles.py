"""However few profiles there are, whatever fills the gaps: pretraining gives numbers, not NaN."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from cytomol.artifact.backbone import Backbone
from cytomol.corpus.schema import Corpus, Entity, Modality, Relation
from cytomol.errors import InputError
from cytomol.methods.config import configs
from cytomol.methods.options.filling import FillingOptions
from cytomol.training.pretrain import pretrain

SMILES = (
    "CCO", "CCN", "CCCl", "c1ccccc1", "c1ccccc1O", "c1ccccc1N", "CC(=O)O", "CC(=O)N",
    "C1CCCCC1", "C1CCCCC1O", "c1ccncc1", "c1ccncc1C", "CCCCCC", "O", "not a molecule",
)  # fmt: skip
GENES = ("A", "B", "C")
TINY: dict[str, Any] = {
    "width": 8,
    "layers": 1,
    "morgan_bits": 64,
    "batch_size": 5,
    "epochs": 2,
    "threads": 1,
    "workers": 1,
    "accelerator": "cpu",
    "logger": "none",
}
WAYS = get_args(FillingOptions.model_fields["augmentation"].annotation)
EXAMPLES = int(os.environ.get("CYTOMOL_EXAMPLES", "8"))


@dataclass(frozen=True)
class Table:
    """A modality to be made: whose, how many profiles, how wide, and what kind of values."""

    entity: Entity
    profiles: int
    width: int
    values: str

    def modality(self, name: str, seed: int) -> Modality:
        """Make it; profiles fall on entities at random, some on the same."""
        rng = np.random.default_rng(seed)
        owners = len(SMILES) if self.entity == "molecule" else len(GENES)
        values = rng.normal(size=(self.profiles, self.width)).astype(np.float32)
        if self.values == "constant":
            values[:] = 3.0
        if self.values == "huge":
            values *= np.float32(1e6)
        if self.values == "gaps":
            values[rng.random(values.shape) < 0.5] = np.nan
        if self.values == "empty":
            values[:] = np.nan
        return Modality(
            name,
            "morphology" if seed % 2 else "expression",
            self.entity,
            rng.integers(owners, size=self.profiles),
            values,
            tuple(f"f{column}" for column in range(self.width)),
        )


def corpus_of(tables: list[Table], seed: int) -> Corpus:
    """Return fifteen molecules, one of them invalid, three genes and what is known of them."""
    rng = np.random.default_rng(seed)
    molecules = pd.DataFrame({"mol_id": [f"m{row}" for row in range(len(SMILES))], "smiles": SMILES})
    weight = np.ones(6, np.float32)
    targets = Relation(
        "targets", "molecule", "gene", rng.integers(len(SMILES), size=6), rng.integers(3, size=6), weight
    )
    modalities = {
        f"modality{number}": table.modality(f"modality{number}", seed + number)
        for number, table in enumerate(tables)
    }
    return Corpus(molecules, pd.DataFrame({"gene_id": GENES}), modalities, {"targets": targets})


tables = st.lists(
    st.builds(
        Table,
        entity=st.sampled_from(["molecule", "molecule", "gene"]),
        profiles=st.sampled_from([0, 1, 2, 3, 20]),
        width=st.sampled_from([1, 2, 5]),
        values=st.sampled_from(["normal", "normal", "gaps", "constant", "empty", "huge"]),
    ),
    min_size=1,
    max_size=3,
)
options = st.fixed_dictionaries(
    {
        "augmentation": st.sampled_from(WAYS),
        "alignment": st.sampled_from(["paper", "held_out"]),
        "augmented_weight": st.sampled_from([0.0, 0.5]),
        "propagation_fill": st.sampled_from(["renormalise", "mean"]),
        "restore_observed": st.booleans(),
        "profile_inputs": st.sampled_from(["minmax", "zscore", "raw"]),
        "decode_from": st.sampled_from(["modality", "anchor", "both"]),
        "missing_input": st.sampled_from(["augmented", "placeholder"]),
        "reverse_assignment": st.sampled_from(["none", "pooled", "within", "authors"]),
        "target_spaces": st.sampled_from(["separate", "pooled"]),
        "gene_profiles": st.sampled_from(["leaf", "node"]),
        "scaling": st.sampled_from(["robust", "minmax"]),
        "validation_fraction": st.sampled_from([0.0, 0.3, 0.8]),
        "precision": st.sampled_from(["32-true", "bf16-mixed"]),
        "views": st.sampled_from([("1d", "2d"), ("1d",)]),
    }
)


@pytest.mark.parametrize("name", list(configs))
@settings(
    max_examples=EXAMPLES,
    phases=(Phase.explicit, Phase.generate),  # a smaller case would take a training for each try
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example([Table("molecule", 1, 1, "normal")], {}, 0)
@example(
    [Table("molecule", 2, 1, "constant"), Table("gene", 1, 1, "normal")], {"validation_fraction": 0.8}, 1
)
@example([Table("molecule", 0, 3, "normal"), Table("molecule", 20, 3, "empty")], {}, 2)
@given(tables=tables, options=options, seed=st.integers(0, 20))
def test_pretraining_gives_numbers(
    name: str, tables: list[Table], options: dict[str, Any], seed: int
) -> None:
    kind = configs[name]
    known = {**TINY, "views": ("1d", "2d"), **options}
    config = kind.build(
        {key: value for key, value in known.items() if key in kind.model_fields and key != "views"}
    )
    if config.views != ("2d",):
        config = config.updated(views=known["views"])
    corpus = corpus_of(tables, seed)
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = pretrain(
                corpus, config.updated(seed=seed), Path(folder) / "model", method=name, quiet=True
            )
        except InputError as error:
            assert "the method learns from those alone" in error.what  # noqa: PT017 - what a method without enough to learn from says
            return
        backbone = Backbone.load(Path(folder) / "model")
    for epoch in result.history:
        for part in ("train", "valid"):
            assert all(np.isfinite(value) for value in epoch.get(part, {}).values()), epoch
    assert all(
        weight.isfinite().all() for weight in backbone.weights().values() if weight.is_floating_point()
    )
    embedding, valid = backbone.embed(SMILES)
    assert np.isfinite(embedding[valid]).all()
    for modality, typical in backbone.typical.items():
        for part in (typical.mean, typical.spread, typical.scaled):
            assert np.isfinite(part).all(), modality
        if backbone.method.profiles is not None and modality in backbone.method.profiles:
            rows = backbone.profile_rows(modality, typical.mean[None])
            assert np.isfinite(rows).all(), modality
            with torch.inference_mode():
                assert backbone.method.project(modality, torch.from_numpy(rows)).isfinite().all()
    store = backbone.store([SMILES[0], SMILES[4]])
    with torch.inference_mode():
        batch = backbone.builder.build(store, np.arange(2))
        for modality, decoded in backbone.method.impute(batch).items():
            assert decoded.isfinite().all(), modality
            assert np.isfinite(backbone.scalers[modality].inverse(decoded.numpy())).all(), modality

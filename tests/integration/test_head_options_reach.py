"""An option reaches its consumer: every option of fine-tuning a head changes what is learnt.

``TABLE`` has a line for each option: another value, and what both sides of the comparison need beside the
small settings of ``BASE``. An option without a line is a failure, so a new one cannot be forgotten.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from cytomol.assays.labels import Labels
from cytomol.config import MACHINE
from cytomol.errors import CytomolError
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import finetune

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in ("", "C", "CCC", "CCO", "N", "OC", "Cl", "[Na+].CCN")]
FOLDS = np.array(["train", "train", "train", "valid"] * 8)
SLOW = "C" * 260  # a molecule that takes its time
BASE: dict[str, Any] = {
    "features": "1d",
    "epochs": 3,
    "hidden": 8,
    "batch_size": 8,
    "threads": 1,
    "refit": False,
    "calibration_folds": 0,
    "baselines": False,
}
# another shape of the result shows these, in the tests of the command line
OF_THE_TABLE = {"task_type", "missing_codes"}


class Reach(NamedTuple):
    """One line of the table."""

    value: Any
    base: dict[str, Any]


def reach(value: Any, **base: Any) -> Reach:
    """Return another value of an option, and what it needs beside it."""
    return Reach(value, base)


LIVE: dict[str, Any] = {"features": "embedding", "backbone": "chmr", "backbone_lr": 1e-2}
FOREST: dict[str, Any] = {"classes": True, "forest_gamma": 5.0, "forest_trees": 3}
QUARTERS: dict[str, Any] = {"split": True, "split_fractions": (0.5, 0.25, 0.25)}
TO_THE_END: dict[str, Any] = {"patience": 0, "keep": "last"}

TABLE: dict[str, Reach | list[Reach]] = {
    # tasks
    "split_type": reach("random", **QUARTERS),
    "split_fractions": reach((0.25, 0.5, 0.25), **QUARTERS),
    "split_seed": reach(1, **QUARTERS, split_type="random"),
    "replicates": reach("mean"),
    "folds": reach(3, **QUARTERS),
    "repeats": reach(2, **QUARTERS, folds=3, split_type="random"),
    # fitting
    "learner": reach("neighbours"),
    "refit": reach(True),
    "calibration_folds": reach(2),
    "baselines": reach(True),
    "evidence": reach(False),
    # reading
    "standardize": reach("parent", features="1d+descriptors"),
    "max_atoms": reach(9),
    "molecule_timeout": reach(1e-4, slow=True),
    # features
    "features": [reach(other) for other in ("counts", "maccs", "descriptors", "1d+descriptors")],
    "counts_radius": reach(1, features="counts"),
    "bits_radius": reach(0),
    "standardize_embedding": reach(False, backbone="infoalign", features="embedding"),
    "embedding_scale": reach(0.5, backbone="infoalign", features="embedding"),
    "descriptor_scaling": reach("robust", features="descriptors"),
    "embedding_mode": reach("training", backbone="chmr", features="embedding"),
    # head
    "head": reach("infoalign"),
    "hidden": reach(16),
    "hidden_layers": reach(2),
    "norm": [reach("none"), reach("batch")],
    "dropout": reach(0.1),
    "ensemble": reach(2),
    # forest beside the head
    "forest_gamma": reach(1.0, **FOREST),
    "forest_trees": reach(7, **FOREST),
    "forest_class_weight": reach(9.0, **FOREST),
    "forest_seed": reach(1, **FOREST),
    # training
    "unfreeze": [reach(way, backbone="chmr", features="embedding") for way in ("all", "staged")],
    "stage_epochs": reach(1, **LIVE, unfreeze="staged"),
    "optimizer": reach("adam", weight_decay=0.5, **TO_THE_END),
    "lr": [reach(1e-2), reach(1e-2, **LIVE, unfreeze="all")],
    "backbone_lr": reach(1e-3, **LIVE, unfreeze="all"),
    "weight_decay": [reach(1.0, lr=0.1, optimizer=optimizer, **TO_THE_END) for optimizer in ("adam", "adamw")]
    + [reach(1.0, **LIVE, unfreeze="all", lr=0.1)],
    "batch_size": reach(4),
    "epochs": reach(6, **TO_THE_END),
    "target_scaling": reach("raw"),
    "schedule": [reach(course, **TO_THE_END, lr=1e-2) for course in ("onecycle", "cosine")],
    "patience": reach(1, epochs=20, lr=0.5),
    "select_by": reach("loss"),
    "keep": [reach("last", patience=0, epochs=8, lr=0.5), reach("average", patience=0, epochs=8, lr=0.5)],
    "label_smoothing": reach(0.3, classes=True),
    "focal_gamma": reach(2.0, classes=True),
    "seed": reach(1),
}
LINES = {name: line if isinstance(line, list) else [line] for name, line in TABLE.items()}
CASES = [
    (name, line)
    for group, names in FinetuneConfig.groups().items()
    for name in names
    if group != MACHINE and name not in OF_THE_TABLE
    for line in LINES.get(name, [None])
]


def learnt(
    untrained: dict[str, Path],
    *,
    backbone: str | None = None,
    classes: bool = False,
    split: bool = False,
    slow: bool = False,
    **options: Any,
) -> Any:
    """Return the answers after a training with its course, or the message where there is none."""
    # a repeat in another spelling, whose label is another
    smiles = [SLOW if slow else "c1ccc(C)cc1", *SMILES[1:]]
    size = np.array([float(len(text)) for text in smiles])
    nitrogen = np.array([float("N" in text.upper().replace("NA", "")) for text in smiles])
    values, kind = (nitrogen, "classification") if classes else (size, "regression")
    try:
        result = finetune(
            smiles,
            Labels.of_kind(("a",), values[:, None], kind),
            FinetuneConfig.build({**BASE, **options}),
            backbone=None if backbone is None else untrained[backbone],
            folds=None if split else FOLDS,
            workers=1,
            cache=None,
        )
    except CytomolError as error:
        return str(error)
    answers = result.predictor.predict(smiles).values
    fits = [
        fit.history for part in result.evaluated.learner.parts.values() for fit in getattr(part, "fits", [])
    ]
    scores = {name: part for name, part in result.scores.items() if name != "seconds"}
    return answers.tobytes(), fits, result.folds.tolist(), scores, result.predictor.evidence is None


@pytest.mark.parametrize(("name", "line"), CASES, ids=lambda part: part if isinstance(part, str) else "")
def test_an_option_changes_what_is_learnt(untrained: dict[str, Path], name: str, line: Reach | None) -> None:
    assert line is not None, f"no line for the option {name} in TABLE: say what it needs to matter"
    before = learnt(untrained, **line.base)
    assert not isinstance(before, str), before
    assert before == learnt(untrained, **line.base), "a difference would be seen whatever the option does"
    after = learnt(untrained, **{**line.base, name: line.value})
    assert before != after, f"{name} = {line.value!r} changes nothing"
    assert not isinstance(after, str), after


def test_every_line_of_the_table_is_that_of_an_option() -> None:
    assert set(TABLE) <= set(FinetuneConfig.model_fields) - OF_THE_TABLE

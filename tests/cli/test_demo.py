"""``cytomol demo``: every step from a planted corpus to a comparison, in small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Run = Callable[..., Any]


@pytest.mark.slow
@pytest.mark.usefixtures("verify_key")  # which asks nothing of the models that the run makes for itself
def test_every_step_is_shown_and_what_it_makes_is_there(cytomol: Run, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done = cytomol("demo", "-o", out, "--size", 200, "--epochs", 1)
    assert done.code == 0, done.err
    verbs = [line.split()[2] for line in done.err.splitlines() if line.startswith("$ cytomol ")]
    assert verbs == ["corpus", "pretrain", "pretrain", "finetune", "finetune", "predict"]
    compared = pd.read_csv(out / "comparison.csv")
    assert set(compared["driver"]) >= {"structure", "response"}
    assert compared["random forest"].between(0, 1).all()
    assert len(pd.read_csv(out / "predictions.csv")) == len(pd.read_csv(out / "corpus" / "heldout.csv"))
    again = cytomol("demo", "-o", out, "--size", 200, "--epochs", 1)
    assert again.code == 2
    assert "exists" in again.err

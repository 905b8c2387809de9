"""Every model by name: makes a model, says what it is, and stands in the guide."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytomol.errors import ConfigError
from cytomol.learners import Model, models
from cytomol.learners.head.options import BLOCKS

GUIDE = Path(__file__).parents[3] / "docs" / "guide.md"


@pytest.mark.parametrize("name", models.names())
def test_stands_in_the_guide(name: str) -> None:
    rows = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert any(f"`{name}`" in row.split("|")[1] for row in rows), f"{name} is missing from docs/guide.md"


@pytest.mark.parametrize("name", models.names())
def test_makes_a_fresh_model_that_describes_itself(name: str) -> None:
    model, other = models[name](), models[name]()
    assert isinstance(model, Model)
    assert model is not other
    assert model.summary
    assert "\n" not in model.summary
    assert set(model.blocks) <= set(BLOCKS)
    assert len(model.blocks) == len(set(model.blocks)) > 0


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"unknown model 'oracle'.*boosting.*cytomol.*neighbours"):
        models["oracle"]

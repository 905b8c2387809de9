"""The section on attribution: rows in, tables out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from benchmarks.cells import explain_page


def test_the_best_way_is_bold_and_rules_without_molecules_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row(subject: str, target: str, way: str, auc: float, model_auc: float | None) -> dict[str, object]:
        return {
            "ground": "planted-0",
            "subject": subject,
            "target": target,
            "way": way,
            "molecules": 0 if target == "nobody" else 12,
            "auc": auc,
            "low": auc - 0.1,
            "high": auc + 0.1,
            "model_auc": model_auc,
        }

    rows = [
        row("forest", "acid", "occlusion", 0.9, 0.95),
        row("forest", "acid", "random", 0.5, 0.95),
        row("forest", "nobody", "occlusion", 0.9, 0.95),
        row("chmr", "direction", "gradients", 0.6, None),
        row("chmr", "direction", "heteroatom", 0.7, None),
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "explain.csv", index=False)
    monkeypatch.setattr(explain_page, "RESULTS", tmp_path)
    text = explain_page.section()
    assert "| planted-0 | forest | acid | 12 | 0.950 | **0.900** (0.80–1.00) | 0.500 (0.40–0.60) |" in text
    assert "| planted-0 | chmr | direction | 12 | 0.600 (0.50–0.70) | **0.700** (0.60–0.80) |" in text
    assert "nobody" not in text.split("mean over rules")[0]

"""Drawings of explained molecules: a file for each value, and a page of them all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rdkit import Chem

from cytomol.cells.explain.attribution_drawings import Drawings
from cytomol.chem.occlusion.attribution import Attribution, ExplainedMolecule, unexplained


def test_values_whose_names_look_alike_have_files_of_their_own(tmp_path: Path) -> None:
    mol = Chem.MolFromSmiles("CO")
    values = [Attribution(name, 1.0, np.ones(2), np.ones(1)) for name in ("IC50 < 1", "IC50 > 1")]
    explained = ExplainedMolecule("CO", mol, "", np.zeros(2, np.int64), values)
    drawings = Drawings(tmp_path, 1)
    drawings.add([unexplained("C1CC", "open ring"), explained, explained], 4)
    drawings.finish("both")
    drawn = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert drawn == ["000005-1-IC50_1.svg", "000005-2-IC50_1.svg"]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert all(page.count(name) == 1 for name in drawn)
    assert "IC50 &lt; 1" in (tmp_path / drawn[0]).read_text(encoding="utf-8")

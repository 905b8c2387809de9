"""Imputed profiles beside measured ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytomol.cells.modality import TrainedModality
from cytomol.corpus import read_corpus
from cytomol.errors import InputError
from cytomol.serve.explorer.background import or_say
from cytomol.serve.explorer.explored_session import ExploredSession
from cytomol.serve.explorer.measured_beside import MeasuredBeside


def test_a_measured_molecule_finds_its_own_profile(
    cell_session: ExploredSession, cells: dict[str, Path]
) -> None:
    corpus = read_corpus(cells["corpus"])
    backbone = cell_session.model.served.backbone
    assert backbone is not None
    name = next(name for name, one in corpus.modalities.items() if one.entity == "molecule")
    table = corpus.modalities[name]
    smiles = corpus.smiles[int(table.rows[0])]
    (profile,) = [one for one in cell_session.cells(smiles)["profiles"] if one["modality"] == name]
    first = profile["measured"][0]
    assert first["similarity"] == 1.0
    typical = TrainedModality(backbone, name).typical
    wanted = (table.values[0] - typical.mean) / np.where(typical.spread > 0, typical.spread, 1)
    np.testing.assert_allclose(np.array(first["values"], float), wanted, atol=0.0051)
    alike = [one["similarity"] for one in profile["measured"]]
    assert alike == sorted(alike, reverse=True)


def test_the_features_that_are_named_lie_farthest(cell_session: ExploredSession) -> None:
    for profile in cell_session.cells("CCO")["profiles"]:
        apart = [abs(one["apart"]) for one in profile["farthest"]]
        assert apart == sorted(apart, reverse=True)
        assert apart[0] == pytest.approx(max(abs(value) for value in profile["expected"]), abs=0.01)


def test_genes_have_no_molecule_to_be_shown_with(cell_session: ExploredSession) -> None:
    shown = {one["modality"] for one in cell_session.cells("CCO")["profiles"]}
    assert shown
    backbone = cell_session.model.served.backbone
    assert backbone is not None
    assert all(backbone.modalities[name]["entity"] == "molecule" for name in shown)


def test_a_model_without_a_backbone_needs_no_corpus(session: ExploredSession, cells: dict[str, Path]) -> None:
    beside = MeasuredBeside(session.model.served, cells["corpus"])
    with pytest.raises(InputError, match="imputes no profiles"):
        beside.read()
    or_say(beside.read, beside._failed)
    assert beside.state.startswith("failed: ")

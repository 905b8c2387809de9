"""One thread asks the model, and what the page no longer shows does not hold up what it asks next."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cytomol.errors import InputError, ModelDirectoryError
from cytomol.serve.explorer import page_questions
from cytomol.serve.explorer.explored_model import ExploredModel
from cytomol.serve.explorer.explored_session import ExploredSession


def test_atoms_that_are_no_longer_shown_are_given_up(
    session: ExploredSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, explain = threading.Event(), page_questions.explain_tasks
    asked: list[str] = []

    def slow(predictor: object, smiles: list[str], tasks: list[str]) -> object:
        asked.extend(smiles)
        assert held.wait(30)
        return explain(predictor, smiles, tasks)  # type: ignore[arg-type]

    monkeypatch.setattr(page_questions, "explain_tasks", slow)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(session.model.atoms, "CCO", "length")
        while not asked:
            threading.Event().wait(0.01)  # the first is being answered
        second = pool.submit(session.model.atoms, "CCN", "length")
        while session.model._batcher.waiting < 1:
            threading.Event().wait(0.01)
        third = pool.submit(session.model.atoms, "CCC", "length")
        with pytest.raises(InputError, match="another molecule was asked about since"):
            second.result(30)
        held.set()
        assert third.result(30).smiles == "CCC"
        assert first.exception(30) is None or isinstance(first.exception(30), InputError)
    assert "CCN" not in asked


def test_a_large_molecule_is_not_taken_on(session: ExploredSession, cell_session: ExploredSession) -> None:
    large = "C" * 250
    assert "atoms" in session.molecule(large)["error"]
    assert cell_session.molecule(large)["error"]
    with pytest.raises(InputError, match="250"):
        cell_session.atoms(large, "imputed morphology")


def test_what_can_be_explained(session: ExploredSession, cell_session: ExploredSession) -> None:
    assert session.model.explained == ("length", "nitrogen")
    assert cell_session.model.explained == ("imputed morphology",)
    assert cell_session.atoms("CCO", "imputed morphology")["drawings"][0]["name"] == "direction"


def test_the_backbone_that_comes_with_the_package() -> None:
    with ExploredModel.open("default") as model:
        assert (model.served.name, model.served.kind) == ("default", "backbone")


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelDirectoryError):
        ExploredModel.open(tmp_path / "none")

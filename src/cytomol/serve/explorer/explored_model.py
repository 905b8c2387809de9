"""A model directory held for the page: one thread asks it, and a question passes a table that waits."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.shipped import is_shipped, model_place
from cytomol.cells.tree.code_tree import CodeTree
from cytomol.chem.occlusion.attribution import ExplainedMolecule
from cytomol.chem.options import FeatureOptions
from cytomol.errors import InputError
from cytomol.predict.predictions import Predictions
from cytomol.predict.uncertainty import domain_fingerprints
from cytomol.serve.batcher import Batcher
from cytomol.serve.explorer.page_questions import (
    AtomQuestion,
    CellAnswer,
    CellQuestion,
    TableQuestion,
    TreeQuestion,
)
from cytomol.serve.molecule_screen import screen_molecules
from cytomol.serve.questions import PredictQuestion, answerer
from cytomol.serve.served_models import ServedModel, ServedModels
from cytomol.serve.service_limits import ServiceLimits

__all__ = ["ExploredModel"]

_ROWS = 64  # molecules of a table that are answered between two questions of the page
_IMPUTED = "imputed "


class ExploredModel:
    """A predictor, a backbone, or a predictor with its backbone.

    Parameters
    ----------
    model
        What is asked.

    Examples
    --------
    >>> with ExploredModel.open("model") as model:
    ...     model.served.kind, model.explained, model.cells("CCO").expected
    ('backbone', (), {})
    """

    def __init__(self, model: ServedModel) -> None:
        if model.kind == "matcher":
            raise InputError(
                "is a matcher, which answers no molecule alone",
                where=model.name,
                hint="give the directory of a predictor or a backbone",
            )
        self.served, self.tree = model, None
        self.limits = ServiceLimits()
        self._screened = answerer(ServedModels([model]), self.limits)
        self._changing = threading.Lock()
        self._atoms: Future[list[Any]] | None = None
        self._batcher = Batcher(self._answer, rows=_ROWS, wait=0.0, waiting=10_000_000)

    served: ServedModel
    tree: CodeTree | None

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Load and verify a model directory.

        Raises
        ------
        ModelDirectoryError
            If it is absent, altered or of another kind.
        """
        place = model_place(path)
        name = "default" if is_shipped(place) else place.resolve().name
        return cls(ServedModel.load(name, place, atoms=ServiceLimits().atoms))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def explained(self) -> tuple[str, ...]:
        """What the atoms of a molecule can be asked about: tasks, and imputed profiles."""
        return (*self.served.tasks, *(f"{_IMPUTED}{name}" for name in self.served.imputed))

    @property
    def reading(self) -> FeatureOptions:
        """How molecules are read."""
        if self.served.predictor is not None:
            return self.served.predictor.features.options
        assert self.served.backbone is not None
        options = self.served.backbone.feature_options
        return replace(options, max_atoms=min(options.max_atoms, self.limits.atoms))

    def fingerprints(self, smiles: Sequence[str]) -> NDArray[np.uint8]:
        """Return what molecules are compared by, uint8, shape (n, 256); zeros for invalid ones."""
        return domain_fingerprints(smiles, self.reading, workers=1)

    def tasks(self, smiles: str) -> dict[str, Any]:
        """Return the answers to a molecule (see `cytomol.serve.predicted_rows.predicted_rows`)."""
        predictor = self.served.predictor
        assert predictor is not None
        known, kept = predictor.uncertainty is not None, predictor.evidence is not None
        question = PredictQuestion(self.served.name, uncertainty=known, evidence=kept)
        answer: dict[str, Any] = self._ask(question, smiles)
        return answer

    def cells(self, smiles: str) -> CellAnswer:
        """Return what cells are expected to show under a molecule.

        Raises
        ------
        InputError
            If it is no molecule.
        """
        answer: CellAnswer = self._ask(CellQuestion(self.tree), smiles)
        if answer.error:
            raise InputError(answer.error)
        return answer

    def atoms(self, smiles: str, what: str) -> ExplainedMolecule:
        """Return which atoms an answer rests on.

        Parameters
        ----------
        smiles
            The molecule.
        what
            One of :attr:`explained`.

        Raises
        ------
        InputError
            If it is no molecule, or there is no such answer.
        """
        if what not in self.explained:
            raise InputError(f"the model does not answer {what[:80]!r}")
        modality = None if what in self.served.tasks else what.removeprefix(_IMPUTED)
        question = AtomQuestion(what if modality is None else None, modality)
        with self._changing:
            if self._atoms is not None:
                self._atoms.cancel()  # the page shows one drawing: what waits for an older one is in the way
            waiting = self._atoms = self._batcher.submit(question, [smiles])
        try:
            answer: ExplainedMolecule = waiting.result()[0]
        except CancelledError:
            raise InputError("another molecule was asked about since") from None
        if answer.mol is None:
            raise InputError(answer.error)
        return answer

    def predictions(self, smiles: Sequence[str], table: str) -> Predictions:
        """Predict molecules of an uploaded table; questions of the page pass them."""
        predictor = self.served.predictor
        assert predictor is not None
        if not len(smiles):
            return predictor.predict([])
        known, kept = predictor.uncertainty is not None, predictor.evidence is not None
        found = self._batcher.submit(TableQuestion(table, known, kept), smiles).result()
        return Predictions.join(list({id(part): part for part in found}.values()))

    def places(self, smiles: Sequence[str], tree: CodeTree) -> NDArray[np.float32]:
        """Return where molecules lie in the space that a tree divides; questions of the page pass them.

        Float32, shape (n, width); NaN for invalid ones.
        """
        return np.stack(self._batcher.submit(TreeQuestion(tree), smiles).result())

    def close(self) -> None:
        """Stop; what was asked is answered first."""
        self._batcher.close(5.0)

    def _ask(self, question: Hashable, smiles: str) -> Any:
        return self._batcher.submit(question, [smiles]).result()[0]

    def _answer(self, question: Hashable, molecules: list[Any]) -> Sequence[Any]:
        if isinstance(question, TableQuestion):
            return question.answer(self.served, molecules, self.limits)
        if isinstance(question, TreeQuestion):
            return question.answer(self.served, screen_molecules(molecules, self.limits)[0], self.limits)
        if isinstance(question, AtomQuestion | CellQuestion):
            texts, reasons = screen_molecules(molecules, self.limits)
            if reasons:  # the page asks about one molecule at a time
                raise InputError(next(iter(reasons.values())))
            return question.answer(self.served, texts, self.limits)
        return self._screened(question, molecules)

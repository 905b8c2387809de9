"""What the page asks of a model beside what the service asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.cells.explain.choose_value import ValueChoice, choose_value
from cytomol.cells.explain.occluded_atoms import occlude_value
from cytomol.cells.tree.code_tree import CodeTree
from cytomol.cells.tree.tree_places import place_molecules
from cytomol.chem.featurize import featurize
from cytomol.chem.occlusion.attribution import ExplainedMolecule
from cytomol.chem.parse import parse_smiles
from cytomol.errors import InputError
from cytomol.predict.predictions import Predictions
from cytomol.predict.task_attribution import explain_tasks
from cytomol.serve.molecule_screen import screen_molecules
from cytomol.serve.served_models import ServedModel
from cytomol.serve.service_limits import ServiceLimits

__all__ = ["AtomQuestion", "CellAnswer", "CellQuestion", "TableQuestion", "TreeQuestion"]


@dataclass(frozen=True)
class AtomQuestion:
    """Which atoms an answer rests on, for a drawing.

    Attributes
    ----------
    task
        A task; None for the imputed profile of ``modality``.
    modality
        Whose profile, in which direction it goes.
    """

    task: str | None = None
    modality: str | None = None

    def answer(
        self, model: ServedModel, molecules: Sequence[str], limits: ServiceLimits
    ) -> list[ExplainedMolecule]:
        """Return the molecules with what each atom adds."""
        if self.task is not None:
            assert model.predictor is not None
            return explain_tasks(model.predictor, molecules, [self.task])
        for one in molecules:
            _refuse_large(one, limits)
        assert model.backbone is not None
        value = choose_value(model.backbone, ValueChoice(self.modality))
        return occlude_value(model.backbone, molecules, value)


@dataclass(frozen=True)
class CellAnswer:
    """What a backbone says of one molecule.

    Attributes
    ----------
    error
        Why it is invalid; "" where it is valid.
    expected, half_width
        Imputed profile of each modality, and how far a measured value may lie from it, float32, shape
        (width,).
    path
        Where it comes to lie in the tree, as turns from the root; "" without a tree.
    """

    error: str
    expected: dict[str, NDArray[np.float32]]
    half_width: dict[str, NDArray[np.float32]]
    path: str = ""


@dataclass(frozen=True, eq=False)
class CellQuestion:
    """What cells are expected to show under a molecule, and where it lies in a tree.

    Attributes
    ----------
    tree
        Of the model's places; None without one.
    """

    tree: CodeTree | None = None

    def answer(self, model: ServedModel, molecules: Sequence[str], limits: ServiceLimits) -> list[CellAnswer]:
        """Return imputed profiles and paths."""
        assert model.backbone is not None
        options = model.backbone.feature_options
        few = replace(options, max_atoms=min(options.max_atoms, limits.atoms))
        store = featurize(molecules, few, workers=1, cache=None)
        expected: dict[str, NDArray[np.float32]] = {}
        half_width: dict[str, NDArray[np.float32]] = {}
        if model.imputed:
            imputed = model.imputer(model.imputed).impute(store, workers=1)
            expected, half_width = imputed.expected, imputed.half_width
        paths = [""] * len(store)
        if self.tree is not None:
            places = place_molecules(model.backbone, store, self.tree.places, self.tree.modality)
            paths = self.tree.texts(self.tree.codes(places).path)
        return [
            CellAnswer(
                error,
                {name: table[row] for name, table in expected.items()},
                {name: table[row] for name, table in half_width.items()},
                paths[row],
            )
            for row, error in enumerate(store.errors)
        ]


@dataclass(frozen=True, eq=False)
class TreeQuestion:
    """Where molecules lie in the space that a tree divides.

    Attributes
    ----------
    tree
        The tree.
    """

    tree: CodeTree

    def answer(
        self, model: ServedModel, molecules: Sequence[str], limits: ServiceLimits
    ) -> list[NDArray[np.float32]]:
        """Return a place for each molecule, float32, shape (width,); NaN for invalid ones."""
        assert model.backbone is not None
        options = model.backbone.feature_options
        few = replace(options, max_atoms=min(options.max_atoms, limits.atoms))
        store = featurize(molecules, few, workers=1, cache=None)
        return list(place_molecules(model.backbone, store, self.tree.places, self.tree.modality))


def _refuse_large(smiles: str, limits: ServiceLimits) -> None:
    """Refuse a molecule of which too many parts would be masked."""
    mol = parse_smiles(smiles).mol
    if mol is not None and mol.GetNumHeavyAtoms() > limits.atoms:
        raise InputError(
            f"{mol.GetNumHeavyAtoms()} atoms, more than the {limits.atoms} that are explained",
            hint="ask about a smaller molecule",
        )


@dataclass(frozen=True)
class TableQuestion:
    """The predictions of an uploaded table; each table is asked for itself, some rows at a time.

    Attributes
    ----------
    table
        Which table.
    uncertainty, evidence
        As :meth:`~cytomol.predict.predictor.Predictor.predict` takes them.
    """

    table: str
    uncertainty: bool = True
    evidence: bool = True

    def answer(
        self, model: ServedModel, molecules: Sequence[str], limits: ServiceLimits
    ) -> list[Predictions]:
        """Return the predictions of all these molecules, once for each of them."""
        assert model.predictor is not None
        texts, reasons = screen_molecules(molecules, limits)
        found = model.predictor.predict(
            texts, workers=1, uncertainty=self.uncertainty, evidence=self.evidence
        )
        errors: list[Any] = [reasons.get(row, error) for row, error in enumerate(found.errors)]
        return [replace(found, errors=errors)] * len(molecules)

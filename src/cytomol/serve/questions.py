"""What a model can be asked of molecules; rows of equal questions are answered together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cytomol.predict.uncertainty import domain_options
from cytomol.serve.explained_molecules import explained_row
from cytomol.serve.feature_pool import FeaturePool
from cytomol.serve.molecule_screen import screen_molecules
from cytomol.serve.predicted_rows import plain_number, predicted_rows
from cytomol.serve.served_models import ServedModel, ServedModels, Verb
from cytomol.serve.service_limits import ServiceLimits
from cytomol.serve.steady_rows import distinct, one_pass, steady, steady_rows

if TYPE_CHECKING:
    from cytomol.chem.options import FeatureOptions
    from cytomol.chem.store import MoleculeStore

__all__ = [
    "EmbedQuestion",
    "ExplainQuestion",
    "ImputeQuestion",
    "PlaceProfilesQuestion",
    "PlaceQuestion",
    "PredictQuestion",
    "Question",
    "answerer",
]

Row = dict[str, Any]


@dataclass(frozen=True)
class Question(ABC):
    """What is asked of molecules; rows of equal questions are answered together.

    Attributes
    ----------
    model
        Name of the model.
    verb
        The verb that asks it.
    """

    model: str
    verb: ClassVar[Verb]

    @abstractmethod
    def answer(self, model: ServedModel, molecules: Sequence[str], pool: FeaturePool) -> list[Row]:
        """Return a row for each molecule, in order, with ``error``: why a molecule is invalid, or None.

        Parameters
        ----------
        model
            The model of this name.
        molecules
            SMILES; "" is no molecule.
        pool
            Featurizes them.
        """


def answerer(
    models: ServedModels, limits: ServiceLimits, pool: FeaturePool | None = None
) -> Callable[[Hashable, list[Any]], list[Row]]:
    """Return what a :class:`~cytomol.serve.batcher.Batcher` calls: molecules screened, then asked about.

    A molecule that is not taken on has its reason in ``error``, as an invalid one has; one that is asked
    about several times is answered once.

    Parameters
    ----------
    models
        What is asked.
    limits
        Which molecules are taken on.
    pool
        Featurizes them; None does so here.
    """
    hands = pool or FeaturePool(0)

    def answer(question: Hashable, molecules: list[Any]) -> list[Row]:
        assert isinstance(question, Question)
        if isinstance(question, PlaceProfilesQuestion):
            return question.answer(models[question.model], molecules, hands)
        texts, reasons = screen_molecules(molecules, limits)
        if len(reasons) == len(texts):
            return [{"error": reasons[row]} for row in range(len(texts))]
        different, which = distinct(texts)
        found = question.answer(models[question.model], different, hands)
        return [
            {"error": reasons[place]} if place in reasons else found[row] for place, row in enumerate(which)
        ]

    return answer


@dataclass(frozen=True)
class PredictQuestion(Question):
    """The tasks of a predictor, as :meth:`~cytomol.predict.predictor.Predictor.predict` takes them."""

    uncertainty: bool = False
    coverage: float = 0.9
    evidence: bool = False
    verb: ClassVar[Verb] = "predict"

    def answer(self, model: ServedModel, molecules: Sequence[str], pool: FeaturePool) -> list[Row]:
        """Return what each task is predicted to be (see `predicted_rows`)."""
        assert model.predictor is not None
        features = model.predictor.features
        options = features.needed
        bits = domain_options(features.options)
        found = dict(zip([*options, bits], pool.stores(molecules, [*options, bits]), strict=True))
        store = features.store_from(found.__getitem__)
        rows = steady_rows(store)
        predictions = model.predictor.predict(
            store if len(rows) == len(store) else store.take(rows),
            batch_size=one_pass(store),
            uncertainty=self.uncertainty,
            coverage=self.coverage,
            evidence=self.evidence,
            fingerprints=found[bits].blocks["morgan"][rows],
        )
        return predicted_rows(predictions, len(molecules))


@dataclass(frozen=True)
class EmbedQuestion(Question):
    """The embedding of a backbone."""

    verb: ClassVar[Verb] = "embed"

    def answer(self, model: ServedModel, molecules: Sequence[str], pool: FeaturePool) -> list[Row]:
        """Return ``embedding``, a list of numbers."""
        assert model.backbone is not None
        store = _featurized(molecules, model.backbone.feature_options, pool)
        embedding = model.backbone.embed(store, batch_size=one_pass(store))[0]
        return [
            {"error": error} if error else {"error": None, "embedding": _plain(embedding[row])}
            for row, error in enumerate(store.errors[: len(molecules)])
        ]


@dataclass(frozen=True)
class PlaceQuestion(Question):
    """The places of molecules in the space where they are compared with profiles."""

    modality: str | None = None
    verb: ClassVar[Verb] = "match"

    def answer(self, model: ServedModel, molecules: Sequence[str], pool: FeaturePool) -> list[Row]:
        """Return ``place``, an array of float32 with length 1."""
        space = model.space(self.modality)
        if model.backbone is None:  # a matcher
            store = steady(space.store(molecules, workers=1))
        else:
            store = _featurized(molecules, model.backbone.feature_options, pool)
        places = space.molecules(store, batch_size=one_pass(store))[0]
        return [
            {"error": error} if error else {"error": None, "place": places[row]}
            for row, error in enumerate(store.errors[: len(molecules)])
        ]


@dataclass(frozen=True)
class PlaceProfilesQuestion(Question):
    """The places of measured profiles in the space where they are compared with molecules."""

    modality: str | None = None
    verb: ClassVar[Verb] = "match"

    def answer(self, model: ServedModel, molecules: Sequence[Any], pool: FeaturePool) -> list[Row]:  # noqa: ARG002
        """Return ``place`` of each profile: rows in measured units, the modality's features in its order."""
        places = model.space(self.modality).profiles(np.stack(molecules))
        return [
            {"error": "nothing was measured"} if np.isnan(place).any() else {"error": None, "place": place}
            for place in places
        ]


@dataclass(frozen=True)
class ImputeQuestion(Question):
    """The profiles that molecules are expected to give."""

    modalities: tuple[str, ...] = ()
    verb: ClassVar[Verb] = "impute"

    def answer(self, model: ServedModel, molecules: Sequence[str], pool: FeaturePool) -> list[Row]:
        """Return ``expected``: by modality a list of numbers, in measured units."""
        imputer = model.imputer(self.modalities or None)
        store = _featurized(molecules, imputer.backbone.feature_options, pool)
        imputed = imputer.impute(store, batch_size=one_pass(store))
        return [
            {"error": error}
            if error
            else {
                "error": None,
                "expected": {name: _plain(table[row]) for name, table in imputed.expected.items()},
            }
            for row, error in enumerate(store.errors[: len(molecules)])
        ]


@dataclass(frozen=True)
class ExplainQuestion(Question):
    """The atoms on which answers rest: those of tasks, or what a backbone says of a cell.

    Attributes
    ----------
    tasks
        Tasks of a predictor; () asks of the cell.
    modality, feature, what
        See :class:`~cytomol.cells.explain.choose_value.ValueChoice`.
    """

    tasks: tuple[str, ...] = ()
    modality: str | None = None
    feature: str | None = None
    what: str | None = None
    verb: ClassVar[Verb] = "explain"

    def answer(self, model: ServedModel, molecules: Sequence[str], pool: FeaturePool) -> list[Row]:  # noqa: ARG002
        """Return what each atom and each piece adds (see `explained_row`)."""
        if self.tasks:
            from cytomol.predict.task_attribution import explain_tasks

            assert model.predictor is not None
            return [explained_row(one) for one in explain_tasks(model.predictor, molecules, self.tasks)]
        from cytomol.cells.explain.choose_value import ValueChoice, choose_value
        from cytomol.cells.explain.occluded_atoms import occlude_value

        assert model.backbone is not None
        value = choose_value(model.backbone, ValueChoice(self.modality, self.feature, self.what))
        return [explained_row(one) for one in occlude_value(model.backbone, molecules, value)]


def _featurized(smiles: Sequence[str], options: FeatureOptions, pool: FeaturePool) -> MoleculeStore:
    """Featurize molecules as a steady batch."""
    return steady(pool.stores(smiles, [options])[0])


def _plain(numbers: Any) -> list[float | None]:
    return [plain_number(number) for number in numbers.tolist()]

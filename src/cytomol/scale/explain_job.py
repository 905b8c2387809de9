"""A job that explains chunks of a long table atom by atom, here or in other processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

import pandas as pd

from cytomol.artifact.backbone import load_backbone
from cytomol.cells.explain.choose_value import ValueChoice, choose_value
from cytomol.cells.explain.explained_rows import AtomTable
from cytomol.cells.explain.integrated_gradients import integrate_value
from cytomol.cells.explain.occluded_atoms import occlude_value
from cytomol.chem.occlusion.attribution import ExplainedMolecule
from cytomol.errors import InputError
from cytomol.nn.allocator import give_back_memory, keep_few_kernels
from cytomol.predict.predictor import Predictor
from cytomol.predict.task_attribution import explain_tasks, named_tasks
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_answer import Answer
from cytomol.tables.row_errors import OnError

__all__ = ["AT_ONCE", "ExplainJob", "Explainer"]

AT_ONCE = 64
"""Molecules whose masked rows are in memory at once."""


@dataclass(frozen=True)
class Explainer:
    """Explains some molecules.

    Attributes
    ----------
    explain
        Returns what each atom adds, for each of some SMILES.
    title
        What is explained.
    parents
        Whether the parent of a salt is read in its place.
    """

    explain: Callable[[Sequence[str]], list[ExplainedMolecule]]
    title: str
    parents: bool

    @classmethod
    def of_tasks(cls, predictor: Predictor, tasks: Sequence[str], by: str, batch_size: int) -> Explainer:
        """Explain tasks of a fine-tuned model; further parameters as of :class:`ExplainJob`.

        Raises
        ------
        InputError
            If a task is unknown, or gradients are asked for.
        """
        if by == "gradients":
            raise InputError(
                "integrated gradients explain imputed profiles and matches, not tasks",
                hint="leave --by gradients out: occlusion explains the tasks of any learner",
            )
        names = named_tasks(predictor, tasks)
        return cls(
            lambda smiles: explain_tasks(predictor, smiles, names, batch_size=batch_size),
            ", ".join(names),
            predictor.features.options.standardize == "parent",
        )

    @classmethod
    def of_cell(cls, model: str, choice: ValueChoice, by: str, steps: int, batch_size: int) -> Explainer:
        """Explain what a backbone says of a cell; parameters as of :class:`ExplainJob`.

        Raises
        ------
        InputError, ConfigError
            As of :func:`~cytomol.cells.explain.choose_value.choose_value`.
        """
        backbone = load_backbone(model)
        value = choose_value(backbone, choice)

        def explain(smiles: Sequence[str]) -> list[ExplainedMolecule]:
            if by == "gradients":
                return integrate_value(backbone, smiles, value, steps=steps, batch_size=min(64, batch_size))
            return occlude_value(backbone, smiles, value, batch_size=batch_size)

        return cls(explain, value.name, backbone.feature_options.standardize == "parent")


@dataclass
class ExplainJob:
    """Explains chunks with the model of a directory.

    Attributes
    ----------
    model
        The directory, or ``default``.
    choice
        What is explained of a cell; None for tasks.
    tasks
        Their names; none for all.
    by, steps, batch_size
        "occlusion" or "gradients", gradients on the path, molecules in a pass.
    keep, on_error
        See :class:`~cytomol.cells.explain.explained_rows.AtomTable`.
    predictor
        The fine-tuned model, where it is loaded already; it is not sent to other processes.
    """

    model: str
    choice: ValueChoice | None = None
    tasks: tuple[str, ...] = ()
    by: str = "occlusion"
    steps: int = 64
    batch_size: int = 256
    keep: tuple[str, ...] = ()
    on_error: OnError | None = None
    predictor: Predictor | None = None
    _ready: list[Explainer] = field(default_factory=list, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs."""
        return {**self.__dict__, "predictor": None, "_ready": []}

    def described(self) -> dict[str, Any]:
        """Return what tells its answers from those of another job of the same model."""
        choice = None if self.choice is None else [str(one) for one in astuple(self.choice)]
        asked = {name: getattr(self, name) for name in ("by", "steps", "batch_size", "on_error")}
        return {**asked, "choice": choice, "tasks": list(self.tasks), "keep": list(self.keep)}

    def explainer(self) -> Explainer:
        """Load the model, once."""
        if not self._ready:
            keep_few_kernels()
            if self.choice is None:
                predictor = self.predictor or Predictor.load(self.model)
                made = Explainer.of_tasks(predictor, self.tasks, self.by, self.batch_size)
            else:
                made = Explainer.of_cell(self.model, self.choice, self.by, self.steps, self.batch_size)
            self._ready.append(made)
        return self._ready[0]

    def atom_table(self, table: MoleculeTable, first: int = 0) -> AtomTable:
        """Return what makes rows of explained molecules; the table begins with row ``first``, from 0."""
        return AtomTable(
            table,
            self.keep,
            self.on_error,
            first=first,
            gradients=self.by == "gradients",
            parents=self.explainer().parents,
        )

    def open(self) -> Callable[[MoleculeTable, int], Answer]:
        """Load the model."""
        explainer = self.explainer()

        def answer(table: MoleculeTable, first: int) -> Answer:
            rows, smiles = self.atom_table(table, first), table.smiles
            frames = []
            for start in range(0, len(smiles), AT_ONCE):
                frames.append(rows.rows(explainer.explain(smiles[start : start + AT_ONCE])))
                give_back_memory()
            return Answer(pd.concat(frames, ignore_index=True), {}, rows.errors, rows.renamed)

        return answer

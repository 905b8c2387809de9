"""Bodies of answers, as the OpenAPI description has them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

__all__ = [
    "EmbedAnswer",
    "ErrorAnswer",
    "ExplainAnswer",
    "ImputeAnswer",
    "MatchAnswer",
    "ModelsAnswer",
    "PredictAnswer",
    "StateAnswer",
]

Number = float | None
_NONE = "Null where there is none."


class RegressionTask(BaseModel):
    """A predicted value, in the unit of the table."""

    kind: Literal["regression"]
    value: Number
    std: Number = Field(None, description="Standard deviation of the ensemble's members. " + _NONE)
    low: Number = Field(None, description="Lower bound of the interval; null: no bound.")
    high: Number = Field(None, description="Upper bound of the interval; null: no bound.")


class BinaryTask(BaseModel):
    """A predicted class of two."""

    kind: Literal["binary"]
    probability: Number = Field(description="Of the second class.")
    label: str | None = Field(alias="class", description="The class that is said.")
    calibrated: Number = Field(None, description="Calibrated probability of the second class. " + _NONE)
    std: Number = Field(None, description="Standard deviation of the ensemble's members. " + _NONE)
    classes: list[str] | None = Field(None, alias="set", description="Classes that are not ruled out.")


class OneClass(BaseModel):
    """One class of several."""

    probability: Number
    calibrated: Number = None
    std: Number = None


class MulticlassTask(BaseModel):
    """A predicted class of three and more."""

    kind: Literal["multiclass"]
    label: str | None = Field(alias="class", description="The likeliest class.")
    by_class: dict[str, OneClass] = Field(alias="classes")
    held: list[str] | None = Field(None, alias="set", description="Classes that are not ruled out.")


TaskAnswer = Annotated[RegressionTask | BinaryTask | MulticlassTask, Field(discriminator="kind")]


class Neighbour(BaseModel):
    """A molecule that was learnt from."""

    id: str
    smiles: str
    similarity: Number = Field(description="Tanimoto coefficient of Morgan fingerprints.")
    measured: dict[str, float | str | None] = Field(
        description="By task: a value, a class, or a bound such as '>10'; null: not measured."
    )


class _Row(BaseModel):
    error: str | None = Field(description="Why the molecule is not answered; null where it is.")


class PredictRow(_Row):
    """What is predicted of a molecule."""

    tasks: dict[str, TaskAnswer] | None = None
    profile: Literal["measured", "none"] | None = Field(
        None, description="Whether a measured profile was read, for models that have learnt from some."
    )
    domain: Literal["inside", "edge", "outside"] | None = Field(
        None, description="How well the model knows such molecules."
    )
    domain_reason: str | None = None
    similarity: Number = Field(None, description="With the nearest molecule that was learnt from.")
    nearest: list[Neighbour] | None = Field(None, description="Molecules learnt from, the nearest first.")


class PredictAnswer(BaseModel):
    """Predictions, a row for each molecule, in order."""

    model: str
    coverage: float | None = Field(description="Of intervals and sets; null where there are none.")
    rows: list[PredictRow]


class EmbedRow(_Row):
    """The embedding of a molecule."""

    embedding: list[Number] | None = None


class EmbedAnswer(BaseModel):
    """Embeddings, a row for each molecule, in order."""

    model: str
    width: int
    rows: list[EmbedRow]


class MatchedCandidate(BaseModel):
    """A candidate, where it stands for a query."""

    rank: int
    row: int = Field(description="Row of the candidate, from 1.")
    id: str | None = None
    similarity: Number = Field(description="Cosine of the two places.")
    top_percent: Number = Field(description="Share of the candidates up to this rank, in percent.")
    spreads: Number = Field(description="Standard deviations above the mean of all candidates.")


class MatchRow(_Row):
    """The candidates that go best with a query."""

    id: str | None = None
    note: str | None = Field(None, description="Why the order says little; null where it may say something.")
    matches: list[MatchedCandidate] | None = None


class LeftOut(BaseModel):
    """A candidate without a place."""

    row: int = Field(description="Row of the candidate, from 1.")
    error: str


class MatchAnswer(BaseModel):
    """Matches, a row for each query, in order."""

    model: str
    modality: str
    way: str
    candidates: int = Field(description="Candidates that have a place.")
    left_out: list[LeftOut]
    rows: list[MatchRow]


class ImputedModality(BaseModel):
    """What holds for all molecules."""

    columns: list[str]
    half_width: list[Number] = Field(description="A measured value is expected within it.")


class ImputeRow(_Row):
    """The profile that a molecule is expected to give."""

    expected: dict[str, list[Number]] | None = Field(
        None, description="By modality, in the order of its columns, in measured units."
    )


class ImputeAnswer(BaseModel):
    """Expected profiles, a row for each molecule, in order."""

    model: str
    coverage: float
    modalities: dict[str, ImputedModality]
    rows: list[ImputeRow]


class ExplainedAnswer(BaseModel):
    """What each atom and each piece adds to an answer."""

    value: Number = Field(description="The answer to the whole molecule.")
    atoms: list[Number] = Field(description="What it loses without each atom, in the order of `read_as`.")
    pieces: list[Number] = Field(description="What it loses without each ring system, linker, substituent.")


class ExplainRow(_Row):
    """The atoms on which the answers to a molecule rest."""

    read_as: str | None = Field(None, description="SMILES of the molecule as the model reads it.")
    symbols: list[str] | None = Field(None, description="Elements of its atoms, in this order.")
    pieces: list[list[int]] | None = Field(None, description="Atoms of each piece, from 0.")
    explained: dict[str, ExplainedAnswer] | None = None


class ExplainAnswer(BaseModel):
    """Explanations, a row for each molecule, in order."""

    model: str
    rows: list[ExplainRow]


class TaskDescription(BaseModel):
    """A task of a model."""

    name: str
    kind: Literal["binary", "multiclass", "regression"]
    classes: list[str] = Field(description="The negative one first where there are two; none for values.")


class ModelDescription(BaseModel):
    """A model of the service."""

    name: str
    kind: Literal["predictor", "backbone", "matcher"]
    verbs: list[str] = Field(description="What it can be asked.")
    tasks: list[TaskDescription]
    uncertainty: bool = Field(description="Whether it can say how certain it is.")
    evidence: bool = Field(description="Whether it holds the molecules that it has learnt from.")
    modalities: dict[str, int] = Field(description="Kinds of profile that it knows, with their features.")
    embedding_width: int | None
    notes: list[str] = Field(description="What a user should know of its answers.")


class ModelsAnswer(BaseModel):
    """The models of the service."""

    version: str
    models: list[ModelDescription]


class StateAnswer(BaseModel):
    """Whether the service lives, or can answer."""

    status: Literal["ok", "stopping"]


class Problem(BaseModel):
    """Why a request is not answered."""

    code: str = Field(description="A word for programs, such as 'rows' or 'busy'.")
    message: str
    where: str | None = Field(None, description="The place in the request.")
    hint: str | None = Field(None, description="What to do about it.")


class ErrorAnswer(BaseModel):
    """The answer to a request that is refused or fails."""

    error: Problem
    request_id: str

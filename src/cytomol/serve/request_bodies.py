"""Bodies of requests: what a client may ask, and within which bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["EmbedBody", "ExplainBody", "ImputeBody", "MatchBody", "PredictBody", "Profiles", "Side"]

_EXAMPLE = ["CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "not a molecule"]
Molecules = Annotated[
    list[str | None],
    Field(
        min_length=1,
        description="SMILES. Each is answered in its place; one that is invalid has its reason in `error`.",
        examples=[_EXAMPLE],
    ),
]
Name = Annotated[str, Field(min_length=1, max_length=500)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: Name | None = Field(
        None, description="Name of the model; not needed where one alone can answer. See `GET /v1/models`."
    )

    @classmethod
    def example(cls, **more: Any) -> dict[str, Any]:
        """Return an example body."""
        return {"molecules": _EXAMPLE, **more}


class PredictBody(_Body):
    """Molecules whose tasks are to be predicted."""

    molecules: Molecules
    uncertainty: bool | None = Field(
        None,
        description="Calibrated probabilities, spread, intervals or sets, and how well the model knows the "
        "molecule. By default where the model has them.",
    )
    coverage: float = Field(
        0.9,
        gt=0,
        lt=1,
        description="Share of molecules whose measured value the intervals or sets hold.",
    )
    evidence: bool | None = Field(
        None,
        description="The nearest molecules that were learnt from, with their measured values. By default "
        "where the model has them and says how certain it is.",
    )


class EmbedBody(_Body):
    """Molecules to be embedded."""

    molecules: Molecules


class Profiles(BaseModel):
    """Measured profiles, in the unit in which the model has learnt them."""

    model_config = ConfigDict(extra="forbid")

    columns: list[Name] = Field(
        min_length=1,
        description="Names of the features; all those that the model knows must be there, further ones are "
        "left out.",
    )
    values: list[list[Annotated[float, Field(allow_inf_nan=False)] | None]] = Field(
        min_length=1, description="A row for each profile, a number for each column; null: not measured."
    )


class Side(BaseModel):
    """Molecules or profiles: one of the two."""

    model_config = ConfigDict(extra="forbid")

    molecules: Molecules | None = None
    profiles: Profiles | None = None
    ids: list[str] | None = Field(None, description="What they are called, one for each row.")


class MatchBody(_Body):
    """Queries, and the candidates that are ranked for each."""

    queries: Side
    candidates: Side
    modality: Name | None = Field(
        None, description="Kind of profile; not needed where the model knows one alone."
    )
    top: int = Field(10, ge=1, le=1000, description="Candidates for each query.")


class ImputeBody(_Body):
    """Molecules whose profiles are to be imputed."""

    molecules: Molecules
    modalities: list[Name] | None = Field(None, min_length=1, description="Kinds of profile; by default all.")
    coverage: float = Field(
        0.9, gt=0, lt=1, description="Share of measured values within `half_width` of the expected one."
    )


class ExplainBody(_Body):
    """Molecules whose answers are to be explained, atom by atom."""

    molecules: Molecules
    tasks: list[Name] | None = Field(
        None, min_length=1, description="Tasks to explain, of a model that predicts; by default all."
    )
    modality: Name | None = Field(
        None, description="Explain the imputed profile of this modality instead of tasks."
    )
    feature: Name | None = Field(None, description="This feature of it, in measured units.")
    of: Literal["direction", "norm"] | None = Field(
        None,
        description="Its direction away from the typical profile (the default), or how far it goes.",
    )

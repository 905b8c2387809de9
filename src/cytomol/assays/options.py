"""Options of a table of tasks: what its columns are, and how its rows are split into folds."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cytomol.config import Config

__all__ = ["AssayOptions"]


class AssayOptions(Config):
    """What is predicted, and what is held out."""

    group: ClassVar[str] = "tasks"

    task_type: Literal["auto", "classification", "regression"] = Field(
        "auto", description="Kind of the tasks; auto: classification if every label is 0 or 1."
    )
    split_type: str = Field(
        "scaffold",
        description="Split where none is given: scaffold, scaffold-ogb, scaffold-infoalign or random.",
    )
    split_fractions: tuple[float, ...] | None = Field(
        None, description="Shares of train, valid and test; by default those of the split type."
    )
    split_seed: int = Field(0, ge=0, lt=2**32, description="Seed of split types that shuffle.")

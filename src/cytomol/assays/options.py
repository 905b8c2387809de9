"""Options of a table of tasks: what its columns are, and how its rows are split into folds."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from cytomol.assays.roles import task_types
from cytomol.config import Config

__all__ = ["AssayOptions"]


class AssayOptions(Config):
    """What is predicted, and what is held out."""

    group: ClassVar[str] = "tasks"

    task_type: str = Field(
        "auto",
        description="Kind of the tasks: classification, regression or auto (by what the labels are); or of "
        "single ones, as a=regression,b=classification.",
    )
    missing_codes: tuple[str, ...] = Field(
        (),
        description="What stands for nothing measured beside empty cells, such as -1,-999; none: no number "
        "does.",
    )
    split_type: str = Field(
        "scaffold",
        description="Split where none is given: scaffold, scaffold-ogb, scaffold-infoalign or random.",
    )
    split_fractions: tuple[float, ...] | None = Field(
        None, description="Shares of train, valid and test; by default those of the split type."
    )
    split_seed: int = Field(0, ge=0, lt=2**32, description="Seed of split types that shuffle.")

    @field_validator("task_type")
    @classmethod
    def _known_task_type(cls, given: str) -> str:
        task_types(given)
        return given

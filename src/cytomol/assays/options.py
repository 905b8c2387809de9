"""Options of a table of tasks: what its columns are, and how its rows are split into folds."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from cytomol.assays.column_roles import task_types
from cytomol.assays.replicates import HOW
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
        description="Split where none is given: scaffold, cluster, random, time (by --time-col), or as "
        "published scaffold-ogb or scaffold-infoalign.",
    )
    split_fractions: tuple[float, ...] | None = Field(
        None, description="Shares of train, valid and test; by default those of the split type."
    )
    split_seed: int = Field(0, ge=0, lt=2**32, description="Seed of split types that shuffle.")

    replicates: str = Field(
        "keep",
        description="Rows of one molecule: each is learnt (keep), or their mean or median (of classes the "
        "most frequent one).",
    )
    folds: int = Field(
        0,
        ge=0,
        le=100,
        description="Folds of a cross-validation by the split type, in which every molecule is tested; 0 is "
        "one split.",
    )
    repeats: int = Field(1, ge=1, le=100, description="Divisions into folds, each from another seed.")

    @field_validator("folds")
    @classmethod
    def _one_tests_one_chooses(cls, folds: int) -> int:
        if folds in {1, 2}:
            raise ValueError("three at least: one tests, one chooses, the others train; or 0 for one split")
        return folds

    @field_validator("replicates")
    @classmethod
    def _known_way(cls, how: str) -> str:
        if how not in HOW:
            raise ValueError(f"one of {', '.join(HOW)}")
        return how

    @field_validator("task_type")
    @classmethod
    def _known_task_type(cls, task_type: str) -> str:
        task_types(task_type)
        return task_type

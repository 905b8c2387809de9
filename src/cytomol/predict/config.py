"""Options of fine-tuning, put together from groups; the command line is generated from them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cytomol.assays.options import AssayOptions
from cytomol.config import Config
from cytomol.learners.head.options import HeadOptions
from cytomol.options.machine import MachineOptions
from cytomol.options.reading import ReadingOptions

__all__ = ["SCORED_ALONE", "FinetuneConfig", "FittingOptions"]

RECIPE = "cytomol"

SCORED_ALONE = {"refit": False, "calibration_folds": 0, "baselines": False, "evidence": False}
"""Options of a study that wants the fit which is scored, and nothing beside it."""


class FittingOptions(Config):
    """Which learner is fitted, and what is made of it."""

    group: ClassVar[str] = "fitting"

    learner: str = Field(
        "auto",
        description="What is fitted, by name (the guide lists them): cytomol, the recipe of the benchmarks; "
        "head, a small network as in the papers; or another. auto: the recipe, or the head if an option of "
        "the head is given.",
    )
    refit: bool = Field(
        True,
        description="Fit again to every row once the scores stand; if not, the fit that was scored stays.",
    )
    calibration_folds: int | None = Field(
        None,
        ge=0,
        le=50,
        description="Folds of whole scaffolds in which molecules are held out for calibration, each one more "
        "fit; 0 calibrates on the valid fold alone. If not given: 5 up to 3,000 molecules, 3 up to 20,000, "
        "0 above.",
    )
    baselines: bool = Field(
        True,
        description="Put a constant, the nearest neighbour and a random forest beside the score, and say in "
        "one sentence what the model is worth.",
    )
    evidence: bool = Field(
        True,
        description="Keep the training molecules and their measured values in the model, so that an answer "
        "can name the nearest ones.",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of everything random in a learner.")


class FinetuneConfig(AssayOptions, ReadingOptions, FittingOptions, HeadOptions, MachineOptions):
    """How a predictor is made of a table of molecules and labels."""

    group: ClassVar[str] = "fitting"

    @property
    def learner_name(self) -> str:
        """Name of the learner: as given, else the head where one of its options is, else the recipe."""
        if self.learner != "auto":
            return self.learner
        return "head" if self.given_for_head() else RECIPE

    def given_for_head(self) -> list[str]:
        """Return the options of a head that differ from their defaults."""
        fields = HeadOptions.model_fields
        return [name for name, field in fields.items() if getattr(self, name) != field.default]

    def head_options(self) -> HeadOptions:
        """Return the options of the head alone."""
        return HeadOptions.build({name: getattr(self, name) for name in HeadOptions.model_fields})

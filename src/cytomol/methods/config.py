"""Options of the methods, put together from groups; the command line is generated from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cytomol.config import defaults
from cytomol.methods.options.alignment import AlignmentOptions
from cytomol.methods.options.architecture import ArchitectureOptions, DecoderOptions
from cytomol.methods.options.contrast import ContrastOptions
from cytomol.methods.options.filling import FillingOptions
from cytomol.methods.options.quantization import QuantizationOptions
from cytomol.methods.options.reconstruction import ReconstructionOptions
from cytomol.methods.options.targets import SourceOptions, TargetOptions
from cytomol.methods.options.training import PretrainingMachine, TrainingOptions
from cytomol.methods.options.views import GeometryOptions, ViewOptions
from cytomol.methods.options.walks import WalkOptions
from cytomol.methods.presets import CHMR, CONTRASTIVE, INFOALIGN, preset_options
from cytomol.options.context import ContextOptions
from cytomol.options.reading import ReadingOptions
from cytomol.registry import Registry

__all__ = ["CHMRConfig", "ContextConfig", "ContrastiveConfig", "InfoAlignConfig", "MethodConfig", "configs"]

# the options of each method by its name, for whoever must not load torch to list them
configs: Registry[type[MethodConfig]] = Registry("method")


@defaults(standardize="keep", max_atoms=1000, molecule_timeout=20.0)
class MethodConfig(
    ViewOptions,
    ReadingOptions,
    SourceOptions,
    ArchitectureOptions,
    TrainingOptions,
    PretrainingMachine,
):
    """Options that every method shares.

    The defaults are settings that a laptop can run; ``preset`` gives the published ones. Every
    option carries its own description.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"default": {}}

    @classmethod
    def preset(cls, name: str) -> Self:
        """Return the settings of a preset: "default", "paper" and, where there is code, "authors".

        Raises
        ------
        ConfigError
            If there is no such preset.
        """
        return cls.build(dict(preset_options(cls.presets, name)))


@defaults(gene_profiles="node")
class ContextConfig(MethodConfig, TargetOptions, ContextOptions, WalkOptions, DecoderOptions):
    """Options of the methods that learn what walks in the context graph meet."""


@configs.register("infoalign")
@defaults(views=("2d",))
class InfoAlignConfig(ContextConfig):
    """Options of InfoAlign (Liu et al., ICLR 2025)."""

    group: ClassVar[str] = "bottleneck"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = INFOALIGN
    retired: ClassVar[frozenset[str]] = frozenset(
        {"geometry", "geometry_timeout", "neighbours", "propagation_steps"}
    )

    beta: float = Field(1e-9, ge=0, description="Weight of the minimality term.")
    decode: Literal["mean", "sample"] = Field(
        "mean",
        description="What decoders read: the bottleneck's mean (authors' code) or a sample (paper).",
    )

    @model_validator(mode="after")
    def _graph_alone(self) -> Self:
        if self.views != ("2d",):
            raise ValueError("InfoAlign reads the graph alone: views must be 2d")
        return self


@configs.register("chmr")
@defaults(molecule_targets=("morgan", "maccs"))
class CHMRConfig(
    ContextConfig,
    GeometryOptions,
    FillingOptions,
    AlignmentOptions,
    QuantizationOptions,
    ReconstructionOptions,
):
    """Options of CHMR (Li et al., AAAI 2026)."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = CHMR


@configs.register("contrastive")
@defaults(views=("1d", "2d"))
class ContrastiveConfig(MethodConfig, GeometryOptions, ContrastOptions):
    """Options of the contrast of molecules and profiles (Sanchez-Fernandez et al., 2023)."""

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = CONTRASTIVE

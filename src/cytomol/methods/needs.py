"""What a method needs of the data: it declares this, and whoever prepares data reads nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Filling", "Needs", "ProfileNeeds"]


@dataclass(frozen=True)
class Filling:
    """How a molecule without a profile gets one from its structural neighbours.

    Attributes
    ----------
    way
        Step by step over the neighbours ("propagation"; "authors": as their code has it), or
        the mean of the measured ones ("nearest").
    neighbours
        Structural neighbours of a molecule.
    steps
        Steps that a profile spreads.
    restore
        Measured profiles keep their values while the others spread.
    unknown
        Neighbours without a profile: left out of the average ("renormalise"), or counted as the column mean.
    held_out
        Also say of measured molecules what their neighbours say, their own profile held out.
    """

    way: Literal["propagation", "authors", "nearest"] = "propagation"
    neighbours: int = 10
    steps: int = 5
    restore: bool = True
    unknown: Literal["renormalise", "mean"] = "renormalise"
    held_out: bool = True


@dataclass(frozen=True)
class ProfileNeeds:
    """How a method reads the profiles of molecules.

    Attributes
    ----------
    scaling
        To [0, 1] as targets are scaled ("minmax"), to mean 0 and variance 1 ("zscore"), or as they are
        ("raw").
    filling
        How missing profiles are filled; None leaves them missing.
    of_genes
        Profiles of genes are read too, as those of the molecules that target them.
    """

    scaling: Literal["minmax", "zscore", "raw"] = "minmax"
    filling: Filling | None = None
    of_genes: bool = True


@dataclass(frozen=True)
class Needs:
    """What a method needs of a corpus.

    Attributes
    ----------
    views
        Molecular views that it reads.
    profiles
        How it reads profiles; None where they are no input.
    targets
        Features along context walks are reconstructed; without, neither targets nor a context are made.
    molecules
        Which molecules it learns from: all, or those with a profile ("profiled").
    """

    views: tuple[str, ...]
    profiles: ProfileNeeds | None = None
    targets: bool = True
    molecules: Literal["all", "profiled"] = "all"

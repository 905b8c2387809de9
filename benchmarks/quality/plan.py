"""What is run: sets in their order, models, variants and backbones, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = [
    "ALL",
    "BACKBONES",
    "CLEAN",
    "FROM_GPU",
    "LEAVES",
    "LEVER_BACKBONES",
    "MOST_SEEDS",
    "SETS",
    "SHIPPED",
    "STAGES",
    "STRUCTURE_75",
    "Run",
    "Step",
    "cells",
    "steps",
]

SHIPPED = "default"
"""The backbone that comes with the package, pretrained without what is known of evaluated molecules."""

STRUCTURE_75 = "structure-75"
FROM_GPU = {STRUCTURE_75: "infoalign-structure-75-0"}
"""Backbones that ``benchmarks.gpu`` pretrains, and how it calls them; nothing here pretrains them."""

SETS = ("bace", "bbbp", "clintox", "sider", "chembl2k", "biogenadme", "broad6k", "toxcast", "hiv")
"""The nine sets, cheap ones first."""

CLEAN = ("bace", "bbbp", "clintox", "sider", "biogenadme")
"""Sets whose labels are none of those that MiniMol was pretrained on (docs/encoders.md says why)."""

MOST_SEEDS = {"hiv": 3}
"""Sets with fewer seeds than asked for."""


@dataclass(frozen=True)
class Run:
    """Models that share a variant: a backbone, and other encoders.

    Attributes
    ----------
    stage
        Part of the campaign.
    models
        Names.
    backbone
        Name of the backbone that they read; "" for none.
    encoders
        Names of other encoders that they read.
    sets
        Sets that are run.
    """

    stage: str
    models: tuple[str, ...]
    backbone: str = ""
    encoders: tuple[str, ...] = ()
    sets: tuple[str, ...] = SETS

    @property
    def variant(self) -> str:
        """What the rows are told apart by: the backbone, then each encoder."""
        return "+".join(filter(None, (self.backbone, *self.encoders)))


_BASELINES = (
    "forest",
    "forest-bits",
    "extra-trees",
    "boosting",
    "mlp",
    "mlp-one",
    "kernel",
    "neighbours",
)
_SINGLE = ("mlp-embedding-one", "mlp-embedding")

RUNS = (
    Run("baselines", _BASELINES),
    Run("ours", ("cytomol-refit", "cytomol"), SHIPPED),
    Run("minimol", ("cytomol-refit", "cytomol"), SHIPPED, ("minimol",), CLEAN),
    Run("gpu", ("cytomol-refit", "cytomol"), STRUCTURE_75, sets=SETS[:7]),
    Run("long", ("cytomol-refit", "cytomol"), "long"),
    Run("five", ("cytomol-five-refit", "cytomol-five", *_SINGLE), "cell"),
    Run("five", ("cytomol-five-plain",)),
    Run("cell", ("cytomol-five", *_SINGLE), "structure"),
    Run("cell", ("cytomol-five", *_SINGLE), "leaky"),
    Run("chmr", ("cytomol-five-refit", "cytomol-five", *_SINGLE), "chmr"),
    Run("chmr", ("cytomol-five", *_SINGLE), "chmr-structure"),
)
STAGES = tuple(dict.fromkeys(run.stage for run in RUNS))
ALL = tuple(dict.fromkeys(run.stage for run in RUNS if run.backbone not in FROM_GPU))
"""What runs without a GPU."""

# The rows were made when these were the defaults.
LEAVES = ("--gene-profiles", "leaf", "--unprofiled-genes")
_INFOALIGN = ("--method", "infoalign", "--epochs", "12", *LEAVES)
_PRETRAIN = (*_INFOALIGN, "--molecule-targets", "morgan,maccs,descriptors")
_RELATIONS = ("--relation-targets", "compound_targets_gene")
_CHMR = (
    *("--method", "chmr", *LEAVES, "--views", "1d,2d", "--molecule-targets", "morgan,maccs,descriptors"),
    *("--batch-size", "256", "--epochs", "8"),
)
_NO_CELLS = ("--modalities", "", "--walk-length", "0")
_LONG = (
    *("--method", "infoalign", "--width", "240", "--epochs", "30", "--batch-size", "128"),
    *("--molecule-targets", "morgan,maccs,descriptors", *_RELATIONS),
)
BACKBONES = {
    "long": _LONG,
    "cell": (*_PRETRAIN, *_RELATIONS),
    "structure": (*_PRETRAIN, *_NO_CELLS),
    "leaky": (*_PRETRAIN, *_RELATIONS),
    "chmr": _CHMR,
    "chmr-structure": (*_CHMR, *_NO_CELLS),
}
"""Options of each pretraining; all but "leaky" leave out what is known of the evaluated molecules."""

LEVER_BACKBONES = {
    "long": _LONG,
    "fingerprints": (*_INFOALIGN, "--molecule-targets", "morgan,maccs", *_NO_CELLS),
    "unseen": (*_PRETRAIN, *_NO_CELLS),
}
"""Like "structure", without descriptors as targets or without the structures of the evaluated molecules."""


@dataclass(frozen=True)
class Step:
    """One seed of a run on the sets that get that seed."""

    run: Run
    seed: int
    sets: tuple[str, ...]


def steps(stages: Sequence[str], sets: Sequence[str], seeds: int) -> Iterator[Step]:
    """Yield what is to be run, in order: a seed of everything before the next seed."""
    ordered = tuple(name for name in SETS if name in sets)
    for seed in range(seeds):
        with_seed = tuple(name for name in ordered if seed < MOST_SEEDS.get(name, seeds))
        for run in RUNS:
            of_run = tuple(name for name in with_seed if name in run.sets)
            if run.stage in stages and of_run:
                yield Step(run, seed, of_run)


def cells(seeds: int) -> Iterator[tuple[str, str, str, int]]:
    """Yield set, model, variant and seeds of all that a whole campaign holds."""
    for run in RUNS:
        for model in run.models:
            for name in run.sets:
                yield name, model, run.variant, min(seeds, MOST_SEEDS.get(name, seeds))

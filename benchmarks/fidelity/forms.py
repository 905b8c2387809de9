"""The forms that are compared: an earlier state, two presets, and each mended point alone on that state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cytomol.methods.config import CHMRConfig, InfoAlignConfig, MethodConfig

__all__ = ["BEFORE", "FORMS", "METHODS", "Budget", "Form", "config_of", "forms_of", "identity"]

METHODS: dict[str, type[MethodConfig]] = {"chmr": CHMRConfig, "infoalign": InfoAlignConfig}

_BEFORE_OF_BOTH: dict[str, Any] = {
    "gene_profiles": "leaf",
    "unprofiled_genes": True,
    "similarity_radius": None,
    "readout_weight": "scaled",
    "target_spaces": "separate",
    "count_stuck": False,
}
_BEFORE_OF_CHMR: dict[str, Any] = {
    "profile_inputs": "minmax",
    "alignment_reduction": "mean",
    "variance_hinges": "mean",
    "reverse_assignment": "pooled",
}
BEFORE = {"chmr": {**_BEFORE_OF_BOTH, **_BEFORE_OF_CHMR}, "infoalign": _BEFORE_OF_BOTH}
"""Options of the state before the points were mended (commit 3906f0a), by method; else the defaults."""


@dataclass(frozen=True)
class Form:
    """One row of the comparison.

    Attributes
    ----------
    name
        Short name, for the command line and the table.
    about
        What it is, for the page.
    changes
        Options that differ from those before.
    preset
        Preset that takes the place of the options before; "" for none.
    methods
        Methods that it concerns.
    """

    name: str
    about: str
    changes: Mapping[str, Any]
    preset: str = ""
    methods: tuple[str, ...] = ("chmr", "infoalign")


_CHMR_ALONE = ("chmr",)
FORMS = {
    form.name: form
    for form in (
        Form("before", "all points as they were", {}),
        Form("authors", "the preset after the authors' code", {}, preset="authors"),
        Form("paper", "the preset after the papers", {}, preset="paper"),
        Form(
            "nodes-profiled",
            "both of the next two",
            {"gene_profiles": "node", "unprofiled_genes": False},
        ),
        Form("nodes", "a gene's profile lies on the gene's node", {"gene_profiles": "node"}),
        Form("profiled", "only genes that have a profile are nodes", {"unprofiled_genes": False}),
        Form("zscore", "projectors read z-scored profiles", {"profile_inputs": "zscore"}, "", _CHMR_ALONE),
        Form("summed", "alignment summed over modalities", {"alignment_reduction": "sum"}, "", _CHMR_ALONE),
        Form("raw", "projectors read profiles as measured", {"profile_inputs": "raw"}, "", _CHMR_ALONE),
        Form("hinges", "both variance hinges summed", {"variance_hinges": "sum"}, "", _CHMR_ALONE),
        Form(
            "within",
            "codes move to their nearest sample within each modality",
            {"reverse_assignment": "within"},
            "",
            _CHMR_ALONE,
        ),
        Form("stuck", "steps of a stuck walk are counted in the mean", {"count_stuck": True}),
        Form("pooled", "modalities of a kind joined into one", {"target_spaces": "pooled"}),
        Form("default", "the package's defaults", {}, preset="default"),
    )
}
"""All forms by name, the most informative first; "default" runs only where it is asked for."""

# Options that say nothing without profiles and without walks: forms that differ in these alone are one there.
_OF_CELLS = (
    *("gene_profiles", "unprofiled_genes", "similarity_radius", "readout_weight", "count_stuck"),
    *("profile_inputs", "alignment_reduction", "variance_hinges", "augmentation", "restore_observed"),
    *("propagation_fill", "propagation_steps", "neighbours", "lambda_sca", "instance_alignment"),
    *("distribution_alignment", "alignment", "augmented_weight", "temperature", "decode_from"),
    *("missing_input", "profile_targets", "candidates", "minimum_similarity", "maximum_similarity"),
    *("drop_fraction", "readout_fraction", "similarity_search", "exact_up_to", "criteria"),
)


@dataclass(frozen=True)
class Budget:
    """What all forms share, whatever their preset says: the cost of a training.

    Attributes
    ----------
    epochs, batch_size, lr, precision, width
        As the options of a method.
    """

    epochs: int
    batch_size: int
    lr: float = 5e-4
    precision: str = "bf16-mixed"
    width: int = 128

    def options(self, method: str, seed: int) -> dict[str, Any]:
        """Return the options of a method; CHMR without geometry, which would cost more than the training."""
        views = {"views": ("1d", "2d")} if method == "chmr" else {}
        shared = {name: getattr(self, name) for name in ("epochs", "batch_size", "lr", "precision", "width")}
        fixed = {"validation_fraction": 0.0, "warmup_epochs": 0.5, "threads": 1, "workers": 1, "seed": seed}
        return {**shared, **fixed, **views, "logger": "none"}


def forms_of(method: str) -> list[Form]:
    """Return the forms that concern a method, in their order."""
    return [form for form in FORMS.values() if method in form.methods]


def config_of(method: str, form: Form, budget: Budget, *, cells: bool, seed: int = 0) -> MethodConfig:
    """Return the whole configuration of a training.

    Parameters
    ----------
    cells
        False learns from structures alone: no modalities, no walks.
    """
    model = METHODS[method]
    base = model.preset(form.preset) if form.preset else model.build(dict(BEFORE[method]))  # type: ignore[attr-defined]
    without = {} if cells else {"modalities": (), "walk_length": 0}
    return base.updated(**form.changes, **budget.options(method, seed), **without)


def identity(method: str, config: MethodConfig) -> str:
    """Return a name that two configurations share if they train the same.

    Without modalities and walks, options that concern profiles, walks and the context graph do not count.
    """
    options = config.result_options()
    if not options.get("modalities", True) and not options["walk_length"]:
        options = {name: value for name, value in options.items() if name not in _OF_CELLS}
        if len(options["molecule_targets"]) == 1:
            options.pop("target_spaces", None)
        elif "target_spaces" in options:
            options["target_spaces"] = "separate"  # only profiles are pooled
    text = json.dumps([method, options], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]

"""The variants of an ablation: what each changes in a method's options, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

from cytomol.errors import ConfigError

__all__ = ["FULL", "STUDIES", "Each", "Variant", "studies_of", "variants_of"]

FULL = "full"
"""Name of the variant that changes nothing; every study has it, as its reference."""


@dataclass(frozen=True)
class Variant:
    """One row of a study.

    Attributes
    ----------
    study, name, method
        Which.
    changes
        Options of the method that differ from those given.
    """

    study: str
    name: str
    method: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.study}: {self.name}"


@dataclass(frozen=True)
class Each:
    """One row for each modality of the corpus, or each edge criterion.

    Attributes
    ----------
    of
        "modality" or "criterion".
    name
        Name of the row, with {} for the modality or criterion.
    option
        Option that is changed.
    keep
        The option becomes the one alone ("it"), or all others ("others").
    """

    of: Literal["modality", "criterion"]
    name: str
    option: str
    keep: Literal["it", "others"]


Row = tuple[str, Mapping[str, Any]] | Each

_UNTRAINED: Row = ("untrained", {"epochs": 0})

STUDIES: dict[str, dict[str, tuple[Row, ...]]] = {
    # CHMR, table 2
    "table2": {
        "chmr": (
            ("without augmentation: zero fill", {"augmentation": "zero"}),
            ("without augmentation: random fill", {"augmentation": "random"}),
            ("without augmentation: nearest-neighbour fill", {"augmentation": "nearest"}),
            ("augmentation as the authors coded it", {"augmentation": "authors"}),
            ("without SCA", {"lambda_sca": 0.0}),
            ("without instance alignment", {"instance_alignment": False}),
            ("without distribution alignment", {"distribution_alignment": False}),
            ("without Tree-VQ", {"lambda_vq": 0.0}),
            ("flat VQ", {"quantizer": "flat"}),
            ("without CPR", {"reconstruction": False}),
            ("without context walks", {"walk_length": 0}),
            ("molecule only", {"modalities": ()}),
            Each("modality", "only {}", "modalities", "it"),
            _UNTRAINED,
        )
    },
    "lambda": {
        "chmr": tuple(
            (f"lambda_sca {sca:g}, lambda_vq {vq:g}", {"lambda_sca": sca, "lambda_vq": vq})
            for sca, vq in product((0.0, 1.0, 10.0, 100.0), repeat=2)
        )
    },
    "eta": {"chmr": tuple((f"eta {eta:g}", {"eta": eta}) for eta in (0.0, 0.25, 0.5, 1.0, 2.0, 4.0))},
    "depth": {"chmr": tuple((f"depth {depth}", {"depth": depth}) for depth in (2, 4, 6, 8, 10))},
    # InfoAlign
    "terms": {
        "infoalign": (
            ("without molecule targets", {"molecule_targets": ()}),
            Each("modality", "without target {}", "profile_targets", "others"),
            ("without cell targets", {"profile_targets": ()}),
            ("molecule only", {"modalities": ()}),
            _UNTRAINED,
        )
    },
    "minimality": {
        "infoalign": tuple((f"beta {beta:g}", {"beta": beta}) for beta in (0.0, 1e-12, 1e-9, 1e-6, 1e-3))
    },
    # both
    "encoder": {
        method: (
            ("GCN encoder", {"encoder": "gcn"}),
            ("max readout", {"readout": "max"}),
            ("mean readout", {"readout": "mean"}),
        )
        for method in ("chmr", "infoalign")
    },
    "walks": {
        method: tuple((f"walk length {steps}", {"walk_length": steps}) for steps in (0, 2, 4, 8))
        for method in ("chmr", "infoalign")
    },
    "criteria": {
        method: (Each("criterion", "without {} edges", "criteria", "others"),)
        for method in ("chmr", "infoalign")
    },
}
"""Rows of each study, by study and method."""


def studies_of(names: Sequence[str], methods: Sequence[str]) -> list[str]:
    """Return the studies to run, in order; "all" is every study of the methods.

    Raises
    ------
    ConfigError
        If a study is unknown, or is one of neither method.
    """
    if not names:
        raise ConfigError("no study is named", hint=f"known: {', '.join(STUDIES)}, all")
    chosen: list[str] = []
    for name in names:
        if name != "all" and name not in STUDIES:
            raise ConfigError(f"unknown study {name!r}", hint=f"known: {', '.join(STUDIES)}, all")
        here = [study for study in STUDIES if any(method in STUDIES[study] for method in methods)]
        if name != "all" and name not in here:
            raise ConfigError(
                f"study {name} is one of {', '.join(STUDIES[name])}, not of {', '.join(methods)}",
                hint=f"studies: {', '.join(here)}",
            )
        chosen += here if name == "all" else [name]
    return list(dict.fromkeys(chosen))


def variants_of(
    study: str, method: str, *, modalities: Sequence[str], criteria: Sequence[str]
) -> list[Variant]:
    """Return the rows of a study, the full method first; none if the study is not one of the method.

    Parameters
    ----------
    study, method
        Which.
    modalities, criteria
        What the full method learns from, and its reasons for edges.
    """
    if method not in STUDIES[study]:
        return []
    members = {"modality": tuple(modalities), "criterion": tuple(criteria)}
    variants = [Variant(study, FULL, method)]
    for row in STUDIES[study][method]:
        if not isinstance(row, Each):
            variants.append(Variant(study, row[0], method, row[1]))
            continue
        for one in members[row.of]:
            kept = (one,) if row.keep == "it" else tuple(m for m in members[row.of] if m != one)
            variants.append(Variant(study, row.name.format(one), method, {row.option: kept}))
    return variants

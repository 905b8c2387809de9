"""Wells in which no compound and no gene of interest acts: vehicle, untreated, empty and control genes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.feature_columns import set_of, some
from cytomol.corpus.identifiers import entity_of_column
from cytomol.corpus.roles import Roles
from cytomol.corpus.schema import Entity
from cytomol.errors import InputError

__all__ = ["Controls", "find_controls"]

# A value of a column such as pert_type or control_type, without case and punctuation. Positive controls
# are compounds like any other: trt_poscon and poscon_cp are not here.
_CONTROL = set_of(
    "negcon neg negative negativecontrol negcontrol controlnegative negctrl nc vehicle ctlvehicle "
    "vehiclecontrol solvent solventcontrol dmso ctluntrt ctlvector ctluntrtcns ctlvectorcns "
    "ctlvehiclecns untreated untrt mock blank empty emptyvector ctl ctrl control true yes 1 "
    "notreatment nontargeting diluent pbs media medium"
)
_POSITIVE = re.compile(r"(^|[^a-z])pos(?!ition)|poscon", re.IGNORECASE)
# What a vehicle is called where a compound's name or id belongs.
_VEHICLE = set_of(
    "dmso dmsocontrol dimethylsulfoxide dimethylsulphoxide vehicle vehiclecontrol ctlvehicle negcon "
    "negativecontrol untreated untrt mock notreatment empty emptywell blank solvent solventcontrol "
    "nocompound control controls ctrl diluent water h2o pbs media medium"
)
_SOME_DMSO = re.compile(
    r"^[\d.]*\s*%?\s*dmso[\s_-]*\(?[\d.]*\s*%?\)?$", re.IGNORECASE
)  # DMSO 0.1%, 0.5% DMSO
_DMSO = set_of("CS(C)=O CS(=O)C O=S(C)C C[S](C)=O C[S+](C)[O-] C[S+]([O-])C")
_DMSO_KEY = "IAZDPXIOMUYVGZ"
# What stands where a gene belongs in wells whose reagent has no target; CTRL is a gene (chymotrypsin-like).
_NO_GENE = set_of(
    "lacz luciferase luc egfp gfp bfp rfp hcred mcherry nontargeting nontarget nontargetingcontrol "
    "ntc nosite oneintergenicsite intergenic safetargeting scramble scrambled emptyvector empty untrt "
    "untreated negcon negativecontrol negcontrol control pgw mock aavs1 chr2 nogene"
)
_NAMED = set_of(
    "pertiname compoundname name treatment perturbation drug drugname compound pertname cmapname "
    "cmpdname smiles pertid broadsample molid id moleculename trtname"
)


@dataclass(frozen=True)
class Controls:
    """Which wells are controls, and by what.

    Attributes
    ----------
    rows
        bool, shape (wells,).
    reasons
        How many wells each column and value made controls, most first.
    """

    rows: NDArray[np.bool_]
    reasons: dict[str, int]

    def __len__(self) -> int:
        return int(self.rows.sum())

    def __str__(self) -> str:
        """Return the reasons, a few of them."""
        return some([f"{reason} ({count:,})" for reason, count in self.reasons.items()], 4)


def find_controls(
    metadata: pd.DataFrame,
    roles: Roles,
    entity: Entity,
    *,
    given: Sequence[tuple[str, str]] = (),
    where: str = "",
) -> Controls:
    """Find the wells of vehicle, or of genes that are none.

    Parameters
    ----------
    metadata
        Columns that are no features, as text.
    roles
        Which of them says the kind of well.
    entity
        Whose profiles these are.
    given
        Columns and values that mark controls, as the user says ("" is an empty cell); they come instead of
        what is known by convention.
    where
        The file, for messages.
    """
    marks: list[tuple[str, NDArray[np.bool_]]] = []
    for column, value in given:
        name = roles.resolve(column, metadata)
        if name is None:
            raise InputError(
                f"has no column {column!r} to tell controls by",
                where=where,
                hint=f"columns beside the features: {', '.join(map(str, metadata.columns[:12])) or 'none'}",
            )
        marks.append((name, (metadata[name].str.strip() == value).to_numpy(np.bool_)))
    if not given:
        marks = _by_kind(metadata, roles) + _by_name(metadata, entity)
    rows = np.zeros(len(metadata), np.bool_)
    reasons: dict[str, int] = {}
    for name, found in marks:
        new = found & ~rows
        for text, count in metadata.loc[new, name].value_counts().items():
            reasons[f"{name} = {text or '(empty)'}"] = int(count)
        rows |= new
    return Controls(rows, dict(sorted(reasons.items(), key=lambda item: -item[1])))


def _plain(values: pd.Series[str]) -> pd.Series[str]:
    return values.astype(str).str.lower().str.replace(r"[^a-z0-9]", "", regex=True)


def _by_kind(metadata: pd.DataFrame, roles: Roles) -> list[tuple[str, NDArray[np.bool_]]]:
    """By pert_type, control_type and the like; where one of them says positive, the well is none."""
    columns = roles.columns.get("control", ())
    positive = np.zeros(len(metadata), np.bool_)
    for name in columns:
        positive |= metadata[name].map(lambda text: bool(_POSITIVE.search(str(text)))).to_numpy(np.bool_)
    return [(name, _plain(metadata[name]).isin(_CONTROL).to_numpy(np.bool_) & ~positive) for name in columns]


def _by_name(metadata: pd.DataFrame, entity: Entity) -> list[tuple[str, NDArray[np.bool_]]]:
    """By what stands where the name or id of a compound or gene belongs."""
    marks = []
    for name in map(str, metadata):
        values = metadata[name]
        if entity == "gene":
            if entity_of_column(name) == "gene":
                marks.append((name, _plain(values).isin(_NO_GENE).to_numpy(np.bool_)))
            continue
        plain = re.sub(r"[^a-z0-9]", "", re.sub(r"^([a-z0-9]+_)?meta(data)?[_.: -]", "", name.lower()))
        if plain in _NAMED or entity_of_column(name) == "molecule":
            vehicle = _plain(values).isin(_VEHICLE) | values.isin(_DMSO) | (values.str[:14] == _DMSO_KEY)
            vehicle |= values.str.match(_SOME_DMSO)
            marks.append((name, vehicle.to_numpy(np.bool_)))
    return marks

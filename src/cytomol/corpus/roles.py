"""Which columns of a table's metadata say dose, time, cell line, plate, batch and kind of well."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.feature_columns import words_of
from cytomol.errors import ConfigError, InputError

__all__ = ["CONDITIONS", "Role", "Roles", "absent", "amounts", "check_role", "find_roles", "matches"]

Role = Literal["dose", "time", "cell", "plate", "batch", "control", "condition"]

# What must agree for two wells to be replicates; a plate or a batch is where replicates differ.
CONDITIONS: tuple[Role, ...] = ("dose", "time", "cell", "condition")


def _in_order(names: str) -> tuple[str, ...]:
    return tuple(names.split())


# The words of a column's name, joined, best first.
_NAMES: dict[Role, tuple[str, ...]] = {
    "dose": _in_order(
        "pertdose dose mmolesperliter mmolesperliter2 concentration conc concentrationum doseum "
        "concum doseval dosevalue pertidose compoundconcentration dosage molarity "
        "compoundconcentrationum concentrationnm concentrationmm concnm dosenm pertconcentration "
        "finalconcentration treatmentconcentration drugdose drugconcentration compounddose "
        "pertmfcdose"
    ),
    "time": _in_order(
        "perttime time timepoint timeh timepointh timehours treatmenttime hours pertitime duration "
        "incubation incubationtime exposuretime hpi timehr timehrs timepointhours"
    ),
    "cell": _in_order(
        "cellid cellline celliname cell celllinename celllineid celltype celllines cellmfcname depmapid"
    ),
    "plate": _in_order(
        "plate assayplatebarcode platebarcode plateid detplate rnaplate barcode platename "
        "assayplate platenumber"
    ),
    "batch": _in_order("batch batchid batchname experiment run source"),
    "control": _in_order("controltype perttype control iscontrol welltype sampletype wellrole"),
}
_SEVERAL: tuple[Role, ...] = ("control", "condition")
_ABSENT = frozenset(("", "-666", "-666.0", "na", "n/a", "nan", "none", "null"))
_AMOUNT = re.compile(r"^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-zµμ]*)\s*$")
# To micromolar, and to hours
_FACTORS = {
    "": 1.0, "um": 1.0, "µm": 1.0, "μm": 1.0, "nm": 1e-3, "mm": 1e3, "pm": 1e-6, "m": 1e6,
    "h": 1.0, "hr": 1.0, "hrs": 1.0, "hour": 1.0, "hours": 1.0, "d": 24.0, "day": 24.0, "days": 24.0,
    "min": 1 / 60, "mins": 1 / 60,
}  # fmt: skip


@dataclass(frozen=True)
class Roles:
    """Columns of one table by their role.

    Attributes
    ----------
    columns
        Names of columns by role; a role that no column plays is absent.
    """

    columns: dict[Role, tuple[str, ...]] = field(default_factory=dict)

    def column(self, role: Role) -> str | None:
        """Return the column of a role, if there is one."""
        return next(iter(self.columns.get(role, ())), None)

    def resolve(self, name: str, metadata: pd.DataFrame) -> str | None:
        """Return the column that a user means by a role's or a column's own name; None if there is none."""
        if name in get_args(Role) and self.columns.get(name):  # type: ignore[call-overload]
            return self.columns[name][0]  # type: ignore[index]
        if name in metadata:
            return name
        wanted = "".join(words_of(name))
        return next((c for c in map(str, metadata) if "".join(words_of(c)) == wanted), None)


def find_roles(
    metadata: pd.DataFrame, given: Mapping[Role, Sequence[str]] | None = None, *, where: str = ""
) -> Roles:
    """Tell the roles of columns by their names.

    Parameters
    ----------
    metadata
        Columns that are no features.
    given
        Columns by role as the user says; these come instead of what the names say. An empty name means
        that no column plays the role.
    where
        The file, for messages.

    Raises
    ------
    InputError
        If a given column is not there.
    """
    given = given or {}
    plain = {str(name): "".join(words_of(str(name))) for name in metadata}
    columns: dict[Role, tuple[str, ...]] = {}
    for role in get_args(Role):
        if role not in given:
            found = [c for known in _NAMES.get(role, ()) for c, name in plain.items() if name == known]
        else:
            found = [name for name in given[role] if name]
            strange = [name for name in found if name not in metadata]
            if strange:
                known = ", ".join(map(str, metadata.columns[:12])) or "none"
                raise InputError(
                    f"has no column {strange[0]!r} for --role {role}={strange[0]}",
                    where=where,
                    hint=f"columns beside the features: {known}",
                )
        if found:
            columns[role] = tuple(found if role in _SEVERAL or role in given else found[:1])
    return Roles(columns)


def absent(values: pd.Series[str]) -> NDArray[np.bool_]:
    """Return which cells of a column of metadata say that nothing is known, shape (rows,)."""
    return values.astype(str).str.strip().str.lower().isin(_ABSENT).to_numpy(np.bool_)


def amounts(values: pd.Series[str]) -> NDArray[np.float64]:
    """Return doses or times as numbers, in micromolar and hours where a unit stands beside; NaN if none.

    >>> amounts(pd.Series(["10 uM", "500 nM", "-666", "24"])).tolist()
    [10.0, 0.5, nan, 24.0]
    """
    unknown = absent(values)
    numbers = np.full(len(values), np.nan)
    known: dict[str, float] = {}
    for row, text in enumerate(values.astype(str)):
        if unknown[row]:
            continue
        if text not in known:
            parts = _AMOUNT.match(text)
            factor = None if parts is None else _FACTORS.get(parts[2].lower())
            known[text] = np.nan if parts is None or factor is None else float(parts[1]) * factor
        numbers[row] = known[text]
    return numbers


def matches(values: pd.Series[str], wanted: str) -> NDArray[np.bool_]:
    """Return which cells hold a value: as written, else as the same number, else but for case."""
    text = values.astype(str).str.strip()
    exact = np.array(text == wanted, np.bool_)
    number = amounts(pd.Series([wanted]))[0]
    if np.isfinite(number):
        exact |= np.isclose(amounts(text), number, rtol=1e-9, atol=0)
    return exact if exact.any() else (text.str.lower() == wanted.lower()).to_numpy(np.bool_)


def check_role(name: str) -> Role:
    """Return the name of a role.

    Raises
    ------
    ConfigError
        If there is no such role.
    """
    if name not in get_args(Role):
        raise ConfigError(f"no role {name!r}", where="--role", hint=f"known: {', '.join(get_args(Role))}")
    return name  # type: ignore[return-value]

"""Drug-like molecules by combinatorics: a core, a pharmacophore or its look-alike, decorations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from cytomol.corpus.planted.fragments import (
    CORES,
    DECORATIONS,
    PHARMACOPHORES,
    SMALL_DECORATIONS,
    assemble,
)
from cytomol.errors import InputError

__all__ = [
    "CHEMOTYPES",
    "CORE_TABLE",
    "FIRST_GROUPS",
    "FirstGroup",
    "core_chemotypes",
    "lipophilicity",
    "sample_molecules",
]

CHEMOTYPES = tuple(CORES)
CORE_TABLE = tuple((chemotype, core) for chemotype, cores in CORES.items() for core in cores)
"""Every core with its chemotype; a molecule's ``core`` is its row here."""

_SHARE_BINDING, _SHARE_LOOKALIKE = 0.62, 0.22  # of molecules; the rest carry a decoration instead
_SKEW = 1.1  # exponent of the popularity of decorations: few are common, most are rare
_FORM_SHARE = (0.36, 0.26, 0.18, 0.12, 0.08)  # popularity of the forms of a pharmacophore
_CHUNK = 20_000
_MAXIMUM_DRAWS = 50  # per molecule, before the library counts as exhausted


@dataclass(frozen=True)
class FirstGroup:
    """What can stand at the first place of a core.

    Attributes
    ----------
    smiles
        Fragment.
    pharmacophore
        Index into ``PHARMACOPHORES`` that it is a form (or look-alike) of, -1 for a decoration.
    form
        Which form.
    binds
        False for look-alikes and decorations.
    """

    smiles: str
    pharmacophore: int
    form: int
    binds: bool


def _first_groups() -> tuple[FirstGroup, ...]:
    groups = [
        FirstGroup(fragment, number, form, binds)
        for number, pharmacophore in enumerate(PHARMACOPHORES)
        for form, pair in enumerate(pharmacophore.forms)
        for fragment, binds in zip(pair, (True, False), strict=True)
    ]
    groups += [FirstGroup(fragment, -1, -1, binds=False) for fragment in DECORATIONS[:40]]
    return tuple(groups)


FIRST_GROUPS = _first_groups()


@cache
def lipophilicity(fragment: str) -> float:
    """Return the Crippen logP of a fragment on its own (hydrogen: 0)."""
    if not fragment:
        return 0.0
    return float(rdMolDescriptors.CalcCrippenDescriptors(Chem.MolFromSmiles(fragment))[0])


def _popularity(count: int) -> NDArray[np.float64]:
    weight = np.arange(1, count + 1, dtype=np.float64) ** -_SKEW
    return np.asarray(weight / weight.sum())


def _first_group_shares() -> NDArray[np.float64]:
    share = np.zeros(len(FIRST_GROUPS))
    bare = np.array([group.pharmacophore < 0 for group in FIRST_GROUPS])
    for row, group in enumerate(FIRST_GROUPS):
        if group.pharmacophore >= 0:
            kind = _SHARE_BINDING if group.binds else _SHARE_LOOKALIKE
            share[row] = kind * _FORM_SHARE[group.form] / len(PHARMACOPHORES)
    share[bare] = (1 - _SHARE_BINDING - _SHARE_LOOKALIKE) * _popularity(int(bare.sum()))
    return np.asarray(share / share.sum())


def choose_cores(size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the cores that a library of ``size`` molecules is made of, sorted rows of ``CORE_TABLE``.

    The larger the library the more cores, equally many of each chemotype: 16, 32 or all 56. A small
    one holds enough molecules of each core to tell what the core does.
    """
    each = 2 if size < 5_000 else 4 if size < 20_000 else 7
    chemotype = core_chemotypes()
    return np.sort(
        np.concatenate(
            [rng.permutation(np.flatnonzero(chemotype == c))[:each] for c in range(len(CHEMOTYPES))]
        )
    )


def core_chemotypes() -> NDArray[np.int64]:
    """Return the chemotype of every core, rows of ``CHEMOTYPES``."""
    return np.array([CHEMOTYPES.index(name) for name, _ in CORE_TABLE])


def _draw(rng: np.random.Generator, count: int, cores: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return recipes, int64 (count, 4): core, first group, decoration, small decoration."""
    return np.column_stack(
        [
            rng.choice(cores, size=count),
            rng.choice(len(FIRST_GROUPS), size=count, p=_first_group_shares()),
            rng.choice(len(DECORATIONS), size=count, p=_popularity(len(DECORATIONS))),
            rng.choice(len(SMALL_DECORATIONS), size=count, p=_popularity(len(SMALL_DECORATIONS))),
        ]
    )


def _new_recipes(
    recipes: NDArray[np.int64], taken: NDArray[np.bool_], shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Return the recipes drawn for the first time, in order, and mark them in ``taken``."""
    code = np.ravel_multi_index(tuple(recipes.T), shape)
    first = np.sort(np.unique(code, return_index=True)[1])
    first = first[~taken[code[first]]]
    taken[code[first]] = True
    return np.asarray(recipes[first])


def _unique_molecules(rng: np.random.Generator, size: int) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield distinct molecules: most repeats are seen by their recipe, the rest by canonical SMILES."""
    shape = (len(CORE_TABLE), len(FIRST_GROUPS), len(DECORATIONS), len(SMALL_DECORATIONS))
    cores = choose_cores(size, rng)
    taken = np.zeros(int(np.prod(shape)), dtype=bool)
    seen: set[str] = set()
    for _ in range(_MAXIMUM_DRAWS * -(-size // min(_CHUNK, size))):
        for recipe in _new_recipes(_draw(rng, min(_CHUNK, size), cores), taken, shape):
            core, first, second, third = recipe
            raw = assemble(
                CORE_TABLE[core][1], FIRST_GROUPS[first].smiles, DECORATIONS[second], SMALL_DECORATIONS[third]
            )
            canonical = Chem.MolToSmiles(Chem.MolFromSmiles(raw))
            if canonical not in seen:
                seen.add(canonical)
                yield canonical, recipe
    raise InputError(f"the fragment library does not hold {size} distinct molecules")


def sample_molecules(size: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return distinct molecules with their recipes.

    Parameters
    ----------
    size
        Number of molecules.
    rng
        Source of randomness.

    Returns
    -------
    DataFrame
        ``smiles`` (canonical, distinct), ``core`` (row of ``CORE_TABLE``), ``first`` (row of
        ``FIRST_GROUPS``), ``second``, ``third`` (rows of the decorations), ``pharmacophore`` (index, -1
        none), ``binds``, ``lipophilicity`` (sum over fragments, logP units).
    """
    smiles: list[str] = []
    recipes = np.empty((size, 4), dtype=np.int16)
    for canonical, recipe in _unique_molecules(rng, size):
        recipes[len(smiles)] = recipe
        smiles.append(canonical)
        if len(smiles) == size:
            break
    core, first, second, third = recipes.T
    pharmacophore = np.array([group.pharmacophore for group in FIRST_GROUPS], dtype=np.int8)
    binds = np.array([group.binds for group in FIRST_GROUPS])
    fragments = [
        [group.smiles for group in FIRST_GROUPS],
        list(DECORATIONS),
        list(SMALL_DECORATIONS),
    ]
    tables = [np.array([lipophilicity(f) for f in names], dtype=np.float32) for names in fragments]
    lipo = tables[0][first] + tables[1][second] + tables[2][third]
    return pd.DataFrame(
        {
            "smiles": smiles,
            "core": core,
            "first": first,
            "second": second,
            "third": third,
            "pharmacophore": pharmacophore[first],
            "binds": binds[first],
            "lipophilicity": lipo,
        }
    )

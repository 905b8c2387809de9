"""Measured profiles read from where the user has them, and joined to the molecules of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.same_molecule import molecule_key
from cytomol.chem.keys import connectivity_block
from cytomol.corpus.align_features import aligned_profiles
from cytomol.corpus.identifiers import as_ids, plain_name
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import ProfileTable, aggregate_profiles, without_infinite
from cytomol.corpus.readers import read_corpus, read_profiles
from cytomol.corpus.rowkeys import RowKeys, row_keys
from cytomol.counted import agreeing, counted
from cytomol.errors import ConfigError, InputError
from cytomol.predict.profile_block import ProfileBlock
from cytomol.predict.profile_remarks import profile_remarks
from cytomol.predict.projected_profiles import projected_modality
from cytomol.tables.molecules import MoleculeTable

if TYPE_CHECKING:
    from cytomol.artifact.backbone import Backbone

__all__ = [
    "ProfileSource",
    "corrected_profiles",
    "join_profiles",
    "joined_nothing",
    "keys_by_id",
    "meant_modality",
    "read_profile_blocks",
    "structure_keys",
]


@dataclass(frozen=True)
class ProfileSource:
    """Where profiles are to be read, as the user names it: ``[NAME=]FILE`` or ``[NAME=]CORPUS[:MODALITY]``.

    Attributes
    ----------
    path
        Table of profiles, or folder of a corpus.
    name
        What the modality is called; the file's or the modality's own name if "" .
    modality
        Modality of the corpus; "" for a table, or for the only one.

    Examples
    --------
    >>> ProfileSource.parse("painting=profiles.parquet").name
    'painting'
    """

    path: Path
    name: str = ""
    modality: str = ""

    @classmethod
    def parse(cls, text: str) -> ProfileSource:
        """Read what the user wrote."""
        name, mark, rest = text.partition("=")
        if not mark or Path(text).exists():
            name, rest = "", text
        folder, mark, modality = rest.rpartition(":")
        if mark and Path(folder).is_dir():
            return cls(Path(folder), name.strip(), modality)
        return cls(Path(rest), name.strip())

    def read(self) -> tuple[str, ProfileTable]:
        """Return the name of the modality, and its profiles with what says whose they are.

        Raises
        ------
        InputError
            If there is no such table or modality.
        """
        if not self.path.is_dir():
            table = read_profiles(self.path)
            return self.name or self.path.name.split(".")[0], table
        corpus = read_corpus(self.path)
        known = [name for name, each in corpus.modalities.items() if each.entity == "molecule"]
        name = self.modality or (known[0] if len(known) == 1 else "")
        if name not in known:
            wrong = (
                f"has no modality {name!r} of molecules" if name else "has several modalities of molecules"
            )
            raise InputError(
                wrong, where=str(self.path), hint=f"name one of {', '.join(known)}: {self.path}:MODALITY"
            )
        modality = corpus.modalities[name]
        molecules = corpus.molecules.iloc[modality.rows].reset_index(drop=True)
        metadata = pd.concat([molecules, modality.provenance.frame()], axis=1)
        return self.name or name, ProfileTable(
            str(self.path), metadata, modality.values, tuple(modality.columns)
        )


def read_profile_blocks(
    sources: Sequence[str],
    molecules: MoleculeTable,
    *,
    known: Sequence[ProfileBlock] | None = None,
    backbone: Backbone | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[ProfileBlock]:
    """Read profiles and join them to the molecules of a table.

    Parameters
    ----------
    sources
        See :class:`ProfileSource`.
    molecules
        The table.
    known
        Modalities that a model has learnt from, whose features are looked for by name; None takes any.
    backbone
        That of the model: profiles that it projects are corrected for plate or library as in its training.
    say
        Called with a sentence on each source.

    Raises
    ------
    InputError
        If a source cannot be read, none of its profiles is of a molecule of the table, or it lacks features
        that the model has learnt from.
    ConfigError
        If two sources have one name.
    """
    blocks: list[ProfileBlock] = []
    for text in sources:
        source = ProfileSource.parse(text)
        name, table = source.read()
        if known is not None:
            meant = meant_modality(source.name, name, table, known)
            values = aligned_profiles(
                table.features, table.columns, meant.columns, name=meant.called, where=table.where
            )
            name, table = meant.name, replace(table, features=values, columns=meant.columns)
        if name in [other.name for other in blocks]:
            raise ConfigError(
                f"two sources of profiles are called {name!r}", hint="--profiles NAME=FILE names one"
            )
        blocks.append(join_profiles(table, molecules, name=name, backbone=backbone, say=say))
    return blocks


def meant_modality(asked: str, name: str, table: ProfileTable, known: Sequence[ProfileBlock]) -> ProfileBlock:
    """Return which of a model's modalities a source is of: that asked for, or one that its features fit."""
    where = table.where
    names = [each.name for each in known]
    if not names:
        raise InputError(
            "the model has learnt from no profiles",
            where=where,
            hint="fine-tune it with --profiles, or leave the option out",
        )
    if asked:
        if asked not in names:
            raise InputError(
                f"the model has learnt from no profiles {asked!r}",
                where=where,
                hint=f"it knows {', '.join(names)}",
            )
        return known[names.index(asked)]
    fitting = [each for each in known if set(each.columns) <= set(table.columns)]
    if len(fitting) > 1:
        same = [each for each in fitting if each.name == name]
        if len(same) == 1:
            return same[0]
        raise InputError(
            f"fits several modalities of the model: {', '.join(each.name for each in fitting)}",
            where=where,
            hint="--profiles NAME=FILE says which",
        )
    return fitting[0] if fitting else known[names.index(name) if name in names else 0]


def join_profiles(
    table: ProfileTable,
    molecules: MoleculeTable,
    *,
    name: str,
    backbone: Backbone | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> ProfileBlock:
    """Join profiles to the molecules of a table; repeats of a molecule become their median.

    A profile is of the molecule whose connectivity its InChIKey or SMILES has; one with neither is of the row
    with its id, in a column that both tables have; an id of several molecules joins nothing. Parameters as
    of :func:`read_profile_blocks`.

    Raises
    ------
    InputError
        If no profile is of a molecule of the table.
    """
    metadata = table.metadata.reset_index(drop=True)
    keys = row_keys(metadata)
    wanted = {key for key in map(molecule_key, molecules.smiles) if key}
    problems = Problems()
    table = without_infinite(replace(table, metadata=metadata), problems)
    found = structure_keys(keys)
    by_id = keys_by_id(keys, metadata, lambda: [molecules], molecules, np.ones(len(found), dtype=bool))
    found = np.where(found == "", by_id, found)
    values = table.features
    rows = np.array([key in wanted for key in found], dtype=bool) & ~np.isnan(values).all(axis=1)
    if not rows.any():
        raise joined_nothing(len(table), keys.columns, where=table.where, molecules=molecules.where)
    names, place = np.unique(found[rows].astype(str), return_inverse=True)
    of_molecule, merged = aggregate_profiles(place.astype(np.int64), values[rows], "median")
    block = ProfileBlock(
        name, table.columns, merged, {names[row]: at for at, row in enumerate(of_molecule.tolist())}
    )
    corrected = corrected_profiles(block, values, metadata, backbone)
    if corrected is not None:
        merged = aggregate_profiles(place.astype(np.int64), corrected[rows], "median")[1]
        block = replace(block, corrected=merged)
    repeats = f", {int(rows.sum()):,} profiles, repeats as their median" if rows.sum() > len(merged) else ""
    have = agreeing(len(merged), "molecule", "has", "have", of=len(wanted))
    say(f"profiles {name}: {have} one ({counted(len(table.columns), 'feature')}{repeats})")
    for remark in [*problems.notes, *profile_remarks(table, found, by_id, rows)]:
        say(f"profiles {name}: {remark}")
    return block


def joined_nothing(profiles: int, columns: Sequence[str], *, where: str, molecules: str) -> InputError:
    """Return what is said of a table of which no profile is of a molecule of the input.

    Parameters
    ----------
    profiles, columns
        How many there are, and what was looked at in the table.
    where, molecules
        The table and the input.
    """
    looked = f"its {', '.join(columns)}" if columns else "it has no column of SMILES, InChIKeys or ids"
    return InputError(
        f"none of its {profiles:,} profiles is of a molecule of {molecules}",
        where=where,
        hint=f"profiles are joined by the connectivity of SMILES or InChIKeys, or by a column of ids that"
        f" both tables have; {looked} {'joined nothing' if columns else ''}".rstrip(),
    )


def corrected_profiles(
    block: ProfileBlock, values: NDArray[np.float32], metadata: pd.DataFrame, backbone: Backbone | None
) -> NDArray[np.float32] | None:
    """Return profiles corrected as those were that the backbone projects; None where it corrects none."""
    name = projected_modality(backbone, block)
    if backbone is None or name is None or name not in backbone.corrections:
        return None
    at = [block.columns.index(column) for column in backbone.modalities[name]["columns"]]
    corrected = values.copy()
    corrected[:, at] = backbone.corrections[name].apply_by_metadata(values[:, at], metadata)
    return corrected


def structure_keys(keys: RowKeys) -> NDArray[np.object_]:
    """Return the key of each profile by its own InChIKey or SMILES; "" where it has neither."""
    found = [_key_of(inchikey, smiles) for inchikey, smiles in zip(keys.inchikey, keys.smiles, strict=True)]
    return np.array(found, dtype=object)


def _key_of(inchikey: str, smiles: str) -> str:
    return connectivity_block(inchikey) if inchikey else (molecule_key(smiles) if smiles else "")


def keys_by_id(
    keys: RowKeys,
    metadata: pd.DataFrame,
    tables: Callable[[], Iterable[MoleculeTable]],
    head: MoleculeTable,
    asked: NDArray[np.bool_],
) -> NDArray[np.object_]:
    """Return the key of each asked profile by an id that the input has too; "" elsewhere.

    Parameters
    ----------
    keys, metadata
        What is known of the profiles.
    tables
        Gives the input, whole or in chunks; once for each column that it shares with the profiles.
    head
        The columns of the input.
    asked
        Which profiles are looked for, bool, shape (profiles,).
    """
    result = np.full(len(metadata), "", dtype=object)
    columns = {plain_name(str(column)): str(column) for column in head.frame}
    for column in dict.fromkeys([*keys.ids, *keys.names, *map(str, metadata)]):
        other = columns.get(plain_name(column))
        if other is None or other == head.smiles_col or not asked.any():
            continue
        open_rows = np.flatnonzero(asked & (result == ""))
        ids = as_ids(metadata[column]).iloc[open_rows].tolist()
        looked_for, key_of = set(ids) - {""}, dict[str, str]()
        for table in tables():
            for text, smiles in zip(as_ids(table.frame[other]), table.smiles, strict=True):
                if text in looked_for and (key := molecule_key(smiles)):
                    key_of[text] = key if key_of.get(text, key) == key else ""  # a plate is of many molecules
        result[open_rows] = [key_of.get(text, "") for text in ids]
    return result

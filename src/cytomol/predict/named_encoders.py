"""Encoders as a user names them, as a model directory remembers them, and as a model is given them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cytomol.chem.encoders import MoleculeEncoder, encoders
from cytomol.errors import ConfigError, InputError, ModelDirectoryError
from cytomol.predict.vector_table import FROM_FILE, VectorTable

__all__ = ["given_again", "open_encoders", "remembered", "restored_encoder"]


def open_encoders(named: Sequence[str | MoleculeEncoder]) -> tuple[MoleculeEncoder, ...]:
    """Return encoders that are ready to encode.

    Parameters
    ----------
    named
        Names in the registry, ``file:TABLE``, or encoders themselves.

    Raises
    ------
    ConfigError
        If one is unknown (the known ones are listed), or two have one name.
    MissingDependencyError
        If one needs a package that is not installed.

    Examples
    --------
    >>> open_encoders(["nothing"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    cytomol.errors.ConfigError: unknown encoder 'nothing' (known: ...minimol...)
    """
    found: list[MoleculeEncoder] = []
    for each in named:
        encoder = each if isinstance(each, MoleculeEncoder) else _by_name(each)
        encoder.check()
        if encoder.name in [other.name for other in found]:
            raise ConfigError(
                f"two encoders are called {encoder.name!r}",
                hint="name each once; two tables need different file names",
            )
        found.append(encoder)
    return tuple(found)


def _by_name(name: str) -> MoleculeEncoder:
    if name.startswith(FROM_FILE):
        return VectorTable.read(name)
    if name not in encoders:
        known = ", ".join(encoders) or "none"
        raise ConfigError(f"unknown encoder {name!r}", hint=f"known: {known}; vectors of a table: file:TABLE")
    return encoders[name]()


def remembered(encoder: MoleculeEncoder) -> dict[str, Any]:
    """Return what a model directory keeps of an encoder, JSON-serialisable."""
    return {
        "name": encoder.name,
        "width": encoder.width,
        "version": encoder.version,
        "module": type(encoder).__module__,
        "columns": list(encoder.columns) if isinstance(encoder, VectorTable) else None,
        "pretraining": encoder.pretraining.said(encoder.name),
    }


def restored_encoder(kept: Mapping[str, Any], *, where: str) -> MoleculeEncoder:
    """Return the encoder that a model directory asks for.

    Raises
    ------
    ModelDirectoryError
        If it is not registered, or gives other vectors than it did.
    MissingDependencyError
        If it needs a package that is not installed.
    """
    name = kept["name"]
    if kept["columns"] is not None:
        return VectorTable.promised(name, kept["columns"])
    if name not in encoders:
        raise ModelDirectoryError(
            f"needs the encoder {name!r}, which is not registered",
            where=where,
            hint=f"import the module that registers it first: --plugin {kept['module']}",
        )
    encoder = encoders[name]()
    encoder.check()
    if (encoder.width, encoder.version) != (kept["width"], kept["version"]):
        raise ModelDirectoryError(
            f"was made with the encoder {name!r} of version {kept['version'] or 'unknown'}, width"
            f" {kept['width']}; here it has version {encoder.version or 'unknown'}, width {encoder.width}",
            where=where,
            hint="install the encoder that it was made with, or fine-tune again",
        )
    return encoder


def given_again(
    known: Sequence[MoleculeEncoder], named: Sequence[str | MoleculeEncoder]
) -> tuple[MoleculeEncoder, ...]:
    """Return a model's encoders, with tables for those that read one.

    Parameters
    ----------
    known
        The encoders of the model.
    named
        ``file:TABLE``, or tables; each is for the one whose columns it has.

    Raises
    ------
    ConfigError
        If one is no table: the model knows its other encoders.
    InputError
        If the model reads no table, or the columns are not those that it has learnt from.
    """
    tables = [each for each in known if isinstance(each, VectorTable)]
    given: dict[str, VectorTable] = {}
    for each in named:
        table = VectorTable.read(each) if isinstance(each, str) and each.startswith(FROM_FILE) else each
        if not isinstance(table, VectorTable):
            raise ConfigError(
                f"the model knows which encoders it reads: {', '.join(one.name for one in known) or 'none'}",
                where=f"encoder {table if isinstance(table, str) else table.name}",
                hint="leave it out; only a table of vectors is given again, as file:TABLE",
            )
        if not tables:
            raise InputError(
                "the model reads no table of vectors", where=table.where, hint="leave --encoder out"
            )
        meant = _meant(table, tables)
        given[meant.name] = table.aligned(meant)
    return tuple(given.get(each.name, each) for each in known)


def _meant(table: VectorTable, tables: Sequence[VectorTable]) -> VectorTable:
    """Return which of a model's tables this one is for: one whose columns it has, else of the same name."""
    fitting = [each for each in tables if set(each.columns) <= set(table.columns)] or list(tables)
    same = [each for each in fitting if each.name == table.name]
    if len(fitting) == 1 or not same:
        return fitting[0]
    return same[0]

"""Errors that tell a user what is wrong, where, and what to do about it."""

from __future__ import annotations

import warnings

__all__ = [
    "ConfigError",
    "CytomolError",
    "InputError",
    "InputNote",
    "MissingDependencyError",
    "ModelDirectoryError",
    "OutputError",
    "note",
]


_MOST = 640  # letters of what was found, and of where; hints are our own


class CytomolError(Exception):
    """Base of every error that cytomol raises on purpose.

    Parameters
    ----------
    what
        What was found, in one sentence.
    where
        File, row or column that holds the cause.
    hint
        What the user can do.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(what, where, hint)

    def __str__(self) -> str:
        """Return one message: where, what, hint."""
        what = _cut(self.what)
        message = what if self.where is None else f"{_cut(self.where)}: {what}"
        return message if self.hint is None else f"{message} ({self.hint})"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with keywords, so that an error crosses a process boundary whole."""
        return _rebuild, (type(self), self.what, self.where, self.hint)


def _cut(text: str) -> str:
    """Return a text without its middle where nobody would read it: a name from a file may be a book."""
    return text if len(text) <= _MOST else f"{text[: _MOST // 2]} … {text[-_MOST // 2 :]}"


def _rebuild(cls: type[CytomolError], what: str, where: str | None, hint: str | None) -> CytomolError:
    return cls(what, where=where, hint=hint)


class InputError(CytomolError):
    """A file, table, molecule or value that cannot be used."""


class ConfigError(CytomolError):
    """An option or configuration file that does not make sense."""


class OutputError(CytomolError):
    """A result that cannot be written."""


class ModelDirectoryError(CytomolError):
    """A model directory that is absent, altered or not ours."""


class MissingDependencyError(CytomolError):
    """An optional package that the requested feature needs."""


class InputNote(UserWarning):
    """What a user should know of an input that is read all the same; the command line prints it."""


def note(what: str, *, where: str) -> None:
    """Say something of an input that is no error."""
    warnings.warn(f"{where}: {what}", InputNote, stacklevel=2)

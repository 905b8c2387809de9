"""Named strategies: register with a decorator, look up by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from cytomol.errors import ConfigError

T = TypeVar("T")

__all__ = ["Registry", "import_plugins"]

_SHOWN = 60  # letters of an unknown name: a damaged file may hold one that fills the screen


def import_plugins(modules: Sequence[str]) -> None:
    """Import modules that register a user's own strategies.

    Raises
    ------
    ConfigError
        If one cannot be imported.

    Examples
    --------
    >>> import_plugins(["no_such_module"])
    Traceback (most recent call last):
    ...
    cytomol.errors.ConfigError: plugin no_such_module: cannot be imported: No module named 'no_such_module'
    """
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ConfigError(f"cannot be imported: {error}", where=f"plugin {name}") from None


class Registry(Generic[T]):
    """A table of strategies of one kind (readers, splitters, heads, ...).

    Parameters
    ----------
    kind
        What the entries are, in the singular; it appears in error messages.

    Examples
    --------
    >>> heads: Registry[type] = Registry("head")
    >>> @heads.register("linear")
    ... class Linear: ...
    >>> heads["linear"] is Linear
    True
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its argument under ``name``."""

        def decorate(entry: T) -> T:
            if name in self._entries:
                message = f"{self.kind} {name!r} is registered twice"
                raise ValueError(message)
            self._entries[name] = entry
            return entry

        return decorate

    def __getitem__(self, name: str) -> T:
        """Return the entry called ``name``; an unknown name lists the known ones."""
        try:
            return self._entries[name]
        except KeyError:
            raise ConfigError(
                f"unknown {self.kind} {name[:_SHOWN]!r}", hint=f"known: {', '.join(self.names()) or 'none'}"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def names(self) -> list[str]:
        """Return the known names, sorted."""
        return sorted(self._entries)

"""Named strategies: register with a decorator, look up by name."""

from __future__ import annotations

import importlib
import sys
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
        self._later: dict[str, str] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its argument under ``name``."""

        def decorate(entry: T) -> T:
            # a name that is promised to a module is that module's, which is known once it is being imported
            if name in self._entries or self._later.get(name, "sys") not in sys.modules:
                message = f"{self.kind} {name!r} is registered twice"
                raise ValueError(message)
            self._entries[name] = entry
            return entry

        return decorate

    def register_later(self, module: str, *names: str) -> None:
        """Name what a module registers; it is imported when one of its entries is asked for.

        Parameters
        ----------
        module
            A module that registers all of the names when it is imported.
        names
            What it registers.
        """
        self._later |= dict.fromkeys(names, module)

    def __getitem__(self, name: str) -> T:
        """Return the entry called ``name``; an unknown name lists the known ones."""
        if name not in self._entries and name in self._later:
            importlib.import_module(self._later[name])
        try:
            return self._entries[name]
        except KeyError:
            raise ConfigError(
                f"unknown {self.kind} {name[:_SHOWN]!r}", hint=f"known: {', '.join(self.names()) or 'none'}"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._later

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def names(self) -> list[str]:
        """Return the known names, sorted."""
        return sorted({*self._entries, *self._later})

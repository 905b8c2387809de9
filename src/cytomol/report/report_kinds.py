"""Which report a directory gets: each kind of result has its file ``of_*.py`` and knows its directories."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Protocol

from cytomol.errors import InputError
from cytomol.registry import Registry
from cytomol.report.page import Page

__all__ = ["ReportKind", "report_kinds", "report_of"]


class ReportKind(Protocol):
    """A kind of report."""

    def recognises(self, directory: Path) -> bool:
        """Say whether a directory, or a file, is what this report is about, by names and manifests alone."""
        ...

    def page(self, directory: Path) -> Page:
        """Return the report, a function of the directory alone."""
        ...


report_kinds: Registry[type[ReportKind]] = Registry("kind of report")
"""The kinds by name. A new one is a class in a file ``report/of_NAME.py``, registered with one decorator."""


def report_of(directory: str | Path) -> Page:
    """Return the report on what a directory holds.

    Parameters
    ----------
    directory
        What a verb wrote: a model, a benchmark.

    Raises
    ------
    InputError
        If it is absent, or nothing that has a report.

    Examples
    --------
    >>> import tempfile
    >>> try:
    ...     report_of(tempfile.mkdtemp())
    ... except InputError as error:
    ...     print(error.what)
    holds nothing that cytomol has a report on
    """
    import cytomol.report as room

    path = Path(directory)
    if not path.exists():
        raise InputError("not found", where=str(path), hint="give what a verb wrote")
    for module in pkgutil.iter_modules(room.__path__):
        if module.name.startswith("of_"):
            import_module(f"{room.__name__}.{module.name}")
    for name in report_kinds:
        kind = report_kinds[name]()
        if kind.recognises(path):
            return kind.page(path)
    raise InputError(
        "holds nothing that cytomol has a report on",
        where=str(path),
        hint=f"give the result of a {', a '.join(report_kinds)}",
    )

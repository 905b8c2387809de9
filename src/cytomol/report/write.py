"""Writes a report, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from cytomol.files import REPORT, atomic_file
from cytomol.report.report_kinds import report_of

__all__ = ["report_place", "write_report"]


def report_place(result: str | Path) -> Path:
    """Return where the report on a result lies.

    Examples
    --------
    >>> report_place("matches.csv.gz").name
    'matches.report.html'
    """
    path = Path(result)
    if path.is_dir():
        return path / REPORT
    return path.with_name(f"{Path(path.name.removesuffix('.gz')).stem}.{REPORT}")


def write_report(directory: str | Path, out: str | Path | None = None, *, force: bool = False) -> Path:
    """Write the report on a directory or a table.

    Parameters
    ----------
    directory
        What a verb wrote.
    out
        The file to be made; None writes ``report.html`` into the directory, or ``NAME.report.html`` beside
        the table ``NAME.csv``, in place of an earlier one.
    force
        Replace an existing file.

    Raises
    ------
    InputError
        If there is no report on such a directory.
    OutputError
        If the file exists (without ``force``) or cannot be written.
    """
    place = report_place(directory) if out is None else Path(out)
    text = report_of(directory).html()
    with atomic_file(place, force=force or out is None) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return place

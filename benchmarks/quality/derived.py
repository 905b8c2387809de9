"""The command line of tables that follow from the campaign's rows and kept predictions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd

from cytomol.errors import CytomolError
from cytomol.files import atomic_file

__all__ = ["derive"]

_ROOT = Path(__file__).resolve().parents[2]


def derive(
    name: str,
    text: str | None,
    columns: Sequence[str],
    records: Callable[[argparse.Namespace], Iterable[object]],
    arguments: list[str] | None,
    *,
    form: str = "%.6g",
) -> int:
    """Write ``NAME.csv`` into the folder of the campaign; return the exit status.

    Parameters
    ----------
    name, text
        The table, which is the module's name too, and what ``--help`` says.
    columns
        Of the table.
    records
        Returns its rows from the options ``out``, the folder of the campaign, and ``work``, one outside git.
    arguments
        Of the command line; None for those of the process.
    form
        Of numbers.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.quality.{name}", description=text)
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "quality", help="folder outside git")
    options = parser.parse_args(arguments)
    try:
        table = pd.DataFrame(list(records(options)), columns=list(columns))
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if table.empty:
        print(f"error: {options.out} has no predictions for it; run the campaign first", file=sys.stderr)
        return 2
    path = options.out / f"{name}.csv"
    with atomic_file(path, force=True) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format=form)
    print(f"{len(table)} rows: {path}")
    return 0

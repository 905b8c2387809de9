"""Write docs/benchmarks.md and the pages behind it from the rows: ``python -m benchmarks.quality.page``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.quality.behind import BEHIND, Behind
from benchmarks.quality.figures import draw, figures
from benchmarks.quality.front import front
from benchmarks.quality.rows import Rows

from cytomol.errors import CytomolError
from cytomol.files import atomic_file

__all__ = ["main", "pages"]

_ROOT = Path(__file__).resolve().parents[2]


def pages(rows: Rows, out: Path) -> dict[Path, str]:
    """Return the text of each page by its path: the page of results, and in a folder those behind it.

    Parameters
    ----------
    rows
        What they are made from.
    out
        Path of the page of results; the folder has its name without suffix, and figures lie in ``figures``.
    """
    folder = out.with_suffix("")
    texts = {out: front(rows, folder.name)}
    return texts | {folder / page.file: _text(page, rows, out.name) for page in BEHIND}


def _text(page: Behind, rows: Rows, front_name: str) -> str:
    parts = [f"# {page.title}\n", f"Behind [the benchmarks](../{front_name}); rows and page are made by\n"]
    parts += [f"```sh\n{page.command}\npython -m benchmarks.quality.page\n```\n", *page.lines(rows)]
    if page.figure in (drawn := figures(rows)):
        parts.append(f"![{page.figure}](../figures/{drawn[page.figure]})\n")
    return "\n".join(parts).rstrip() + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or say whether they are what the rows give; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.page", description=__doc__)
    parser.add_argument("--results", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    parser.add_argument("--out", type=Path, default=_ROOT / "docs" / "benchmarks.md", help="page to write")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page differs")
    options = parser.parse_args(arguments)
    try:
        rows = Rows.read(options.results)
        texts = pages(rows, options.out)
        if options.check:
            return _check(texts, options.out)
        draw(rows, options.out.parent / "figures")
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(path, force=True) as temporary:
                temporary.write_text(text, encoding="utf-8")
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _check(texts: dict[Path, str], out: Path) -> int:
    """Name the pages that differ from what the rows give, and those that no rows give; return the status."""
    wrong = [path for path, text in texts.items() if not path.is_file() or path.read_text("utf-8") != text]
    wrong += sorted(set(out.with_suffix("").glob("*.md")) - set(texts))
    for path in wrong:
        print(f"error: {path} is not what the rows give; write the pages again", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

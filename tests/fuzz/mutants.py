"""Faults planted in the source, which the tests should find: ``python -m tests.fuzz.mutants --mutants 50``.

Changes to `objectives`, `context`, `assays` and `predict` (`tests.fuzz.mutations` says which) are drawn at
random. For each a process of its own runs the tests of the changed file, until one fails: those that mirror
it or import it, else those of its package. Every mutant is a row of ``benchmarks/results/mutants.csv``; rows
that are there stay, so that the command goes on where it ended. Whoever has looked at a survivor writes into
its column `why` what makes the change no fault, or writes the test that was missing: ``--again`` runs the
survivors that have no reason yet once more, with all tests of their package.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tests.fuzz.children import settle
from tests.fuzz.mutations import Mutation, mutations

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "mutants.csv"
COLUMNS = ("package", "module", "line", "column", "change", "result", "by", "seconds", "why")
PACKAGES = ("objectives", "context", "assays", "predict")
COPIED = ("src", "tests", "tools", "benchmarks", "pyproject.toml")
LIMIT = 900.0  # seconds; what takes longer goes on without end
MISSED = "a test was missing"
LOADED = (
    *("torch", "lightning", "lightgbm", "sklearn", "pandas", "scipy", "pyarrow", "rdkit", "numba"),
    *("hypothesis", "usearch", "matplotlib", "pydantic", "fastapi", "numpy", "pytest", "_pytest"),
)
Row = dict[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the mutants that have no row yet; return 1 if one survived without a reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.mutants", description=__doc__.split("\n")[0])
    parser.add_argument("--mutants", type=int, default=50, help="of each package (50)")
    parser.add_argument("--only", action="append", choices=PACKAGES, help="this package")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so many minutes")
    parser.add_argument("--again", action="store_true", help="survivors that have no reason yet")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    rows = read_rows(options.output)
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = copy_tree(Path(folder) / "tree")
        for package in options.only or PACKAGES:
            drawn = (
                survivors(tree, package, rows)
                if options.again
                else draw(tree, package, options.mutants, options.seed, rows)
            )
            if drawn:
                load(tree, package)
            for path, mutation in drawn:
                if time.monotonic() > end:
                    break
                tests = ordered_tests(tree, package, path, alone=not options.again)
                row = try_mutant(tree, named(tree, package, path, mutation), (path, mutation), tests)
                if options.again and row["result"] != "survived":
                    row["why"] = MISSED
                rows[key(row)] = row
                write_rows(options.output, rows)
                print(", ".join(row.values()), flush=True)
    for package in PACKAGES:
        count = Counter(row["result"] for row in rows.values() if row["package"] == package)
        print(f"{package}: {count.total()} mutants, {', '.join(f'{n} {what}' for what, n in count.items())}")
    return int(any(row["result"] == "survived" and not row["why"] for row in rows.values()))


def key(row: Row) -> tuple[str, ...]:
    """Return what names a mutant."""
    return tuple(row[name] for name in COLUMNS[:5])


def copy_tree(tree: Path) -> Path:
    """Copy what the tests need, so that no other process sees a changed source."""
    tree.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "results")
            shutil.copytree(ROOT / name, tree / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, tree / name)
    return tree


def sites(tree: Path, package: str) -> list[tuple[Path, Mutation]]:
    """Return every change of a package, by file."""
    folder = tree / "src" / "cytomol" / package
    return [
        (path, mutation)
        for path in sorted(folder.rglob("*.py"))
        for mutation in mutations(path.read_text(encoding="utf-8"))
    ]


def named(tree: Path, package: str, path: Path, mutation: Mutation) -> Row:
    """Return the row of a mutant that has not run."""
    module = path.relative_to(tree / "src" / "cytomol" / package).as_posix()
    row = dict.fromkeys(COLUMNS, "")
    row |= {"package": package, "module": module, "line": str(mutation.line)}
    return row | {"column": str(mutation.column), "change": mutation.change}


def draw(
    tree: Path, package: str, count: int, seed: int, rows: dict[tuple[str, ...], Row]
) -> list[tuple[Path, Mutation]]:
    """Draw mutants of a package; those that have a row are left out."""
    every = sites(tree, package)
    random.Random(f"{package} {seed}").shuffle(every)  # fewer are the first of more
    return [one for one in every[:count] if key(named(tree, package, *one)) not in rows]


def survivors(tree: Path, package: str, rows: dict[tuple[str, ...], Row]) -> list[tuple[Path, Mutation]]:
    """Return the mutants that survived and have no reason, where the source still has their place."""
    wanted = {name for name, row in rows.items() if row["result"] == "survived" and not row["why"]}
    return [one for one in sites(tree, package) if key(named(tree, package, *one)) in wanted]


def ordered_tests(tree: Path, package: str, path: Path, *, alone: bool) -> list[str]:
    """Return the tests of a package, those of a file or of its room first, or alone."""
    every = sorted((tree / "tests" / "unit" / package).rglob("test_*.py"))
    module = ".".join(path.relative_to(tree / "src").with_suffix("").parts)
    mirrored = [test for test in every if test.name == f"test_{path.stem}.py"]
    importing = [test for test in every if f"{module} " in test.read_text(encoding="utf-8")]
    room = path.parent.relative_to(tree / "src" / "cytomol")
    beside = [test for test in every if test.parent == tree / "tests" / "unit" / room and len(room.parts) > 1]
    own = list(dict.fromkeys([*mirrored, *importing, *beside]))
    return [str(test) for test in (own if alone and own else dict.fromkeys([*own, *every]))]


def load(tree: Path, package: str) -> None:
    """Load what the tests of a package load, but for cytomol itself: every mutant then starts with it.

    Raises
    ------
    RuntimeError
        If the tests cannot be read: nothing could be learnt from changes.
    """
    tests = [str(test) for test in sorted((tree / "tests" / "unit" / package).rglob("test_*.py"))]
    result, by, _ = run(tree, ["--collect-only", *tests], LIMIT)
    if result != "survived":
        raise RuntimeError(f"the tests of {package} cannot be read: {by}")
    for name in (tree / "modules").read_text(encoding="utf-8").split():
        if name.split(".")[0] in LOADED:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    print(f"{package}: {len(sites(tree, package))} places", flush=True)


def try_mutant(tree: Path, row: Row, place: tuple[Path, Mutation], tests: list[str]) -> Row:
    """Change the source, run the tests, and change it back; return the row with what came of it."""
    path, mutation = place
    source = path.read_text(encoding="utf-8")
    path.write_text(mutation.applied(source), encoding="utf-8")
    try:
        row["result"], row["by"], seconds = run(tree, tests, LIMIT)
    finally:
        path.write_text(source, encoding="utf-8")
    return row | {"seconds": f"{seconds:.1f}"}


def run(tree: Path, tests: list[str], limit: float) -> tuple[str, str, float]:
    """Run tests in a process of its own: what came of it, the test that failed, and the seconds."""
    sys.stdout.flush()
    began = time.monotonic()
    (tree / "failed").write_text("", encoding="utf-8")
    pid = os.fork()
    if pid == 0:
        _child(tree, tests)
    result = ""
    while not result:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            result = "survived" if code == 0 else "killed"
        elif time.monotonic() - began > limit:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            result = "timeout"
        else:
            time.sleep(0.02)
    shutil.rmtree(tree.parent / "temporary", ignore_errors=True)
    return result, (tree / "failed").read_text(encoding="utf-8"), time.monotonic() - began


class Told:
    """A plugin of pytest that writes the name of the first test that fails."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def pytest_runtest_logreport(self, report: object) -> None:
        """Note a test."""
        self._note(report)

    def pytest_collectreport(self, report: object) -> None:
        """Note a file that cannot be imported."""
        self._note(report)

    def _note(self, report: object) -> None:
        if report.failed and not self.file.read_text(encoding="utf-8"):
            self.file.write_text(report.nodeid.removeprefix("tests/unit/"), encoding="utf-8")


def _child(tree: Path, tests: list[str]) -> NoReturn:
    """Be the process that runs tests on the copied source, the same examples every time."""
    code = 1
    try:
        settle(tree)
        os.ftruncate(1, 0)
        for name in [name for name in sys.modules if name.split(".")[0] in {"tests", "tools", "benchmarks"}]:
            del sys.modules[name]
        paths = [str(tree / "src"), str(tree)]
        sys.path[:] = [*paths, *(path for path in sys.path if path not in {"", str(ROOT), str(ROOT / "src")})]
        os.environ |= {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.dont_write_bytecode = True
        import pytest
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("same", database=None, derandomize=True, deadline=None, phases=phases)
        settings.load_profile("same")
        words = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={tree.parent / 'temporary'}"]
        code = int(pytest.main([*words, *tests], plugins=[Told(tree / "failed")]))
        (tree / "modules").write_text("\n".join(sys.modules), encoding="utf-8")
    except BaseException as error:  # noqa: BLE001 - the log says what
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)


def read_rows(path: Path) -> dict[tuple[str, ...], Row]:
    """Return the rows that are there."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as handle:
        return {key(row): row for row in csv.DictReader(handle)}


def write_rows(path: Path, rows: dict[tuple[str, ...], Row]) -> None:
    """Write the rows, a package after the other."""

    def order(row: Row) -> tuple[int, str, int, int]:
        return PACKAGES.index(row["package"]), row["module"], int(row["line"]), int(row["column"])

    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows.values(), key=order))


if __name__ == "__main__":
    sys.exit(main())

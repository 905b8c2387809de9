"""Try both ends of the versions that are declared: ``python -m tools.versions --lowest`` and ``--newest``.

The wheel is installed in an environment of its own with the lowest version that pyproject.toml declares of
every package that cytomol and its extras need, or with the newest within its range. Every module is imported,
and tests that touch every package run there. What was installed and what came of it is a row of
``benchmarks/results/versions.csv``. ``--python python3.13`` takes another interpreter, ``--torch`` another
torch than that of the Makefile, and ``--show`` prints the constraints alone.
Packages of a few gigabytes are fetched each time; ``--venv`` keeps them for the next.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.architecture import ROOT
from tools.wheel import TRIAL, build

__all__ = ["COLUMNS", "EXTRAS", "RESULTS", "TESTS", "declared", "lowest", "main"]

RESULTS = ROOT / "benchmarks" / "results" / "versions.csv"
COLUMNS = ("end", "python", "packages", "passed", "failed", "skipped", "seconds", "day")
EXTRAS = ("excel", "omics", "sign", "mlflow", "ray", "tensorboard")
TOOLS = ("pytest", "hypothesis", "httpx", "packaging", "psutil", "crepes")
# What touches the packages, some minutes of one core.
TESTS = (
    "unit/tables/test_excel.py",
    "unit/tables/test_annotated.py",
    "unit/files/test_locks.py",
    "unit/chem/test_parse.py",
    "unit/chem/test_featurize.py",
    "unit/chem/test_descriptors.py",
    "unit/chem/similarity/test_nearest.py",
    "unit/corpus/readers/test_profile_tables.py",
    "unit/context/test_walks.py",
    "unit/artifact/test_signature.py",
    "unit/learners/test_boosted_trees.py",
    "unit/predict/test_predictor.py",
    "unit/report/test_svg_figure.py",
    "unit/serve/test_service_app.py",
    "unit/test_config.py",
    "unit/test_tracking.py",
    "unit/test_progress.py",
    "cli/test_sign.py",
)


def declared() -> list[Requirement]:
    """Return what the package and its tried extras need, as pyproject.toml says it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"], *(t for e in EXTRAS for t in project["optional-dependencies"][e])]
    found = [Requirement(text) for text in texts]
    return [one for one in found if one.marker is None or one.marker.evaluate()]


def lowest(wanted: Sequence[Requirement]) -> list[str]:
    """Return a constraint for each package but torch: the version that its range begins with.

    Raises
    ------
    ValueError
        If a package has no range that begins somewhere.

    Examples
    --------
    >>> lowest([Requirement("lightgbm>=4.3,<5"), Requirement("torch>=2.4,<3")])
    ['lightgbm==4.3']
    """
    lines = []
    for one in wanted:
        ends = [part.version for part in one.specifier if part.operator == ">="]
        if len(ends) != 1:
            raise ValueError(f"{one}: its range begins nowhere")
        if one.name != "torch":
            lines.append(f"{canonicalize_name(one.name)}=={ends[0]}")
    return sorted(lines)


def install(python: str, venv: Path, wheel: Path, end: str, torch: str) -> str:
    """Make the environment, or take what is there, and return its interpreter."""
    inside = str(venv / ("Scripts" if os.name == "nt" else "bin") / "python")
    if not venv.exists():
        subprocess.run([python, "-m", "venv", venv], check=True)
        # by pip, which knows where this machine has a build for its CPU
        subprocess.run([inside, "-m", "pip", "install", "--quiet", torch], check=True)
    # the rest by uv: old versions that must agree keep pip searching for a quarter of an hour
    uv = [sys.executable, "-m", "uv", "pip"]
    constraints = venv / "constraints.txt"
    lines = lowest(declared()) if end == "lowest" else []
    constraints.write_text("\n".join([*lines, torch]) + "\n", encoding="utf-8")
    wanted = ["--reinstall-package", "cytomol", f"{wheel}[{','.join(EXTRAS)}]", *TOOLS]
    subprocess.run([*uv, "install", "--python", inside, "--constraint", constraints, *wanted], check=True)
    subprocess.run([*uv, "check", "--python", inside], check=True)
    return inside


def attempt(inside: str, place: Path, tests: Sequence[str]) -> dict[str, str]:
    """Import every module and run the tests, away from the source; return their columns."""
    away = place / "away"
    for name in ("tests", "tools", "benchmarks"):
        shutil.copytree(ROOT / name, away / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", away)
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables |= {"CYTOMOL_CACHE": str(place / "cache"), "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    subprocess.run([inside, "-I", "-c", TRIAL], cwd=away, check=True, env=variables)
    command = [inside, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{name}" for name in tests)]
    with subprocess.Popen(command, cwd=away, env=variables, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        last = ""
        for line in running.stdout:
            print(line, end="", flush=True)
            last = line
    counts = {what: number for number, what in re.findall(r"(\d+) (passed|failed|skipped|error)", last)}
    failed = int(counts.get("failed", 0)) + int(counts.get("error", 0))
    row = {"passed": counts.get("passed", "0"), "failed": str(failed)}
    return row | {
        "skipped": counts.get("skipped", "0"),
        "seconds": f"{time.monotonic() - began:.0f}",
    }


def versions(inside: str) -> tuple[str, str]:
    """Return the interpreter's version, and those of the declared packages in one line."""
    names = sorted({canonicalize_name(one.name) for one in declared()})
    code = (
        "import platform, sys; from importlib.metadata import version\n"
        "print(platform.python_version())\n"
        "print('; '.join(f'{name} {version(name)}' for name in sys.argv[1:]))"
    )
    done = subprocess.run([inside, "-c", code, *names], check=True, capture_output=True, text=True)
    python, packages = done.stdout.splitlines()
    return python, packages


def write(row: dict[str, str]) -> None:
    """Write a row in the place of an earlier one of the same end, interpreter and torch."""

    def key(one: dict[str, str]) -> tuple[str, ...]:
        (torch,) = (text for text in one["packages"].split("; ") if text.startswith("torch "))
        return one["end"], one["python"], torch

    rows: list[dict[str, str]] = []
    if RESULTS.exists():
        with RESULTS.open(newline="", encoding="utf-8") as handle:
            rows = [one for one in csv.DictReader(handle) if key(one) != key(row)]
    ordered = sorted([*rows, row], key=key)
    with RESULTS.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(ordered)


def main(argv: Sequence[str] | None = None) -> int:
    """Install, try, and write the row; return 1 if a test failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.versions", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--lowest", dest="end", action="store_const", const="lowest")
    which.add_argument("--newest", dest="end", action="store_const", const="newest")
    parser.add_argument("--python", default=sys.executable, help="the interpreter; this one by default")
    parser.add_argument("--torch", default="torch==2.13.0", help="requirement (torch==2.13.0)")
    parser.add_argument("--venv", type=Path, help="folder that keeps the environment; none by default")
    parser.add_argument("--show", action="store_true", help="print the constraints and end")
    parser.add_argument("tests", nargs="*", default=list(TESTS), help="below tests/; a chosen few by default")
    options = parser.parse_args(argv)
    if options.show:
        print("\n".join(lowest(declared()) if options.end == "lowest" else map(str, declared())))
        return 0
    with tempfile.TemporaryDirectory(prefix="versions-") as folder:
        place = Path(folder)
        wheel, _ = build(place / "dist")
        venv = options.venv.resolve() if options.venv else place / "venv"
        inside = install(options.python, venv, wheel, options.end, options.torch)
        python, packages = versions(inside)
        print(f"Python {python}; {packages}", flush=True)
        row = {"end": options.end, "python": python, "packages": packages}
        row |= attempt(inside, place, options.tests) | {"day": datetime.now(UTC).date().isoformat()}
    write(row)
    return int(row["failed"] != "0")


if __name__ == "__main__":
    sys.exit(main())

"""Build the wheel and the source archive, and try the wheel in a clean environment (`make wheel`)."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

from tools.architecture import ROOT

# Every module is imported but those that wait for an optional package, and a learner answers.
TRIAL = """
import importlib, pkgutil, sys
import cytomol
assert cytomol.__file__.startswith(sys.prefix), cytomol.__file__
for name in cytomol.__all__:
    assert getattr(cytomol, name).__doc__, name
modules = [found.name for found in pkgutil.walk_packages(cytomol.__path__, "cytomol.")]
for name in modules:
    if not name.endswith("__main__"):
        importlib.import_module(name)
from cytomol.serve.explorer.explorer_app import STATIC
assert (STATIC / "explorer.html").is_file()
editor = (STATIC / "vendor" / "openchemlib.js").is_file()
print("the explorer's page is there,", "with" if editor else "without", "its structure editor")
from cytomol import featurize
assert featurize(["CCO", "no molecule"]).valid.tolist() == [True, False]
print(f"{len(modules)} modules and {len(cytomol.__all__)} public names")
"""


def build(dist: Path) -> tuple[Path, Path]:
    """Build both archives into ``dist`` and return the wheel and the source archive."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(dist)]
    subprocess.run(command, cwd=ROOT, check=True)
    (wheel,), (source,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    return wheel, source


def check_source(archive: Path) -> None:
    """Stop if the source archive lacks what building from it needs.

    Raises
    ------
    SystemExit
        If a file is missing.
    """
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    wanted = {"pyproject.toml", "README.md", "LICENSE", "src/cytomol/py.typed", "src/cytomol/__init__.py"}
    wanted |= {"hatch_build.py", "frontend/package.json", "frontend/package-lock.json"}
    if missing := sorted(wanted - names):
        raise SystemExit(f"{archive.name} lacks {', '.join(missing)}")


def try_wheel(wheel: Path, torch: str | None) -> None:
    """Install the wheel with its dependencies in an environment of its own, and use it from there."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        venv.create(place / "venv", with_pip=True)
        binaries = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
        python = str(binaries / "python")
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        variables["CYTOMOL_CACHE"] = str(place / "cache")

        def run(command: Sequence[str]) -> None:
            subprocess.run(command, cwd=place, check=True, env=variables)

        if torch is not None:
            run([python, "-m", "pip", "install", "--quiet", torch])
        run([python, "-m", "pip", "install", "--quiet", str(wheel)])
        run([python, "-m", "pip", "check"])
        run([python, "-I", "-c", TRIAL])
        run([str(binaries / "cytomol"), "--version"])


def main() -> None:
    """Build, check and try."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", help="requirement to install first, such as torch==2.13.0")
    parser.add_argument("--dist", type=Path, help="folder to keep the archives in; none by default")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        dist = options.dist.resolve() if options.dist else Path(folder)
        wheel, source = build(dist)
        check_source(source)
        try_wheel(wheel, options.torch)
    print(f"{wheel.name} and {source.name} are good ({time.monotonic() - started:.0f} s)")


if __name__ == "__main__":
    main()

"""What is installed: every module and nothing else, importable from the built wheel alone."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from tools.architecture import ROOT, SOURCE

import cytomol

pytest.importorskip("hatchling", reason="the wheel is built with hatchling: pip install -e '.[dev]'")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from the source as it stands."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    source = {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == source
    assert "cytomol/py.typed" in names


def test_the_wheel_holds_the_explorer_and_its_editor_where_npm_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name for name in archive.namelist() if "/explorer/static/" in name}
    assert {"explorer.html", "explorer.css", "main.js"} <= names
    brought = {"openchemlib.js", "openchemlib.LICENSE", "openchemlib.json"}
    assert names & brought in (brought, set())


def test_without_npm_the_build_says_so_and_goes_on(tmp_path: Path) -> None:
    """Nor does a lock file that names something else, or an npm that fails, leave half an editor behind."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    shutil.copytree(ROOT / "frontend", tmp_path / "frontend", ignore=shutil.ignore_patterns("node_modules"))
    assert hook.bundle(tmp_path, None) == "npm is not installed"
    failing = tmp_path / "npm"
    failing.write_text("#!/bin/sh\necho no network >&2\nexit 1\n", encoding="utf-8")
    failing.chmod(0o755)
    if os.name != "nt":
        assert hook.bundle(tmp_path, str(failing)) == "npm ci fails: no network"
    assert not (tmp_path / hook.VENDOR).exists()
    there = tmp_path / hook.VENDOR
    there.mkdir(parents=True)
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))
    wanted = lock["packages"]["node_modules/openchemlib"]
    for name in ("openchemlib.js", "openchemlib.LICENSE"):
        (there / name).write_text("", encoding="utf-8")
    stamp = there / "openchemlib.json"
    stamp.write_text(json.dumps({name: wanted[name] for name in ("version", "integrity")}), encoding="utf-8")
    assert hook.bundle(tmp_path, None) == ""  # brought before: npm is not needed
    stamp.write_text(json.dumps({"version": "1.0.0", "integrity": "other"}), encoding="utf-8")
    assert hook.bundle(tmp_path, None) == "npm is not installed"


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        texts = {name.partition(".dist-info/")[2]: archive.read(name) for name in archive.namelist()}
    described = Parser().parsestr(texts["METADATA"].decode())
    assert described["Version"] == cytomol.__version__
    assert "cytomol = cytomol.cli.main:main" in texts["entry_points.txt"].decode()
    assert "licenses/LICENSE" in texts


def test_the_package_is_imported_from_the_unpacked_wheel(wheel: Path, tmp_path: Path) -> None:
    """Isolated (`-I`): neither the working folder nor the environment's paths stand in for a missing file."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import cytomol, cytomol.cli.main\n"
        "print(cytomol.__file__); print(cytomol.__version__)\n"
        "sys.exit('torch' in sys.modules)"
    )
    command = [sys.executable, "-I", "-c", code, str(tmp_path / "unpacked")]
    finished = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    file, version = finished.stdout.splitlines()
    assert Path(file) == tmp_path / "unpacked" / "cytomol" / "__init__.py"
    assert version == cytomol.__version__

"""Bring the structure editor into the package when it is built, where npm is there; without it, go on."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONTEND = Path("frontend")
VENDOR = Path("src/cytomol/serve/explorer/static/vendor")
_PACKAGE = "node_modules/openchemlib"
_FILES = {"dist/openchemlib.js": "openchemlib.js", "LICENSE": "openchemlib.LICENSE"}
_STAMP = "openchemlib.json"
_SECONDS = 120


class EditorHook(BuildHookInterface):
    """Copies openchemlib's module and licence, as the lock file names them, beside the explorer's page."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface's
        """Bundle before the files of the wheel are gathered, also of an editable one."""
        missing = bundle(Path(self.root), shutil.which("npm"))
        if missing:
            self.app.display_warning(f"the explorer has no structure editor, SMILES can be typed: {missing}")
        build_data["artifacts"].append(f"{VENDOR.as_posix()}/*")


def bundle(root: Path, npm: str | None) -> str:
    """Put the editor in its place below ``root``; return why it is not there, or "".

    What is there already, of the version that the lock file names, stays. Scripts of packages do not run.
    """
    lock = json.loads((root / FRONTEND / "package-lock.json").read_text(encoding="utf-8"))
    wanted = {name: lock["packages"][_PACKAGE][name] for name in ("version", "integrity")}
    place = root / VENDOR
    if _is(place, wanted):
        return ""
    if npm is None:
        return "npm is not installed"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(root / FRONTEND / name, work / name)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(  # noqa: S603 - npm, found by name
                command, cwd=work, check=False, capture_output=True, text=True, timeout=_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"npm does not run: {error}"
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            return f"npm ci fails: {lines[0] if lines else done.returncode}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for source, name in _FILES.items():  # and last the stamp: all is there
            shutil.copyfile(work / _PACKAGE / source, place / name)
        (place / _STAMP).write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
    return ""


def _is(place: Path, wanted: dict[str, str]) -> bool:
    try:
        stamped = json.loads((place / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamped == wanted) and all((place / name).is_file() for name in _FILES.values())

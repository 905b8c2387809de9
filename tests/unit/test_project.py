"""What is said twice about the project is said alike."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import yaml
from tools.architecture import ROOT

import cytomol

WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]


def test_one_version(project: dict[str, Any]) -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert project["version"] == cytomol.__version__ == citation["version"]


def test_the_workflow_runs_every_python_and_system(project: dict[str, Any], jobs: dict[str, Any]) -> None:
    name = "Programming Language :: Python :: "
    stated = [text.removeprefix(name) for text in project["classifiers"] if text.startswith(name)]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert matrix["python"] == stated
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_the_workflow_checks_what_make_checks(jobs: dict[str, Any]) -> None:
    """A step that `make lint` gains must not be missing from the workflow."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.partition("\nlint:")[2].partition("\n\n")[0].splitlines()[1:]
    commands = [line.strip().removeprefix("$(BIN)/") for line in recipe]
    run = "\n".join(step.get("run", "") for step in jobs["lint"]["steps"])
    assert len(commands) == 5
    assert commands == run.splitlines()[-len(commands) :]

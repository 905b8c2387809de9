"""The commands whose memory is measured are ones that the command line takes."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pandas as pd
import pytest
from benchmarks.cells.memory import COMMANDS, Tables


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_line_takes_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    pd.DataFrame({"smiles": ["CCO", "C", "CC"]}).to_parquet(corpus / "molecules.parquet")
    monkeypatch.setattr("benchmarks.cells.memory.corpus_folder", lambda: corpus)
    (tmp_path / "config.json").write_text(json.dumps({"modalities": {"m": {"columns": ["a", "b"]}}}))
    verb, *arguments = COMMANDS[name](Tables(tmp_path, "m", tmp_path), 7)
    command = importlib.import_module(f"cytomol.cli.{verb}").command
    given = command.make_context(verb, arguments).params
    for file in (given["queries"], given["candidates"]) if verb == "match" else ():
        read = pd.read_csv if file.endswith("csv") else pd.read_parquet
        assert len(read(file)) in {7, 1000}

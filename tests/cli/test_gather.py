"""Shards of predict and embed, gathered: the bytes of one run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Run = Callable[..., Any]
SMILES = [f"{'C' * (i % 7 + 1)}{tail}" for i in range(12) for tail in ("O", "N", "c1ccncc1", "C1")]
PARTS = ("--workers", "1", "--chunk-rows", "10")


@pytest.fixture
def long_input(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    pd.DataFrame({"id": range(len(SMILES)), "smiles": SMILES}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("what", ["predict csv", "predict parquet", "embed npz"])
def test_gathered_is_to_the_byte_what_one_run_gives(
    cytomol: Run, fine_tuned: Path, long_input: Path, tmp_path: Path, what: str
) -> None:
    verb, suffix = what.split()
    whole, out = tmp_path / f"whole.{suffix}", tmp_path / f"out.{suffix}"
    one = cytomol(verb, fine_tuned, long_input, *PARTS, "-o", whole)
    assert one.code == 0, one.err
    shards = [f"{tmp_path}/part-{index}/" for index in (1, 2, 3)]
    for index, shard in enumerate(shards, start=1):
        done = cytomol(verb, fine_tuned, long_input, *PARTS, "-o", shard, "--shard", f"{index}/3")
        assert done.code == 0, done.err
    early = cytomol("gather", shards[0], shards[2], "-o", out)
    assert early.code == 2
    assert f"1 of 3 shards is missing: 2 (make it: cytomol {verb}" in early.err
    assert f"-o {shards[1]} --shard 2/3 --resume)" in early.err
    done = cytomol("gather", *shards, "-o", out)
    assert done.code == 0, done.err
    assert out.read_bytes() == whole.read_bytes()
    assert done.err.replace("out.", "whole.").splitlines()[-1] == one.err.splitlines()[-1]


def test_a_finished_shard_is_taken_up(
    cytomol: Run, fine_tuned: Path, long_input: Path, tmp_path: Path
) -> None:
    ask = [
        "predict",
        fine_tuned,
        long_input,
        *PARTS,
        "--shard",
        "1/2",
        "-o",
        f"{tmp_path}/part-1/",
        "--resume",
    ]
    assert cytomol(*ask).code == 0
    again = cytomol(*ask)
    assert again.code == 0, again.err
    assert "took up 2 finished chunks" in again.err
    other = cytomol(*ask, "--no-evidence")
    assert other.code == 2
    assert "holds shard 1/2 of another run" in other.err


def test_what_a_shard_cannot_be_is_refused_before_any_work(
    cytomol: Run, fine_tuned: Path, long_input: Path, tmp_path: Path
) -> None:
    cases = {
        ("-o", f"{tmp_path}/p.csv", "--shard", "1/2"): "with --shard, OUT is a folder",
        ("-o", f"{tmp_path}/p/", "--shard", "3/2"): "--shard: is no shard: '3/2'",
        ("-o", f"{tmp_path}/p/", "--shard", "1/2"): "use --chunk-rows 24 for all of them",
        ("-o", f"{tmp_path}/p.csv", "--engine", "ray", "--profiles", "x.csv"): "goes without --profiles",
    }
    for options, told in cases.items():
        done = cytomol("predict", fine_tuned, long_input, *options)
        assert done.code == 2
        assert told in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]

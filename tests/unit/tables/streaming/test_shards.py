"""Shards of an input: whole chunks, each in one shard, and the bytes of one run when they are gathered."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.tables.streaming.lengths import Lengths

from cytomol.errors import ConfigError, CytomolError, InputError, OutputError
from cytomol.tables.streaming import open_source
from cytomol.tables.streaming.gather import gather_shards
from cytomol.tables.streaming.shard_folder import NOTE
from cytomol.tables.streaming.shards import Shard
from cytomol.tables.streaming.stream_answers import StreamOptions, stream_answers


def command_of(out: str, shard: Shard | None) -> tuple[str, ...]:
    return ("cytomol", "predict", "m", "in.csv", "-o", f"{Path(out).name}/", f"--shard={shard}", "--resume")


def ask(table: Path, out: str, size: int, shard: Shard | None = None, **more: Any) -> None:
    job = Lengths(more.pop("matrix", False), seconds=more.pop("seconds", 0.0))
    options = StreamOptions(size, shard=shard, command=command_of(out, shard), **more)
    asked = {"verb": "measured", "model": "a", "on_error": None}
    stream_answers(open_source(table), job, out, options, asked=asked)


def parts(folder: Path, table: Path, size: int, count: int, **more: Any) -> list[Path]:
    found = [folder / f"part-{index}" for index in range(1, count + 1)]
    for index, out in enumerate(found, start=1):
        ask(table, f"{out}/", size, Shard(index, count), **more)
    return found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.parquet"
    frame = pd.DataFrame({"smiles": ["C" * (i % 5 + 1) + "XO"[i % 2] for i in range(23)], "note": "a,b"})
    frame.loc[17, "note"] = "line\rreturn"  # the whole output is quoted for it
    frame.to_parquet(path, row_group_size=5)
    return path


@given(rows=st.integers(1, 10**10), size=st.integers(1, 10**5), count=st.integers(1, 64))
def test_every_row_is_in_one_shard_and_shards_follow_each_other(rows: int, size: int, count: int) -> None:
    shards = [Shard(index, count) for index in range(1, count + 1)]
    found = [one.rows(rows, size) for one in shards]
    assert (found[0].start, found[-1].stop) == (0, rows)
    assert all(first.stop == second.start for first, second in pairwise(found))
    total = -(-rows // size)
    lengths = [len(one.chunks(total)) for one in shards]
    assert sum(lengths) == total
    assert max(lengths) - min(lengths) <= 1
    assert all(one.start % size == 0 for one in found if one)


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_gathered_shards_have_the_bytes_of_one_run(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    smiles = ["C", *data.draw(st.lists(st.sampled_from(["C", "CX", "CCO"]), min_size=1, max_size=12))]
    kind = data.draw(st.sampled_from(["csv", "parquet"]))
    texts = st.sampled_from(["b", '"q"', "a,b", "", *(["a\rb"] if kind == "parquet" else [])])
    notes = data.draw(st.lists(texts, min_size=len(smiles), max_size=len(smiles)))
    table, frame = folder / f"in.{kind}", pd.DataFrame({"smiles": smiles, "note": notes})
    if kind == "csv":
        frame.to_csv(table, index=False)
    else:
        frame.to_parquet(table, row_group_size=data.draw(st.integers(1, 9)))
    size = data.draw(st.integers(1, len(smiles)))
    count = data.draw(st.integers(1, min(4, -(-len(smiles) // size))))
    name = data.draw(st.sampled_from(["out.csv", "out.tsv.gz", "out.parquet", "out.npz", "out/"]))
    matrix = data.draw(st.booleans())
    ask(table, f"{folder}/whole-{name}", size, matrix=matrix)
    shards = parts(folder, table, size, count, matrix=matrix)
    answered, verb = gather_shards(shards[::-1], f"{folder}/again-{name}")
    assert (answered.errors.rows, verb) == (len(smiles), "measured")
    assert answered.errors.invalid == sum("X" in text for text in smiles)
    assert bytes_of(folder / f"again-{name}") == bytes_of(folder / f"whole-{name}")


def bytes_of(out: Path) -> dict[str, bytes]:
    return (
        {one.name: one.read_bytes() for one in sorted(out.iterdir())}
        if out.is_dir()
        else {"": out.read_bytes()}
    )


def test_shards_are_gathered_from_any_order_and_stay(table: Path, tmp_path: Path) -> None:
    ask(table, str(tmp_path / "whole.csv"), 4)
    shards = parts(tmp_path, table, 4, 3)
    before = {path: path.read_bytes() for one in shards for path in one.iterdir()}
    gather_shards([shards[2], shards[0], shards[1]], str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert {path: path.read_bytes() for one in shards for path in one.iterdir()} == before
    assert [path.name for path in tmp_path.glob(".*")] == []


def refused(shards: list[Path], tmp_path: Path) -> str:
    out = tmp_path / "out.csv"
    with pytest.raises(CytomolError) as caught:
        gather_shards(shards, str(out))
    assert not out.exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_shard_is_named_with_its_command(table: Path, tmp_path: Path) -> None:
    shards = parts(tmp_path, table, 4, 3)
    told = refused([shards[0], shards[2]], tmp_path)
    assert told == (
        "1 of 3 shards is missing: 2 (make it: cytomol predict m in.csv -o part-2/ --shard=2/3 --resume)"
    )
    told = refused([shards[2]], tmp_path)
    assert told.startswith(
        "2 of 3 shards are missing: 1, 2 (make the first: cytomol predict m in.csv -o part-1/"
    )


def test_a_shard_twice_or_of_another_count_is_named(table: Path, tmp_path: Path) -> None:
    shards = parts(tmp_path, table, 4, 3)
    assert "part-2: is shard 2/3, as" in refused([*shards, shards[1]], tmp_path)
    ask(table, f"{tmp_path}/other/", 4, Shard(2, 4))
    assert "other: is shard 2/4, and" in refused([*shards, tmp_path / "other"], tmp_path)


def test_a_shard_of_another_input_is_named_with_what_differs(table: Path, tmp_path: Path) -> None:
    shards = parts(tmp_path, table, 4, 3)
    other = tmp_path / "other.parquet"
    other.write_bytes(table.read_bytes())
    ask(other, f"{tmp_path}/strange/", 4, Shard(2, 3))
    told = refused([shards[0], tmp_path / "strange", shards[2]], tmp_path)
    assert "strange: answers another question than" in told
    assert ": input differs (make it again: cytomol predict m in.csv -o part-2/ --shard=2/3 --force)" in told


@pytest.mark.parametrize("how", ["cut", "gone", "emptied"])
def test_a_shard_that_was_altered_is_named(table: Path, tmp_path: Path, how: str) -> None:
    shards = parts(tmp_path, table, 4, 3)
    part = next(iter(sorted(shards[1].glob("0*.parquet"))))
    match how:
        case "cut":
            part.write_bytes(part.read_bytes()[:-1])
        case "gone":
            part.unlink()
        case _:
            (shards[1] / NOTE).write_text("{}")
    told = refused(shards, tmp_path)
    assert {"cut": "was altered", "gone": "is missing", "emptied": "cannot be read"}[how] in told
    assert "part-2" in told
    assert "--force" in told


NAMES = st.sampled_from(["format", "shard", "asked", "rows", "chunk_rows", "command", "digests"])
ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(NAMES, one)
)


@given(told=ANYTHING)
@settings(max_examples=25, deadline=None)
def test_any_note_is_refused_in_one_line(told: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("note")
    if isinstance(told, dict):
        told["format"] = "cytomol shard 1"
    (folder / NOTE).write_text(json.dumps(told))
    refused([folder], folder)


def test_a_shard_that_was_killed_goes_on(table: Path, tmp_path: Path) -> None:
    whole, out = parts(tmp_path, table, 2, 2)
    before = bytes_of(whole)
    shutil.rmtree(whole)
    folder = tmp_path / ".part-1.parts"
    process = multiprocessing.get_context("spawn").Process(
        target=ask, args=(table, f"{whole}/", 2, Shard(1, 2)), kwargs={"seconds": 0.2}
    )
    process.start()
    while process.is_alive() and len(list(folder.glob("[0-9]*.json"))) < 2:
        time.sleep(0.01)
    process.kill()
    process.join()
    assert not whole.exists(), "it ended before it was killed"
    there = {path: path.stat().st_mtime_ns for path in folder.glob("[0-9]*.json")}
    assert len(there) >= 2
    ask(table, f"{whole}/", 2, Shard(1, 2), resume=True)
    assert bytes_of(whole) == before
    kept = {path.name: path.stat().st_mtime_ns for path in whole.glob("[0-9]*.json")}
    assert {path.name: when for path, when in there.items()}.items() <= kept.items()
    assert list(tmp_path.glob(".*")) == []
    assert gather_shards([whole, out], str(tmp_path / "out.csv"))[0].errors.rows == 23


def test_a_finished_shard_is_taken_up_and_another_is_not(table: Path, tmp_path: Path) -> None:
    (out,) = parts(tmp_path, table, 30, 1)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    ask(table, f"{out}/", 30, Shard(1, 1), resume=True)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    with pytest.raises(OutputError, match="holds shard 1/1 of another run"):
        ask(table, f"{out}/", 4, Shard(1, 1), resume=True)
    (tmp_path / "mine").mkdir()
    with pytest.raises(OutputError, match="exists, and is not this shard"):
        ask(table, f"{tmp_path}/mine/", 4, Shard(1, 2), resume=True)
    with pytest.raises(OutputError, match="output exists"):
        ask(table, f"{out}/", 30, Shard(1, 1))
    ask(table, f"{out}/", 8, Shard(1, 1), force=True)
    assert gather_shards([out], str(tmp_path / "out.csv"))[0].errors.rows == 23


def test_shards_without_a_molecule_are_refused_together_alone(tmp_path: Path) -> None:
    table = tmp_path / "in.smi"
    table.write_text("X\nX\nX\nC\n")
    shards = parts(tmp_path, table, 1, 2)
    assert gather_shards(shards, str(tmp_path / "out.csv"))[0].errors.invalid == 3
    table.write_text("X\nX\nX\nX\n")
    shards = parts(tmp_path, table, 1, 2, force=True)
    with pytest.raises(InputError, match="none of its 4 rows holds a molecule"):
        gather_shards(shards, str(tmp_path / "none.csv"))


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/2/3", "-1/2", "a/b", "1/0", ""])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no shard"):
        Shard.parse(text)


def test_too_few_chunks_are_refused_with_the_size_that_is_enough(table: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"use --chunk-rows 4\b"):
        ask(table, f"{tmp_path}/p/", 16, Shard(1, 5))
    ask(table, f"{tmp_path}/p/", 4, Shard(5, 5))
    with pytest.raises(ConfigError, match="use fewer shards"):
        ask(table, f"{tmp_path}/q/", 1, Shard(1, 24))

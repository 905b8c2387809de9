import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.gpu.__main__ import main
from benchmarks.gpu.equality import errors, watched
from benchmarks.gpu.pack import ARCHIVE, halved, pack_all, parts_of, saved_models, split, waiting
from benchmarks.gpu.plan import STAGES, TRAININGS, Clock, Settings, Sizes, Training, measured, stage_seconds
from benchmarks.gpu.pretraining import Reached, command, complete, excluded, models, train
from benchmarks.gpu.pretraining import run as run_pretraining
from benchmarks.gpu.resident import differences
from benchmarks.gpu.rows import Row, Table
from benchmarks.gpu.speed import covered
from benchmarks.gpu.stage import Log, run_process
from benchmarks.gpu.sums import WAYS
from benchmarks.gpu.traffic import bytes_touched
from benchmarks.gpu.unpack import main as unpack_main
from benchmarks.gpu.unpack import unpack
from benchmarks.speed.limits import Products

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.directory import load_model
from cytomol.cli.pretrain import command as pretrain_command
from cytomol.errors import InputError
from cytomol.methods import methods
from cytomol.methods.config import InfoAlignConfig
from cytomol.nn.batch import Batch, Dimensions, GraphBatch, TargetSums

SMILES = ["CCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1", "not a molecule", "CN1CCC[C@H]1c1cccnc1"]


def settings(folder: Path, **changes) -> Settings:
    base = Settings(folder / "corpus", None, folder / "out", folder / "work", "cpu", Sizes.tiny(), TRAININGS)
    return replace(base, **changes)


def test_stages_share_the_time_and_the_last_gets_what_is_left():
    assert stage_seconds("features", STAGES, 600) == pytest.approx(100)
    assert stage_seconds("equality", STAGES, 500) == pytest.approx(100)
    assert stage_seconds("speed", STAGES, 440) == pytest.approx(165)
    assert stage_seconds("pretraining", STAGES, 300) == 300
    assert stage_seconds("speed", ("equality", "speed"), 300) == 300
    assert stage_seconds("speed", STAGES, -3) == 0


def test_names_say_what_is_trained(capsys):
    assert len(set(TRAININGS)) == len(TRAININGS) == 32
    assert [Training.read(name).name for name in TRAININGS] == list(TRAININGS)
    assert Training.read("chmr-cell-8-2") == Training("chmr", cells=True, epochs=8, seed=2)
    assert Training.read("chmr-cell-8-2").title == "CHMR with cell data, seed 2"
    for wrong in ("infoalign-cell", "other-cell-8-0", "chmr-cells-8-0", "chmr-cell-8-x"):
        words = ["--corpus", "c", "--out", "o", "--work", "w", "--trainings", f"{TRAININGS[0]},{wrong}"]
        with pytest.raises(SystemExit):
            main(words)
        assert f"no training: {wrong}; one is infoalign-cell-300-0" in capsys.readouterr().err


def test_settings_survive_the_way_to_another_process(tmp_path):
    for one in (settings(tmp_path), settings(tmp_path, exclude=tmp_path / "x.csv", sizes=Sizes())):
        assert Settings.read(one.within(12.5, skip_failed=True).text()) == one.within(12.5, skip_failed=True)


def test_the_important_rows_of_speed_come_first_and_none_comes_twice():
    rows = list(measured(Sizes()))
    assert len(rows) == len(set(rows)) == 2 * 3 * 3 * 3
    assert {(r.batch, r.precision, r.mode) for r in rows[:12]} == {
        (batch, precision, "eager") for batch in (1024, 3072) for precision in ("bf16", "tf32")
    }
    assert [r.mode for r in rows] == ["eager"] * 27 + ["compiled"] * 27


def test_rows_are_replaced_by_key_and_failed_ones_are_tried_again(tmp_path):
    table = Table(tmp_path, device="CPU", torch="2")
    row = Row("speed", "step", "chmr", "24", "bf16", "eager")
    table.add(replace(row, note="error: broken"))
    assert not table.has(row)
    assert Table(tmp_path, device="CPU", skip_failed=True).has(row)
    table.add(replace(row, value="3", note='a, "b"'))
    table.add(replace(row, mode="compiled"))
    assert table.has(row)
    assert not Table(tmp_path, device="H100").has(row)
    assert [(r.mode, r.value, r.note, r.device, r.torch) for r in table.read()] == [
        ("eager", "3", 'a, "b"', "CPU", "2"),
        ("compiled", "", "", "CPU", "2"),
    ]


def test_parts_join_to_the_whole_and_none_is_too_large(tmp_path):
    content = bytes(range(256)) * 5
    assert split(content, part=len(content)) == {ARCHIVE: content}
    files = split(content, part=100)
    assert max(map(len, files.values())) <= 100
    for name, part in reversed(files.items()):
        (tmp_path / name).write_bytes(part)
    (tmp_path / "other.zip").write_bytes(b"something else")
    assert b"".join(path.read_bytes() for path in parts_of(tmp_path)) == content


def test_what_float16_cannot_hold_stays():
    weights = {
        "matrix": torch.tensor([[1.0, -70000.0]]),
        "small": torch.tensor([[1.0, -65000.0]]),
        "bias": torch.tensor([0.1]),
        "count": torch.tensor([[3]]),
        "broken": torch.tensor([[math.nan]]),
    }
    kinds = {name: tensor.dtype for name, tensor in halved(weights).items()}
    assert kinds == {
        "matrix": torch.float32,
        "small": torch.float16,
        "bias": torch.float32,
        "count": torch.int64,
        "broken": torch.float32,
    }


@pytest.fixture
def packed(untrained, tmp_path) -> Path:
    """A folder that came home with both backbones; CHMR's was trained on 65 targets."""
    (tmp_path / "models").mkdir()
    for name in ("infoalign", "chmr"):
        (tmp_path / "models" / name).symlink_to(untrained[name])
    (tmp_path / "out").mkdir()
    names = ("infoalign", "chmr", "absent")
    assert pack_all(tmp_path / "models", names, tmp_path / "out", tmp_path / "work") == ["infoalign", "chmr"]
    return tmp_path / "out"


@pytest.mark.parametrize("name", ["infoalign", "chmr"])
def test_weights_that_came_home_embed_as_before(name, packed, untrained, tmp_path):
    assert unpack_main([str(packed), str(tmp_path / "home")]) == 0
    home = Backbone.load(tmp_path / "home" / name)
    assert len(home.method.decoders) == 0
    found, valid = home.embed(SMILES)
    wanted, _ = Backbone.load(untrained[name]).embed(SMILES)
    assert valid.tolist() == [True, True, True, False, True]
    error = np.linalg.norm((found - wanted)[valid]) / np.linalg.norm(wanted[valid])
    assert 0 < error < 2e-3
    facts = json.loads((tmp_path / "home" / name / "packed.json").read_text())
    assert facts["digest"] == load_model(untrained[name]).digest
    assert facts["finished"]


def test_a_missing_part_is_said(packed, tmp_path, capsys):
    content = (packed / ARCHIVE).read_bytes()
    (packed / ARCHIVE).unlink()
    for name, part in split(content, part=len(content) // 3).items():
        (packed / name).write_bytes(part)
    assert len(unpack(packed, tmp_path / "whole")) == 2
    (packed / f"{ARCHIVE}.03").unlink()
    with pytest.raises(InputError, match="no whole archive"):
        unpack(packed, tmp_path / "models-again")
    assert unpack_main([str(tmp_path / "work"), str(tmp_path / "none")]) == 0  # where the archive was made
    assert unpack_main([str(tmp_path), str(tmp_path / "none")]) != 0
    assert "holds no weights" in capsys.readouterr().err


def test_what_does_not_fit_comes_the_next_time_and_nothing_comes_twice(untrained, tmp_path, capsys):
    models, out, work = (tmp_path / name for name in ("models", "out", "work"))
    out.mkdir()
    models.mkdir()
    for name in ("infoalign", "chmr"):
        (models / name).symlink_to(untrained[name])
    names = ("infoalign", "chmr")
    assert pack_all(models, names, out, tmp_path / "both") == [*names]
    whole = sum(path.stat().st_size for path in parts_of(out))
    assert pack_all(models, names, out, work, total=whole - 1, part=whole // 3) == ["infoalign"]
    assert "come another time, there is no room: chmr" in capsys.readouterr().out
    assert len(parts_of(out)) > 1
    assert waiting(models, names, work) == ["chmr"]
    assert pack_all(models, names, out, work, total=whole - 1) == ["chmr"]
    assert waiting(models, names, work) == []
    assert [path.name for path in unpack(out, tmp_path / "home")] == ["chmr"]
    assert pack_all(models, names, out, work) == []
    assert parts_of(out) == []


def test_finished_trainings_are_not_done_before_their_weights_are_packed(untrained, tmp_path):
    name = "infoalign-cell-8-0"
    chosen = settings(tmp_path, trainings=(name,))
    models(chosen).mkdir(parents=True)
    chosen.out.mkdir()
    (models(chosen) / name).symlink_to(untrained["infoalign"])
    table = Table(chosen.out, device="CPU")
    table.add(Row("pretraining", f"{name}: epochs", "infoalign", "64", "bf16", note="finished; so it is"))
    assert not complete(chosen, table)
    run_pretraining(chosen, table, Clock(0))  # nothing is left to train
    assert complete(chosen, table)
    assert [path.name for path in unpack(chosen.out, tmp_path / "home")] == [name]


def test_finished_models_come_before_interrupted_ones(untrained, tmp_path):
    for name in ("a.partial", "b", "c.partial", "d", "d.partial"):
        (tmp_path / name).symlink_to(untrained["infoalign"])
    found = saved_models(tmp_path, ("a", "b", "c", "d", "e"))
    assert [(name, path.name) for name, path in found.items()] == [
        ("b", "b"),
        ("d", "d"),
        ("a", "a.partial"),
        ("c", "c.partial"),
    ]


def test_bytes_are_those_counted_by_hand():
    left, right = torch.ones(3, 4), torch.ones(4, 5)
    assert bytes_touched(lambda: left @ right) == 4 * (12 + 20 + 15)
    assert bytes_touched(left.t()[1:].contiguous) == 4 * (9 + 9)  # only the copy counts
    assert bytes_touched(lambda: left.add_(1.0)) == 4 * (12 + 12)
    assert bytes_touched(lambda: torch.empty(100)) == 0
    assert bytes_touched(lambda: left + torch.ones(1, 4).expand(3, 4)) == 4 * (4 + 12 + 4 + 12)
    rows = torch.tensor([0, 2])
    assert bytes_touched(lambda: torch.ones(1000, 4).index_select(0, rows)) == 4 * (4000 + 8 + 8) + 16


def test_bytes_of_a_backward_pass_are_counted():
    weight = torch.ones(4, 5, requires_grad=True)

    def forward() -> torch.Tensor:
        return (torch.ones(3, 4) @ weight).sum()

    ahead = 4 * (12 + (12 + 20 + 15) + (15 + 1))
    assert bytes_touched(forward) == ahead
    # the gradient of the sum is one number for all, and the left factor is read again
    assert bytes_touched(lambda: forward().backward()) == ahead + 4 * ((1 + 1) + (12 + 1 + 20))


def test_products_are_those_of_the_computation_in_its_arithmetic():
    left, right = torch.randn(3, 4, requires_grad=True), torch.randn(4, 5).bfloat16()

    def work() -> None:
        (left @ right.float()).sum().backward()
        right.t() @ torch.ones(4, 2).bfloat16()
        torch.ones(6, 3, 4) @ torch.ones(6, 4, 2)

    products = Products(work)
    kinds = {(s.many, s.m, s.k, s.n, s.dtype): times for s, times in products.shapes.items()}
    assert kinds == {
        (0, 3, 4, 5, torch.float32): 1,
        (0, 3, 5, 4, torch.float32): 1,
        (0, 5, 4, 2, torch.bfloat16): 1,
        (6, 3, 4, 2, torch.float32): 1,
    }
    assert products.flops == 2 * (60 + 60 + 40 + 6 * 24)
    products()


def test_time_that_kernels_share_counts_once():
    assert covered([(0, 2), (1, 3), (1.5, 2), (10, 11)]) == 4
    assert covered([]) == 0


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_summing_agree(way):
    values, index = torch.randn(6, 3), torch.tensor([0, 0, 2, 2, 2, 3])
    offsets = torch.searchsorted(index, torch.arange(5))
    wanted = torch.stack([values[index == group].sum(dim=0) for group in range(4)])
    torch.testing.assert_close(WAYS[way](values, index, 4, offsets), wanted)


def test_errors_are_relative_and_a_missing_tensor_is_infinite():
    wanted = {"a": torch.tensor([3.0, 4.0]), "b": torch.ones(1)}
    found = errors({"a": torch.tensor([3.0, 4.5]), "c": torch.ones(1)}, wanted)
    assert found == {"a": pytest.approx(0.1), "b": math.inf, "c": math.inf}


def test_what_is_watched_is_the_step_of_the_method():
    dimensions = Dimensions((5, 3), (4,), targets={"morgan": 8}, binary_targets=("morgan",))
    torch.manual_seed(0)
    config = InfoAlignConfig.build({"width": 16, "layers": 2, "dropout": 0, "decoder_dropout": 0})
    method = methods["infoalign"].from_config(config, dimensions)
    graph = GraphBatch(
        atoms=torch.tensor([[0, 1], [4, 2], [3, 0]]),
        edge_index=torch.tensor([[1, 0], [0, 1]]),
        edge_features=torch.tensor([[1], [1]]),
        molecule=torch.tensor([0, 0, 1]),
        size=2,
    )
    sums = TargetSums(
        torch.tensor([1]), torch.ones(1, 1), torch.ones(1, 8), torch.ones(1, 8), torch.tensor(8.0)
    )
    batch = Batch(2, graph, targets={"morgan": sums})
    float32, float64 = (watched(method, batch, "cpu", precision) for precision in ("float32", "float64"))
    for kind in ("encoder output", "loss terms", "gradients"):
        assert float32[kind].keys() == float64[kind].keys()
    assert len(float64["gradients"]) == len(list(method.parameters()))
    assert errors(float32["loss terms"], float64["loss terms"])["loss"] < 1e-5
    assert errors(float32["encoder output"], float64["encoder output"])["encoder output"] < 1e-5
    again = watched(method, batch, "cpu", "float64", plain=True)
    assert errors(again["gradients"], float64["gradients"])["encoder.virtual"] == 0
    assert all(p.grad is None for p in method.parameters())  # it is left as it is
    assert torch.get_default_dtype() == torch.float32
    assert torch.ones(1, dtype=torch.float64).float().dtype == torch.float32


def test_batches_differ_where_they_do():
    def batch(**changes) -> Batch:
        sums = {
            "weight": torch.ones(2, 1),
            "value": torch.ones(2, 3),
            "square": None,
            "entries": torch.tensor(6.0),
        }
        return Batch(
            2,
            views={"1d": torch.ones(2, 4)},
            targets={"morgan": TargetSums(**{"rows": None, **sums, **changes})},
        )

    some = {"weight": torch.ones(1, 3), "value": torch.ones(1, 3), "rows": torch.tensor([1])}
    everywhere = {
        "weight": torch.tensor([[0.0], [1.0]]),
        "value": torch.tensor([[0.0] * 3, [1.0] * 3]),
    }
    assert max(dict(differences(batch(**everywhere), batch(**some))).values()) == 0
    found = dict(differences(batch(), batch(**some)))
    assert found["views.1d"] == 0
    assert found["targets.morgan.value"] == pytest.approx(1)


def test_the_command_of_each_training_says_what_differs(tmp_path):
    chosen = settings(tmp_path)
    names = ("infoalign-cell-8-1", "infoalign-structure-8-1", "chmr-cell-75-0", "chmr-structure-75-0")
    words = {name: command(Training.read(name), chosen, tmp_path / "x.csv") for name in names}
    for name, given in words.items():
        taken = pretrain_command.make_context("pretrain", list(given[1:])).params
        training = Training.read(name)
        assert (taken["epochs"], taken["seed"], taken["method"]) == (
            training.epochs,
            training.seed,
            training.method,
        )
        assert taken["batch_size"] == 64
        assert taken["out"].endswith(name)
        assert ("--walk-length 0" in " ".join(given)) is not training.cells
        assert ("--views 1d,2d" in " ".join(given)) is (training.method == "chmr")
        assert "--relation-targets" not in given
        assert str(tmp_path / "x.csv") in given
        assert "--resume" not in given
    whole = replace(chosen, sizes=Sizes())
    learnt = [name for name in names if "--relation-targets" in command(Training.read(name), whole, None)]
    assert learnt == ["infoalign-cell-8-1", "chmr-cell-75-0"]
    (tmp_path / "work" / "models" / "chmr-cell-75-0.partial").mkdir(parents=True)
    assert "--resume" in command(Training.read("chmr-cell-75-0"), chosen, None)


def test_trainings_run_side_by_side_and_what_was_not_started_is_known():
    asked = 0

    def due() -> bool:
        nonlocal asked
        asked += 1
        return asked > 1200

    done = train([["--version"], ["no-such-verb"], ["--version"]], 2, due)
    assert done == [0, 2, 0]
    assert train([["--version"]] * 2, 2, lambda: True) == [None, None]


def test_nobody_is_excluded_where_no_list_is_known(tmp_path, monkeypatch):
    monkeypatch.delenv("CYTOMOL_DATA", raising=False)
    assert excluded(settings(tmp_path)) is None
    monkeypatch.setenv("CYTOMOL_DATA", str(tmp_path))
    assert excluded(settings(tmp_path)) is None
    assert excluded(settings(tmp_path, exclude=tmp_path / "x.csv")) == tmp_path / "x.csv"
    assert Reached.read(tmp_path / "nothing") is None


def test_a_process_that_takes_too_long_is_ended_with_what_it_started(tmp_path, capsys):
    log = Log(tmp_path / "log.txt")
    outcome = run_process(
        "timeit", ["-n1", "-r1", "import time; time.sleep(60)"], seconds=0.5, work=tmp_path, log=log
    )
    assert outcome == "out of time"
    assert (
        run_process("timeit", ["-n1", "-r1", "print('said')"], seconds=60, work=tmp_path, log=log) == "done"
    )
    assert run_process("timeit", ["undefined"], seconds=60, work=tmp_path, log=log) == "failed"
    text = (tmp_path / "log.txt").read_text()
    assert "said" in text
    assert "NameError" in text
    assert text in capsys.readouterr().out


def test_without_a_gpu_it_says_what_to_do(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    folders = ["--corpus", str(tmp_path), "--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    for words in (folders, [*folders, "--device", "cuda"]):
        assert main(words) == 1
        said = capsys.readouterr().err
        assert "there is no GPU here" in said
        assert "--device cpu --tiny" in said
    assert main([*folders, "--device", "cpu"]) == 1
    assert "no corpus" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_page_has_the_rows_of_speed():
    root = Path(__file__).parents[3]
    with (root / "benchmarks" / "results" / "gpu.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert not [row for row in rows if row["note"].startswith("error")]
    page = (root / "docs" / "gpu.md").read_text(encoding="utf-8")
    shown = [
        tuple(cell.strip() for cell in line.split("|")[1:-1])
        for line in page.splitlines()
        if line.startswith(("| step |", "| frozen encoder |"))
    ]
    measured_rows = [row for row in rows if row["stage"] == "speed" and row["peak_mb"]]
    assert sorted(shown) == sorted(
        (
            row["what"],
            row["method"],
            f"{int(row['batch']):,}",
            row["precision"],
            f"{float(row['value']):,.0f}",
            *(f"{100 * float(row[share]):.0f}%" for share in ("share_of_products", "share_of_copy", "idle")),
            f"{float(row['peak_mb']):,.0f}",
        )
        for row in measured_rows
    )
    single = {row["what"]: float(row["value"]) for row in rows if row["what"].endswith("-0: speed")}
    assert len(single) == 16
    assert f"add up to {1000 * round(sum(single.values()) / 1000):,} molecules a second" in " ".join(
        page.split()
    )

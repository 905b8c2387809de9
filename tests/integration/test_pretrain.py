"""Pretraining on a small planted corpus: what it writes, that it repeats, stops and resumes."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.directory import load_model
from cytomol.corpus import Corpus
from cytomol.corpus.planted import generate_planted
from cytomol.errors import ConfigError, InputError, ModelDirectoryError, OutputError
from cytomol.methods import methods
from cytomol.methods.config import CHMRConfig, ContrastiveConfig, InfoAlignConfig, MethodConfig
from cytomol.progress import Reporter
from cytomol.training.dataset.prepare import prepare
from cytomol.training.loop.callbacks import Keeper
from cytomol.training.pretrain import pretrain

SMALL = {"width": 16, "layers": 2, "batch_size": 48, "threads": 1, "accelerator": "cpu", "epochs": 2}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return generate_planted(200, seed=1).corpus


def _infoalign(**options: Any) -> InfoAlignConfig:
    return InfoAlignConfig.build({**SMALL, **options})


def _chmr(**options: Any) -> CHMRConfig:
    return CHMRConfig.build({**SMALL, "views": ("1d", "2d"), "depth": 3, **options})


def _contrastive(**options: Any) -> ContrastiveConfig:
    return ContrastiveConfig.build({**SMALL, "hidden": 32, **options})


CONFIGS: dict[str, MethodConfig] = {
    "infoalign": _infoalign(),
    "chmr": _chmr(),
    "contrastive": _contrastive(),
}


def _weights(path: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(path / "weights.safetensors")


def _equal(one: Path, other: Path) -> bool:
    a, b = _weights(one), _weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def _losses(path: Path) -> list[Any]:
    return [
        [entry["epoch"], entry["lr"], entry["train"], entry["valid"]]
        for entry in json.loads((path / "training.json").read_text())["history"]
    ]


class _Ctrl_C:  # noqa: N801
    """Sends SIGINT to this process after some training steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
        self.left = steps
        original = Keeper.on_train_batch_end

        def hook(keeper: Keeper, *args: Any, **kwargs: Any) -> None:
            self.left -= 1
            if self.left == 0:
                signal.raise_signal(signal.SIGINT)
            original(keeper, *args, **kwargs)

        monkeypatch.setattr(Keeper, "on_train_batch_end", hook)


@pytest.mark.parametrize("method", methods.names())
def test_the_model_directory_is_whole_and_two_runs_are_equal(
    corpus: Corpus, tmp_path: Path, method: str
) -> None:
    config = CONFIGS[method]
    first = pretrain(corpus, config, tmp_path / "a", method=method, quiet=True)
    second = pretrain(corpus, config, tmp_path / "b", method=method, quiet=True)
    assert _equal(first.path, second.path)
    assert _losses(first.path) == _losses(second.path)
    assert load_model(first.path).digest == load_model(second.path).digest
    assert {p.name for p in first.path.iterdir()} == {
        "README.md",
        "config.json",
        "manifest.json",
        "metrics.csv",
        "overview.json",
        "statistics.safetensors",
        "training.json",
        "weights.safetensors",
    }
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]

    metrics = pd.read_csv(first.path / "metrics.csv")
    assert metrics["epoch"].tolist() == [1, 2]
    assert {"lr", "train/loss", "valid/loss", "molecules_per_second"} <= set(metrics)
    if method == "chmr":
        assert {f"train/perplexity/{level}" for level in (1, 2, 3)} <= set(metrics)
    assert len(first.history) == 2
    assert first.molecules_per_second > 0

    backbone = Backbone.load(first.path)
    assert backbone.config == config
    embedding, valid = backbone.embed([*corpus.smiles[:20], "no molecule"])
    assert embedding.shape == (21, backbone.embedding_width)
    assert valid.tolist() == [True] * 20 + [False]
    assert np.isnan(embedding[20]).all()
    entities = {"molecule", "gene"} if method != "contrastive" else {"molecule"}
    assert set(backbone.modalities) == {n for n, m in corpus.modalities.items() if m.entity in entities}


def test_an_embedding_depends_on_its_molecule_alone(corpus: Corpus, tmp_path: Path) -> None:
    path = pretrain(corpus, _chmr(epochs=1), tmp_path / "m", method="chmr", quiet=True).path
    backbone = Backbone.load(path)
    smiles = ["", *corpus.smiles[:30], "CC"]
    whole, _ = backbone.embed(smiles)
    small, _ = backbone.embed(smiles, batch_size=4)
    turned, _ = backbone.embed(smiles[::-1], batch_size=7)
    np.testing.assert_allclose(small, whole, atol=2e-5)
    np.testing.assert_allclose(turned[::-1], whole, atol=2e-5)


@pytest.mark.parametrize("method", methods.names())
def test_a_gcn_is_saved_loaded_and_embeds_alike(corpus: Corpus, tmp_path: Path, method: str) -> None:
    config = CONFIGS[method].updated(epochs=1, encoder="gcn", readout="max")
    first = pretrain(corpus, config, tmp_path / "a", method=method, quiet=True)
    second = pretrain(corpus, config, tmp_path / "b", method=method, quiet=True)
    assert _equal(first.path, second.path)
    backbone = Backbone.load(first.path)
    assert backbone.config == config
    assert (backbone.method.encoder.convolution, backbone.method.encoder.readout) == ("gcn", "max")
    smiles = [*corpus.smiles[:40], "", "CC"]
    embedding, _ = backbone.embed(smiles)
    again, _ = Backbone.load(first.path).embed(smiles)
    assert np.array_equal(embedding, again, equal_nan=True)
    turned, _ = backbone.embed(smiles[::-1], batch_size=7)
    np.testing.assert_allclose(turned[::-1], embedding, atol=2e-5)
    with pytest.raises(ConfigError, match=r"(?s)does not fit.*use the same encoder"):
        gin = CONFIGS[method].updated(epochs=0)
        pretrain(corpus, gin, tmp_path / "c", method=method, init_encoder=first.path, quiet=True)


def test_a_model_without_the_encoders_name_is_a_gin(corpus: Corpus, tmp_path: Path) -> None:
    """Models saved before there was a choice still load."""
    path = pretrain(corpus, _infoalign(epochs=1), tmp_path / "m", method="infoalign", quiet=True).path
    saved = load_model(path, kind="backbone")
    options = {name: value for name, value in saved.config["config"].items() if name != "encoder"}
    assert options != saved.config["config"]
    description = {**saved.config, "config": options}
    old = Backbone.build(description, saved.weights, saved.statistics, where="old")
    assert old.method.encoder is not None
    assert old.method.encoder.convolution == "gin"
    smiles = corpus.smiles[:20]
    assert np.array_equal(old.embed(smiles)[0], Backbone.load(path).embed(smiles)[0])


def test_another_seed_is_another_model(corpus: Corpus, tmp_path: Path) -> None:
    for seed in (0, 1):
        pretrain(
            corpus, _infoalign(epochs=1, seed=seed), tmp_path / str(seed), method="infoalign", quiet=True
        )
    assert not _equal(tmp_path / "0", tmp_path / "1")


@pytest.mark.parametrize("steps", [6, 8])  # four steps an epoch: in the middle, and at the end
def test_interrupted_and_resumed_equals_straight(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    config = _chmr(epochs=4, patience=3)
    straight = pretrain(corpus, config, tmp_path / "straight", method="chmr", quiet=True)
    with monkeypatch.context() as patch:
        _Ctrl_C(patch, steps)
        with pytest.raises(KeyboardInterrupt):
            pretrain(corpus, config, tmp_path / "out", method="chmr", quiet=True)
    assert not (tmp_path / "out").exists()

    partial = tmp_path / "out.partial"
    Backbone.load(partial).embed(["CCO"])  # what is left is a usable model
    state = json.loads((partial / "state.json").read_text())["state"]
    assert (state["epoch"], state["batch"]) == divmod(steps, 4)

    with pytest.raises(OutputError, match="interrupted training lies here"):
        pretrain(corpus, config, tmp_path / "out", method="chmr", quiet=True)
    with pytest.raises(ConfigError, match=r"lr was 0.0005, is 0.001"):
        pretrain(corpus, config.updated(lr=1e-3), tmp_path / "out", method="chmr", resume=True, quiet=True)
    with pytest.raises(ConfigError, match="other data"):
        fewer = replace(corpus, relations={})
        pretrain(fewer, config, tmp_path / "out", method="chmr", resume=True, quiet=True)

    resumed = pretrain(corpus, config, tmp_path / "out", method="chmr", resume=True, quiet=True)
    assert _equal(straight.path, resumed.path)
    assert _losses(straight.path) == _losses(resumed.path)
    assert load_model(straight.path).digest == load_model(resumed.path).digest
    assert not partial.exists()


def test_a_state_that_was_altered_is_refused(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _infoalign()
    with monkeypatch.context() as patch:
        _Ctrl_C(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            pretrain(corpus, config, tmp_path / "out", method="infoalign", quiet=True)
    file = tmp_path / "out.partial" / "optimizer.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelDirectoryError, match=r"optimizer\.safetensors"):
        pretrain(corpus, config, tmp_path / "out", method="infoalign", resume=True, quiet=True)
    pretrain(corpus, config, tmp_path / "out", method="infoalign", force=True, quiet=True)


def test_signals_are_left_as_they_were(corpus: Corpus, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    pretrain(corpus, _infoalign(epochs=1), tmp_path / "m", method="infoalign", quiet=True)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_training_works_outside_the_main_thread(corpus: Corpus, tmp_path: Path) -> None:
    done: list[Path] = []
    config = _infoalign(epochs=1)

    def work() -> None:
        done.append(pretrain(corpus, config, tmp_path / "m", method="infoalign", quiet=True).path)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


def test_no_epochs_is_the_untrained_model(corpus: Corpus, tmp_path: Path) -> None:
    for name in ("a", "b"):
        result = pretrain(corpus, _chmr(epochs=0), tmp_path / name, method="chmr", quiet=True)
        assert result.history == []
    trained = pretrain(corpus, _chmr(epochs=1), tmp_path / "c", method="chmr", quiet=True)
    assert _equal(tmp_path / "a", tmp_path / "b")
    assert not _equal(tmp_path / "a", trained.path)
    assert "untrained" in (tmp_path / "a" / "README.md").read_text()


def test_learning_lowers_the_loss(corpus: Corpus, tmp_path: Path) -> None:
    result = pretrain(corpus, _chmr(epochs=6, lr=3e-3), tmp_path / "m", method="chmr", quiet=True)
    first, last = result.history[0], result.history[-1]
    assert last["train"]["loss"] < 0.95 * first["train"]["loss"]
    training = json.loads((result.path / "training.json").read_text())
    assert training["loss_end"] < training["loss_start"]


def test_patience_stops_and_keeps_the_best(corpus: Corpus, tmp_path: Path) -> None:
    # A learning rate that destroys: validation gets worse at once, or soon.
    config = _infoalign(epochs=30, lr=0.5, warmup_epochs=0, patience=2, validation_fraction=0.2)
    result = pretrain(corpus, config, tmp_path / "m", method="infoalign", quiet=True)
    training = json.loads((result.path / "training.json").read_text())
    assert training["stopped_early"]
    assert training["epochs"] == training["best_epoch"] + 2 < 30
    losses = [entry["valid"]["loss"] for entry in result.history]
    assert training["kept_epoch"] == training["best_epoch"] == 1 + int(np.argmin(losses))


def test_the_encoder_starts_from_a_pretrained_one(corpus: Corpus, tmp_path: Path) -> None:
    source = pretrain(corpus, _infoalign(epochs=1), tmp_path / "ia", method="infoalign", quiet=True).path
    config = _chmr(epochs=0)
    path = pretrain(corpus, config, tmp_path / "ch", method="chmr", init_encoder=source, quiet=True).path
    ours, theirs = _weights(path), _weights(source)
    encoder = [name for name in theirs if name.startswith("encoder.")]
    assert encoder
    assert all(torch.equal(ours[name], theirs[name]) for name in encoder)
    with pytest.raises(ConfigError, match="does not fit"):
        pretrain(corpus, _chmr(width=24), tmp_path / "x", method="chmr", init_encoder=source, quiet=True)
    blind = pretrain(corpus, _chmr(epochs=0, views=("1d",)), tmp_path / "b", method="chmr", quiet=True).path
    with pytest.raises(ModelDirectoryError, match="no graph encoder"):
        pretrain(corpus, config, tmp_path / "y", method="chmr", init_encoder=blind, quiet=True)


def test_invalid_molecules_leave_with_a_count(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    molecules = corpus.molecules.copy()
    molecules.loc[[3, 50], "smiles"] = ["C1CC", ""]
    pretrain(replace(corpus, molecules=molecules), _chmr(epochs=1), tmp_path / "m", method="chmr")
    shown = capsys.readouterr().err
    assert "2 of 200 molecules are invalid" in shown
    assert "epoch 1/1" in shown
    assert "left" in shown


def test_nothing_left_to_learn_from(corpus: Corpus, tmp_path: Path) -> None:
    molecules = corpus.molecules.assign(smiles="nonsense(")
    with pytest.raises(InputError, match="0 valid molecules"):
        pretrain(replace(corpus, molecules=molecules), _chmr(), tmp_path / "m", method="chmr", quiet=True)
    assert not (tmp_path / "m").exists()


class Trained(NamedTuple):
    """Options, and the quantities of the history that go, that come, and that get another value."""

    options: dict[str, Any]
    gone: AbstractSet[str] = frozenset()
    new: AbstractSet[str] = frozenset()
    changed: AbstractSet[str] = frozenset()


ALIGNED = {"instance_alignment", "distribution_alignment"}
PROFILES = {"reconstruction/morphology", "reconstruction/expression"}
TRAINED = [
    Trained({"modalities": ()}, gone=ALIGNED | PROFILES, changed={"quantization"}),
    Trained({"walk_length": 0}, gone=PROFILES, changed={"reconstruction/morgan"}),
    Trained({"augmentation": "zero"}, changed={"distribution_alignment"}),
    Trained({"precision": "bf16-mixed"}, changed={"reconstruction/morgan", "quantization"}),
    Trained(
        {"molecule_targets": ("counts", "descriptors"), "views": ("2d",)},
        gone={"reconstruction/morgan", "reconstruction/maccs"},
        new={"reconstruction/counts", "reconstruction/descriptors"},
        changed=ALIGNED,
    ),
    Trained({"readout_fraction": 0.0, "validation_fraction": 0.0}, changed=PROFILES),
    Trained({"restore_observed": False, "alignment": "paper", "propagation_fill": "mean"}, changed=ALIGNED),
]


@pytest.fixture(scope="module")
def before(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the history of a training with no option changed."""
    out = tmp_path_factory.mktemp("before") / "m"
    return pretrain(corpus, _chmr(lr=3e-3), out, method="chmr", quiet=True).history


@pytest.mark.parametrize("case", TRAINED, ids=lambda case: "-".join(case.options))
def test_options_train(corpus: Corpus, tmp_path: Path, before: list[dict[str, Any]], case: Trained) -> None:
    config = _chmr(lr=3e-3, **case.options)
    after = pretrain(corpus, config, tmp_path / "m", method="chmr", quiet=True).history
    default, other = (
        # whether one of few walks meets a gene's profile is luck
        {name: value for name, value in history[0]["train"].items() if name != "reconstruction/gene_knockout"}
        for history in (before, after)
    )
    assert case.gone <= set(default)
    assert set(other) == (set(default) - case.gone) | case.new
    assert all(np.isfinite(value) for value in other.values())
    assert all(other[name] != default[name] for name in case.changed)
    if "precision" in case.options:  # the same training, less exactly
        assert other == pytest.approx(default, rel=0.05)
    assert bool(after[0]["valid"]) == (case.options.get("validation_fraction") != 0)
    assert after[1]["train"]["loss"] < after[0]["train"]["loss"]


@pytest.mark.parametrize("clip", [0.0, 0.01])
def test_the_gradient_is_no_longer_than_allowed(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip: float
) -> None:
    lengths: list[float] = []
    original = Keeper.on_train_batch_end

    def hook(keeper: Keeper, trainer: Any, module: Any, *args: Any, **kwargs: Any) -> None:
        squares = [float(p.grad.double().square().sum()) for p in module.parameters() if p.grad is not None]
        lengths.append(sum(squares) ** 0.5)
        original(keeper, trainer, module, *args, **kwargs)

    monkeypatch.setattr(Keeper, "on_train_batch_end", hook)
    pretrain(corpus, _chmr(epochs=1, gradient_clip=clip), tmp_path / "m", method="chmr", quiet=True)
    assert len(lengths) == 4
    if clip:
        assert lengths == pytest.approx([clip] * 4, rel=1e-3)
    else:
        assert min(lengths) > 0.1


def test_impossible_options_are_refused_before_work(corpus: Corpus, tmp_path: Path) -> None:
    out = tmp_path / "m"
    with pytest.raises(ConfigError, match="patience needs validation"):
        pretrain(corpus, _chmr(patience=2, validation_fraction=0.0), out, method="chmr", quiet=True)
    with pytest.raises(ConfigError, match="batch_size 1 on 1 device"):
        pretrain(corpus, _chmr(batch_size=1), out, method="chmr", quiet=True)
    with pytest.raises(ConfigError, match="unknown logger"):
        pretrain(corpus, _chmr(logger="paper"), out, method="chmr", quiet=True)
    with pytest.raises(ConfigError, match="unknown method"):
        pretrain(corpus, _chmr(), out, method="nothing", quiet=True)
    with pytest.raises(ConfigError, match="use InfoAlignConfig"):
        pretrain(corpus, _chmr(), out, method="infoalign", quiet=True)
    with pytest.raises(ConfigError, match="molecule_targets"):
        pretrain(corpus, _chmr(molecule_targets=("shape",)), out, method="chmr", quiet=True)
    with pytest.raises(ConfigError, match=r"accelerator: .*got 'warp'"):
        pretrain(corpus, _chmr(accelerator="warp"), out, method="chmr", quiet=True)
    with pytest.raises(InputError, match="no modality smell"):
        pretrain(corpus, _chmr(modalities=("smell",)), out, method="chmr", quiet=True)
    with pytest.raises(OutputError, match="no interrupted training"):
        pretrain(corpus, _chmr(), out, method="chmr", resume=True, quiet=True)
    out.mkdir()
    with pytest.raises(OutputError, match="exists"):
        pretrain(corpus, _chmr(), out, method="chmr", quiet=True)


def test_a_loss_that_is_no_number_ends_the_training(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cytomol.errors import CytomolError
    from cytomol.methods.infoalign import InfoAlign

    original = InfoAlign.forward

    def broken(self: InfoAlign, batch: Any) -> Any:
        output = original(self, batch)
        return replace(output, loss=output.loss * float("nan"))

    monkeypatch.setattr(InfoAlign, "forward", broken)
    with pytest.raises(CytomolError, match=r"loss became nan in epoch 1.*lower --lr"):
        pretrain(corpus, _infoalign(), tmp_path / "m", method="infoalign", quiet=True)
    assert not (tmp_path / "m").exists()


def test_loss_terms_go_to_tensorboard_by_name(corpus: Corpus, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    pretrain(corpus, _infoalign(logger="tensorboard"), tmp_path / "m", method="infoalign", quiet=True)
    assert list((tmp_path / "m.logs").iterdir())


def test_the_contrast_learns_from_molecules_with_profiles_alone(corpus: Corpus, tmp_path: Path) -> None:
    profiled = sorted({row for m in corpus.modalities.values() if m.entity == "molecule" for row in m.rows})
    assert 2 < len(profiled) < len(corpus)
    data = prepare(corpus, _contrastive(), Reporter(quiet=True))
    assert sorted([*data.train, *data.validation]) == profiled
    assert data.targets == {}
    assert data.graph.edge_count == 0
    # molecules without a profile might as well not be there
    kept = np.zeros(len(corpus), np.bool_)
    kept[profiled] = True
    smiles = [text if keep else "no molecule" for text, keep in zip(corpus.smiles, kept, strict=True)]
    fewer = replace(corpus, molecules=corpus.molecules.assign(smiles=smiles))
    config = _contrastive(epochs=1)
    whole = pretrain(corpus, config, tmp_path / "whole", method="contrastive", quiet=True)
    part = pretrain(fewer, config, tmp_path / "part", method="contrastive", quiet=True)
    assert _equal(whole.path, part.path)


def test_the_contrast_needs_profiles_of_molecules(corpus: Corpus, tmp_path: Path) -> None:
    genes = corpus.select([name for name, m in corpus.modalities.items() if m.entity == "gene"])
    with pytest.raises(InputError, match=r"0 molecules have a profile.*choose another method"):
        pretrain(genes, _contrastive(), tmp_path / "m", method="contrastive", quiet=True)

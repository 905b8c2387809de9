"""Pretrain a method on a corpus and write its model directory."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from cytomol.artifact.backbone import KIND, Backbone
from cytomol.artifact.card import card
from cytomol.artifact.directory import load_model, load_weights, save_model
from cytomol.corpus import Corpus, read_corpus
from cytomol.counted import agreeing, counted
from cytomol.errors import ConfigError, ModelDirectoryError, OutputError
from cytomol.files import check_output, check_space, remove_output, require_file, settled, sha256
from cytomol.methods import methods
from cytomol.methods.config import MethodConfig
from cytomol.processes import default_workers
from cytomol.progress import Reporter, duration
from cytomol.training.dataset.data import PretrainData
from cytomol.training.dataset.exclude import as_paths, exclude_profiles_of
from cytomol.training.dataset.prepare import corpus_digest, prepare
from cytomol.training.loop.launch import Launch, launched
from cytomol.training.loop.loggers import loggers
from cytomol.training.loop.run import Run
from cytomol.training.loop.state import RunState, metrics_csv, partial_path
from cytomol.training.loop.train import check_processes, train
from cytomol.training.overview.overview import OVERVIEW, MoleculeLabels, overview, overview_text

__all__ = ["PretrainResult", "pretrain"]

# Options that may change when a training is resumed, beside those of the machine: it goes on for longer.
_MARGIN = 16 * 2**20  # bytes of everything but numbers
_FREE = {"epochs"}


@dataclass(frozen=True)
class PretrainResult:
    """What came of a pretraining.

    Attributes
    ----------
    path
        The model directory.
    history
        One table per epoch: ``epoch``, ``lr``, and by term ``train`` and ``valid``.
    seconds
        Spent on training steps.
    molecules_per_second
        In training steps.
    """

    path: Path
    history: list[dict[str, Any]]
    seconds: float
    molecules_per_second: float


def pretrain(
    corpus: Corpus | str | Path,
    config: MethodConfig,
    out: str | Path,
    *,
    method: str,
    resume: bool = False,
    force: bool = False,
    exclude_profiles_of: str | Path | Sequence[str | Path] | None = None,
    exclude_relations: bool = True,
    init_encoder: str | Path | None = None,
    labels: Callable[[Corpus], MoleculeLabels] | None = None,
    with_overview: bool = True,
    quiet: bool = False,
) -> PretrainResult:
    """Train a method on a corpus and write its model directory.

    In processes that torchrun or srun started each calls this, and the first one writes and prints.

    Parameters
    ----------
    corpus
        Corpus, or the directory that holds it.
    config
        Options of the method; ``epochs=0`` writes the untrained model, the control of every comparison.
    out
        Model directory to be made. While the training runs its state is in ``<out>.partial``.
    method
        Its registered name.
    resume
        Continue an interrupted training; on one CPU process bit for bit.
    force
        Replace an existing ``out`` and forget an interrupted training.
    exclude_profiles_of
        File or files with molecules whose profiles and relations are left out of everything.
    exclude_relations
        False keeps the relations of those molecules, such as their annotated targets. These may be the
        labels of an assay, or close to them.
    init_encoder
        Model directory whose 2D encoder to start from.
    labels
        Names the mechanism, or another label, of each molecule of the corpus; it colours the map of the
        report, and nothing is learnt from it.
    with_overview
        Keep the figures of the report beside the model; False saves their time.
    quiet
        Print nothing.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupted it; the state is saved.
    CytomolError
        If an input, an option or the output cannot be used.
    """
    out = Path(out)
    launch = launched()
    first = launch is None or launch.rank == 0
    reporter = Reporter(quiet=quiet or not first)
    if not isinstance(config, kind := methods[method].Config):
        raise ConfigError(
            f"options of {type(config).__name__} given for {method}", hint=f"use {kind.__name__}"
        )
    check_processes(config, out, launch)
    _check(config, out, resume=resume, force=force)
    if config.threads:
        torch.set_num_threads(config.threads)
    began = time.perf_counter()
    if not isinstance(corpus, Corpus):
        with reporter.step(f"read corpus {corpus}"):
            corpus = read_corpus(corpus)
    facts = {"corpus": corpus_digest(corpus), "molecules": len(corpus)}
    named = None if labels is None else labels(corpus)  # a table that cannot be read is said now
    corpus, left_out = _without_listed(
        corpus.select(config.modalities), as_paths(exclude_profiles_of), reporter, relations=exclude_relations
    )
    facts |= left_out
    data = prepare(corpus, _with_workers(config, launch), reporter)
    if resume:
        run = _resumed(out, config, facts, reporter)
    else:
        run = _started(out, config, data, method=method, init_encoder=init_encoder, facts=facts)
    _check_space(run)
    reporter.say(f"ready to train after {duration(time.perf_counter() - began)}")
    if run.state.epoch < config.epochs and not run.state.stopped:
        run = train(run, data, config, reporter, launch)
    if not first:
        return _result(run)
    texts = {}
    if with_overview:
        with reporter.step("figures of the report"):
            texts[OVERVIEW] = overview_text(overview(_kept(run), corpus, data, named))
    return _finish(run, config, texts, reporter, force=force)


def _with_workers(config: MethodConfig, launch: Launch | None) -> MethodConfig:
    """Return options that leave the cores of a machine to all processes that prepare on it."""
    if launch is None or config.workers:
        return config
    return config.updated(workers=max(1, default_workers() // launch.per_node))


def _check(config: MethodConfig, out: Path, *, resume: bool, force: bool) -> None:
    """Refuse before any work what cannot end well."""
    loggers[config.logger]  # an unknown one is said now
    if config.patience and not config.validation_fraction:
        raise ConfigError("patience needs validation molecules", hint="set validation_fraction above 0")
    partial = settled(partial_path(out))
    check_output(out, force=force)
    if resume and not partial.exists():
        raise OutputError("there is no interrupted training to resume", where=str(partial))
    if not resume and partial.exists() and not force:
        raise OutputError(
            "an interrupted training lies here",
            where=str(partial),
            hint="continue it with --resume, or start again with --force",
        )
    if not resume:
        check_output(partial, force=force)


def _check_space(run: Run) -> None:
    """Refuse a disk that will not hold the training's state, of which two stand side by side for a moment."""
    weights = sum(tensor.numel() * tensor.element_size() for tensor in run.backbone.weights().values())
    statistics = sum(array.nbytes for array in run.backbone.statistics().values())
    state = 4 * weights + statistics  # weights, two moments of the optimizer, the best weights
    check_space(run.out, 2 * state + _MARGIN, what="a training")


def _without_listed(
    corpus: Corpus, files: Sequence[Path], reporter: Reporter, *, relations: bool
) -> tuple[Corpus, dict[str, Any]]:
    """Return the corpus without what is known of listed molecules, and the facts of this for the record."""
    if not files:
        return corpus, {"exclude": None}
    # the order of the files changes nothing, so a training may be resumed with another one
    digests = sorted({sha256(require_file(path, what="molecule file")) for path in files})
    found = exclude_profiles_of(corpus, files, relations=relations)
    more = counted(len(files) - 1, "more file", comma=False)
    named = str(files[0]) if len(files) == 1 else f"{files[0]} and {more}"
    kept = "" if relations else " (their relations stay)"
    reporter.say(
        f"left out {counted(found.profiles, 'profile')} and {counted(found.relations, 'relation')}{kept}: "
        f"{agreeing(found.molecules, 'molecule', 'shares', 'share')} a connectivity with {named}"
    )
    return found.corpus, {"exclude": digests, "excluded": found.counts, "exclude_relations": relations}


def _started(
    out: Path,
    config: MethodConfig,
    data: PretrainData,
    *,
    method: str,
    init_encoder: str | Path | None,
    facts: dict[str, Any],
) -> Run:
    """Return a training at its beginning, the method initialised from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        module = methods[method].from_config(config, data.dimensions)
        if config.zero_biases:
            module.zero_biases()
    if init_encoder is not None:
        source = load_model(init_encoder, kind=KIND)
        if not any(name.startswith("encoder.") for name in source.weights):
            raise ModelDirectoryError("holds no graph encoder", where=str(init_encoder))
        module.set_encoder_weights(source.weights)
        facts = {**facts, "init_encoder": source.digest}
    backbone = Backbone(
        method,
        config,
        module,
        data.dimensions,
        data.modalities,
        data.builder,
        data.scalers,
        data.input_scalers,
        typical=data.typical,
        corrections=data.corrections,
    )
    remove_output(partial_path(out))
    return Run(out, backbone, RunState(), facts)


def _resumed(out: Path, config: MethodConfig, facts: dict[str, Any], reporter: Reporter) -> Run:
    """Return the interrupted training, if it is one on the same data with the same options."""
    run = Run.saved(out)
    run.state.interrupted = False
    where = str(partial_path(out))
    before, now = run.backbone.config.result_options(), config.result_options()
    if type(run.backbone.config) is not type(config):
        raise ConfigError(f"the interrupted training is one of {run.backbone.name}", where=where)
    changed = [name for name in now if name not in _FREE and before[name] != now[name]]
    if changed:
        differences = ", ".join(f"{name} was {before[name]!r}, is {now[name]!r}" for name in changed)
        raise ConfigError(
            f"other options than in the interrupted training: {differences}", where=where, hint="use the same"
        )
    if different := [name for name, value in facts.items() if run.facts.get(name) != value]:
        raise ConfigError(f"other data than in the interrupted training: {', '.join(different)}", where=where)
    if before["epochs"] != now["epochs"]:
        reporter.say(f"epochs were {before['epochs']}, are {now['epochs']}: the learning rate follows")
    run.backbone = replace(run.backbone, config=config)
    reporter.say(f"resumed after epoch {run.state.epoch}, batch {run.state.batch}")
    return run


def _kept(run: Run) -> Backbone:
    """Return the model with the weights that are kept."""
    run.backbone.method.eval()
    if run.best is not None:
        load_weights(run.backbone.method, run.best, where=str(partial_path(run.out)))
    return run.backbone


def _finish(
    run: Run, config: MethodConfig, further: dict[str, str], reporter: Reporter, *, force: bool
) -> PretrainResult:
    """Write the model directory, with further texts by name, and remove the state."""
    state, backbone, result = run.state, _kept(run), _result(run)
    speed = result.molecules_per_second
    training = {
        "method": backbone.name,
        "epochs": state.epoch,
        "stopped_early": state.stopped,
        "best_epoch": state.best_epoch,
        "kept_epoch": state.best_epoch if run.best is not None else state.epoch,
        "loss_start": state.first_loss,
        "loss_end": state.history[-1]["train"]["loss"] if state.history else None,
        "seconds": round(state.seconds, 3),
        "molecules_per_second": round(speed, 1),
        "data": run.facts,
        "history": state.history,
    }
    texts = {"training.json": json.dumps(training, indent=2) + "\n", "README.md": card(backbone, training)}
    texts |= further
    if (metrics := metrics_csv(state)) and config.logger != "none":
        texts["metrics.csv"] = metrics
    save_model(
        run.out,
        kind=KIND,
        config=backbone.description(),
        weights=backbone.weights(),
        statistics=backbone.statistics(),
        texts=texts,
        force=force,
    )
    remove_output(partial_path(run.out))
    reporter.say(
        f"wrote {run.out}: {counted(state.epoch, 'epoch', comma=False)} in {duration(state.seconds)}, "
        f"{speed:,.0f} molecules/s"
    )
    return result


def _result(run: Run) -> PretrainResult:
    state = run.state
    speed = state.molecules / state.seconds if state.seconds else 0.0
    return PretrainResult(run.out, state.history, state.seconds, speed)

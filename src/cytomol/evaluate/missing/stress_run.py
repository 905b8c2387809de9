"""Stress by missing profiles: each filling is pretrained and used with ever fewer profiles, and scored."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.signature import made_here
from cytomol.corpus import Corpus, read_corpus
from cytomol.counted import agreeing
from cytomol.errors import ConfigError, CytomolError
from cytomol.evaluate.missing.fillings import fillings_of
from cytomol.evaluate.missing.hiding import ALL, hide, modalities_of
from cytomol.evaluate.missing.hiding_patterns import read_plates
from cytomol.evaluate.missing.stress_inputs import StressInputs
from cytomol.evaluate.missing.stress_rows import StressJob, StressRows
from cytomol.evaluate.missing.stress_scoring import ScoredModel
from cytomol.evaluate.missing.stress_summary import summarize_stress
from cytomol.evaluate.result_folder import ResultFolder, set_digest
from cytomol.evaluate.sets import SetSource
from cytomol.files import remove_output, settled
from cytomol.methods.config import MethodConfig
from cytomol.tables import write_table
from cytomol.training.dataset.prepare import corpus_digest
from cytomol.training.loop.state import partial_path
from cytomol.training.pretrain import pretrain

__all__ = ["PLACES", "RATES", "MissingStress", "StressFailure", "run_missing_stress"]

ROWS, SUMMARY, RECORD, MODELS = "missing.csv", "summary.csv", "missing.json", "models"
RATES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
PLACES = ("pretraining", "use")
_DIGITS = 6  # of a rate, as many as a row holds, so that a point is known again


@dataclass(frozen=True)
class MissingStress:
    """What is hidden, where, and what is asked of the models.

    Attributes
    ----------
    corpus
        Directory to pretrain on.
    out
        Folder of the results.
    method, base
        Registered name of the method, and options that the fillings change.
    sources
        Tables of assays for the downstream score; may be empty.
    fillings
        Names of fillings; None for all that the method has.
    patterns
        What goes missing together: "random", "scaffold", "plate".
    rates
        Shares that are hidden.
    hidden
        In which modalities, one curve each; "all" is in all of them at once.
    places
        "pretraining", "use" or both.
    seeds
        How many seeds, from 0.
    held_out
        Files of molecules that are asked about; without any, a fifth of the scaffolds with profiles.
    plates
        Folder with the plate of each profile, for the pattern "plate".
    keep_models
        Keep the pretrained models, which are otherwise removed once they are scored.
    """

    corpus: Path
    out: Path
    method: str
    base: MethodConfig
    sources: Sequence[SetSource] = ()
    fillings: tuple[str, ...] | None = None
    patterns: tuple[str, ...] = ("random",)
    rates: tuple[float, ...] = RATES
    hidden: tuple[str, ...] = (ALL,)
    places: tuple[str, ...] = PLACES
    seeds: int = 1
    held_out: tuple[Path, ...] = ()
    plates: Path | None = None
    keep_models: bool = False


@dataclass(frozen=True)
class StressFailure:
    """A point of a curve that has no rows, and why."""

    job: StressJob
    reason: str


@dataclass(frozen=True)
class _Stress:
    """A stress test with what was read for it, and the model that was used last."""

    asked: MissingStress
    inputs: StressInputs
    configs: dict[str, MethodConfig]
    rows: StressRows
    say: Callable[[str], None]
    used: dict[str, ScoredModel] = field(default_factory=dict)


def run_missing_stress(
    stress: MissingStress,
    *,
    resume: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[pd.DataFrame, list[StressFailure]]:
    """Run every point of every curve that has no rows yet; return the curves and what failed.

    Rows are in ``missing.csv`` as soon as a point is scored, so that a run which was cut goes on (``resume``)
    where it stopped, in the middle of a pretraining too. The molecules that are asked about, and those of the
    valid and test folds of the tables, are never learnt from.

    Parameters
    ----------
    stress
        What to do.
    resume
        Go on with what is in ``stress.out``; more of anything but other data may be asked for than before.
    force
        Remove what an earlier run left there.
    say
        Is told what happens.

    Raises
    ------
    ConfigError
        If a filling, pattern, rate or option cannot be, or a resumed run was made with others.
    CytomolError
        If an input or the output cannot be used.
    KeyboardInterrupt
        If the user interrupted it; what was done is saved.
    """
    configs = _checked_configs(stress)
    folder = ResultFolder(stress.out, "a stress test", ROWS, SUMMARY, RECORD, MODELS)
    folder.check(resume=resume, force=force)
    inputs = _read(stress)
    for hidden in stress.hidden:
        for pattern in stress.patterns:
            for side in (inputs.learnt, inputs.kept_back):
                modalities_of(side, hidden, pattern)
    with folder.locked():
        if force:
            folder.clear()
        folder.write_record(_made_with(stress, inputs), growing={"plates"})
        rows = StressRows(stress.out / ROWS)
        if cut := rows.read():
            were = "was written in part; it is", "were written in part; they are"
            say(f"{agreeing(cut, 'result', *were, comma=False)} made again")
        failures = _run(_Stress(stress, inputs, configs, rows, say))
        summary = summarize_stress(rows.frame())
        write_table(summary.round(6), stress.out / SUMMARY, force=True)
    return summary, failures


def _checked_configs(stress: MissingStress) -> dict[str, MethodConfig]:
    """Return the options of each filling; refuse what cannot be, before anything is read."""
    if stress.base.target_spaces == "pooled":
        raise ConfigError(
            "pooled modalities cannot be hidden one by one", where="target_spaces", hint="use separate"
        )
    if wrong := [rate for rate in stress.rates if not 0 <= rate <= 1]:
        raise ConfigError(f"a rate of {wrong[0]:g}", hint="rates are shares from 0 to 1")
    if unknown := [place for place in stress.places if place not in PLACES]:
        raise ConfigError(f"nothing is hidden in {unknown[0]!r}", hint=f"known: {', '.join(PLACES)}")
    names = [source.name for source in stress.sources]
    if len(set(names)) < len(names):
        raise ConfigError("sets need different names", hint=f"given: {', '.join(names)}")
    return fillings_of(stress.base, stress.fillings)


def _read(stress: MissingStress) -> StressInputs:
    sets = [source.load() for source in stress.sources]
    corpus = read_corpus(stress.corpus).select(stress.base.modalities)
    return StressInputs.build(corpus, sets, read_plates(stress.plates, corpus), stress.held_out)


def _made_with(stress: MissingStress, inputs: StressInputs) -> dict[str, Any]:
    """Return what the rows are made with, so that no other run goes on with them."""
    return {
        "corpus": corpus_digest(inputs.corpus),
        "held_out": hashlib.sha256(inputs.left_out.tobytes()).hexdigest(),
        "sets": {data.name: set_digest(data) for data in inputs.sets},
        "plates": {
            name: hashlib.sha256("\n".join(plate).encode()).hexdigest()
            for name, plate in inputs.learnt.plates.items()
        },
        "method": stress.method,
        "options": stress.base.result_options(),
    }


def _jobs(stress: MissingStress, fillings: Sequence[str], seed: int) -> list[StressJob]:
    """Return the points of all curves of a seed: in pretraining rate by rate, in use model by model."""
    points = [
        (pattern, hidden, rate)
        for pattern in dict.fromkeys(stress.patterns)
        for hidden in dict.fromkeys(stress.hidden)
        for rate in dict.fromkeys(round(rate, _DIGITS) for rate in stress.rates)
    ]
    pretrained = [(filling, PLACES[0], point) for point in points for filling in fillings]
    used = [(filling, PLACES[1], point) for filling in fillings for point in points]
    return [
        StressJob(stress.method, filling, place, *point, seed)
        for filling, place, point in [*pretrained, *used]
        if place in stress.places
    ]


def _run(run: _Stress) -> list[StressFailure]:
    """Score every point that is not done, seed by seed: after the first seed there are whole curves."""
    failures: list[StressFailure] = []
    done, number = run.rows.jobs(), 0
    total = run.asked.seeds * len(_jobs(run.asked, list(run.configs), 0))
    for seed in range(run.asked.seeds):
        for job in _jobs(run.asked, list(run.configs), seed):
            number += 1
            if job in done:
                continue
            began = time.perf_counter()
            try:
                how = _pretraining(run, job) if job.place == PLACES[0] else _use(run, job)
            except (CytomolError, MemoryError, torch.OutOfMemoryError) as error:
                failures.append(StressFailure(job, str(error)))
                how = f"FAILED: {error}"
            run.say(f"[{number}/{total}] {job}: {how} ({time.perf_counter() - began:.1f} s)")
        if not run.asked.keep_models:
            _remove_models(run.asked.out)
    return failures


def _pretraining(run: _Stress, job: StressJob) -> str:
    """Hide profiles, pretrain with the rest, and append the scores; say how they came about."""
    modalities = modalities_of(run.inputs.learnt, job.hidden, job.pattern)
    hidden = hide(run.inputs.learnt, modalities, job.pattern, job.rate, seed=job.seed)
    key = _key(run, job, hidden.corpus)
    if known := run.rows.first_job(model=key, place="pretraining"):
        run.rows.append_job(job, ({**row, "share": hidden.share} for row in known))
        return "as another point with the same profiles"
    path, seconds = _pretrained(run, job, hidden.corpus, key)
    scored = _scored_model(run, path).trained_rows()
    run.rows.append_job(job, (_named(row, key, hidden.share, seconds) for row in scored))
    if job.rate > 0 and not run.asked.keep_models:  # the others are used again
        remove_output(path)
    return "pretrained and scored"


def _use(run: _Stress, job: StressJob) -> str:
    """Hide profiles from a model that was pretrained with all of them, and append the scores."""
    modalities = modalities_of(run.inputs.kept_back, job.hidden, job.pattern)
    key = _key(run, job, run.inputs.learnt.corpus)
    path, seconds = _pretrained(run, job, run.inputs.learnt.corpus, key)
    hidden = hide(run.inputs.kept_back, modalities, job.pattern, job.rate, seed=job.seed)
    if key not in run.used:
        run.used.clear()
        run.used[key] = _scored_model(run, path)
    scored = run.used[key].given_rows(hidden.corpus, modalities)
    if not scored:
        return "the model reads no profiles where it is used"
    run.rows.append_job(job, (_named(row, key, hidden.share, seconds) for row in scored))
    return "scored"


def _scored_model(run: _Stress, path: Path) -> ScoredModel:
    """Open a model that the run has pretrained."""
    with made_here():
        return ScoredModel(Backbone.load(path, device="cpu"), run.inputs)


def _named(row: dict[str, Any], key: str, share: float, seconds: float) -> dict[str, Any]:
    return {**row, "model": key, "share": share, "seconds": seconds}


def _key(run: _Stress, job: StressJob, corpus: Corpus) -> str:
    """Return a name for what is pretrained: equal options on equal profiles, equal name."""
    # without any profile there are no gaps to fill: one model stands for all fillings
    any_profile = any(len(modality) for modality in corpus.modalities.values())
    config = run.configs[job.filling] if any_profile else run.asked.base
    options = config.updated(seed=job.seed).result_options()
    facts = [job.method, options, corpus_digest(corpus)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _pretrained(run: _Stress, job: StressJob, corpus: Corpus, key: str) -> tuple[Path, float]:
    """Pretrain a model, go on with one that was interrupted, or find it; return it and its seconds."""
    path = settled(run.asked.out / MODELS / key)
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        pretrain(
            corpus,
            run.configs[job.filling].updated(seed=job.seed),
            path,
            method=job.method,
            resume=settled(partial_path(path)).exists(),
            with_overview=False,
            quiet=True,
        )
    training = json.loads((path / "training.json").read_text(encoding="utf-8"))
    return path, round(float(training["seconds"]), 2)


def _remove_models(out: Path) -> None:
    models = out / MODELS
    for model in sorted(models.iterdir()) if models.exists() else ():
        remove_output(model)

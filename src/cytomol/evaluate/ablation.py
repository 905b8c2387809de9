"""Ablations: each variant of a method is pretrained, its frozen backbone fine-tuned alike, and scored."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from cytomol.artifact.signature import made_here
from cytomol.corpus import Corpus, read_corpus
from cytomol.counted import agreeing
from cytomol.errors import ConfigError, CytomolError
from cytomol.evaluate.ablation_rows import AblationRows, Unit, summarize_ablation
from cytomol.evaluate.job import fold_rows
from cytomol.evaluate.result_folder import ResultFolder, set_digest
from cytomol.evaluate.sets import BenchmarkSet, SetSource
from cytomol.evaluate.variants import Variant, studies_of, variants_of
from cytomol.files import remove_output, require_file, settled, sha256
from cytomol.methods.config import ContextConfig, MethodConfig
from cytomol.predict.config import SCORED_ALONE, FinetuneConfig
from cytomol.predict.finetune import finetune
from cytomol.tables import write_table
from cytomol.training.dataset.prepare import corpus_digest, edge_criteria
from cytomol.training.loop.state import partial_path
from cytomol.training.pretrain import pretrain

__all__ = ["Ablation", "VariantFailure", "run_ablation"]

ROWS, SUMMARY, RECORD, MODELS = "ablation.csv", "summary.csv", "ablation.json", "models"


@dataclass(frozen=True)
class Ablation:
    """What is compared, on what.

    Attributes
    ----------
    corpus
        Directory to pretrain on.
    sources
        Sets to fine-tune on.
    out
        Folder of the results.
    bases
        Options of each method, by its name; a variant changes some of them.
    studies
        Names of studies, or "all".
    seeds
        How many seeds, from 0; each seeds pretraining and head alike.
    head
        Options of fine-tuning, the same for every variant; the backbone is frozen.
    exclude, exclude_relations
        See ``exclude_profiles_of`` of :func:`cytomol.training.pretrain.pretrain`.
    keep_models
        Keep the pretrained models, which are otherwise removed once they are scored.
    """

    corpus: Path
    sources: Sequence[SetSource]
    out: Path
    bases: Mapping[str, MethodConfig]
    studies: Sequence[str] = ("all",)
    seeds: int = 1
    head: FinetuneConfig = field(default_factory=FinetuneConfig)
    exclude: tuple[Path, ...] = ()
    exclude_relations: bool = True
    keep_models: bool = False


@dataclass(frozen=True)
class VariantFailure:
    """A variant that has no rows for a seed, and why."""

    variant: Variant
    seed: int
    reason: str


@dataclass(frozen=True)
class _Inputs:
    """What was read, once for all variants."""

    corpus: Corpus
    sets: tuple[BenchmarkSet, ...]
    excluded: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        return corpus_digest(self.corpus)


def run_ablation(
    ablation: Ablation,
    *,
    resume: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[pd.DataFrame, list[VariantFailure]]:
    """Run every variant and seed that has no rows yet; return the summary and what failed.

    Rows are in ``ablation.csv`` as soon as a variant and seed is scored on a set, so that a run which was
    cut goes on (``resume``) where it stopped, in the middle of a pretraining too. Test labels are seen by
    the scoring alone: pretraining and fine-tuning do not get them.

    Parameters
    ----------
    ablation
        What to compare.
    resume
        Go on with what is in ``ablation.out``; more studies, seeds or sets may be asked for than before.
    force
        Remove what an earlier ablation left there.
    say
        Is told what happens.

    Raises
    ------
    ConfigError
        If a study, variant or option cannot be, or a resumed ablation was made with others.
    CytomolError
        If an input or the output cannot be used.
    KeyboardInterrupt
        If the user interrupted it; what was done is saved.
    """
    studies = studies_of(ablation.studies, tuple(ablation.bases))
    _check_head(ablation)
    out = ablation.out
    folder = ResultFolder(out, "an ablation", ROWS, SUMMARY, RECORD, MODELS)
    folder.check(resume=resume, force=force)
    inputs = _read(ablation)
    plan = _plan(ablation, inputs, studies)
    if not ablation.exclude:
        say("warning: no molecule's profiles are left out, so scores may owe something to what was measured")
    with folder.locked():
        if force:
            folder.clear()
        folder.write_record(_made_with(ablation, inputs), growing={"sets", "options"})
        rows = AblationRows(out / ROWS)
        if cut := rows.read({data.name: _rows_of(data) for data in inputs.sets}):
            were = "was written in part; it is", "were written in part; they are"
            say(f"{agreeing(cut, 'result', *were, comma=False)} made again")
        failures = _run(ablation, inputs, plan, rows, say)
        summary = summarize_ablation(rows.frame())
        write_table(summary.round(6), out / SUMMARY, force=True)
    return summary, failures


def _check_head(ablation: Ablation) -> None:
    if ablation.head.unfreeze != "none":
        raise ConfigError("an ablation compares frozen backbones", where="unfreeze", hint="leave it out")
    names = [source.name for source in ablation.sources]
    if len(set(names)) < len(names) or not names:
        raise ConfigError("sets need different names", hint=f"given: {', '.join(names) or 'none'}")


def _read(ablation: Ablation) -> _Inputs:
    excluded = {sha256(require_file(path, what="molecule file")) for path in ablation.exclude}
    sets = tuple(source.load() for source in ablation.sources)
    for data in sets:
        if not data.scored_folds:
            raise ConfigError("no row is in the valid or the test fold", where=data.name)
    return _Inputs(read_corpus(ablation.corpus), sets, tuple(sorted(excluded)))


def _rows_of(data: BenchmarkSet) -> int:
    return len(data.labels.names) * len(data.scored_folds)


def _plan(ablation: Ablation, inputs: _Inputs, studies: Sequence[str]) -> list[tuple[Variant, MethodConfig]]:
    """Return the variants with their options, all of them checked."""
    plan = []
    for method, base in ablation.bases.items():
        modalities = tuple(inputs.corpus.select(base.modalities).modalities)
        criteria = edge_criteria(base)
        for study in studies:
            for variant in variants_of(study, method, modalities=modalities, criteria=criteria):
                try:
                    plan.append((variant, base.updated(**variant.changes)))
                except ConfigError as error:
                    raise ConfigError(error.what, where=str(variant), hint=error.hint) from None
    return plan


def _made_with(ablation: Ablation, inputs: _Inputs) -> dict[str, Any]:
    """Return what the ablation is made with, so that no other one goes on with it."""
    return {
        "corpus": inputs.digest,
        "exclude": list(inputs.excluded),
        "exclude_relations": ablation.exclude_relations,
        "head": ablation.head.result_options(),
        "sets": {data.name: set_digest(data) for data in inputs.sets},
        "options": {method: base.result_options() for method, base in ablation.bases.items()},
    }


def _key(config: MethodConfig, method: str, ablation: Ablation, inputs: _Inputs) -> str:
    """Return a name for what is pretrained: equal options on equal data, equal name."""
    options = config.result_options()
    modalities = list(inputs.corpus.select(config.modalities).modalities)
    # what "all" stands for, so that naming all of them is the same
    options["modalities"] = sorted(modalities)
    if isinstance(config, ContextConfig):
        targets = config.profile_targets
        options["profile_targets"] = sorted(modalities if targets is None else targets)
        options["criteria"] = sorted(edge_criteria(config))
    facts = [method, options, inputs.digest, inputs.excluded, ablation.exclude_relations]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _run(
    ablation: Ablation,
    inputs: _Inputs,
    plan: Sequence[tuple[Variant, MethodConfig]],
    rows: AblationRows,
    say: Callable[[str], None],
) -> list[VariantFailure]:
    """Score every variant, seed by seed: after the first seed there is a whole table."""
    runs = [(seed, variant, config) for seed in range(ablation.seeds) for variant, config in plan]
    failures: list[VariantFailure] = []
    done = rows.jobs()
    for number, (seed, variant, config) in enumerate(runs, start=1):
        units = {
            data.name: Unit(variant.study, variant.name, variant.method, str(seed), data.name)
            for data in inputs.sets
        }
        missing = [data for data in inputs.sets if units[data.name] not in done]
        if not missing:
            continue
        began = time.perf_counter()
        seeded = config.updated(seed=seed)
        try:
            how = _score(ablation, inputs, variant, seeded, missing, rows=rows)
        except (CytomolError, MemoryError, torch.OutOfMemoryError) as error:
            failures.append(VariantFailure(variant, seed, str(error)))
            how = f"FAILED: {error}"
        say(f"[{number}/{len(runs)}] {variant}, seed {seed}: {how} ({time.perf_counter() - began:.1f} s)")
    return failures


def _score(
    ablation: Ablation,
    inputs: _Inputs,
    variant: Variant,
    config: MethodConfig,
    sets: Sequence[BenchmarkSet],
    *,
    rows: AblationRows,
) -> str:
    """Append the rows of a variant and seed on some sets; say how they came about."""
    key = _key(config, variant.method, ablation, inputs)
    names = {
        "study": variant.study,
        "variant": variant.name,
        "method": variant.method,
        "seed": config.seed,
        "model": key,
    }
    how = "as a variant with equal options"
    for data in sets:
        if known := rows.first_job(model=key, set=data.name):
            rows.append({**row, **names} for row in known)
            continue
        seconds = _pretrained(ablation, inputs, variant.method, config, key)
        how = "pretrained and scored"
        began = time.perf_counter()
        scores = _fine_tuned(ablation, data, _model(ablation, key), config.seed)
        cost = {"seconds_pretrain": seconds, "seconds_finetune": round(time.perf_counter() - began, 2)}
        rows.append({**score, **names, **cost, "set": data.name} for score in scores)
    if not ablation.keep_models:
        for path in (_model(ablation, key), partial_path(_model(ablation, key))):
            remove_output(path)
    return how


def _model(ablation: Ablation, key: str) -> Path:
    return ablation.out / MODELS / key


def _pretrained(ablation: Ablation, inputs: _Inputs, method: str, config: MethodConfig, key: str) -> float:
    """Pretrain a model, go on with one that was interrupted, or find it; return the seconds it trained."""
    path = settled(_model(ablation, key))
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        pretrain(
            inputs.corpus,
            config,
            path,
            method=method,
            resume=settled(partial_path(path)).exists(),
            exclude_profiles_of=ablation.exclude or None,
            exclude_relations=ablation.exclude_relations,
            with_overview=False,
            quiet=True,
        )
    training = json.loads((path / "training.json").read_text(encoding="utf-8"))
    return round(float(training["seconds"]), 2)


def _fine_tuned(ablation: Ablation, data: BenchmarkSet, model: Path, seed: int) -> Sequence[dict[str, Any]]:
    """Fine-tune a frozen model on a set and score the valid and test rows."""
    # seeds of an ensemble's heads follow each other: those of two runs are kept apart
    head = ablation.head.updated(seed=seed * ablation.head.ensemble, learner="head", **SCORED_ALONE)
    # the labels of the test fold are not given to the training
    with made_here():
        fitted = finetune(data.smiles, data.training_labels(), head, backbone=model, folds=data.folds)
    rows = np.flatnonzero(np.isin(data.folds, data.scored_folds))
    answers = fitted.predictor.predict([data.smiles[row] for row in rows])
    return fold_rows(data, rows, answers.values)

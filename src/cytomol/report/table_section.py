"""What was in the table: roles of its columns, repeats, salts, censoring, the noise of the assay."""

from __future__ import annotations

from cytomol.assays.digits import shown
from cytomol.counted import agreeing, counted
from cytomol.predict.record.record_parts import TableFacts, TaskFacts
from cytomol.report.elements import Element, Facts, Fold, Heading, Sentence, Table
from cytomol.report.page import Section
from cytomol.report.predictor_facts import NO_RECORD, PredictorFacts

__all__ = ["table_section"]

_FEW = 12
_CLASSES = 6


def table_section(facts: PredictorFacts) -> Section:
    """Say what the table held, as ``cytomol check`` says it."""
    record = facts.record
    if record is None:
        return Section("What was in the table", [Sentence(NO_RECORD)])
    tasks = Table(
        ["task", "is", "measured", "values", "censored", "repeated", "noise of the assay", "at best"],
        [_row(task) for task in record.facts.tasks],
        "Tasks. Noise: what repeats of one molecule differ by (standard deviation of values; chance that two "
        "classes differ). At best: the score of a model without error against labels of this noise.",
    )
    elements: list[Element] = [Facts(_counts(record.facts))]
    elements += [tasks] if len(record.facts.tasks) <= _FEW else [Fold("Every task", [tasks])]
    if record.columns:
        columns = Table(
            ["column", "is", "measured", "values", "learnt"],
            [
                [
                    column.name,
                    column.role,
                    f"{column.measured:,}",
                    column.values,
                    "yes" if column.learnt else "",
                ]
                for column in record.columns
            ],
            "Columns of the table and what they were taken for",
        )
        many = len(record.columns) > _FEW
        elements += [Fold("Columns and their roles", [columns])] if many else [Heading("Columns"), columns]
    return Section("What was in the table", elements)


def _counts(facts: TableFacts) -> list[tuple[str, str]]:
    """Return what was counted of the molecules."""
    stay = agreeing(facts.repeated, "molecule, which", "stays", "stay", plural="molecules, which")
    pairs = [
        ("rows", f"{facts.rows:,}"),
        ("valid molecules", f"{facts.valid:,}, {facts.different:,} different"),
        ("in several rows", f"{stay} together in every split"),
        ("salts and mixtures", f"{facts.several_parts:,}"),
    ]
    if facts.invalid:
        rows = counted(facts.rows - facts.valid, "row")
        pairs.append(("no molecule", f"{rows}, left out; {facts.invalid}"))
    folds = ", ".join(f"{name} {count:,}" for name, count in facts.folds.items())
    return [*pairs, ("folds (rows)", folds)]


def _row(task: TaskFacts) -> list[str]:
    spread = task.spread or 0.0
    repeated = f"{task.repeated:,}, {task.agree:,} agree" if task.repeated else "none"
    if task.contradictory:
        repeated = f"{task.repeated:,}, {task.contradictory:,} contradict"
    return [
        task.name,
        {"binary": "class", "multiclass": "class", "regression": "number"}[task.kind],
        f"{task.measured:,}",
        _values(task, spread),
        _censored(task),
        repeated,
        _noise(task, spread),
        _best(task, spread),
    ]


def _censored(task: TaskFacts) -> str:
    sides = ((task.below, "less than"), (task.above, "more than"))
    return ", ".join(f"{count:,} {what}" for count, what in sides if count) or "none"


def _values(task: TaskFacts, spread: float) -> str:
    if task.classes:
        pairs = list(zip(task.classes, task.counts, strict=True))
        text = ", ".join(f"{name}: {count:,}" for name, count in pairs[:_CLASSES])
        return text + (f", and {len(pairs) - _CLASSES} more" if len(pairs) > _CLASSES else "")
    if task.low is None:
        return ""
    return f"{shown(task.low, spread)} to {shown(task.high, spread)}, median {shown(task.median, spread)}"


def _noise(task: TaskFacts, spread: float) -> str:
    if task.noise is None:
        return "not known"
    return shown(task.noise, spread) if task.kind == "regression" else f"{task.noise:.0%}"


def _best(task: TaskFacts, spread: float) -> str:
    titles = {"mae": "MAE", "r2": "R²", "roc_auc": "ROC-AUC"}
    return ", ".join(
        f"{titles[name]} {f'{score:.3f}' if name in {'r2', 'roc_auc'} else shown(score, spread)}"
        for name, score in task.best.items()
        if name in titles and score is not None
    )

"""What is run, in its order: entries of the table, and the jobs behind them, each distinct training once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.fidelity.forms import FORMS, METHODS, Budget, config_of, identity

__all__ = ["REAL_FORMS", "Entry", "Job", "entries", "job_of", "jobs"]

REAL_FORMS = ("before", "nodes-profiled", "authors", "zscore", "paper", "summed", "pooled")
"""Forms on the real corpus, the most informative first."""

_LEAKY_FORMS = ("before", "authors")
_REAL_ONLY = ("pooled",)  # a planted corpus has one modality of each kind: there is nothing to pool
_REAL_FIRST = 4  # forms of the real corpus that come before the second planted corpus


@dataclass(frozen=True)
class Entry:
    """One training as the table names it.

    Attributes
    ----------
    corpus, seed
        "planted" or "real", and the seed of a planted corpus.
    method, form
        Names; both "" for what needs no backbone.
    cell
        "cell", "structure" (the same form without cell data) or "leaky" (nobody left out).
    """

    corpus: str
    seed: int
    method: str = ""
    form: str = ""
    cell: str = ""

    def __str__(self) -> str:
        words = (self.corpus, str(self.seed), self.method, self.form, self.cell)
        return " ".join(word for word in words if word) if self.method else f"{words[0]} {words[1]} baselines"


@dataclass(frozen=True)
class Job:
    """A distinct training.

    Attributes
    ----------
    name
        Name of its files; equal trainings have equal names.
    entry
        The first entry that asks for it.
    specification
        What the job is told, but for the ground.
    """

    name: str
    entry: Entry
    specification: Mapping[str, Any]


def entries(
    corpora: Sequence[str] = ("planted", "real"),
    *,
    seeds: int = 3,
    methods: Sequence[str] = tuple(METHODS),
    forms: Sequence[str] = (),
) -> list[Entry]:
    """Return all entries, so that whatever came first when it is cut says the most.

    Parameters
    ----------
    forms
        Forms; none for all but "default".
    """
    ordered: list[Entry] = []
    for seed in range(seeds):
        if "planted" in corpora:
            ordered += _planted(seed)
        if "real" in corpora:
            ordered += _real(seed)
    chosen = forms or [name for name in FORMS if name != "default"]
    return [
        entry
        for entry in dict.fromkeys(ordered)
        if not entry.method or (entry.method in methods and entry.form in chosen)
    ]


def _planted(seed: int) -> Iterator[Entry]:
    yield Entry("planted", seed)
    for form in FORMS.values():
        for method in form.methods if form.name not in _REAL_ONLY else ():
            for cell in ("cell", "structure"):
                yield Entry("planted", seed, method, form.name, cell)


def _real(part: int) -> Iterator[Entry]:
    """Yield the first forms, then the others and the leaky ones; "default" last, like them only once."""
    first, rest = REAL_FORMS[:_REAL_FIRST], (*REAL_FORMS[_REAL_FIRST:], "default")
    if part == 0:
        yield Entry("real", 0)
    for name in {0: first, 1: rest}.get(part, ()):
        for method in FORMS[name].methods:
            for cell in ("cell", "structure"):
                yield Entry("real", 0, method, name, cell)
    for name in _LEAKY_FORMS if part == 1 else ():
        for method in FORMS[name].methods:
            yield Entry("real", 0, method, name, "leaky")


def job_of(entry: Entry, budgets: Mapping[tuple[str, str], Budget]) -> Job:
    """Return the job behind an entry.

    Parameters
    ----------
    budgets
        By corpus and method.
    """
    place = f"{entry.corpus}-{entry.seed}"
    if not entry.method:
        return Job(f"{place}-baselines", entry, {})
    budget, form = budgets[entry.corpus, entry.method], FORMS[entry.form]
    config = config_of(entry.method, form, budget, cells=entry.cell != "structure", seed=entry.seed)
    name = f"{place}-{entry.method}-{identity(entry.method, config)}"
    leaky = entry.cell == "leaky"
    told = {"method": entry.method, "config": config.model_dump(mode="json"), "leaky": leaky}
    return Job(f"{name}-leaky" if leaky else name, entry, told)


def jobs(wanted: Sequence[Entry], budgets: Mapping[tuple[str, str], Budget]) -> list[Job]:
    """Return the distinct jobs behind entries, in the order in which they are first asked for."""
    found: dict[str, Job] = {}
    for entry in wanted:
        job = job_of(entry, budgets)
        found.setdefault(job.name, job)
    return list(found.values())

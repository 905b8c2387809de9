"""Look a corpus over before hours of training go into it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.facts import HEAVY, ColumnFacts, column_facts
from cytomol.corpus.lift import molecule_targets
from cytomol.corpus.problems import Problems
from cytomol.corpus.schema import Corpus, Modality, Relation
from cytomol.corpus.tables import check_keys
from cytomol.counted import agreeing, counted

__all__ = ["CheckReport", "Table", "check_corpus"]

_EXAMPLES = 8


@dataclass(frozen=True)
class Table:
    """Figures under a title."""

    title: str
    header: list[str]
    rows: list[list[str]]


@dataclass
class CheckReport:
    """Result of `check_corpus`.

    Attributes
    ----------
    errors
        What makes the corpus unfit for training.
    warnings
        What a user should know; training copes with it.
    tables
        Figures.
    """

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return not self.errors

    def text(self) -> str:
        """Return the report as text: tables of figures, then warnings, then errors."""
        parts = [_render(table) for table in self.tables if table.rows]
        for title, sentences in (("Warnings", self.warnings), ("Errors", self.errors)):
            if sentences:
                parts.append("\n".join([f"{title} ({len(sentences)})", *(f"- {s}" for s in sentences)]))
        errors, warnings = counted(len(self.errors), "error", comma=False), len(self.warnings)
        summary = f"{errors}, {counted(warnings, 'warning', comma=False)}"
        return "\n\n".join([*parts, summary]) + "\n"


def check_corpus(corpus: Corpus, *, problems: Problems | None = None) -> CheckReport:
    """Count, measure and cross-check a corpus.

    Errors: whatever stops `read_corpus` (a table that cannot be read or of which no id joins, infinite
    values, weights outside [-1, 1], repeated ids), no valid molecule, an InChIKey that contradicts its
    SMILES, a modality without profiles or
    without values. Warnings: NaN; empty, constant, duplicated and heavy-tailed columns; SMILES that do
    not parse; molecules that stand there twice; ids that join nothing while others do; links that are
    repeated or lead back to their source.

    Parameters
    ----------
    corpus
        The corpus.
    problems
        What reading it has found; made with ``strict=False``, so that nothing stopped it.
    """
    report = CheckReport()
    if problems is not None:
        report.errors += problems.errors
    report.warnings += corpus.notes
    covered = _check_modalities(corpus, report, told=problems is not None)
    report.tables.insert(0, _counts(corpus, covered))
    report.tables += [_provenance(corpus), _overlaps(corpus, covered)]
    _check_relations(corpus, report)
    _check_structures(corpus, report)
    keys = Problems(strict=False)
    check_keys(corpus.molecules, where="molecules", problems=keys)
    report.errors += [error for error in keys.errors if error not in report.errors]
    return report


def _render(table: Table) -> str:
    """Return a table in plain characters, the same on a terminal, in a pipe and in a Markdown file."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    drawn = RichTable(box=box.MARKDOWN)
    for number, name in enumerate(table.header):
        texts = [row[number] for row in table.rows if row[number]]
        figures = bool(texts) and all(text[0] in "-0123456789n" and text != "none" for text in texts)
        drawn.add_column(name, justify="right" if number and figures else "left", no_wrap=True)
    for row in table.rows:
        drawn.add_row(*row)
    stream = io.StringIO()
    # wide enough for any table: a console that guesses its width would cut names off in a pipe
    Console(file=stream, width=400, color_system=None, markup=False, highlight=False).print(drawn)
    lines = [line.rstrip() for line in stream.getvalue().splitlines() if line.strip()]
    return "\n".join([table.title, *lines])


def _counts(corpus: Corpus, covered: dict[str, NDArray[np.bool_]]) -> Table:
    profiled = np.zeros(len(corpus), bool)
    for name, molecules in covered.items():
        if corpus.modalities[name].entity == "molecule":
            profiled |= molecules
    targets, _ = molecule_targets(corpus)
    rows = [
        ["molecules", f"{len(corpus):,}"],
        ["genes", f"{len(corpus.genes):,}"],
        ["modalities", f"{len(corpus.modalities):,}"],
        ["relations", f"{len(corpus.relations):,}"],
        ["molecules with a profile", f"{int(profiled.sum()):,}"],
        ["molecules with a target", f"{len(np.unique(targets)):,}"],
    ]
    return Table("Corpus", ["what", "count"], rows)


def _check_modalities(corpus: Corpus, report: CheckReport, *, told: bool) -> dict[str, NDArray[np.bool_]]:
    """Measure every table of profiles; return which molecules each covers, genes' through targets."""
    coverage = Table(
        "Profiles", ["modality", "kind", "of", "profiles", "width", "entities", "coverage", "no value"], []
    )
    columns = Table(
        "Values and columns",
        ["modality", "min", "median", "max", "NaN", "empty", "constant", "duplicated", "heavy-tailed"],
        [],
    )
    covered: dict[str, NDArray[np.bool_]] = {}
    for name, modality in corpus.modalities.items():
        count = len(corpus) if modality.entity == "molecule" else len(corpus.genes)
        entities = len(np.unique(modality.rows))
        facts = column_facts(modality)
        covered[name] = _covered_molecules(corpus, modality)
        share = facts.missing / max(1, len(modality) * modality.width)
        coverage.rows.append(
            [
                name,
                modality.kind,
                modality.entity,
                f"{len(modality):,}",
                f"{modality.width:,}",
                f"{entities:,}",
                f"{entities / max(1, count):.1%}",
                f"{share:.2%}",
            ]
        )
        figures = [f"{number:.4g}" for number in (facts.low, facts.middle, facts.high)]
        lists = (facts.empty, facts.constant, facts.duplicated, facts.heavy)
        columns.rows.append([name, *figures, f"{facts.missing:,}", *(f"{len(found):,}" for found in lists)])
        _judge(modality, facts, report, told=told)
    report.tables += [coverage, columns]
    return covered


def _judge(modality: Modality, facts: ColumnFacts, report: CheckReport, *, told: bool) -> None:
    """Turn the facts on one table into errors and warnings; ``told``: reading has reported the gravest."""
    where = f"modality {modality.name}"
    if len(modality) == 0 and not told:
        report.errors.append(f"{where}: no profile joined")
    elif len(modality) and facts.missing == len(modality) * modality.width:
        report.errors.append(f"{where}: holds no value at all")
    if facts.infinite and not told:
        report.errors.append(f"{where}: {counted(facts.infinite, 'infinite value')}")
    if facts.missing:
        report.warnings.append(f"{where}: {facts.missing:,} NaN (not measured)")
    for what, found in (
        ("without any value", facts.empty),
        ("with one value only", facts.constant),
        ("equal to an earlier one", facts.duplicated),
    ):
        if found and len(modality):
            report.warnings.append(f"{where}: {counted(len(found), 'column')} {what}: {_some(found)}")
    if facts.heavy:
        column, distance = facts.farthest
        report.warnings.append(
            f"{where}: {agreeing(len(facts.heavy), 'column', 'has', 'have')} values beyond {HEAVY:g} robust"
            f" standard deviations, the farthest {distance:,.0f} in {column}; robust scaling copes with these"
        )


def _provenance(corpus: Corpus) -> Table:
    """Say of the modalities that have it how far profiles can be trusted, and by what they are corrected."""
    rows = []
    for name, modality in corpus.modalities.items():
        about = modality.provenance
        if about.empty:
            continue
        known = np.zeros(0) if about.reliability is None else about.reliability[~np.isnan(about.reliability)]
        groups = [f"{label} ({len(set(values) - {''}):,})" for label, values in about.labels.items()]
        rows.append(
            [
                name,
                f"{len(known):,}",
                f"{np.median(known):.2f}" if len(known) else "",
                ", ".join(groups) or "none",
                f"{about.correction} by {about.by}" if about.by else "none",
            ]
        )
    header = ["modality", "known reliability", "median", "labels", "correction"]
    return Table("How far profiles can be trusted", header, rows)


def _covered_molecules(corpus: Corpus, modality: Modality) -> NDArray[np.bool_]:
    """Return which molecules have a profile, or a target that has one; bool, shape (molecules,)."""
    covered = np.zeros(len(corpus), bool)
    if modality.entity == "molecule":
        covered[modality.rows] = True
    else:
        profiled = np.zeros(len(corpus.genes), bool)
        profiled[modality.rows] = True
        molecules, genes = molecule_targets(corpus)
        covered[molecules[profiled[genes]]] = True
    return covered


def _overlaps(corpus: Corpus, covered: dict[str, NDArray[np.bool_]]) -> Table:
    """Count the molecules that two modalities share; the diagonal counts one alone."""
    names = list(covered)
    stack = np.array([covered[name] for name in names], np.int64).reshape(len(names), len(corpus))
    shared = stack @ stack.T
    rows = [
        [f"{i + 1} {name}", *(f"{shared[i, j]:,}" if j <= i else "" for j in range(len(names)))]
        for i, name in enumerate(names)
    ]
    title = "Molecules that modalities share (profiles of genes count for the molecules that target them)"
    return Table(title, ["modality", *(str(i + 1) for i in range(len(names)))], rows)


def _check_relations(corpus: Corpus, report: CheckReport) -> None:
    table = Table(
        "Relations", ["relation", "from", "to", "links", "sources", "targets", "least", "greatest"], []
    )
    for name, relation in corpus.relations.items():
        weights = relation.weight if len(relation) else np.array([np.nan])
        table.rows.append(
            [
                name,
                relation.source_entity,
                relation.target_entity,
                f"{len(relation):,}",
                f"{len(np.unique(relation.source)):,}",
                f"{len(np.unique(relation.target)):,}",
                f"{weights.min():.4g}",
                f"{weights.max():.4g}",
            ]
        )
        _judge_relation(relation, report)
    report.tables.append(table)


def _judge_relation(relation: Relation, report: CheckReport) -> None:
    where = f"relation {relation.name}"
    pairs = pd.DataFrame({"source": relation.source, "target": relation.target})
    if repeated := int(pairs.duplicated().sum()):
        report.warnings.append(
            f"{where}: {agreeing(repeated, 'link', 'stands', 'stand')} there more than once"
        )
    loops = int((relation.source == relation.target).sum())
    if loops and relation.source_entity == relation.target_entity:
        lead = agreeing(loops, "link", "leads back to its", "lead back to their")
        report.warnings.append(f"{where}: {lead} source")
    if zero := int((relation.weight == 0).sum()):
        join = agreeing(zero, "link", "has weight 0 and joins", "have weight 0 and join")
        report.warnings.append(f"{where}: {join} nothing")


def _check_structures(corpus: Corpus, report: CheckReport) -> None:
    """Parse every SMILES; find those that fail and molecules that stand there twice."""
    from cytomol.chem.keys import canonical_smiles
    from cytomol.chem.parse import parse_smiles

    first: dict[str, int] = {}
    failed: list[str] = []
    twice: list[str] = []
    ids = corpus.molecules["mol_id"].tolist()
    for row, smiles in enumerate(corpus.smiles):
        parsed = parse_smiles(smiles)
        if parsed.mol is None:
            failed.append(f"row {row + 1} ({ids[row]}): {parsed.reason}")
            continue
        earlier = first.setdefault(canonical_smiles(parsed.mol), row)
        if earlier != row:
            twice.append(f"row {row + 1} ({ids[row]}) = row {earlier + 1} ({ids[earlier]})")
    if len(failed) == len(corpus):
        report.errors.append(f"molecules: no SMILES parses; {_some(failed, '; ')}")
    elif failed:
        report.warnings.append(f"molecules: {len(failed):,} SMILES do not parse: {_some(failed, '; ')}")
    if twice:
        report.warnings.append(
            f"molecules: {len(twice):,} repeat the structure of an earlier one: {_some(twice, '; ')}"
        )
    rows = [["SMILES that do not parse", f"{len(failed):,}"], ["repeated structures", f"{len(twice):,}"]]
    report.tables.append(Table("Structures", ["what", "count"], rows))


def _some(items: Sequence[str], separator: str = ", ") -> str:
    return separator.join(items[:_EXAMPLES]) + (f"{separator}..." if len(items) > _EXAMPLES else "")

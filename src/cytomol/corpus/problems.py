"""What is wrong with a corpus: raised at the first error, or collected for a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cytomol.corpus.feature_columns import some
from cytomol.counted import agreeing, counted
from cytomol.errors import InputError

if TYPE_CHECKING:
    from cytomol.corpus.build_report import ModalityReport

__all__ = ["JoinReport", "Problems"]


@dataclass(frozen=True)
class JoinReport:
    """How the rows of one table found their molecules or genes.

    Attributes
    ----------
    where
        The table (and column) that was joined.
    key
        What was compared: "mol_id", "InChIKey", "canonical SMILES", "gene_id", ...
    total, joined
        Rows of the table, and how many of them found an entity.
    missing
        The first few distinct ids that found none.
    missing_count
        How many distinct ids found none.
    ambiguous
        Rows whose id belongs to several entities; they went to the first of these.
    torn
        Times that a key fitted several molecules of different structure, and so none.
    hints
        What would have joined by another key, with the option that does so.
    controls, control_rows
        Names of controls that are no genes (LacZ, GFP, ...), and how many rows bear them.
    contradictions
        Rows whose own structure is not that of the molecule which their id names.
    contradicting
        What contradicts each other there.
    contradictions_left_out
        Whether these were left out; by default they are an error.
    keys
        By what each row was joined; for one that was not, why, where that is known. Empty where nobody asked.
    """

    where: str
    key: str
    total: int
    joined: int
    missing: tuple[str, ...] = ()
    missing_count: int = 0
    ambiguous: int = 0
    torn: int = 0
    hints: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    control_rows: int = 0
    contradictions: tuple[str, ...] = ()
    contradicting: str = "structure and id"
    contradictions_left_out: bool = False
    keys: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @property
    def complete(self) -> bool:
        """Whether every row found exactly one entity."""
        return self.joined == self.total and not (self.ambiguous or self.torn)

    def __str__(self) -> str:
        """Return one sentence."""
        left_out = len(self.contradictions) if self.contradictions_left_out else 0
        text = f"{self.where}: {self.joined:,} of {self.total:,} rows joined by {self.key}"
        if self.missing_count:
            shown = ", ".join(self.missing) + (", ..." if self.missing_count > len(self.missing) else "")
            text += f"; {counted(self.missing_count, 'id')} not found: {shown}"
        elif self.joined + self.control_rows + left_out < self.total:
            text += "; the others have no id"
        if self.control_rows:
            controls = "is a control and no gene", "are controls and no genes"
            text += f"; {agreeing(self.control_rows, 'row', *controls)}: {some(self.controls)}"
        if self.ambiguous:
            text += (
                f"; {agreeing(self.ambiguous, 'row', 'fits', 'fit')} several entries and went to the first"
            )
        if self.torn:
            torn = agreeing(self.torn, "key", "fits", "fit")
            text += f"; {torn} several molecules of different structure, and so none"
        if self.contradictions and self.contradictions_left_out:
            text += f"; left out for a structure that contradicts the id: {self._contradicting()}"
        return "; ".join([text, *self.hints])

    def _contradicting(self) -> str:
        rows = counted(len(self.contradictions), "row")
        return f"{rows} ({some(self.contradictions, separator='; ')})"

    @property
    def contradiction(self) -> InputError | None:
        """The error that the contradictions are, if any."""
        if not self.contradictions or self.contradictions_left_out:
            return None
        return InputError(
            f"{self.contradicting} contradict each other in {len(self.contradictions):,} of {self.total:,}"
            f" rows: {some(self.contradictions, separator='; ')}",
            where=self.where,
            hint="are the ids row numbers, or a column shifted? mend the table, choose another key with"
            " --join or --molecule-id, or leave such rows out with --contradictions leave-out",
        )


class Problems:
    """Where readers put what they find.

    Parameters
    ----------
    strict
        Raise the first error (reading); otherwise keep it and go on (checking), so that one report
        names them all.

    Attributes
    ----------
    errors
        Messages of the errors kept.
    joins
        Reports of every table that was joined.
    notes
        What a user should know but can live with, one sentence each.
    built
        Reports of the modalities that were built of tables of profiles.
    """

    def __init__(self, *, strict: bool = True) -> None:
        self.strict = strict
        self.errors: list[str] = []
        self.joins: list[JoinReport] = []
        self.notes: list[str] = []
        self.built: list[ModalityReport] = []

    def error(self, error: InputError) -> None:
        """Raise ``error``, or keep it when collecting."""
        if self.strict:
            raise error
        self.errors.append(str(error))

    def note(self, sentence: str) -> None:
        """Keep a remark."""
        self.notes.append(sentence)

    def join(self, report: JoinReport) -> None:
        """Keep the report, as a note if something did not join; if nothing joins, that is an error."""
        self.joins.append(report)
        if (contradiction := report.contradiction) is not None:
            self.error(contradiction)
        if report.total and not report.joined:
            example = f" (for instance {', '.join(report.missing)})" if report.missing else ""
            self.error(
                InputError(
                    f"none of {report.total:,} rows joins by {report.key}{example}",
                    where=report.where,
                    hint="; ".join(report.hints)
                    or (report.contradictions and str(report))
                    or "check that the ids are those of the molecule or gene table; if another table has"
                    " them, give it with --metadata",
                )
            )
        elif not report.complete:
            self.note(str(report))

"""The report on a predictor: is it any good, on what, where, and why."""

from __future__ import annotations

from pathlib import Path

from cytomol.artifact.directory import kind_of
from cytomol.artifact.model_digest import MANIFEST
from cytomol.report.page import Page, Section
from cytomol.report.report_kinds import report_kinds

__all__ = ["PredictorReport"]


@report_kinds.register("predictor")
class PredictorReport:
    """The report on a model that finetune made."""

    def recognises(self, directory: Path) -> bool:
        """Say whether a directory holds a predictor."""
        return (directory / MANIFEST).is_file() and kind_of(directory) in {"predictor", "model"}

    def page(self, directory: Path) -> Page:
        """Return verdict, scores, table, curve, map, answers, certainty, molecules and how it was run."""
        from cytomol.report.answer_section import answers_section
        from cytomol.report.certainty_sections import calibration_section, coverage_section
        from cytomol.report.curve_section import curve_section
        from cytomol.report.map_section import map_section
        from cytomol.report.molecule_sections import attribution_section, surprise_section
        from cytomol.report.predictor_facts import PredictorFacts
        from cytomol.report.run_section import run_section
        from cytomol.report.score_sections import scores_section, verdict_section
        from cytomol.report.table_section import table_section

        facts = PredictorFacts.read(directory)
        sections: list[Section] = [
            verdict_section(facts),
            scores_section(facts),
            table_section(facts),
            curve_section(facts),
            map_section(facts),
            answers_section(facts),
            calibration_section(facts),
            coverage_section(facts),
            surprise_section(facts),
            attribution_section(facts),
            run_section(facts, directory),
        ]
        return Page(facts.title, facts.subtitle, sections)

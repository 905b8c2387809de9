"""The report on a predictor: its sections in order, and what stands in them."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cytomol.artifact.directory import verify
from cytomol.errors import ModelDirectoryError
from cytomol.predict.record import RECORD
from cytomol.predict.record.record_parts import Curve, Point
from cytomol.report.answer_section import answers_section
from cytomol.report.curve_section import said_of_doubling
from cytomol.report.page import Page
from cytomol.report.predictor_facts import PredictorFacts
from cytomol.report.report_kinds import report_of
from cytomol.report.score_sections import scores_section, verdict_section
from cytomol.report.table_section import table_section

SECTIONS = [
    "Verdict",
    "Scores",
    "What was in the table",
    "Learning curve",
    "The split",
    "Predicted and measured",
    "Calibration",
    "Coverage against distance",
    "Worst and most surprising",
    "What answers rest on",
    "What was run",
]


class Parsed(HTMLParser):
    """Elements of a page: headings, drawings, links, ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.levels: list[int] = []
        self.drawings: list[dict[str, str | None]] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.tags.append(tag)
        self.ids += [own["id"] or ""] if "id" in own else []
        self.references += [own[name] or "" for name in ("href", "src", "xlink:href") if name in own]
        if tag == "svg":
            self.drawings.append(own)
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
            self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = "" if tag == self._open else self._open

    def handle_data(self, data: str) -> None:
        if self._open == "h2":
            self.headings.append(data)


@pytest.fixture(scope="module")
def text(reported: Path) -> str:
    return (reported / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parsed(text: str) -> Parsed:
    return Parsed(text)


def test_sections_stand_in_the_order_in_which_a_reader_asks(parsed: Parsed) -> None:
    assert parsed.headings == SECTIONS


def test_headings_leave_no_level_out(parsed: Parsed) -> None:
    assert parsed.levels[0] == 1
    assert parsed.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(parsed.levels, parsed.levels[1:], strict=False))


def test_every_drawing_has_a_name_and_every_id_is_its_own(parsed: Parsed) -> None:
    assert len(parsed.drawings) > 15
    assert len(parsed.ids) == len(set(parsed.ids))
    for drawing in parsed.drawings:
        assert drawing["role"] == "img"
        named = drawing.get("aria-labelledby") or ""
        assert drawing.get("aria-label") or (named and set(named.split()) <= set(parsed.ids))


def test_nothing_comes_from_elsewhere_and_nothing_runs(parsed: Parsed, text: str) -> None:
    assert {reference[:1] for reference in parsed.references} <= {"#", "d"}  # anchors, and an empty icon
    assert not {"script", "iframe", "object", "img"} & set(parsed.tags)
    assert not re.search(r"@import|url\((?!#)", text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; $IC_50$" in text


def test_it_is_small_and_the_same_again(reported: Path, text: str) -> None:
    assert len(text.encode()) < 1_000_000
    assert report_of(reported).html() == text


def test_the_page_is_no_part_of_the_model(reported: Path) -> None:
    manifest = verify(reported)
    assert RECORD in manifest["files"]
    assert "report.html" not in manifest["files"]


def test_it_says_what_scores_json_says(reported: Path, text: str) -> None:
    scores = json.loads((reported / "scores.json").read_text())
    assert scores["verdict"]["tasks"]["amine"]["sentence"] in text
    assert f"{scores['verdict']['tasks']['amine']['scores']['forest']['roc_auc']['value']:.3f}" in text


def test_it_tells_of_repeats_bounds_and_salts(text: str) -> None:
    assert "<dt>salts and mixtures</dt><dd>1</dd>" in text
    assert "<dd>4 molecules, which stay together in every split</dd>" in text
    assert re.search(r">\d less than<", text)


def test_it_says_how_to_run_it_again(text: str) -> None:
    assert "cytomol finetune table.csv -o model\ncytomol report model" in text


def _changed(reported: Path, to: Path, record: str | None) -> Path:
    """Copy a model with another record, as a fit would have written it."""
    import hashlib

    shutil.copytree(reported, to)
    manifest = json.loads((to / "manifest.json").read_text())
    if record is None:
        (to / RECORD).unlink()
        del manifest["files"][RECORD]
    else:
        (to / RECORD).write_text(record)
        manifest["files"][RECORD] = hashlib.sha256(record.encode()).hexdigest()
    (to / "manifest.json").write_text(json.dumps(manifest))
    return to


def test_without_a_record_there_are_verdict_scores_and_reasons(reported: Path, tmp_path: Path) -> None:
    page = Parsed(found := report_of(_changed(reported, tmp_path / "m", None)).html())
    assert page.headings == SECTIONS
    assert "amine: " in found
    assert "The model was saved without a record of its fit" in found


def test_a_record_that_lacks_something_is_named(reported: Path, tmp_path: Path) -> None:
    broken = json.loads((reported / RECORD).read_text())
    del broken["facts"]["rows"]
    with pytest.raises(ModelDirectoryError, match=r"report.json: facts.rows"):
        report_of(_changed(reported, tmp_path / "m", json.dumps(broken)))
    newer = json.dumps({**broken, "form": 9})
    with pytest.raises(ModelDirectoryError, match="has form 9"):
        report_of(_changed(reported, tmp_path / "n", newer))


def test_a_model_without_molecules_shows_none(reported: Path, tmp_path: Path) -> None:
    record = json.loads((reported / RECORD).read_text())
    bare = {**record, "evidence": False, "shown": [], "attributed": []}
    found = report_of(_changed(reported, tmp_path / "m", json.dumps(bare))).html()
    assert found.count("The model was made with --no-evidence") == 3
    assert "M-1" not in found


def test_of_617_tasks_tables_are_folded_and_the_page_stays_small(reported: Path) -> None:
    facts = PredictorFacts.read(reported)
    assert facts.record is not None
    assert facts.verdict is not None
    names = [f"ATG_{place}_TRANS_up" for place in range(617)]
    one, of_table = facts.verdict["tasks"]["amine"], facts.record.facts.tasks[1]
    verdict = {**facts.verdict, "tasks": dict.fromkeys(names, one), "counts": facts.verdict["counts"]}
    table = facts.record.facts.model_copy(
        update={"tasks": [of_table.model_copy(update={"name": name}) for name in names]}
    )
    many = PredictorFacts(
        {**facts.scores, "verdict": verdict},
        {**facts.config, "tasks": [{"name": name} for name in names]},
        facts.record.model_copy(update={"facts": table}),
        facts.digest,
    )
    sections = [verdict_section(many), scores_section(many), table_section(many), answers_section(many)]
    text = Page(many.title, many.subtitle, sections).html()
    assert many.title == "Model of 617 tasks"
    assert text.count("<details>") == 3
    assert text.count(names[-1]) == 3
    assert "Figures show 2 of 617 tasks" in text
    assert len(text.encode()) < 1_500_000


def _curve(*, low: float, high: float) -> Curve:
    points = [Point(molecules=n, score=s, low=s - 0.1, high=s + 0.1) for n, s in ((50, 0.6), (100, 0.5))]
    return Curve(task="a", metric="mae", points=points, gain=0.1, gain_low=low, gain_high=high)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.05, 0.15, "as many molecules again would bring about as much or a little less"),
        (-0.15, -0.05, "More molecules like these may not help"),
        (-0.05, 0.15, "from 0.050 worse to 0.150 better: too few are tested to tell"),
    ],
)
def test_the_sentence_of_a_learning_curve_follows_its_interval(low: float, high: float, said: str) -> None:
    assert said in said_of_doubling(_curve(low=low, high=high))

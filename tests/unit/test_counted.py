"""Numbers, and words that agree with them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cytomol
from cytomol.counted import agreeing, counted

_PACKAGE = Path(cytomol.__file__).parent
_NOUNS = "rows|columns|profiles|molecules|features|ids|links|epochs|genes|warnings|jobs|groups"
_OTHERS = "of|in|no|and|for|but|from|that|several"
# A noun, and at most one adjective before it, directly after a value.
_PLURAL = re.compile(rf"^ (?:(?!(?:{_OTHERS}) )[a-z-]*[^s ] )?(?:{_NOUNS})\b(?!/s|\.csv)")
# "1 of 10 rows" is right.
_TOTAL = re.compile(r"\b(of|of its|of the) $")

# Where the value is no number or never 1: it is above a limit, a constant, two at least by a condition, or
# the molecules of a corpus or a model, which takes more.
_NEVER_ONE = """
artifact/card.py: data['molecules'] molecules
cells/explain/choose_value.py: rows profiles
chem/similarity/search.py: self.recall.rows molecules
cli/demo.py: molecules['test'] held-out molecules
cli/evaluate_imputation.py: len(rows) rows
cli/evaluate_matching.py: len(found) held-out molecules
cli/impute.py: calibration.molecules molecules
cli/matcher.py: model.facts['molecules'] molecules
corpus/annotate_profiles.py: _share(text != '') profiles
corpus/annotate_profiles.py: _share(~np.isnan(spoken)) profiles
corpus/append.py: which profiles
corpus/combine.py: before profiles
corpus/planted/library.py: size distinct molecules
corpus/profiles.py: len(text) columns
predict/answered_rows.py: len(rows.table) rows
predict/predictor_card.py: len(predictor.evidence.smiles) training molecules
predict/profile_source.py: int(rows.sum()) profiles
predict/uncertainty/uncertainty.py: needed held-out molecules
report/answer_section.py: task.total molecules
report/certainty_sections.py: bands[0].rows molecules
report/certainty_sections.py: task.calibration[0].rows molecules
report/curve_section.py: last molecules
report/of_backbone.py: counts['train'] + counts['validation'] molecules
report/of_backbone.py: training['data']['molecules'] molecules
report/of_backbone_map.py: alike['molecules'] molecules
serve/batcher.py: len(rows) rows
serve/explorer/uploaded_tables.py: len(table) rows
serve/verb_routes.py: len(rows) rows
tables/excel.py: _ROWS rows
tables/streaming/stream_answers.py: source.rows rows
training/dataset/prepare.py: int((~held).sum()) molecules
training/dataset/relation_targets.py: MOLECULES_PER_GENE molecules
"""


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 rows are"), (1, "1 row is"), (2, "2 rows are"), (12_345, "12,345 rows are")]
)
def test_one_is_singular_and_all_else_plural(number: int, said: str) -> None:
    assert agreeing(number, "row", "is", "are") == said
    assert said.startswith(counted(number, "row"))


@given(number=st.integers(0, 10**7), comma=st.booleans(), plural=st.sampled_from(["", "queries"]))
def test_all_numbers_but_one_read_as_with_a_fixed_plural(number: int, comma: bool, plural: str) -> None:
    text = f"{number:,}" if comma else f"{number}"
    noun, verb = ("query", "is") if number == 1 else (plural or "querys", "are")
    assert counted(number, "query", plural=plural, comma=comma) == f"{text} {noun}"
    assert agreeing(number, "query", "is", "are", plural=plural, comma=comma) == f"{text} {noun} {verb}"


@given(total=st.integers(1, 10**7), data=st.data(), comma=st.booleans())
def test_of_a_part_the_noun_goes_with_the_total_and_the_verb_with_the_part(
    total: int, data: st.DataObject, comma: bool
) -> None:
    number = data.draw(st.sampled_from([0, 1, total]) | st.integers(0, total))
    *words, verb = agreeing(number, "row", "has", "have", of=total, comma=comma).split()
    numbers = [f"{n:,}" if comma else f"{n}" for n in (number, total)]
    assert words == [numbers[0], "of", numbers[1], "row" if total == 1 else "rows"]
    assert verb == ("has" if number == 1 else "have")


def _fixed_plurals(text: str) -> Iterator[str]:
    """Return the values of f-strings that stand directly before a plural."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.JoinedStr):
            continue
        parts = [part.value if isinstance(part, ast.Constant) else part for part in node.values]
        for before, value, after in zip(["", *parts], parts, parts[1:], strict=False):
            if not isinstance(value, ast.FormattedValue) or not isinstance(after, str):
                continue
            if (found := _PLURAL.match(after)) and not (isinstance(before, str) and _TOTAL.search(before)):
                yield ast.unparse(value.value) + found[0]


def test_no_message_puts_a_number_that_can_be_one_before_a_fixed_plural() -> None:
    assert list(_fixed_plurals("""f"{n:,} damaged rows, {n} of {m} rows, {n} more of the rows" """)) == [
        "n damaged rows"
    ]
    found = {
        f"{path.relative_to(_PACKAGE).as_posix()}: {plural}"
        for path in _PACKAGE.rglob("*.py")
        for plural in _fixed_plurals(path.read_text(encoding="utf-8"))
    }
    known = set(_NEVER_ONE.strip().split("\n"))
    assert sorted(found - known) == [], "say it with cytomol.counted, or list it where it can never be 1"
    assert sorted(known - found) == [], "these are gone: take them from the list"

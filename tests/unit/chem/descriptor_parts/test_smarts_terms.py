"""The text of a SMARTS atom is cut where its logic is, brackets or not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cytomol.chem.descriptor_parts.smarts_terms import atom_terms, necessary_terms, recursive_pattern

TERM = st.sampled_from(["C", "!#1", "H1", "$(C(=O)[N,O])", "!$([C&H2;R])", "D2", "+0"])


@given(st.lists(st.lists(st.lists(TERM, min_size=1), min_size=1), min_size=1))
def test_what_is_joined_is_taken_apart(parts: list[list[list[str]]]) -> None:
    text = ";".join(",".join("&".join(terms) for terms in part) for part in parts)
    assert atom_terms(f"[{text}]") == parts


def test_only_a_whole_positive_pattern_is_one() -> None:
    assert recursive_pattern("$(C(=O)O)") == "C(=O)O"
    assert recursive_pattern("!$(C)") == recursive_pattern("C") == recursive_pattern("$(C)$(N)") == ""


def test_an_atom_must_be_like_the_first_of_a_recursive_pattern() -> None:
    assert necessary_terms("[$([C&H2]),$([C&H1][C&X4]),$(C([C&X4])[C&X4])]") == [["C&H2", "C&H1", "C"]]
    assert necessary_terms("[$([#8,$([#8]~[H1,c,C])])]") == [["#8", "#8"]]
    assert necessary_terms("[N,$([C;H1,H2]=O)]") == []
    assert necessary_terms("[!$(C=O)]") == []
    assert necessary_terms("c") == [["c"]]

"""Errors are one message that a person can read, whatever a file put into them."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from cytomol.errors import InputError

PART = (
    st.none()
    | st.text(max_size=50)
    | st.builds(lambda text, times: text * times, st.text(), st.integers(0, 900))
)


@given(
    what=st.text() | st.builds(lambda times: "counts" * times, st.integers(0, 2000)), where=PART, hint=PART
)
def test_a_message_has_an_end_and_keeps_those_of_its_parts(
    what: str, where: str | None, hint: str | None
) -> None:
    error = InputError(what, where=where, hint=hint)
    assert len(str(error)) < 1300 + len(hint or "")
    for part in (what, where, hint):
        if part is not None:
            assert part[:300] in str(error)
            assert part[-300:] in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (again.what, again.where, again.hint, str(again)) == (what, where, hint, str(error))

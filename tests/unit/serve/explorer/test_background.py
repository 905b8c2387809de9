"""Work beside the page: what the user can mend is said, a defect is said and shown."""

from __future__ import annotations

import threading

import pytest

from cytomol.errors import InputError
from cytomol.serve.explorer.background import in_background, or_say


def raising(error: Exception) -> object:
    raise error


@pytest.mark.parametrize("error", [InputError("no molecule"), OSError("disk is gone"), MemoryError("full")])
def test_what_the_user_can_mend_is_said(error: Exception) -> None:
    said: list[str] = []
    or_say(lambda: raising(error), said.append)
    assert said == [str(error)]


def test_a_defect_is_said_and_goes_on_to_the_terminal() -> None:
    said: list[str] = []
    with pytest.raises(TypeError, match="secret"):
        or_say(lambda: raising(TypeError("secret")), said.append)
    assert said == ["a defect of the explorer (TypeError); the terminal says more"]


def test_work_is_done_in_a_thread_that_has_a_name() -> None:
    names: list[str] = []
    done = threading.Event()

    def work() -> None:
        names.append(threading.current_thread().name)
        done.set()

    in_background(work, names.append, name="cytomol-work")
    assert done.wait(20)
    assert names == ["cytomol-work"]

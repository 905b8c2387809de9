"""What is shown in a pipe and on a terminal."""

from __future__ import annotations

import sys

import pytest

from cytomol.progress import Reporter, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (185, "3:05 min"),
        (7630, "2:07:10 h"),
        (59.4, "59 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_pipe_gets_lines(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    with reporter.step("context") as part:
        part("walks")
    with reporter.bar("featurize") as progress:
        progress(1, 2)
        progress(2, 2)
    with reporter.training(10, 3) as show:
        show(4, "loss 1")
        reporter.say("epoch 1/2")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line.split(":")[0] for line in shown.err.splitlines()] == ["context", "featurize", "epoch 1/2"]


def test_a_terminal_gets_a_bar_with_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with Reporter().training(10, 0) as show:
        show(4, "loss [1]")
    shown = capsys.readouterr().err
    assert "4/10" in shown
    assert "loss [1]" in shown


def test_a_pipe_that_is_told_to_show_colours_gets_no_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notebooks and continuous integration set FORCE_COLOR; each frame would be a line there."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Reporter().bar("featurize") as progress:
        progress(1, 2)
    assert capsys.readouterr().err == "featurize: 0.0 s\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter(quiet=True)
    with reporter.step("a"), reporter.bar("b") as progress:
        progress(1, 2)
    reporter.say("c")
    assert capsys.readouterr() == ("", "")

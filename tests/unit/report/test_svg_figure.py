"""Figures in a page: one name each, no colour that the page does not know, no date."""

from __future__ import annotations

import re

from matplotlib.axes import Axes

from cytomol.report.palette import COLOURS, SERIES, colour, style_variables
from cytomol.report.svg_figure import drawn, on_log_axis


def _draw(axes: Axes) -> None:
    axes.scatter([1, 2, 3], [3, 1, 2], color=colour("blue"), label="<b>$a_1$")
    axes.plot([1, 3], [1, 3])
    axes.set_xlabel("x & y")
    axes.legend()


def _svg(name: str) -> str:
    return drawn(_draw, name=name, title="<A>", says="It goes up & down", caption="c").svg


def test_every_id_carries_the_figures_name_and_every_reference_is_found() -> None:
    svg = _svg("parity")
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("parity-") for name in ids)
    references = re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', svg)
    assert references
    assert set(references) <= set(ids)


def test_a_figure_is_named_and_described() -> None:
    svg = _svg("f")
    assert svg.startswith('<svg role="img" aria-labelledby="f-title f-says"')
    assert '<title id="f-title">&lt;A&gt;</title><desc id="f-says">It goes up &amp; down</desc>' in svg


def test_text_stays_text_and_no_formula() -> None:
    svg = _svg("f")
    assert "&lt;b&gt;$a_1$" in svg
    assert "x &amp; y" in svg


def test_colours_are_the_pages_own() -> None:
    assert re.findall(r"#[0-9a-f]{6}\b", _svg("f")) == []


def test_the_same_figure_twice_is_the_same_text() -> None:
    assert _svg("f") == _svg("f")


def test_ticks_of_a_logarithmic_axis_are_numbers() -> None:
    def draw(axes: Axes) -> None:
        axes.plot([10, 1000], [1, 2])
        on_log_axis(axes, [10, 1000])

    assert "1,000" in drawn(draw, name="f", title="t", says="s", caption="c").svg


def _luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_text_can_be_read_on_its_paper_light_and_dark() -> None:
    for shade in ("light", "dark"):
        of = {name: getattr(pair, shade) for name, pair in COLOURS.items()}
        for text in ("ink", "quiet", "link"):
            assert _contrast(of[text], of["paper"]) > 4.5, (shade, text)
            assert _contrast(of[text], of["faint"]) > 4.5, (shade, text)


def test_every_series_has_a_variable() -> None:
    assert all(f"--{name}:" in style_variables(dark=True) for name in SERIES)
    assert len({pair.light for pair in COLOURS.values()}) == len(COLOURS)

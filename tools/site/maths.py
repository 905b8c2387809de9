"""Equations as MathML, which browsers draw themselves: no script, and nothing to load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["register", "to_mathml"]


def to_mathml(latex: str, *, block: bool) -> str:
    r"""Return an equation as MathML.

    Parameters
    ----------
    latex
        LaTeX, without dollar signs.
    block
        Whether it stands on a line of its own.

    Examples
    --------
    >>> to_mathml("x^2", block=False).startswith("<math")
    True
    """
    from docutils.utils.math.latex2mathml import tex2mathml

    return str(tex2mathml(latex, as_block=block))


def register(app: Sphinx) -> None:
    """Make this the way in which Sphinx writes equations (``html_math_renderer = "mathml"``)."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))


def _inline(writer: Any, node: Any) -> None:
    from docutils import nodes

    # a word joiner keeps the full stop after a symbol on its line
    writer.body.append(to_mathml(node.astext(), block=False) + "&#8288;")
    raise nodes.SkipNode


def _block(writer: Any, node: Any) -> None:
    from docutils import nodes

    number = node.get("number")
    label = f'<span class="eqno">({number})</span>' if number else ""
    equation = to_mathml(node.astext(), block=True)
    # a wide one is scrolled in a narrow window, by keyboard too
    writer.body.append(f'<div class="equation" tabindex="0">{label}{equation}</div>\n')
    raise nodes.SkipNode

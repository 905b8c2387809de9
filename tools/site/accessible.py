"""Markup of Sphinx and its theme mended for screen readers: toggles without a name, lists without terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["as_list", "register", "with_names"]

# Sphinx sets a long signature as a list of definitions that defines nothing.
_PIECES = {
    "<dl>\n": '<ul class="parameters">\n',
    "</dl>\n\n": "</ul>\n",
    "<dd>": "<li>",
    "</dd>\n": "</li>\n",
}


def register(app: Sphinx) -> None:
    """Have Sphinx write long signatures as lists, and the theme name the toggles of its side bar."""
    from sphinx import addnodes

    for node in (addnodes.desc_parameterlist, addnodes.desc_type_parameter_list):
        app.add_node(node, override=True, html=(_visit_parameters, _depart_parameters))
    app.connect("html-page-context", _name_toggles, priority=900)  # the theme's own comes before


def as_list(pieces: list[str]) -> list[str]:
    r"""Return a signature's parameters, one a line, as a plain list of HTML.

    Parameters
    ----------
    pieces
        Of HTML, as Sphinx appends them; those of a signature on one line stay as they are.

    Examples
    --------
    >>> "".join(as_list(["(", "<dl>\n", "<dd>", "<em>", "x: int", "</em>", "</dd>\n", "</dl>\n\n", ")"]))
    '(<ul class="parameters">\n<li><em>x: int</em></li>\n</ul>\n)'
    """
    return [_PIECES.get(piece, piece) for piece in pieces]


def with_names(side_bar: str) -> str:
    """Return the side bar with a name for each toggle beside a link: what it shows.

    Examples
    --------
    >>> with_names("<li><a>Modules</a><details><summary></summary></details></li>")
    '<li><a>Modules</a><details><summary aria-label="Pages of Modules"></summary></details></li>'
    """
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(side_bar, "html.parser")
    for toggle in soup.select("li > details > summary"):
        link = toggle.parent and toggle.parent.find_previous_sibling("a")
        if link and not toggle.get_text(strip=True):
            toggle["aria-label"] = f"Pages of {link.get_text(' ', strip=True)}"
    return str(soup)


def _visit_parameters(writer: Any, node: Any) -> None:
    node["begins"] = len(writer.body)
    getattr(type(writer), f"visit_{type(node).__name__}")(writer, node)


def _depart_parameters(writer: Any, node: Any) -> None:
    getattr(type(writer), f"depart_{type(node).__name__}")(writer, node)
    begins = node["begins"]
    writer.body[begins:] = as_list(writer.body[begins:])


def _name_toggles(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    made = context.get("generate_toctree_html")
    if made is not None:
        context["generate_toctree_html"] = lambda *words, **named: with_names(str(made(*words, **named)))

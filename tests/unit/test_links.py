"""Links in the documents lead to files and headings that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def links(text: str) -> list[str]:
    """Return where the links and figures of a document lead, but for those to other places on the web."""
    found = _LINK.findall(_FENCE.sub("", text))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    found: list[str] = []
    for heading in re.findall(r"^#+ +(.+?) *$", _FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return set(found)


def broken(path: Path) -> Iterator[str]:
    """Yield the links of a document that lead nowhere."""
    for target in links(path.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        to = path.parent / unquote(name) if name else path
        if not to.exists() or (anchor and anchor not in anchors(to.read_text(encoding="utf-8"))):
            yield target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    assert not list(broken(path))


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A `title`, twice\n\n## A title, twice\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](other.md) [b\nc](other.md#a-title-twice-1) [d](#here) [e](https://example.org/x)\n"
        "```sh\n# no heading\n[f](in/code.md)\n```\n"
        "[g](gone.md) ![h](figures/gone.svg) [i](#no-heading) [j](other.md#a-title)\n"
    )
    assert list(broken(page)) == ["gone.md", "figures/gone.svg", "#no-heading", "other.md#a-title"]


def test_the_readme_is_among_the_documents() -> None:
    assert {"README.md", "docs/benchmarks.md"} <= {str(path.relative_to(ROOT)) for path in DOCUMENTS}

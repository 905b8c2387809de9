"""The documentation site: what Sphinx is given beside the pages of docs/ (`make docs`).

The pages of docs/ are Markdown that reads on its own. Pages of verbs and of public names are written by this
package before every build, from the command line and from ``__all__``; links that lead out of docs/, diagrams
and equations are fitted to the site. Nothing of the site is loaded from elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.architecture import ROOT
from tools.site import accessible, api, contents, links, maths, picture, streams, verbs

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup"]

DOCS = ROOT / "docs"
# Pages of the repository's root that are pages of the site too, and what they are called there.
COPIED = {"CONTRIBUTING.md": "project/contributing.md", "CHANGELOG.md": "project/changes.md"}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what is ours with Sphinx."""
    app.connect("config-inited", lambda app, _config: write_pages(Path(app.srcdir)))
    app.connect("source-read", _fit)
    app.connect("autodoc-skip-member", api.skip_member)
    app.connect("autodoc-process-signature", api.plain_signature, priority=900)
    app.connect("build-finished", api.complain_of_missing)
    maths.register(app)
    accessible.register(app)
    streams.register()
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def write_pages(folder: Path) -> None:
    """Write the generated pages below ``folder``; a page that would be the same is left alone."""
    pages = {**verbs.pages(DOCS), **api.pages()}
    for source, target in COPIED.items():
        pages[target] = links.moved((ROOT / source).read_text(encoding="utf-8"), source, target)
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    for generated in ("verbs", "project", "api/modules"):
        for path in (folder / generated).glob("*.md"):
            if path.relative_to(folder).as_posix() not in pages:
                path.unlink()


def _fit(app: Sphinx, page: str, source: list[str]) -> None:
    """Fit the text of a page to the site."""
    here = (Path(app.srcdir) / page).parent
    text = contents.with_contents(links.fitted(source[0], f"docs/{page}.md"), here)
    source[0] = picture.drawn(contents.without_gaps(text))

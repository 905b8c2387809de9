"""The documentation site: every page is in it, every verb and option, and every public name."""

from __future__ import annotations

import ast
import doctest
import functools
import importlib
import re
import textwrap
import typing
from fnmatch import fnmatch
from pathlib import Path

import pytest
from tools.architecture import ROOT, module_paths
from tools.site import COPIED, accessible, api, contents, links, maths, picture, streams, verbs

from cytomol.cli.main import _VERBS
from cytomol.predict.uncertainty import Word as Domain
from cytomol.predict.verdict.task import Word as VerdictWord

DOCS = ROOT / "docs"
GENERATED = ("verbs/", "api/modules/", "project/")
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in DOCS.glob("**/*.md")}
WRITTEN = {name: text for name, text in PAGES.items() if not name.startswith(GENERATED)}
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def verb_pages() -> dict[str, str]:
    return verbs.pages(DOCS)


@pytest.mark.parametrize(
    "module",
    [accessible, api, contents, links, maths, picture, streams, verbs],
    ids=lambda m: m.__name__,
)
def test_examples_of_the_docstrings(module: typing.Any) -> None:
    if needed := {maths: "docutils", accessible: "bs4"}.get(module):
        pytest.importorskip(needed)
    assert doctest.testmod(module).failed == 0


def test_every_page_stands_in_a_table_of_contents() -> None:
    listed: set[str] = set()
    for name, text in WRITTEN.items():
        for named in re.findall(r'^<!-- pages(?: "[^"]+")?: (.+?) -->$', text, re.MULTILINE):
            for entry in re.split(r",\s*", named):
                place = re.sub(r".*<(.+)>", r"\1", entry)
                listed.add((Path(name).parent / place).as_posix())
    missing = [
        name
        for name in WRITTEN
        if name != "index.md" and not any(fnmatch(name.removesuffix(".md"), pattern) for pattern in listed)
    ]
    assert missing == [], "name them in a comment <!-- pages: ... --> of the page above them"


def test_every_verb_has_a_page_with_all_that_its_help_says(verb_pages: dict[str, str]) -> None:
    assert {f"verbs/{verb}.md" for verb in _VERBS} | {"verbs/index.md"} == set(verb_pages)
    seen = 0
    for command in verbs.commands():
        text = verb_pages[f"verbs/{command.words[1]}.md"]
        part = text.partition(f"{{program}} {command.name}\n")[2].partition("{program}")[0]
        for option in command.command.get_params(command.context):
            if option.param_type_name == "option" and "--help" not in option.opts:
                seen += 1
                assert re.search(rf"^```\{{option\}}.* ?{option.opts[-1]}\b", part, re.MULTILINE), option.opts
    assert seen > 400


def test_a_page_says_default_and_kind_of_an_option_and_shows_the_example(verb_pages: dict[str, str]) -> None:
    text = verb_pages["verbs/corpus.md"]
    assert (
        "```{option} --size INTEGER RANGE\n\nMolecules. *default: 2000* *200<=x<=1000000*\n```"
        in text.replace("\\", "")
    )
    assert "**Example**\n\n```sh\ncytomol corpus planted -o corpus --size 500\n```" in text
    assert "\n## corpus check\n" in text


def test_pages_of_verbs_lead_to_pages_that_show_them(verb_pages: dict[str, str]) -> None:
    for name, text in verb_pages.items():
        for place in re.findall(r"^- \[.+\]\(\.\./(.+\.md)\)$", text, re.MULTILINE):
            assert place in PAGES, name
    assert "(../cells/impute.md)" in verb_pages["verbs/impute.md"]


def test_every_public_name_is_on_a_page() -> None:
    shown = "\n".join(api.pages().values())
    shown = re.sub(r"py:data:: (\w+)\n   :module: (\S+)", r"py:data:: \2.\1", shown)
    documented = set(re.findall(r"^\.\. (?:autoclass|autofunction|py:data):: (\S+)$", shown, re.MULTILINE))
    aliases = {f"cytomol.{name}" for name in re.findall(r":py:obj:`~cytomol\.(\w+)`", shown)}
    assert aliases <= documented
    for name in api.public_names():
        module, _, last = name.rpartition(".")
        thing = getattr(importlib.import_module(module), last)
        assert name in documented or any(
            thing is getattr(importlib.import_module("cytomol"), a.partition(".")[2]) for a in aliases
        ), name
    assert len(documented) > 150


def imported(code: str) -> set[tuple[str, str]]:
    """Return module and name of what a block of Python imports from the package."""
    if re.match(r"(?:^:.*\n)*\n*%%", code):
        return set()  # a cell of a notebook in another language
    code = re.sub(r"^\s*[%!:].*$", "", code, flags=re.MULTILINE)  # its tags, and words to the notebook
    if ">>> " in code:
        code = "\n".join(re.findall(r"^ *(?:>>>|\.\.\.) ?(.*)$", code, re.MULTILINE))
    found = set()
    for node in ast.walk(ast.parse(textwrap.dedent(code))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cytomol":
            found |= {(str(node.module), alias.name) for alias in node.names}
    return found


def test_what_the_documents_import_is_public() -> None:
    public = {tuple(name.rsplit(".", 1)) for name in api.public_names()}
    texts = {
        **WRITTEN,
        "README": (ROOT / "README.md").read_text(encoding="utf-8"),
        "CONTRIBUTING": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    }
    blocks = [
        (name, block)
        for name, text in texts.items()
        for block in re.findall(
            r"^ *```(?:python|\{code-cell\}[^\n]*)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE
        )
    ]
    inside = [(name, found) for name, block in blocks for found in imported(block) - public]
    assert len(blocks) > 8
    assert sorted(inside) == [], (
        "import it from a public module, or make its module public in tools/site/api.py"
    )


def test_public_modules_are_there_and_listed_once() -> None:
    listed = [module for group in api.PUBLIC.values() for module in group]
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(module_paths())


def test_links_out_of_docs() -> None:
    text = "[a](../README.md) [b](guide.md#x) [c](https://x.org/y) `[d](../src)` [e](../examples/assay.csv)"
    assert links.fitted(text, "docs/a.md") == text.replace("../README.md", "index.md").replace(
        "[d](../src)", "d"
    )
    assert links.fitted("```\n[a](../README.md)\n```", "docs/a.md") == "```\n[a](../README.md)\n```"
    for source, target in COPIED.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        there = links.moved(text, source, target)
        assert targets(there, (DOCS / target).parent) == targets(text, (ROOT / source).parent)


def targets(text: str, folder: Path) -> list[Path]:
    """Return the files that the links of a page in a folder lead to."""
    return [(folder / to).resolve() for to in re.findall(r"\]\(([^)#:]+)[^)]*\)", FENCE.sub("", text))]


def test_the_picture_has_a_box_for_each_room_and_arrows_that_rise() -> None:
    drawn = picture.drawn(PAGES["architecture.md"])
    assert "```mermaid" not in drawn
    pairs = re.findall(r"^    (\w+) --> (\w+)$", PAGES["architecture.md"], re.MULTILINE)
    places = {
        name: (float(x), float(y))
        for x, y, name in re.findall(r'<text x="([\d.]+)" y="([\d.]+)">(\w+)</text>', drawn)
    }
    assert set(places) == {name for pair in pairs for name in pair}
    assert len(set(places.values())) == len(places)
    assert all(places[below][1] > places[above][1] for below, above in pairs)
    assert drawn.count('class="arrow"') == len(pairs)


def test_equations_can_be_drawn() -> None:
    pytest.importorskip("docutils")
    found = 0
    for name, text in WRITTEN.items():
        plain = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
        for block in re.findall(r"^\$\$\n(.+?)\n\$\$$", plain, re.DOTALL | re.MULTILINE):
            found += 1
            assert "merror" not in maths.to_mathml(block, block=True), f"{name}: {block}"
    assert found >= 10


# What we do not say, and what we say for it: one word for one thing.
OTHER_WORDS = {
    r"neighbor": "neighbour",
    r"out[- ]of[- ]domain|applicability domain": "outside",
    r"confidence intervals?|prediction intervals?": "interval",
    r"training set|test set|validation set": "train, test or valid fold",
    r"pre-train": "pretrain",
    r"hyper-?parameter": "option",
}


@functools.cache
def spoken() -> dict[str, str]:
    """Return what users read: the documents, and the texts of the rooms that speak to them."""
    texts = {f"docs/{name}": FENCE.sub("", text) for name, text in WRITTEN.items()}
    texts["README.md"] = (ROOT / "README.md").read_text(encoding="utf-8")
    for module, path in module_paths().items():
        if module.split(".")[1:2] in (["cli"], ["report"], ["serve"]):
            constants = (
                node.value
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            )
            texts[module] = "\n".join(constants)
    return texts


@pytest.mark.parametrize("words", OTHER_WORDS)
def test_one_word_for_one_thing(words: str) -> None:
    found = [name for name, text in spoken().items() if re.search(rf"\b(?:{words})", text, re.IGNORECASE)]
    assert found == [], f"say {OTHER_WORDS[words]}"


def test_the_words_of_the_verdict_and_the_domain_are_those_of_the_documents() -> None:
    table = PAGES["verdict.md"].partition("## The words")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(typing.get_args(VerdictWord))
    for word in typing.get_args(Domain):
        assert f"`{word}`" in PAGES["guide.md"]
        assert word in PAGES["uncertainty.md"]


def test_the_workflow_builds_the_site_as_make_does() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nsite:")[2].partition("\n\n")[0]
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    command = next(line for line in recipe.splitlines() if "sphinx" in line)
    plain = command.partition("$(BIN)/")[2].replace("$(SPHINX) ", "")
    assert " -W " in plain
    assert f"run: {plain}\n" in workflow

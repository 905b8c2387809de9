"""What the package stands on: licences that let it be used, and versions that are written down."""

from __future__ import annotations

import re
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from tools.constraints import LOCK, installed, lines

PERMITTED = {
    *(
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC0-1.0",
        "CNRI-Python",
        "ISC",
        "MIT",
    ),
    *("MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib", "LLVM-exception"),
    *("BSD", "Apache 2.0", "BSD 3-Clause License"),  # as older packages call theirs
    *("MIT License", "BSD License", "Apache Software License", "Python Software Foundation License"),
}
RUNTIME = installed("cytomol", ["excel", "omics", "sign"])


def licences(found: metadata.Distribution) -> set[str]:
    """Return the licences that a package names: an expression, else its classifiers, else a word."""
    about = found.metadata
    if expression := about.get("License-Expression"):
        return set(re.split(r" (?:AND|OR|WITH) |[()]", expression)) - {""}
    told = [
        line.split(" :: ")[-1] for line in about.get_all("Classifier") or () if line.startswith("License")
    ]
    return set(told) or set(re.split(r" (?:AND|OR) ", (about.get("License") or "none").splitlines()[0]))


@pytest.mark.parametrize("name", sorted(set(RUNTIME) - {"cytomol"}))
def test_every_package_that_a_user_gets_may_be_used(name: str) -> None:
    assert licences(RUNTIME[name]) <= PERMITTED


def test_a_licence_that_asks_for_more_would_be_found() -> None:
    found = metadata.distribution("click")
    copyleft = Message()
    copyleft["License-Expression"] = "MIT AND (GPL-3.0-only OR LGPL-2.1-only)"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(found), "metadata", copyleft)
        assert licences(found) - PERMITTED == {"GPL-3.0-only", "LGPL-2.1-only"}


def test_the_constraints_are_plain_versions_and_meet_what_is_declared() -> None:
    written = LOCK.read_text(encoding="utf-8").splitlines()
    assert "://" not in "\n".join(written), "no address of an index"
    pins = dict(line.split("==") for line in written if not line.startswith("#"))
    assert len(pins) > 100
    for text in metadata.requires("cytomol") or ():
        wanted = Requirement(text)
        named = wanted.name.lower().replace("_", "-")
        if wanted.marker is None or wanted.marker.evaluate({"extra": "dev"}):
            assert Version(pins[named]) in wanted.specifier, text


def test_a_line_is_a_package_and_a_version() -> None:
    found = lines()
    names = [line.split("==")[0] for line in found]
    assert names == sorted(set(names))
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][\w.!]*", line) for line in found)
    assert Path(LOCK).name == "constraints.txt"

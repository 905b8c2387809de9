"""Pin what the tests run with: ``python -m tools.constraints`` writes constraints.txt.

The versions are those of the environment that runs this, of everything that ``cytomol[dev]`` needs directly
or by way of another package. ``make test LOCK=constraints.txt`` installs exactly these.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["LOCK", "installed", "lines", "main"]

LOCK = Path(__file__).parents[1] / "constraints.txt"
_HEAD = "# Versions that the tests run with, made by python -m tools.constraints; see CONTRIBUTING.md."


def installed(name: str, extras: Iterable[str] = ()) -> dict[str, metadata.Distribution]:
    """Return what a package needs by name, itself included: what is installed of it, and of what that needs.

    Parameters
    ----------
    name
        The package.
    extras
        Of its optional parts.

    Examples
    --------
    >>> sorted(installed("filelock"))
    ['filelock']
    """
    found: dict[str, metadata.Distribution] = {}
    asked: set[tuple[str, str]] = set()
    waiting = [(name, extra) for extra in ("", *extras)]
    while waiting:
        one, extra = waiting.pop()
        if (one, extra) in asked:
            continue
        asked.add((one, extra))
        try:
            found[one] = metadata.distribution(one)
        except metadata.PackageNotFoundError:  # of another system, or optional
            continue
        for text in found[one].requires or ():
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(wanted.name), more) for more in ("", *wanted.extras)]
    return found


def lines() -> list[str]:
    """Return a line for each package, without the builds that only one index has (``+cpu``)."""
    pinned = installed("cytomol", ["dev"])
    return [
        f"{name}=={found.version.split('+')[0]}"
        for name, found in sorted(pinned.items())
        if name != "cytomol"
    ]


def main() -> int:
    """Write the file."""
    LOCK.write_text("\n".join([_HEAD, *lines()]) + "\n", encoding="utf-8")
    print(f"{LOCK.name}: {len(lines())} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())

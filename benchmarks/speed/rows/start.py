"""How long the user waits for the first word."""

from __future__ import annotations

from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, Variant, compare
from benchmarks.speed.process import python
from benchmarks.speed.settings import Settings


def run(material: Material, settings: Settings) -> list[Figure]:
    """Measure whole processes, Python's own start included."""
    del material

    def start(*arguments: str) -> Variant:
        return Variant(
            "cytomol", lambda: python(arguments, threads=settings.threads, memory=False), 1, "whole process"
        )

    bare = Variant("limit", lambda: python(["-c", ""], threads=1, memory=False), 1, "Python alone")
    rows = {
        "import cytomol": start("-c", "import cytomol"),
        "cytomol --help": start("-c", "from cytomol.cli.main import main; main(['--help'])"),
        "cytomol pretrain --help": start(
            "-c", "from cytomol.cli.main import main; main(['pretrain', '--help'])"
        ),
    }
    figures = []
    for row, variant in rows.items():
        figures += compare(row, "s", [variant, bare], repeats=settings.repeats, threads=settings.threads)
    return figures

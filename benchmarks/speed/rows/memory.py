"""Peak memory of the demo, and of pretraining on the whole corpus."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, show
from benchmarks.speed.process import python
from benchmarks.speed.settings import Settings

_PRETRAIN = """
import sys
from benchmarks.speed.material import Material
from cytomol.methods import methods
from cytomol.training.pretrain import pretrain
name, out = sys.argv[1:]
config = methods[name].Config().updated(epochs=1, views=("2d",) if name == "infoalign" else ("1d", "2d"))
pretrain(Material.load(8).corpus, config, out, method=name, force=True)
"""


def run(material: Material, settings: Settings) -> list[Figure]:
    """Run each once, whole, from the first import to the end."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("infoalign", "chmr"):
            material.fingerprints  # noqa: B018 - what a second run finds in the cache
            ran = python(["-c", _PRETRAIN, name, str(Path(folder) / name)], threads=settings.threads)
            figures += _figures(f"cytomol pretrain {name}, 1 epoch, whole corpus", ran.peak, settings)
        main = "from cytomol.cli.main import main; main(['demo', '--force', '-o', %r])"
        ran = python(["-c", main % str(Path(folder) / "demo")], threads=settings.threads)
        figures += _figures("cytomol demo", ran.peak, settings)
    show(figures)
    return figures


def _figures(row: str, peak: float, settings: Settings) -> list[Figure]:
    held = peak / 1e9
    return [Figure(f"{row}: peak memory", "cytomol", settings.threads, "GB", held, held, held, 1)]

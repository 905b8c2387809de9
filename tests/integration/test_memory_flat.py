"""A long run holds no more than a short one: after the first epochs nothing new is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

# The first epoch meets every shape; what an epoch keeps after that is kept by every epoch that follows.
_PRETRAIN = """
import ctypes, gc, sys

from cytomol.corpus.planted import generate_planted
from cytomol.methods import methods
from cytomol.training import callbacks
from cytomol.training.pretrain import pretrain

method, precision, out = sys.argv[1:]

class Heap(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "system a b c mapped d e used f g".split()]

library = ctypes.CDLL(None)
library.mallinfo2.restype = Heap
end = callbacks.Keeper.on_train_epoch_end

def epoch_end(self, trainer, module):
    end(self, trainer, module)
    gc.collect()
    print("epoch", library.mallinfo2().used, flush=True)

callbacks.Keeper.on_train_epoch_end = epoch_end
views = ("2d",) if method == "infoalign" else ("1d", "2d")
config = methods[method].Config().updated(
    precision=precision, views=views, width=64, layers=3, epochs=4, batch_size=64, threads=2, workers=1
)
pretrain(generate_planted(500, seed=2).corpus, config, out, method=method, quiet=True)
"""


def epochs(method: str, precision: str, out: Path) -> list[tuple[int, int]]:
    """Return the kernels that oneDNN compiled in each epoch, and the bytes of the heap in use at its end."""
    done = subprocess.run(
        [sys.executable, "-c", _PRETRAIN, method, precision, str(out)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ONEDNN_VERBOSE": "profile_create", "OMP_NUM_THREADS": "1"},
    )
    found, compiled = [], 0
    for line in done.stdout.splitlines():
        compiled += "create:cache_miss" in line
        if line.startswith("epoch "):
            found.append((compiled, int(line.split()[1])))
            compiled = 0
    return found


@pytest.mark.skipif(
    not (sys.platform.startswith("linux") and torch.backends.mkldnn.is_available()),
    reason="reads glibc's heap and oneDNN's log",
)
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_later_epochs_keep_nothing_new(method: str, precision: str, tmp_path: Path) -> None:
    found = epochs(method, precision, tmp_path / "model")
    compiled, used = zip(*found, strict=True)
    assert len(found) == 4
    assert compiled[2:] == (0, 0), found
    assert used[3] - used[1] < 1e6, found

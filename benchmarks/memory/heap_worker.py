"""Pretrainings on a planted corpus in this process; prints the heap as every epoch ends."""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from cytomol.corpus.planted import generate_planted
from cytomol.methods import methods
from cytomol.training.loop.callbacks import Keeper
from cytomol.training.pretrain import pretrain


class _Heap(ctypes.Structure):
    """What glibc's mallinfo2 gives; the names are those of malloc.h."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def main() -> None:
    """Pretrain; the arguments are the number of molecules, and pairs of method and options as JSON."""
    molecules, runs = int(sys.argv[1]), json.loads(sys.argv[2])
    library = ctypes.CDLL(None)
    library.mallinfo2.restype = _Heap
    end = Keeper.on_train_epoch_end

    def epoch_end(keeper: Keeper, *hooked: Any) -> None:
        end(keeper, *hooked)
        gc.collect()
        heap = library.mallinfo2()
        print("epoch", heap.uordblks, heap.fordblks, flush=True)

    Keeper.on_train_epoch_end = epoch_end  # type: ignore[method-assign]
    corpus = generate_planted(molecules, seed=2).corpus
    for method, options in runs:
        print("run", method, flush=True)
        config = methods[method].Config().updated(**options)
        with tempfile.TemporaryDirectory() as folder:
            pretrain(corpus, config, Path(folder) / "model", method=method, quiet=True)


if __name__ == "__main__":
    main()

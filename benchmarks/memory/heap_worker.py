"""One pretraining on a planted corpus in this process; prints the heap as every epoch ends."""

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
    """Pretrain; the arguments are the method, the number of molecules, and options as JSON."""
    method, molecules, options = sys.argv[1:]
    library = ctypes.CDLL(None)
    library.mallinfo2.restype = _Heap
    end = Keeper.on_train_epoch_end

    def epoch_end(keeper: Keeper, *hooked: Any) -> None:
        end(keeper, *hooked)
        gc.collect()
        heap = library.mallinfo2()
        print("epoch", heap.uordblks, heap.fordblks, flush=True)

    Keeper.on_train_epoch_end = epoch_end  # type: ignore[method-assign]
    config = methods[method].Config().updated(**json.loads(options))
    corpus = generate_planted(int(molecules), seed=2).corpus
    with tempfile.TemporaryDirectory() as folder:
        pretrain(corpus, config, Path(folder) / "model", method=method, quiet=True)


if __name__ == "__main__":
    main()

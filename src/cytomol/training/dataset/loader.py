"""Batches of an epoch, prepared in a thread while the method learns from the one before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.nn.batch import Batch
from cytomol.nn.together import part_of
from cytomol.training.dataset.data import VALIDATION, WALK, Draw, PretrainData, stream

__all__ = ["BatchLoader"]

_AHEAD = 2  # batches that wait ready


class BatchLoader:
    """Iterates over the batches of one epoch, or of the validation molecules.

    Equal seeds give equal batches, whatever came before and however fast they are taken.

    Parameters
    ----------
    data
        What batches are made of.
    parts
        Molecules of each batch (over all processes).
    seed
        Seed of the run.
    epoch
        Epoch whose walks are sampled; None for validation, whose walks are always the same.
    start
        Batches to skip.
    rank, world
        This process and the number of processes; each takes its share of every batch.
    pin
        Put batches into page-locked memory, for a GPU.
    drawn
        Only draw the batches; they are made on the device (``training.resident``).
    """

    def __init__(
        self,
        data: PretrainData,
        parts: list[NDArray[np.int64]],
        *,
        seed: int,
        epoch: int | None,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
        pin: bool = False,
        drawn: bool = False,
    ) -> None:
        self.data = data
        self.parts = parts
        self.seed = seed
        self.epoch = epoch
        self.start = start
        self.rank = rank
        self.world = world
        self.pin = pin
        self.drawn = drawn

    def __len__(self) -> int:
        return len(self.parts) - self.start

    def __iter__(self) -> Iterator[Batch | Draw]:
        ready: queue.Queue[Batch | Draw | BaseException | None] = queue.Queue(maxsize=_AHEAD)
        stop = threading.Event()

        def put(item: Batch | Draw | BaseException | None) -> None:
            while not stop.is_set():
                try:
                    ready.put(item, timeout=0.1)
                except queue.Full:
                    continue
                return

        def work() -> None:
            try:
                for number in range(self.start, len(self.parts)):
                    if stop.is_set():
                        return
                    put(self.batch(number))
            except BaseException as error:  # noqa: BLE001 - raised again where the batch is taken
                put(error)
            else:
                put(None)

        worker = threading.Thread(target=work, name="cytomol-batches", daemon=True)
        worker.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()
            worker.join()

    def batch(self, number: int) -> Batch | Draw:
        """Return this process's share of a batch, whose random numbers are drawn for all of it."""
        rows = self.parts[number]
        purpose = (VALIDATION,) if self.epoch is None else (WALK, self.epoch)
        rng = stream(self.seed, *purpose, number, 0)
        part = part_of(len(rows), self.rank, self.world) if self.world > 1 else None
        make = self.data.draw if self.drawn else self.data.batch
        batch = make(rows, rng, validation=self.epoch is None, part=part)
        return batch.pin_memory() if self.pin and torch.cuda.is_available() else batch

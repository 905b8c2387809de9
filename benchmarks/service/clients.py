"""Many clients on loopback, each with one molecule at a time, as cheap as a client can be."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

__all__ = ["Load", "ask_for"]


@dataclass
class Load:
    """What came of a load.

    Attributes
    ----------
    seconds
        How long it ran.
    latencies
        Seconds of each request.
    errors
        What went wrong, request by request.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def throughput(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the seconds within which this percentage of requests was answered."""
        return float(np.percentile(self.latencies, share))


async def ask_for(seconds: float, clients: int, port: int, path: str, molecules: Sequence[str]) -> Load:
    """Keep clients asking, each its next molecule when the last one is answered.

    Parameters
    ----------
    seconds
        How long requests are begun; those under way are waited for.
    clients
        How many, each with a connection that it keeps.
    port, path
        Of the server on loopback.
    molecules
        SMILES; every request has another one until all have been asked.
    """
    load, numbers = Load(), count()
    end = time.perf_counter() + seconds
    start = time.perf_counter()
    bodies = (json.dumps({"molecules": [molecules[one % len(molecules)]]}).encode() for one in numbers)
    await asyncio.gather(*(_client(end, port, path, bodies, load) for _ in range(clients)))
    load.seconds = time.perf_counter() - start
    return load


async def _client(end: float, port: int, path: str, bodies: Iterator[bytes], load: Load) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while time.perf_counter() < end:
            body = next(bodies)
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            begun = time.perf_counter()
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            status, answer = await _response(reader)
            load.latencies.append(time.perf_counter() - begun)
            if status != 200:
                load.errors.append(f"status {status}: {answer[:200]!r}")
            elif (reason := json.loads(answer)["rows"][0]["error"]) is not None:
                load.errors.append(f"row: {reason}")
    except (OSError, asyncio.IncompleteReadError) as error:
        load.errors.append(f"{type(error).__name__}: {error}")
    finally:
        writer.close()


async def _response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length"))
    return int(lines[0].split(" ")[1]), await reader.readexactly(length)

"""What Prometheus reads of a service."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from cytomol.serve.batcher import BatchDone
from cytomol.serve.questions import Question
from cytomol.version import __version__

__all__ = ["ServiceMetrics"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class ServiceMetrics:
    """Counts of one service, in a registry of its own.

    Parameters
    ----------
    waiting
        Returns how many rows wait.

    Examples
    --------
    >>> metrics = ServiceMetrics(lambda: 3)
    >>> "cytomol_waiting_rows 3.0" in metrics.page()[0].decode()
    True
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        info = Gauge("cytomol_info", "Version of the service.", ["version"], registry=registry)
        info.labels(__version__).set(1)
        Gauge("cytomol_waiting_rows", "Rows that wait.", registry=registry).set_function(waiting)
        self._requests = Counter(
            "cytomol_requests", "Requests answered.", ["path", "status"], registry=registry
        )
        self._seconds = Histogram(
            "cytomol_request_seconds", "Time to answer.", ["path"], buckets=_SECONDS, registry=registry
        )
        self._rows = Counter(
            "cytomol_rows",
            "Rows answered, and those with an error.",
            ["model", "verb", "outcome"],
            registry=registry,
        )
        labels = ["model", "verb"]
        self._batch_rows = Histogram(
            "cytomol_batch_rows", "Rows answered at once.", labels, buckets=_ROWS, registry=registry
        )
        self._batch_seconds = Histogram(
            "cytomol_batch_seconds", "Time for a batch.", labels, buckets=_SECONDS, registry=registry
        )

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count a request; a status of 0 is one whose client went before the answer."""
        self._requests.labels(path, str(status) if status else "gone").inc()
        self._seconds.labels(path).observe(seconds)

    def rows(self, model: str, verb: str, good: int, bad: int) -> None:
        """Count rows that were answered."""
        self._rows.labels(model, verb, "ok").inc(good)
        self._rows.labels(model, verb, "error").inc(bad)

    def batch(self, done: BatchDone) -> None:
        """Count a batch."""
        if isinstance(done.key, Question):
            self._batch_rows.labels(done.key.model, done.key.verb).observe(done.rows)
            self._batch_seconds.labels(done.key.model, done.key.verb).observe(done.seconds)

    def page(self) -> tuple[bytes, str]:
        """Return what Prometheus reads, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

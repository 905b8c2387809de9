"""A log of one JSON object a line, on standard error."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

__all__ = ["JsonLines", "log", "log_error", "logging_config"]

_LOGGER = logging.getLogger("cytomol.serve")


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON: time, level, event and what else is known.

    Of an exception the kind and the places in the code are written, never its message, which may hold what a
    client sent.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage() if record.name == _LOGGER.name else "server",
        }
        if record.name != _LOGGER.name and record.exc_info is None:
            line["message"] = record.getMessage()
        line |= getattr(record, "fields", {})
        if record.exc_info is not None and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            line["exception"] = kind.__name__
            line["trace"] = [f"{one.filename}:{one.lineno} {one.name}" for one in traceback.extract_tb(trace)]
        return json.dumps(line)


def log(event: str, **fields: Any) -> None:
    """Write a line of what happened."""
    _LOGGER.info(event, extra={"fields": fields})


def log_error(event: str, error: BaseException, **fields: Any) -> None:
    """Write a line of what went wrong, with the places in the code."""
    _LOGGER.error(event, exc_info=(type(error), error, error.__traceback__), extra={"fields": fields})


def logging_config() -> dict[str, Any]:
    """Return what :func:`logging.config.dictConfig` takes: this log and the server's, in one form."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "cytomol.serve.service_log.JsonLines"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                "stream": "ext://sys.stderr",
            }
        },
        "loggers": {
            name: {"handlers": ["stderr"], "level": "INFO", "propagate": False}
            for name in (_LOGGER.name, "uvicorn", "uvicorn.error")
        },
    }

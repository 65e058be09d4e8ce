"""Log lines as JSON on stdout, one object a line: time (RFC 3339, UTC), level, service, message, logger, then whatever a line has besides."""

import json
import logging
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

# Docker passes on what is longer in pieces, and pieces are no JSON.
MOST_CHARACTERS = 4000
# What every record has; the rest came with `extra`.
_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime"}


def log_to_stdout(service: str, /, *, package: str | None = None, **fixed: Any) -> None:
    """From here on all loggers write to stdout: botkit's and `package`'s from level INFO, libraries' from WARNING.

    `package`: the service's own Python package; default: its name, hyphens as underscores. `fixed`: what each line has besides, such as `bot`.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter({"service": service, **fixed}))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for own in ("botkit", "__main__", package or service.replace("-", "_")):
        logging.getLogger(own).setLevel(logging.INFO)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught


class JsonFormatter(logging.Formatter):
    """`fixed`: what each line has besides."""

    def __init__(self, fixed: dict[str, Any]) -> None:
        super().__init__()
        self._fixed = fixed

    def format(self, record: logging.LogRecord) -> str:
        own = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            **self._fixed,
            "message": _start_of(_message_of(record)),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0]:
            own["exception"] = _end_of(self.formatException(record.exc_info))
        extra = {key: value for key, value in vars(record).items() if key not in _USUAL and key not in own}
        line = _dump({**own, **extra})
        return line if len(line) <= 3 * MOST_CHARACTERS else _dump({**own, "cut": sorted(extra)[:20]})


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        # A call with the wrong arguments is still a line.
        return f"{record.msg} {record.args}"


def _dump(line: dict[str, Any]) -> str:
    try:
        return json.dumps(line, default=str, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        # Keys that are no text, an object inside itself, NaN.
        return json.dumps({key: value if isinstance(value, (str, int)) else repr(value) for key, value in line.items()})


def _start_of(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"


def _end_of(text: str) -> str:
    """Of a traceback the end tells most."""
    return text if len(text) <= MOST_CHARACTERS else "…" + text[-MOST_CHARACTERS:]


def _log_uncaught(kind: type[BaseException], fault: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("botkit").critical("ended by a fault of its own: %s", kind.__name__, exc_info=(kind, fault, traceback))

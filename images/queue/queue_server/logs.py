"""Log lines as JSON on stdout, one object a line."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


def log_to_stdout() -> None:
    """From here on all loggers write to stdout, from level INFO."""
    handler = logging.StreamHandler(sys.stdout)
    names = {"levelname": "level", "name": "logger"}
    handler.setFormatter(JsonFormatter("{levelname}{name}{message}", style="{", rename_fields=names, timestamp="time"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # MiniStack's own line for each queue that is made: ours says it in one.
    logging.getLogger("sqs").setLevel(logging.WARNING)

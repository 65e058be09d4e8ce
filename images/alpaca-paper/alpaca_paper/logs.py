"""Log lines as JSON on stdout, one object a line."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


def log_to_stdout() -> None:
    """From here on all loggers write to stdout, from level INFO."""
    handler = logging.StreamHandler(sys.stdout)
    names = {"asctime": "time", "levelname": "level", "name": "logger"}
    handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=names))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)

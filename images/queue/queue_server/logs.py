"""Log lines as JSON on stdout, one object a line."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


def log_to_stdout() -> None:
    """From here on all loggers write to stdout: ours from level INFO, the libraries' from WARNING."""
    handler = logging.StreamHandler(sys.stdout)
    fields = ["levelname", "name", "message"]
    handler.setFormatter(JsonFormatter(fields, rename_fields={"levelname": "level", "name": "logger"}, timestamp="time"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("queue_server").setLevel(logging.INFO)

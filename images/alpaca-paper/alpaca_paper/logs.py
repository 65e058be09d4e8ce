"""Log lines as JSON on stdout, one object a line: time (UTC), level, service, logger, message, and what a line adds."""

import logging
import sys
from typing import Any

from pythonjsonlogger.json import JsonFormatter


class _Line(JsonFormatter):
    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {**log_data, "level": log_data["level"].lower()}


def log_to_stdout() -> None:
    """From here on all loggers write to stdout, from level INFO."""
    handler = logging.StreamHandler(sys.stdout)
    names = {"levelname": "level", "name": "logger"}
    fixed = {"service": "alpaca-paper"}
    handler.setFormatter(_Line(["levelname", "name", "message"], rename_fields=names, static_fields=fixed, timestamp="time"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)

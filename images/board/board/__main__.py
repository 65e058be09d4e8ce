"""`python -m board`: serve the page until SIGTERM. Exit code 78 when the settings can't be used."""

import asyncio
import logging
import os
import sys

from botkit.logs import log_to_stdout
from botkit.settings import EXIT_CONFIG, BadSettings
from botkit.stopping import exit_on_signals, stop_event

from board.serve import serve
from board.settings import Settings, read_settings

log = logging.getLogger("board")


def main() -> int:
    exit_on_signals()
    log_to_stdout("board")
    try:
        settings = read_settings(os.environ)
    except BadSettings as mistakes:
        log.error("%s", mistakes)
        return EXIT_CONFIG
    return asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    return await serve(settings, stop_event())


if __name__ == "__main__":
    sys.exit(main())

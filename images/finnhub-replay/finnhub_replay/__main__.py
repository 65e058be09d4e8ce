"""Starts the server: settings, answers, then HTTP until SIGTERM (exit code 0). Bad settings or answers: one sentence, exit code 78."""

import asyncio
import logging
import os
import sys

from botkit.health import serve
from botkit.logs import log_to_stdout
from botkit.settings import EXIT_CONFIG, BadSettings
from botkit.stopping import exit_on_signals, stop_event

from finnhub_replay.answers import Answers, BadAnswers, read_answers
from finnhub_replay.api import Replay
from finnhub_replay.settings import Settings, read_settings

log = logging.getLogger("finnhub_replay")


async def run(settings: Settings, answers: Answers) -> int:
    """Until SIGTERM. The exit code."""
    stop = stop_event()
    async with serve(settings.port, host=settings.host, more=Replay(settings, answers).routes()):
        log.info("answering", extra={"earnings": len(answers.earnings), "port": settings.port, "test_api": settings.test_api})
        await stop.wait()
    log.info("stopped")
    return 0


def main() -> int:
    exit_on_signals()
    log_to_stdout("finnhub-replay")
    try:
        settings = read_settings(os.environ)
        answers = read_answers(settings.answers)
    except (BadSettings, BadAnswers) as refused:
        log.error(str(refused))
        return EXIT_CONFIG
    try:
        return asyncio.run(run(settings, answers))
    except OSError as problem:
        log.error("FINNHUB_REPLAY_HOST=%s FINNHUB_REPLAY_PORT=%d: can't listen there (%s)", settings.host, settings.port, problem.strerror)
        return 1


if __name__ == "__main__":
    sys.exit(main())

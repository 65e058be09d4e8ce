"""Starts the server: settings, answers, then HTTP until SIGTERM (exit code 0). Bad settings or answers: one sentence, exit code 78."""

import logging
import sys

from botkit.health import serve
from botkit.program import start
from botkit.settings import EXIT_CONFIG
from botkit.stopping import stop_event

from finnhub_replay.answers import BadAnswers, read_answers
from finnhub_replay.api import Replay
from finnhub_replay.settings import Settings, read_settings

log = logging.getLogger("finnhub_replay")


async def run(settings: Settings) -> int:
    """Until SIGTERM. The exit code."""
    try:
        answers = read_answers(settings.answers)
    except BadAnswers as refused:
        log.error(str(refused))
        return EXIT_CONFIG
    stop = stop_event()
    async with serve(settings.port, host=settings.host, more=Replay(settings, answers).routes()):
        log.info("answering", extra={"earnings": len(answers.earnings), "port": settings.port, "test_api": settings.test_api})
        await stop.wait()
    log.info("stopped")
    return 0


def main() -> int:
    return start("finnhub-replay", "FINNHUB_REPLAY_", read_settings, run)


if __name__ == "__main__":
    sys.exit(main())

"""Starts the server: settings, recordings, then HTTP until SIGTERM (exit code 0). Bad settings or files: one sentence, exit code 2."""

import logging
import os
import signal
import sys
import time

from aiohttp import web

from .api import make_app
from .clock import INTERVALS, accepted_speeds, start_of
from .logs import log_to_stdout
from .market import Market, make_market
from .recording import BadRecording, read_folder
from .settings import BadSettings, Settings, read_settings

log = logging.getLogger("exchange_replay")


def load(settings: Settings) -> Market:
    """The market that the settings ask for. Raises BadRecording, BadSettings."""
    recordings = read_folder(settings.data)
    recorded = recordings[0].interval
    speeds = accepted_speeds(INTERVALS[recorded])
    if settings.speed not in speeds:
        accepted = ", ".join(f"{speed} (as {name})" for speed, name in speeds.items())
        raise BadSettings(f"REPLAY_SPEED={settings.speed}: {recorded} candles can be shown at speed {accepted}; use one of these")
    interval = speeds[settings.speed]
    epoch_ms = settings.epoch * 1000
    below = start_of(epoch_ms, INTERVALS[interval])
    if epoch_ms != below:
        raise BadSettings(
            f"REPLAY_EPOCH={settings.epoch}: no {interval} candle opens at that second; use one where it does, such as {below // 1000}"
        )
    return make_market(recordings, interval, epoch_ms)


def describe(market: Market) -> dict:
    """What the first log line tells: the pairs, how long a loop is, what was filled, the price step where it starts over."""
    one = next(iter(market.series.values()))
    return {
        "pairs": len(market.series),
        "interval": market.interval,
        "candles": one.size,
        "loop_hours": round(one.size * market.clock.length_ms / 3_600_000, 2),
        "filled": {series.symbol: series.filled for series in market.series.values() if series.filled},
        "join_percent": {series.symbol: round(100 * (series.open[0] / series.close[-1] - 1), 2) for series in market.series.values()},
    }


def main() -> int:
    # As process 1 of a container nothing ends us by default, not even before aiohttp installs its own handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log_to_stdout()
    started = time.monotonic()
    try:
        settings = read_settings(os.environ)
        market = load(settings)
    except (BadSettings, BadRecording) as refused:
        log.error(str(refused))
        return 2
    log.info(
        "replaying",
        extra={
            **describe(market),
            "speed": settings.speed,
            "epoch": settings.epoch,
            "host": settings.host,
            "port": settings.port,
            "load_seconds": round(time.monotonic() - started, 2),
        },
    )
    try:
        web.run_app(make_app(market), host=settings.host, port=settings.port, access_log=None, print=None, shutdown_timeout=1)
    except OSError as problem:
        log.error(
            "REPLAY_HOST=%s REPLAY_PORT=%s: can't listen there (%s); choose a free port",
            settings.host,
            settings.port,
            problem.strerror or problem,
        )
        return 2
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())

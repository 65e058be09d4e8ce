"""Tells what became of a signal: a log line, the channel, a point in InfluxDB. None of it holds up an order."""

import logging
from typing import Any

from botkit.bus import Bus, BusDown
from botkit.metrics import Writer

from earnyearn.strategy import Signal

log = logging.getLogger(__name__)
SERVICE = "earnyearn"
MEASUREMENT = "earnyearn_signal"


class Teller:
    def __init__(self, bus: Bus, writer: Writer | None) -> None:
        self._bus, self._writer = bus, writer

    def note(self, signal: Signal) -> None:
        """The point alone: it is the same one however often it is written."""
        if self._writer:
            self._writer.note(*point_of(signal))

    async def tell(self, signal: Signal, why: str) -> None:
        """`why`: the webhook's sentence, if it has one."""
        said = {"signal": signal.id, "price": signal.price, "reason": signal.reason, "alert": signal.alert, "why": why}
        level = logging.ERROR if signal.outcome in ("refused", "unknown") else logging.INFO
        log.log(level, "signal %s", signal.outcome, extra={key: value for key, value in said.items() if value != ""})
        self.note(signal)
        try:
            await self._bus.publish(f"{SERVICE}.{signal.account}", signal)
        except BusDown as down:
            log.warning("the signal is not published: %s", down)


def point_of(signal: Signal) -> tuple[str, dict[str, Any], dict[str, Any], int]:
    """Measurement, tags, fields, time (ns): the end of the bar."""
    tags = {"account": signal.account, "symbol": signal.symbol, "side": signal.side, "reason": signal.reason}
    fields = {name: getattr(signal, name) for name in ("id", "price", "macd", "signal", "rsi", "outcome", "alert")}
    return MEASUREMENT, tags, {name: value for name, value in fields.items() if value != ""}, int(signal.end.timestamp()) * 10**9

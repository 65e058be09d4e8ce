"""The list of aristocrats: of the settings, or a set in Redis that another service keeps."""

import logging
import time

from botkit.bus import Bus, BusDown

from slanger.symbols import BadSymbol, canonical_symbol

log = logging.getLogger(__name__)
KEY = "dividend_aristocrats"
KEPT_SECONDS = 60.0


class Aristocrats:
    def __init__(self, listed: frozenset[str] | None, bus: Bus | None) -> None:
        """`bus` is asked only if the settings have no list."""
        self._listed = listed
        self._bus = bus
        self._read = 0.0

    async def get(self) -> frozenset[str] | None:
        """None if it can't be read: an alert is then refused, not guessed. An empty set is one that nobody has written yet."""
        if self._bus is None or (self._listed and time.monotonic() - self._read < KEPT_SECONDS):
            return self._listed
        try:
            listed = frozenset(canonical_symbol(name) for name in await self._bus.members(KEY))
        except (BusDown, BadSymbol) as problem:
            log.warning("the list of aristocrats can't be read from Redis: %s", problem)
            return None
        if not listed:
            return None
        self._listed, self._read = listed, time.monotonic()
        return listed

"""What the broker says of each instrument, asked once a day: it changes overnight."""

import time

from slanger.execute.broker import Broker
from slanger.execute.state import Asset
from slanger.execute.wire import parse_asset

KEPT_SECONDS = 12 * 3600


class Assets:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._known: dict[str, tuple[float, Asset]] = {}

    async def get(self, symbol: str) -> Asset:
        """Raises Refused for an unknown one, Unavailable."""
        read, asset = self._known.get(symbol, (0.0, None))
        if asset is None or time.monotonic() - read > KEPT_SECONDS:
            asset = parse_asset(await self._broker.asset(symbol))
            self._known[symbol] = (time.monotonic(), asset)
        return asset

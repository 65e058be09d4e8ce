"""The kill switch in memory, while it is being pulled: no order passes, and whoever closed it can wait for those that are on their way.

Afterwards the broker's own suspension is what counts: it is durable, and can be lifted from anywhere.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HALTED = "trading is stopped (kill switch): resume, then replay it"


class Halted(Exception):
    """The kill switch was pulled."""


class Gate:
    def __init__(self) -> None:
        self.halted = False
        self._sending: set[str] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def check(self) -> None:
        """Raises Halted."""
        if self.halted:
            raise Halted(HALTED)

    @contextmanager
    def passing(self, client_order_id: str) -> Iterator[Callable[[], None]]:
        """For one order. The function that it gives is called when the order is sent, and raises Halted."""

        def enter() -> None:
            self.check()
            self._sending.add(client_order_id)
            self._empty.clear()

        try:
            yield enter
        finally:
            self._sending.discard(client_order_id)
            if not self._sending:
                self._empty.set()

    async def drained(self) -> None:
        """Waits until no order is on its way; a call's own deadline bounds it."""
        await self._empty.wait()

"""The kill switch at the broker: suspend, cancel, and if asked close; each looked at again until it is so.

The suspension is the broker's own and outlives everything here. It also keeps closing orders out, so that it is lifted for the one call
that sends them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from botkit.alpaca import Refused, Unavailable
from botkit.alpaca_budget import Priority

from slanger.execute.broker import Broker

VERIFY_SECONDS = 10.0
LOOK_SECONDS = 0.5
CLOSING_ROUNDS = 3
SUSPEND_TRIES = 20


@dataclass(frozen=True, kw_only=True)
class Killed:
    """What was left when there was no more to do."""

    cancelled: int
    open_orders: tuple[str, ...]
    """Symbols; of orders that could not be cancelled, or that close a position as soon as its market opens."""
    positions: tuple[str, ...]
    """Symbols; only looked at if they were to be closed."""

    @property
    def complete(self) -> bool:
        return not self.open_orders and not self.positions


async def set_suspended(broker: Broker, suspended: bool) -> None:
    """Raises Unavailable, Refused."""
    body = {"suspend_trade": suspended}
    answer = await broker.call("PATCH", "/v2/account/configurations", Priority.URGENT, body=body)
    if answer.get("suspend_trade") is not suspended:
        raise Unavailable(f"the broker did not set suspend_trade to {suspended}")


async def kill(broker: Broker, close: bool, drained: Callable[[], Awaitable[None]]) -> Killed:
    """`drained` returns when no order of ours is on its way any more. Raises Unavailable, Refused; to be called again then."""
    await set_suspended(broker, True)
    await drained()
    cancelled = await _cancel_all(broker)
    positions: list[str] = []
    if close:
        positions = await _close_all(broker)
    orders = await _open_orders(broker)
    return Killed(cancelled=cancelled, open_orders=tuple(orders), positions=tuple(positions))


async def resume(broker: Broker) -> None:
    """Raises Unavailable, Refused."""
    await set_suspended(broker, False)


async def _open_orders(broker: Broker) -> list[str]:
    return sorted({order["symbol"] for order in await broker.orders(Priority.URGENT, status="open")})


async def _positions(broker: Broker) -> list[str]:
    return sorted(position["symbol"] for position in await broker.call("GET", "/v2/positions", Priority.URGENT))


async def _cancel_all(broker: Broker) -> int:
    """How many there were. Returns when none is open, or one can't be cancelled for long."""
    cancelled = await broker.call("DELETE", "/v2/orders", Priority.URGENT) or []
    await _until_empty(lambda: _open_orders(broker))
    return len(cancelled)


async def _close_all(broker: Broker) -> list[str]:
    """Symbols of the positions that are left."""
    left = await _positions(broker)
    for _ in range(CLOSING_ROUNDS):
        if not left:
            break
        try:
            await set_suspended(broker, False)
            await broker.call("DELETE", "/v2/positions", Priority.URGENT, params={"cancel_orders": "true"})
        finally:
            await _suspend_whatever_happens(broker)
        left = await _until_empty(lambda: _positions(broker))
        if left and await _open_orders(broker):
            # They wait for their market.
            break
    return left


async def _suspend_whatever_happens(broker: Broker) -> None:
    for attempt in range(SUSPEND_TRIES):
        try:
            return await set_suspended(broker, True)
        except (Unavailable, Refused):
            if attempt == SUSPEND_TRIES - 1:
                raise
            await asyncio.sleep(LOOK_SECONDS)


async def _until_empty(look: Callable[[], Awaitable[list[str]]]) -> list[str]:
    deadline = time.monotonic() + VERIFY_SECONDS
    while left := await look():
        if time.monotonic() >= deadline:
            break
        await asyncio.sleep(LOOK_SECONDS)
    return left

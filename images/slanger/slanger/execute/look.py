"""`python -m slanger look`: what the broker says, as JSON: the orders of one alert, or a symbol's last price."""

import argparse
import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from botkit.alpaca import Refused, Unavailable, open_session
from botkit.alpaca_budget import Budget, Priority
from botkit.alpaca_clock import parse_clock
from botkit.settings import EXIT_CONFIG, BadSettings

from slanger.execute.broker import Broker
from slanger.execute.settings import NAMES, read_account
from slanger.settings import reader_of
from slanger.symbols import BadSymbol, canonical_symbol

LOOK_BACK = timedelta(days=7)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m slanger look", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("orders", help="the orders of one alert").add_argument("key", help="its id, as the webhook answered it")
    commands.add_parser("price", help="USD of the last trade").add_argument("symbol")
    given = parser.parse_args(arguments)
    reader = reader_of(os.environ, NAMES)
    settings = read_account(reader)
    try:
        reader.finish()
        chosen = orders_of(given.key) if given.command == "orders" else price_of(canonical_symbol(given.symbol))
    except (BadSettings, BadSymbol) as refused:
        print(refused)
        return EXIT_CONFIG

    async def ask() -> Any:
        async with open_session() as session:
            return await chosen(Broker(session, settings.address, Budget(settings.requests_per_minute)))

    try:
        print(json.dumps(asyncio.run(ask()), default=str, indent=1))
    except (Refused, Unavailable) as problem:
        print(problem)
        return 1
    return 0


def orders_of(key: str) -> Callable[[Broker], Awaitable[Any]]:
    """Alpaca's order objects of the last week, oldest first, legs inside. The call raises Refused and Unavailable."""

    async def ask(broker: Broker) -> list[dict[str, Any]]:
        # The broker's time: a simulated market is on another day.
        now = parse_clock(await broker.call("GET", "/v2/clock", Priority.READ)).now
        since = (now - LOOK_BACK).isoformat()
        found = await broker.orders(Priority.READ, status="all", nested="true", after=since)
        return [order for order in found if f"-{key}-" in order["client_order_id"]]

    return ask


def price_of(symbol: str) -> Callable[[Broker], Awaitable[Any]]:
    """The price as text. The call raises Refused and Unavailable."""

    async def ask(broker: Broker) -> str:
        return str(await broker.last_price(symbol))

    return ask

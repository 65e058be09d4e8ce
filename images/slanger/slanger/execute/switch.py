"""`python -m slanger switch`: stop trading now, and resume; at the broker itself, so that it works without the queue and the worker."""

import argparse
import asyncio
import os

import aiohttp
from botkit.alpaca import Refused, Unavailable, open_session
from botkit.alpaca_budget import Budget, Priority
from botkit.alpaca_settings import BrokerSettings, wrong_account
from botkit.settings import EXIT_CONFIG, BadSettings

from slanger.execute.broker import Broker
from slanger.execute.kill import kill, resume
from slanger.execute.settings import NAMES, read_account
from slanger.settings import read_address, reader_of

TRIES = 10
RETRY_SECONDS = 2.0
# The worker answers when no order is on its way any more: a call's deadline and a little.
WORKER_SECONDS = 15.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m slanger switch", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("kill", help="stop trading and cancel all open orders").add_argument(
        "--close", action="store_true", help="close all positions too"
    )
    commands.add_parser("resume", help="trade again")
    commands.add_parser("status", help="what is switched, and what is open")
    given = parser.parse_args(arguments)
    reader = reader_of(os.environ, NAMES)
    broker, (_, port) = read_account(reader), read_address(reader)
    try:
        reader.finish()
    except BadSettings as refused:
        print(refused)
        return EXIT_CONFIG
    return asyncio.run(_run(given, broker, f"http://127.0.0.1:{port}"))


async def _run(given: argparse.Namespace, settings: BrokerSettings, page: str) -> int:
    async with open_session() as session:
        broker = Broker(session, settings.address, Budget(settings.requests_per_minute))
        for attempt in range(TRIES):
            try:
                account = await broker.call("GET", "/v2/account", Priority.URGENT)
                if sentence := wrong_account(settings, account["account_number"]):
                    print(sentence)
                    return EXIT_CONFIG
                if given.command == "kill":
                    return await _kill(session, broker, page, given.close)
                if given.command == "resume":
                    return await _resume(session, broker, page)
                return await _status(session, broker, page, account)
            except (Unavailable, Refused) as problem:
                print(f"not done yet: {problem}", flush=True)
            if attempt < TRIES - 1:
                await asyncio.sleep(RETRY_SECONDS)
    print(f"{given.command} is NOT done: the broker does not answer; try again, or use the broker's own page")
    return 1


async def _kill(session: aiohttp.ClientSession, broker: Broker, page: str, close: bool) -> int:
    async def drained() -> None:
        print(f"suspended at the broker; worker: {await _tell(session, 'POST', f'{page}/halt')}", flush=True)

    killed = await kill(broker, close, drained)
    print(f"{killed.cancelled} orders cancelled; worker: {await _tell(session, 'POST', f'{page}/release')}")
    if killed.positions:
        print(f"still held: {', '.join(killed.positions)}")
    if killed.open_orders:
        print(f"orders still open: {', '.join(killed.open_orders)}")
    if killed.complete:
        print("no order is open" + (", no position is held" if close else ""))
    return 0 if killed.complete else 1


async def _resume(session: aiohttp.ClientSession, broker: Broker, page: str) -> int:
    await resume(broker)
    print(f"trading again; worker: {await _tell(session, 'POST', f'{page}/release')}")
    return 0


async def _status(session: aiohttp.ClientSession, broker: Broker, page: str, account: dict) -> int:
    orders = await broker.orders(Priority.URGENT, status="open")
    positions = await broker.call("GET", "/v2/positions", Priority.URGENT)
    print(f"account {account['account_number']}: {'suspended' if account['trade_suspended_by_user'] else 'trading'}")
    print(f"open orders: {len(orders)}; positions: {', '.join(one['symbol'] for one in positions) or 'none'}")
    print(f"worker: {await _tell(session, 'GET', f'{page}/health')}")
    return 0


async def _tell(session: aiohttp.ClientSession, method: str, url: str) -> str:
    """What the worker in the same container says."""
    try:
        async with session.request(method, url, raise_for_status=True, timeout=aiohttp.ClientTimeout(total=WORKER_SECONDS)) as answer:
            facts = await answer.json()
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError):
        return "no answer"
    return "stopped" if facts["halted"] or facts["suspended"] else "trading"

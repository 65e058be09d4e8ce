"""`python -m beancleaner [run | watch | check | schedule | lists …]`: one run (the default), the service, the rules read, when to start
runs, what is kept.

Exit codes: 0: everything that had to be closed is flat; 1: it is not, or nothing may be closed (`watch`: once the rule's time is over);
78: settings that can't be used.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from contextlib import AsyncExitStack

from botkit.alpaca import Client, open_session
from botkit.alpaca_budget import Budget
from botkit.bus import BusDown
from botkit.health import serve
from botkit.logs import log_to_stdout
from botkit.metrics import Writer
from botkit.settings import EXIT_CONFIG, BadSettings
from botkit.stopping import exit_on_signals, run_until, stop_event

from beancleaner.broker import Broker
from beancleaner.cleaning import Stopped, persist
from beancleaner.desk import Desk
from beancleaner.lists import BadChange, change, show
from beancleaner.memory import Memory
from beancleaner.report import table_of
from beancleaner.run import run_rules
from beancleaner.schedule import starts_of
from beancleaner.settings import Settings, read_settings
from beancleaner.telling import SERVICE
from beancleaner.watch import Watch

log = logging.getLogger("beancleaner")
FLUSH_SECONDS = 5.0
STOP_SECONDS = 5.0
INTERRUPTED = 1


def main(arguments: list[str]) -> int:
    exit_on_signals()
    options = _options(arguments)
    log_to_stdout(SERVICE)
    try:
        settings = read_settings(os.environ, watch=options.command == "watch")
    except BadSettings as refused:
        log.error(str(refused))
        return EXIT_CONFIG
    if options.command == "schedule":
        print(json.dumps(starts_of(settings.rules.rules)))
        return 0
    if options.command == "check":
        print(
            f"{len(settings.rules.rules)} rules, {len(settings.rules.lists)} lists: {', '.join(one.name for one in settings.rules.rules)}"
        )
        return 0
    if options.command == "lists":
        return asyncio.run(_lists(settings, options.words))
    try:
        return asyncio.run(_work(settings, options))
    except OSError as problem:
        log.error("BEANCLEANER_HOST=%s BEANCLEANER_PORT=%d: can't listen there (%s)", settings.host, settings.port, problem.strerror)
        return 1


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m beancleaner", description="Closes positions by rules (BEANCLEANER_RULES).")
    parser.add_argument("command", nargs="?", default="run", choices=("run", "watch", "check", "schedule", "lists"))
    parser.add_argument(
        "words", nargs="*", metavar="…", help="lists: nothing, or add NAME SYMBOL…, remove NAME SYMBOL…, set NAME [SYMBOL…]"
    )
    parser.add_argument("--dry-run", action="store_true", help="run: print the plan as a table, and do nothing")
    parser.add_argument("--again", action="store_true", help="run: rules that have run today too")
    options = parser.parse_args(arguments)
    if options.command != "run" and (options.dry_run or options.again):
        parser.error("--dry-run and --again go with run")
    if options.command != "lists" and options.words:
        parser.error(f"{options.command} takes no {' '.join(options.words)}")
    return options


async def _lists(settings: Settings, words: list[str]) -> int:
    if not settings.redis_url:
        print("BEANCLEANER_REDIS_URL is not set: the lists are kept there")
        return EXIT_CONFIG
    memory, names = Memory(settings.redis_url, settings.account), settings.rules.lists
    try:
        lines, good = (await change(memory, names, words), True) if words else await show(memory, names)
        print("\n".join(lines))
        return 0 if good else 1
    except BadChange as bad:
        print(bad)
        return EXIT_CONFIG
    except BusDown as down:
        print(f"{down}; see with lists whether it was changed, and try again")
        return 1
    finally:
        await memory.close()


async def _work(settings: Settings, options: argparse.Namespace) -> int:
    stop = stop_event()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session())
        memory = Memory(settings.redis_url, settings.account) if settings.redis_url else None
        if memory:
            stack.push_async_callback(memory.close)
        client = Client(session, settings.broker.address, Budget(settings.broker.requests_per_minute))
        desk = Desk(settings=settings, broker=Broker(client), memory=memory)
        if options.dry_run:
            return await _dry_run(desk, options.again)
        writer = Writer(settings.influx_url, SERVICE) if settings.influx_url else None
        writing = asyncio.create_task(writer.run()) if writer else None
        try:
            return await (_watch(desk, writer, stop) if options.command == "watch" else _run(desk, writer, stop, options.again))
        finally:
            if writer:
                writing.cancel()
                await writer.close(FLUSH_SECONDS)


async def _dry_run(desk: Desk, again: bool) -> int:
    logging.getLogger("beancleaner").setLevel(logging.WARNING)
    try:
        seen = await persist(desk, again, time.monotonic() + desk.settings.deadline, dry=True)
    except Stopped as stopped:
        log.error(str(stopped))
        return stopped.exit_code
    print(table_of(seen.plan))
    return 0


async def _run(desk: Desk, writer: Writer | None, stop: asyncio.Event, again: bool) -> int:
    working, stopping = asyncio.create_task(run_rules(desk, writer, again)), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    # What was sent is at the broker; the next run goes on from there.
    working.cancel()
    await asyncio.wait({working}, timeout=STOP_SECONDS)
    log.error("interrupted: what was begun is not finished; run it again")
    return INTERRUPTED


async def _watch(desk: Desk, writer: Writer | None, stop: asyncio.Event) -> int:
    settings, watch = desk.settings, Watch(desk, writer)

    async def redis_answers() -> str:
        await desk.memory.bus.ping()
        return ""

    async with serve(settings.port, {"redis": redis_answers}, host=settings.host, alive=watch.alive):
        log.info("watching", extra={"account": settings.account, "mode": settings.broker.mode, "rules": len(settings.rules.rules)})
        code = await run_until(stop, watch.run(), seconds=STOP_SECONDS)
    log.info("stopped")
    return EXIT_CONFIG if watch.wrong else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

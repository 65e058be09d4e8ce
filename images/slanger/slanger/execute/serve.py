"""`python -m slanger execute`: the worker, from its settings to SIGTERM (exit code 0). Settings that can't be used: one sentence, exit code 78."""

import asyncio
import contextlib
import logging
import os
import signal
from typing import Any

from aiohttp import web
from botkit.alpaca import Unavailable, open_session
from botkit.alpaca_budget import Budget
from botkit.alpaca_clock import MarketTime
from botkit.alpaca_settings import wrong_account
from botkit.logs import log_to_stdout
from botkit.settings import EXIT_CONFIG, BadSettings

from slanger.execute.account import LiveAccount
from slanger.execute.aristocrats import Aristocrats
from slanger.execute.assets import Assets
from slanger.execute.broker import Broker
from slanger.execute.consumer import POLL_SECONDS, Consumer
from slanger.execute.control import release
from slanger.execute.desk import Desk
from slanger.execute.gate import Gate
from slanger.execute.page import make_page
from slanger.execute.reconcile import Reconciler
from slanger.execute.settings import Settings, read_settings
from slanger.execute.stopping import Stop, Stopping
from slanger.execute.stream import follow
from slanger.execute.telemetry import Telemetry, open_bus, open_writer
from slanger.execute.worker import Worker
from slanger.queue_client import open_client

log = logging.getLogger(__name__)
# What isn't finished by then goes back to the queue by itself.
STOP_SECONDS = 20.0
QUEUE_SECONDS = 5.0
TELEMETRY_SECONDS = 2.0


def main(arguments: list[str]) -> int:
    log_to_stdout("webhook-worker", package="slanger")
    if arguments:
        log.error("execute takes no arguments: %s", " ".join(arguments))
        return EXIT_CONFIG
    try:
        settings = read_settings(os.environ)
    except BadSettings as refused:
        log.error(str(refused))
        return EXIT_CONFIG
    return asyncio.run(serve(settings))


async def serve(settings: Settings) -> int:
    """Exit code."""
    stop, wrong = Stop(), []
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.request)
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session())
        receiving = await stack.enter_async_context(open_client(settings.queue, POLL_SECONDS + QUEUE_SECONDS, 1))
        sqs = await stack.enter_async_context(open_client(settings.queue, QUEUE_SECONDS))
        bus = open_bus(settings.redis_url)
        if bus:
            stack.push_async_callback(bus.close)
        writer = open_writer(settings.influx_url, "webhook-worker")
        telemetry = Telemetry(settings.queue.account, bus, writer)
        stack.push_async_callback(telemetry.close, TELEMETRY_SECONDS)
        budget = Budget(settings.broker.requests_per_minute)
        broker, account = Broker(session, settings.broker.address, budget), LiveAccount()
        market = MarketTime(broker)

        def check_number(number: str) -> None:
            sentence = wrong_account(settings.broker, number)
            if sentence:
                wrong.append(sentence)
                stop.request()
                raise Unavailable(sentence)

        reconciler = Reconciler(broker, account, market, check_number)
        desk = Desk(
            broker=broker,
            account=account,
            reconciler=reconciler,
            market=market,
            assets=Assets(broker),
            aristocrats=Aristocrats(settings.aristocrats, bus if settings.aristocrats is None else None).get,
            gate=Gate(),
            stop=stop,
            limits=settings.limits,
            defaults=settings.defaults,
            max_delay=settings.max_delay,
        )
        worker = Worker(desk, sqs, settings.queue, telemetry)
        consumer = Consumer(receiving, sqs, settings.queue, stop, worker.handle)
        await _open_page(stack, settings, desk, consumer)
        log.info(
            "executing",
            extra={"mode": settings.broker.mode, "account": settings.queue.account, "broker": settings.broker.address.trading_url},
        )
        tasks = [
            asyncio.create_task(one)
            for one in (
                follow(session, settings.broker.address, worker.update, reconciler.listening),
                reconciler.run(),
                telemetry.run(),
            )
        ]
        consuming = asyncio.create_task(consumer.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, consuming, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        stop.request()
        budget.close(Stopping)
        await asyncio.wait({consuming}, timeout=STOP_SECONDS)
        return await _end(consuming, tasks, stopping, wrong, consumer)


async def _end(consuming: asyncio.Task, tasks: list[asyncio.Task], stopping: asyncio.Task, wrong: list[str], consumer: Consumer) -> int:
    for task in (*tasks, consuming, stopping):
        task.cancel()
    ended = await asyncio.gather(consuming, *tasks, return_exceptions=True)
    faults = [one for one in ended if isinstance(one, Exception)]
    for fault in faults:
        log.error("the worker ends by a fault of its own", exc_info=fault)
    if wrong:
        log.error(wrong[0])
        return EXIT_CONFIG
    log.info("stopped", extra={"in_hand": consumer.in_hand})
    return 1 if faults else 0


async def _open_page(stack: contextlib.AsyncExitStack, settings: Settings, desk: Desk, consumer: Consumer) -> None:
    def facts() -> dict[str, Any]:
        return {
            "halted": desk.gate.halted,
            "suspended": desk.account.suspended,
            "account_known": desk.account.known,
            "account_current": desk.reconciler.is_current,
            "stream": desk.reconciler.streaming is not None,
            "stream_connects": desk.reconciler.connects,
            "in_hand": consumer.in_hand,
        }

    async def halt() -> None:
        desk.gate.halted = True
        await desk.gate.drained()

    runner = web.AppRunner(make_page(lambda: consumer.polled_at, facts, halt, lambda: release(desk)), access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", settings.port).start()

"""One run, from the first look to the report. Whatever kills it, the next one goes on from what broker and Redis say."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date
from datetime import time as clock_time
from typing import TypeVar

from botkit.alpaca import Refused, Unavailable
from botkit.alpaca_clock import Clock
from botkit.alpaca_settings import wrong_account
from botkit.bus import BusDown
from botkit.settings import EXIT_CONFIG

from beancleaner.broker import Broker
from beancleaner.closing import CLOSED, FAILED, Closing, Result, Target
from beancleaner.decide import BLOCKED, Line, Plan, Unreadable, decide
from beancleaner.desk import Desk, read_times
from beancleaner.due import DAY, at_new_york
from beancleaner.history import best_of, entry_of
from beancleaner.memory import Memory
from beancleaner.order_ids import attempts, is_own
from beancleaner.report import Report, entries_of
from beancleaner.report import entry_of as report_entry_of
from beancleaner.rules import CRYPTO, EQUITY
from beancleaner.state import Order, Position, Price

log = logging.getLogger(__name__)
Found = TypeVar("Found")
FIRST_DELAY, LONGEST_DELAY = 0.25, 5.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Everything that the decision is made from."""

    clock: Clock
    read_at: float
    """Monotonic seconds of the clock's reading."""
    plan: Plan
    positions: dict[str, Position]
    orders: list[Order]
    """Open ones."""
    begun: dict[str, tuple[Target, date]]
    """By key: what an earlier run began and did not report, and its day."""


class Stopped(Exception):
    """Nothing may be closed. The message says why; `exit_code`."""

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


async def look(desk: Desk, again: bool, dry: bool) -> Seen:
    """Reads and decides; changes nothing at the broker, and if it is `dry` nothing anywhere. Raises Stopped, Refused, Unavailable, BusDown."""
    rules, broker, memory = desk.settings.rules, desk.broker, desk.memory
    account = await broker.account()
    if wrong := wrong_account(desk.settings.broker, account.number):
        raise Stopped(wrong, EXIT_CONFIG)
    if account.blocked:
        raise Stopped(f"the broker blocks trading ({account.blocked}): nothing is closed until it is switched on again there")
    try:
        lists = await memory.lists(rules.lists) if memory else {}
    except Unreadable as bad:
        raise Stopped(f"nothing is closed: {bad}") from None
    begun = await memory.begun() if memory else {}
    times = await read_times(desk)
    clock = times.clock
    done = await memory.done([clock.day, clock.day - DAY]) if memory and not again else frozenset()
    orders = await broker.open_orders()
    positions = await broker.positions()
    history: list[Order] = []
    if rules.need_history and positions:
        held = list(positions.values())
        history = await broker.history([one.symbol for one in held], lambda found: all(entry_of(one, found) for one in held))
    prices = {key: Price(one.price) for key, one in positions.items()}
    if rules.trail and memory:
        before = await memory.best()
        best = {key: best_of(one, entry_of(one, history), before.get(key), clock.now) for key, one in positions.items()}
        if not dry:
            await memory.keep_best(before, {key: one for key, one in best.items() if one})
        prices = {key: Price(one.price, best[key]) for key, one in positions.items()}
    try:
        plan = decide(rules, positions.values(), history, lists, clock, times.calendar, prices, done)
    except LookupError as bad:
        raise Unavailable(f"the broker's calendar is not enough: {bad}") from None
    return Seen(clock=clock, read_at=times.read_at, plan=plan, positions=positions, orders=orders, begun=begun)


async def persist(desk: Desk, again: bool, deadline: float, dry: bool = False) -> Seen:
    """`look`, until broker and Redis answer. Raises Stopped once the time (monotonic s) is over."""
    return await patiently(lambda: look(desk, again, dry), deadline)


async def patiently(work: Callable[[], Awaitable[Found]], deadline: float, what: str = "nothing is closed") -> Found:
    """What sends nothing is tried until broker and Redis answer. Raises Stopped once the time (monotonic s) is over; `what` it means then."""
    delay, told = FIRST_DELAY, ""
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                return await work()
        except (Refused, Unavailable, BusDown) as problem:
            words = str(problem)
        except TimeoutError:
            words = told or "no answer in time"
        if time.monotonic() + delay >= deadline:
            raise Stopped(f"{what}: {words}")
        if words != told:
            log.warning("trying again: %s", words)
        told = words
        await asyncio.sleep(delay)
        delay = min(delay * 2, LONGEST_DELAY)


async def clean(desk: Desk, *, again: bool = False, deadline: float | None = None) -> tuple[Report, list[str]]:
    """The report, and the keys of what is not to be remembered any more once it is told (`told`).

    `again`: rules that have run today run once more. `deadline`: monotonic seconds; at most the settings' time is taken.
    """
    started, calls = time.monotonic(), desk.broker.calls
    limit = started + desk.settings.deadline
    deadline = limit if deadline is None else min(deadline, limit)
    report, keys = await _clean(desk, again, deadline)
    return replace(report, seconds=time.monotonic() - started, calls=desk.broker.calls - calls), keys


async def _clean(desk: Desk, again: bool, deadline: float) -> tuple[Report, list[str]]:
    settings = desk.settings
    blank = Report(account=settings.account, mode=settings.broker.mode, day=desk.broker.today())
    try:
        async with AsyncExitStack() as stack:
            if desk.memory:
                await _take_turn(stack, desk.memory, deadline)
            seen = await persist(desk, again, deadline)
            blank = replace(blank, day=seen.clock.day, due=seen.plan.due)
            return await _carry_out(desk, seen, blank, deadline)
    except Stopped as stopped:
        return replace(blank, refused=str(stopped), exit_code=stopped.exit_code), []


async def _take_turn(stack: AsyncExitStack, memory: Memory, deadline: float) -> None:
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                return await stack.enter_async_context(memory.turn())
        except TimeoutError:
            raise Stopped("nothing is closed: another run of this account works, and did not end in time") from None
        except BusDown as down:
            if time.monotonic() + 1 >= deadline:
                raise Stopped(f"nothing is closed: {down}") from None
            await asyncio.sleep(1)


async def _carry_out(desk: Desk, seen: Seen, blank: Report, deadline: float) -> tuple[Report, list[str]]:
    targets = [_target(line, seen) for line in seen.plan.to_close]
    closing = Closing(desk.broker, targets, seen.clock.day, seen.clock, seen.read_at)

    async def begin() -> list[Result]:
        found = await _recover(desk.broker, seen, {one.key for one in targets}) if desk.memory else []
        if targets:
            begun = await closing.begin()
            if desk.memory:
                await desk.memory.note_begun(begun, seen.clock.day)
        return found

    # One answer that is lost here must not end a run that has minutes left.
    recovered = await patiently(begin, deadline)
    results = recovered
    if targets:
        await closing.close(deadline)
        results = [*recovered, *await closing.results()]
    now = seen.clock.later(time.monotonic() - seen.read_at).now
    entries = (*(report_entry_of(one, now) for one in results), *entries_of(seen.plan, now))
    failed = any(one.outcome == FAILED for one in entries)
    refused = f"the broker blocks trading ({closing.blocked}): not everything is closed" if closing.blocked else seen.plan.refused
    report = replace(blank, entries=entries, refused=refused, exit_code=1 if failed or refused else 0)
    if desk.memory and not refused:
        await _note_done(desk.memory, seen, [one.target for one in results if one.outcome == FAILED])
    return report, [one.target.key for one in results]


def _target(line: Line, seen: Seen) -> Target:
    held = line.position
    before = seen.begun.get(held.key)
    mine = before is not None and before[1] == seen.clock.day and (before[0].qty > 0) == (held.qty > 0)
    return Target(
        key=held.key,
        symbol=held.symbol,
        crypto=held.asset_class == CRYPTO,
        # What an interrupted run began with.
        qty=before[0].qty if mine else held.qty,
        entry_price=held.entry_price,
        rule=line.rule,
        why=line.why,
        first_attempt=before[0].first_attempt if mine else 0,
    )


async def _recover(broker: Broker, seen: Seen, wanted: set[str]) -> list[Result]:
    """What an earlier run began and did not report, of what is not closed now; orders of ours that nobody works on are cancelled.

    Only with the turn: another run's orders look just the same.
    """
    results = []
    for key, (target, day) in seen.begun.items():
        if key in wanted and day == seen.clock.day:
            continue
        orders = await broker.orders_since(at_new_york(day, clock_time(0)), [target.symbol])
        own = [order for number, order in sorted(attempts(orders, day, key).items()) if number >= target.first_attempt]
        held = seen.positions.get(key)
        left = abs(held.qty) if held else None
        if key in wanted and not any(order.filled_qty for order in own):
            continue
        flat = not held or key in wanted
        why = (
            f"{target.why} (by a run that was interrupted)" if flat else "a run that was interrupted began it, and its rule is not due now"
        )
        results.append(Result(target=target, outcome=CLOSED if flat else FAILED, why=why, left=left, orders=own))
    leftovers = [order for order in seen.orders if order.open and is_own(order) and order.key not in wanted]
    for order in leftovers:
        log.warning("a closing order that nobody works on is cancelled", extra={"client_order_id": order.client_order_id})
    await asyncio.gather(*(broker.cancel(order.id) for order in leftovers))
    return results


async def _note_done(memory: Memory, seen: Seen, failed: Iterable[Target]) -> None:
    """A rule has run for a class once nothing that it wanted closed is left."""
    open_ones = {(one.rule, CRYPTO if one.crypto else EQUITY) for one in failed}
    open_ones |= {(line.rule, line.position.asset_class) for line in seen.plan.lines if line.action == BLOCKED}
    done = [
        (one.rule, one.asset_class, one.day.isoformat())
        for one in seen.plan.due
        if not one.always and (one.rule, one.asset_class) not in open_ones
    ]
    try:
        await memory.note_done(done, seen.clock.now)
    except BusDown as down:
        log.warning("what has run is not remembered: %s", down)

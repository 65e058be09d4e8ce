"""One alert, from the decision to its last order: held while the broker is away, never ordered twice.

There is one way on after every fault, whether an answer was lost or the worker was killed: look the alert's orders up by their ids,
and go on from what is there.
"""

import asyncio
import logging
import time

from botkit.alpaca import Refused, Unavailable
from botkit.alpaca_budget import Priority
from botkit.stopping import Backoff

from slanger.alert import Route
from slanger.execute.case import plain
from slanger.execute.desk import Desk
from slanger.execute.gate import Halted
from slanger.execute.order_ids import ROLES, client_order_id
from slanger.execute.orders import age, booked, clear, final, find, held, reserve, send, settle
from slanger.execute.outcome import NotTraded, Outcome
from slanger.execute.plan import plan
from slanger.execute.state import Order
from slanger.execute.steps import Pass, Refusal, Step
from slanger.message import StoredAlert

log = logging.getLogger(__name__)
# An order that the alert's next one waits for is cancelled when the alert has become too old, but has at least so long.
LEAST_FILL_SECONDS = 5.0
# The broker's words for a stop whose position isn't there.
INTENT = "position intent mismatch"


class _PlanAgain(Exception):
    """The position, or what is known of the alert's own orders, changed since the decision."""


async def trade(desk: Desk, alert: StoredAlert, seen_before: bool) -> Outcome:
    """Works on the alert until its outcome is final. `seen_before`: another try may have ordered. Raises Stopping.

    Age alone never ends it: it is given up only after a lookup that has found none of its orders, because one may have been taken.
    """
    backoff, told = Backoff(), ""
    try:
        while True:
            try:
                return await _attempt(desk, alert, seen_before)
            except _PlanAgain:
                continue
            except Unavailable as problem:
                # Whatever it was, an order may have been taken.
                seen_before = True
                reason = str(problem)
            if reason != told:
                log.warning("alert held", extra={"key": alert.key, "alert": alert.name, "symbol": alert.symbol, "reason": reason})
                told = reason
            await desk.stop.pause(backoff.delay())
    finally:
        _release(desk, alert)


async def _attempt(desk: Desk, alert: StoredAlert, seen_before: bool) -> Outcome:
    await desk.reconciler.current()
    done: dict[str, Order] = {}
    try:
        done.update(await _orders_of(desk, alert, seen_before))
        # From here on a reservation would count what the lookup has shown not to be there.
        _release(desk, alert)
        desk.gate.check()
        if not done and age(alert) > desk.max_delay:
            raise NotTraded(f"older than {desk.max_delay} s (SLANGER_MAX_DELAY)")
        return await _decide(desk, alert, done, seen_before)
    except (NotTraded, Halted, Refused) as problem:
        there = f" (at the broker: {', '.join(done)})" if done else ""
        return Outcome(kind="refused", reason=f"{problem}{there}", orders=tuple(done.values()))


async def _orders_of(desk: Desk, alert: StoredAlert, seen_before: bool) -> dict[str, Order]:
    """role -> the alert's order at the broker. On the first try the account's own list is enough: its ids are nobody else's.
    Raises Unavailable."""
    ids = {role: client_order_id(alert, role) for role in ROLES}
    if seen_before:
        try:
            found = await asyncio.gather(*(find(desk, order_id) for order_id in ids.values()))
        except Refused as problem:
            raise Unavailable(f"the alert's orders can't be looked up: {problem}") from problem
    else:
        found = [desk.account.by_client_id(order_id) for order_id in ids.values()]
    return {role: order for role, order in zip(ids, found) if order}


def _release(desk: Desk, alert: StoredAlert) -> None:
    for role in ROLES:
        desk.account.release(client_order_id(alert, role))


async def _decide(desk: Desk, alert: StoredAlert, done: dict[str, Order], seen_before: bool) -> Outcome:
    """`done` grows with every order. Raises NotTraded, Halted, Refused, Unavailable, Stopping."""
    asset = await desk.assets.get(alert.symbol)
    listed = await desk.aristocrats() if alert.route == Route.ARISTOCRATS else None
    price = await desk.broker.last_price(alert.symbol)
    desk.account.price(alert.symbol, price)
    await desk.market.sure(shares=not asset.crypto)
    if alert.route == Route.TRAILING and "enter" in done and "trail" not in done:
        # A try before this one was interrupted between the two. What has become of the position since decides about the stop.
        done["enter"] = await _filled(desk, alert, "enter", done["enter"])
        await booked(desk, alert, done["enter"])
    # Nothing may be waited for between this and the plan: other symbols' fills come in all the time.
    await settle(desk, alert.symbol)
    clock = desk.market.now()
    decided = plan(alert, desk.account.view(clock), asset, price, desk.limits, desk.defaults, clock.now, dict(done), listed)
    if isinstance(decided, Refusal):
        raise NotTraded(decided.reason)
    if isinstance(decided, Pass):
        if seen_before and not done and await _orders_of(desk, alert, seen_before):
            # What is open is its own: taken by the broker after the lookup, and not protected yet.
            raise _PlanAgain
        return Outcome(kind="ordered" if done else "passed", reason=decided.reason, orders=tuple(done.values()))
    position = desk.account.position_qty(alert.symbol)
    for step in decided.steps:
        reserve(desk, alert, step)
    for step in decided.steps:
        for role, order in done.items():
            done[role] = await _filled(desk, alert, role, order)
        if step.cancels_open_orders:
            await clear(desk, alert.symbol)
            # A leg may have filled while it was being cancelled.
            await settle(desk, alert.symbol)
            if not done and desk.account.position_qty(alert.symbol) != position:
                raise _PlanAgain
        try:
            done[step.role] = await send(desk, alert, step, _body(step, done))
        except Refused as refused:
            if step.qty_of and INTENT in refused.message:
                await _look_again(desk, alert, refused)
            raise
    if decided.refused:
        raise NotTraded(decided.refused)
    return Outcome(kind="ordered", orders=tuple(done.values()))


def _body(step: Step, done: dict[str, Order]) -> dict:
    if step.qty_of is None:
        return step.order
    return {"qty": plain(done[step.qty_of].filled_qty), **step.order}


async def _look_again(desk: Desk, alert: StoredAlert, refused: Refused) -> None:
    """After the broker has found no position that a stop could protect. Raises Unavailable, and the alert is planned again by what the
    account says now: the position may be closed, or the broker may be late to see it. Returns if it is there for good."""
    await desk.reconciler.refresh(Priority.ORDER)
    if held(desk, alert) <= 0 or age(alert) <= desk.max_delay + LEAST_FILL_SECONDS:
        raise Unavailable(f"the broker sees no position for the stop: {refused}") from refused


async def _filled(desk: Desk, alert: StoredAlert, role: str, order: Order) -> Order:
    """The order once it is final and the next one may follow. Raises NotTraded."""
    deadline = time.monotonic() + max(desk.max_delay - age(alert), LEAST_FILL_SECONDS)
    order = await final(desk, order.id, deadline)
    if not order.filled_qty:
        raise NotTraded(f"{role} not filled ({order.status})")
    if role == "close" and order.qty is not None and order.filled_qty < order.qty:
        raise NotTraded(f"close filled {plain(order.filled_qty)} of {plain(order.qty)} ({order.status})")
    return order

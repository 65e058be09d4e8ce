"""An order at the broker: found by its id, sent once, waited for, cancelled."""

import time
from decimal import Decimal
from typing import Any

from botkit.alpaca import Refused, Unavailable
from botkit.alpaca_budget import Priority

from slanger.alert import Side
from slanger.execute.desk import Desk
from slanger.execute.gate import HALTED, Halted
from slanger.execute.order_ids import client_order_id
from slanger.execute.outcome import NotTraded
from slanger.execute.state import Order
from slanger.execute.steps import Step
from slanger.message import StoredAlert
from slanger.symbols import is_crypto

# A market order that isn't filled by then counts as an open one.
SETTLE_SECONDS = 3.0
# Even a stream that is up can lose an update.
ASK_SECONDS = 5.0
LONGEST_ASK_SECONDS = 30.0
CANCEL_SECONDS = 30.0
# Longest wait for news before the switches are looked at again.
LOOK_SECONDS = 0.5


def age(alert: StoredAlert) -> float:
    """Seconds since it was accepted."""
    return time.time() - alert.received_at


def _may_go_on(desk: Desk) -> None:
    """Raises Stopping, Halted."""
    desk.stop.check()
    desk.gate.check()
    if desk.account.suspended:
        raise Halted(HALTED)


async def find(desk: Desk, order_id: str) -> Order | None:
    """An order by its client_order_id, as the broker has it now. Raises Refused, Unavailable."""
    body = await desk.broker.order_by_client_id(order_id)
    return desk.account.learn(body) if body else None


def reserve(desk: Desk, alert: StoredAlert, step: Step) -> None:
    """Counts a step's dollars from the decision on, so that the alerts of other symbols don't spend them meanwhile."""
    order_id, qty = client_order_id(alert, step.role), step.order.get("qty")
    desk.account.reserve(
        Order(
            id=order_id,
            client_order_id=order_id,
            symbol=alert.symbol,
            side=step.order["side"],
            type=step.order["type"],
            status="pending_new",
            qty=None if step.notional or qty is None else Decimal(qty),
            notional=step.notional or None,
            filled_qty=Decimal(0),
            filled_price=None,
            limit_price=None,
            stop_price=None,
            submitted_at=desk.market.now().now,
        )
    )


def waits_for_tomorrow(desk: Desk, symbol: str, step: Step) -> bool:
    """Whether an order would lie at the broker until the next open. The stop of what has just been bought may: it is better than none."""
    in_session = not is_crypto(symbol) and not step.order.get("extended_hours") and step.qty_of is None
    return in_session and not desk.market.now().market_open


async def send(desk: Desk, alert: StoredAlert, step: Step, body: dict[str, Any]) -> Order:
    """Sends a step's order once. Raises Refused; Unavailable: it may or may not have been taken; Halted, Stopping, NotTraded: not sent."""
    order_id = client_order_id(alert, step.role)
    with desk.gate.passing(order_id) as enter:

        def before() -> None:
            _may_go_on(desk)
            # A late order that only reduces a position is better than none.
            if step.notional and age(alert) > desk.max_delay:
                raise NotTraded(f"older than {desk.max_delay} s (SLANGER_MAX_DELAY)")
            if waits_for_tomorrow(desk, alert.symbol, step):
                raise NotTraded(f"the market has closed meanwhile, so {alert.symbol} is not traded; send it in the session")
            enter()

        try:
            answer = await desk.broker.place({**body, "client_order_id": order_id}, before)
        except Refused as refused:
            # 422 is the broker's answer to an id that it has already: another try of ours was taken after all.
            if refused.status == 422 and (order := await find(desk, order_id)):
                return order
            raise
    return desk.account.learn(answer)


async def final(desk: Desk, order_id: str, deadline: float) -> Order:
    """Waits until nothing more can be filled. At the deadline (monotonic) it is cancelled. Raises Unavailable, Stopping, Halted."""
    asked, asks, cancelled = time.monotonic(), 0, False
    while (order := desk.account.order(order_id)) is None or order.open:
        _may_go_on(desk)
        now = time.monotonic()
        if now >= deadline and cancelled:
            raise Unavailable(f"order {order_id} can't be cancelled")
        if now >= deadline:
            await desk.broker.cancel(order_id)
            cancelled, deadline = True, now + CANCEL_SECONDS
        if now - asked >= _ask_after(desk, asks):
            asked, asks = now, asks + 1
            if body := await desk.broker.order(order_id):
                desk.account.learn(body)
        else:
            await desk.account.change(LOOK_SECONDS)
    return order


def _ask_after(desk: Desk, asks: int) -> float:
    """Seconds until an order is asked for by REST, longer with each time: the stream tells sooner, if it is there."""
    first = ASK_SECONDS if desk.reconciler.streaming else LOOK_SECONDS
    return min(first * 2**asks, LONGEST_ASK_SECONDS)


async def clear(desk: Desk, symbol: str) -> None:
    """Cancels a symbol's open orders and waits until none is left. Raises Unavailable, Refused, Stopping, Halted."""
    for order in desk.account.open_orders(symbol):
        # A leg ends with its sibling or its parent.
        known = desk.account.order(order.id)
        if known and known.open:
            await desk.broker.cancel(order.id)
    deadline = time.monotonic() + CANCEL_SECONDS
    for order in desk.account.open_orders(symbol):
        await final(desk, order.id, deadline)


def _filling(desk: Desk, symbol: str) -> bool:
    """Whether the position is about to change, or any has changed unseen."""
    return not desk.account.settled or any(order.type == "market" for order in desk.account.open_orders(symbol))


async def settle(desk: Desk, symbol: str) -> None:
    """Waits for the fills that are about to come, so that the position is known that the next decision is made from."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while _filling(desk, symbol):
        if time.monotonic() >= deadline:
            # Without the stream nothing but a reading tells that it has filled.
            await desk.reconciler.refresh(Priority.ORDER)
            if desk.account.settled:
                return
        desk.stop.check()
        await desk.account.change(LOOK_SECONDS)


def held(desk: Desk, alert: StoredAlert) -> Decimal:
    """The position in the alert's own direction; below 0 if it is the other one."""
    return desk.account.position_qty(alert.symbol) * (1 if alert.action == Side.BUY else -1)


async def booked(desk: Desk, alert: StoredAlert, entry: Order) -> None:
    """Waits for the position that an entry's fill has made. That less is held is believed only if a reading some seconds later says so:
    the broker may tell of a fill before it lists the position. Raises Unavailable, Stopping."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while held(desk, alert) < entry.filled_qty and time.monotonic() < deadline:
        desk.stop.check()
        await desk.account.change(LOOK_SECONDS)
    if held(desk, alert) < entry.filled_qty:
        await desk.reconciler.refresh(Priority.ORDER)

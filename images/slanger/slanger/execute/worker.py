"""What becomes of one message: traded, followed or buried, told in one log line, and then forgotten."""

import logging
from typing import Any

from botkit.stopping import Backoff

from slanger.execute.consumer import QueueErrors
from slanger.execute.control import follow
from slanger.execute.dead import bury
from slanger.execute.decode import Delivery, Undecodable, decode
from slanger.execute.desk import Desk
from slanger.execute.outcome import NotTraded, Outcome
from slanger.execute.repeats import Repeats
from slanger.execute.stopping import Stopping
from slanger.execute.telemetry import Telemetry
from slanger.execute.trade import trade
from slanger.message import StoredAlert, StoredControl
from slanger.settings import QueueSettings

log = logging.getLogger(__name__)


class Worker:
    def __init__(self, desk: Desk, sqs: Any, queue: QueueSettings, telemetry: Telemetry) -> None:
        self._desk = desk
        self._sqs = sqs
        self._queue = queue
        self._telemetry = telemetry
        self._repeats = Repeats()

    async def handle(self, delivery: Delivery) -> None:
        """Returns when the outcome is final. Raises Stopping."""
        try:
            message = decode(delivery.body, self._queue.account)
        except Undecodable as bad:
            log.error("undecodable", extra={"message_id": delivery.id, "reason": str(bad)})
            return await self._bury(delivery, str(bad), {})
        if isinstance(message, StoredControl):
            return await self._follow(delivery, message)
        await self._trade(delivery, message)

    async def _follow(self, delivery: Delivery, control: StoredControl) -> None:
        try:
            await follow(self._desk, control)
        except NotTraded as refused:
            log.error("%s refused", control.action, extra={"key": control.key, "reason": str(refused)})
            await self._bury(delivery, str(refused), {"name": control.action, "key": control.key})

    async def _trade(self, delivery: Delivery, alert: StoredAlert) -> None:
        if not delivery.replayed and (repeated := self._repeats.earlier(alert.key)):
            return self._tell(alert, repeated)
        try:
            outcome = await trade(self._desk, alert, delivery.receives > 1 or delivery.replayed)
        except Stopping:
            raise
        except Exception:
            # One alert that finds a fault of ours must not stop the others.
            log.exception("fault while trading", extra={"key": alert.key})
            outcome = Outcome(kind="refused", reason="a fault of the worker, see its log; a replay first looks whether it was ordered")
        self._tell(alert, outcome)
        if outcome.kind == "refused":
            await self._bury(delivery, outcome.reason, {"name": alert.name, "symbol": alert.symbol, "key": alert.key})
        # Not before it is buried: what fails there must come again.
        self._repeats.note(alert.key, outcome)

    def _tell(self, alert: StoredAlert, outcome: Outcome) -> None:
        orders = [{"id": order.id, "client_order_id": order.client_order_id, "status": order.status} for order in outcome.orders]
        about = {"key": alert.key, "alert": alert.name, "route": alert.route.value, "symbol": alert.symbol, "side": alert.action.value}
        level = logging.WARNING if outcome.kind == "refused" else logging.INFO
        log.log(level, outcome.kind, extra={**about, "reason": outcome.reason, "orders": orders})
        self._telemetry.note(
            "outcome",
            kind=outcome.kind,
            key=alert.key,
            name=alert.name,
            route=alert.route.value,
            symbol=alert.symbol,
            side=alert.action.value,
            reason=outcome.reason,
            orders=len(orders),
        )

    async def _bury(self, delivery: Delivery, reason: str, attributes: dict[str, str]) -> None:
        backoff = Backoff()
        while True:
            try:
                return await bury(self._sqs, self._queue.dead_letter_url, delivery, reason, **attributes)
            except QueueErrors as problem:
                log.warning("dead letter not stored yet: %s", problem)
            await self._desk.stop.pause(backoff.delay())

    def update(self, data: dict[str, Any]) -> None:
        """One message of the trade_updates stream."""
        self._desk.account.update(data)
        if data["event"] in ("fill", "partial_fill"):
            order = data["order"]
            self._telemetry.note(
                "fill",
                symbol=order.get("symbol"),
                side=order.get("side"),
                **{name: float(data[name]) for name in ("qty", "price", "position_qty") if data.get(name)},
                order_id=order["id"],
                client_order_id=order["client_order_id"],
            )

"""What the passing of time does to orders: auctions at the open and the close, expiry of the day's orders, prices that moved."""

from . import engine
from . import ledger as books
from .checks import equity
from .conditions import World
from .ledger import Ledger
from .matching import within


def step(ledger: Ledger, world: World) -> None:
    """Brings the books to this instant. Called at every tick of the clock and whenever a price or the hours were set."""
    account = ledger.account
    new_session = account.session != world.session
    if account.phase == "open" and (world.phase != "open" or new_session):
        close_market(ledger, world)
    if account.phase != "closed" and (world.phase == "closed" or new_session):
        _expire(ledger, world, extended=True)
    if world.phase == "open" and (account.phase != "open" or new_session):
        _auction(ledger, "opg", world)
    if (account.session, account.phase) != (world.session, world.phase):
        account.session, account.phase = world.session, world.phase
        ledger.changes.account = True
    for order in books.open_orders(ledger):
        if order.time_in_force == "gtc" and order.expires is not None and order.expires <= world.now and not order.parent:
            engine.finish(ledger, order, "expired", world)
        engine.work(ledger, order, world)


def close_market(ledger: Ledger, world: World) -> None:
    """The closing auction, then the end of the day's orders; the equity becomes the last close's."""
    _auction(ledger, "cls", world)
    _expire(ledger, world, extended=False)
    ledger.account.last_equity = equity(ledger, world)
    ledger.changes.account = True


def _auction(ledger: Ledger, kind: str, world: World) -> None:
    """On-open and on-close orders trade now or never."""
    for order in books.open_orders(ledger):
        if order.time_in_force != kind or order.cancel_at is not None:
            continue
        engine.route(ledger, order, world)
        price = world.price(order.symbol)
        if order.type == "market" or within(order.side, order.limit_price, price):
            engine.execute(ledger, order, order.total - order.filled_qty, price, world)
        else:
            engine.finish(ledger, order, "canceled", world)


def _expire(ledger: Ledger, world: World, extended: bool) -> None:
    """Day orders that have been in the market. Those still queued wait for the next open."""
    for order in books.open_orders(ledger):
        live = order.is_open and order.active and order.status not in ("accepted", "pending_new")
        if live and order.time_in_force == "day" and (extended or not order.extended_hours):
            engine.finish(ledger, order, "expired", world)

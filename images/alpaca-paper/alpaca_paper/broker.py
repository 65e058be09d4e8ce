"""The running broker: the books with their market, store and listeners."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from . import conditions as market
from . import hours, ledger, prices, sessions, store
from .assets import Asset, make_assets
from .conditions import Conditions, World
from .decimals import nearest
from .ledger import Account, Ledger, Position
from .orders import EPOCH
from .settings import Settings
from .store import BadStore, Store
from .stream import Hub

DAY_US = 86_400_000_000
MICROSECOND = timedelta(microseconds=1)


@dataclass
class Broker:
    settings: Settings
    assets: dict[str, Asset]
    movement: list[float]
    ledger: Ledger
    conditions: Conditions
    store: Store
    hub: Hub


def open_broker(settings: Settings) -> Broker:
    """Raises BadStore, BadRecording."""
    hub, assets = Hub(), make_assets(settings.symbols)
    opened = Store(settings.data, hub.publish)
    books, conditions = opened.load()
    broker = Broker(settings, assets, prices.read_movement(), books, conditions, opened, hub)
    if books is None:
        reset(broker, settings.cash, {})
    used = {order.symbol for order in broker.ledger.orders.values()} | set(broker.ledger.positions)
    if unknown := sorted(used - set(assets)):
        raise BadStore(f"ALPACA_PAPER_SYMBOLS lacks {', '.join(unknown)}, which the account has traded; add them or use an empty folder")
    return broker


def wall_clock() -> int:
    """Unix microseconds."""
    return time.time_ns() // 1000


def now(broker: Broker) -> int:
    """Unix microseconds on the broker's clock."""
    return wall_clock() + broker.conditions.clock_shift


def last_price(broker: Broker, symbol: str, ago_us: int = 0) -> Decimal:
    """USD: set by the test API, or replayed at the wall time (`ago_us` before), or the start price."""
    conditions, asset = broker.conditions, broker.assets[symbol]
    if symbol in conditions.prices:
        return conditions.prices[symbol]
    if broker.settings.prices == "fixed":
        price = asset.start
    else:
        price = prices.replayed(broker.movement, asset, wall_clock() - ago_us)
    shifted = price * conditions.shifts.get(symbol, 1)
    return max(nearest(shifted, asset.tick(shifted)), asset.tick(shifted))


def moment(time_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=time_us)


def session_now(broker: Broker, time_us: int) -> tuple[sessions.Session, str]:
    """The current or next session and the phase of the stock market."""
    session = sessions.current_or_next(moment(time_us), broker.settings.hours)
    phase = sessions.phase(moment(time_us), session)
    if broker.conditions.forced_open is not None:
        phase = "open" if broker.conditions.forced_open else "closed"
    return session, phase


def world(broker: Broker) -> World:
    """This instant, for the engine."""
    time_us = now(broker)
    session, phase = session_now(broker, time_us)
    at_hand = session if moment(time_us) < session.close else sessions.next_session(session.day, broker.settings.hours)
    return World(
        now=time_us,
        price=cache(lambda symbol: last_price(broker, symbol)),
        phase=phase,
        session=session.day.isoformat(),
        expires=(at_hand.close - EPOCH) // MICROSECOND,
        expires_extended=(session.post_close - EPOCH) // MICROSECOND,
        fill_delay_us=broker.conditions.fill_delay_ms * 1000,
        fill_parts=broker.conditions.fill_parts,
        cancel_delay_us=broker.conditions.cancel_delay_ms * 1000,
        reject=broker.conditions.reject > 0,
        crypto_fee_percent=broker.settings.crypto_fee_percent,
        wash_trades=broker.settings.wash_trades,
    )


def step(broker: Broker) -> None:
    """Time passes: brings the books to this instant."""
    hours.step(broker.ledger, world(broker))


def record(broker: Broker) -> None:
    """Hands all changes to the store. To be called before the event loop runs anything else."""
    changes, broker.ledger.changes = broker.ledger.changes, ledger.Changes()
    broker.store.write(store.rows_of(broker.ledger, changes), changes.events)


def record_conditions(broker: Broker) -> None:
    broker.store.write([store.state_row("conditions", market.to_row(broker.conditions))], [])


def reset(broker: Broker, cash: Decimal, positions: dict[str, tuple[Decimal, Decimal]]) -> None:
    """A new account, as on the first day, with `positions` (symbol -> quantity, average entry price) and the market's usual ways."""
    broker.conditions = Conditions()
    broker.ledger = Ledger(Account(cash=cash, last_equity=cash, created=wall_clock()))
    broker.store.write(store.wipe_rows(), [])
    record_conditions(broker)
    set_positions(broker, positions)
    broker.ledger.changes.account = True
    record(broker)


def set_positions(broker: Broker, positions: dict[str, tuple[Decimal, Decimal]]) -> None:
    """Quantity 0 removes one."""
    for symbol, (qty, price) in positions.items():
        broker.ledger.positions.pop(symbol, None)
        if qty:
            broker.ledger.positions[symbol] = Position(symbol, qty, price, now(broker))
        broker.ledger.changes.positions.add(symbol)

"""The running broker: the books with their market, store and listeners."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from . import clock, hours, ledger, prices, sessions, store
from . import conditions as market
from .assets import Asset, make_assets
from .conditions import Conditions, World
from .ledger import Account, Ledger, Position
from .orders import EPOCH
from .prices import Recording
from .settings import Settings
from .store import BadStore, Store
from .stream import Hub

DAY_US = 86_400_000_000
MICROSECOND = timedelta(microseconds=1)
# After a long pause of the whole process the looks are further apart, so that it answers again soon.
MOST_LOOKS = 5_000


@dataclass
class Broker:
    settings: Settings
    assets: dict[str, Asset]
    recording: Recording
    ledger: Ledger
    conditions: Conditions
    store: Store
    hub: Hub
    looked: int = 0
    """Up to when (microseconds of the broker's clock) the books have followed the market."""
    told: int = 0
    """Up to when the market data streams have told it."""


def open_broker(settings: Settings) -> Broker:
    """Raises BadStore, BadRecording."""
    hub, assets = Hub(), make_assets(settings.symbols)
    opened = Store(settings.data, hub.publish)
    books, conditions = opened.load()
    recording = prices.read_recording()
    recording = prices.flat(recording) if settings.prices == "fixed" else recording
    broker = Broker(settings, assets, recording, books, conditions, opened, hub)
    broker.told = now(broker)
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
    return clock.reading(broker.conditions, wall_clock())


def hours_of(broker: Broker) -> str:
    """always or nyse."""
    return broker.conditions.hours or broker.settings.hours


def price_at(broker: Broker, symbol: str, time_us: int) -> Decimal:
    """USD at a time of the broker's clock."""
    return prices.price_at(broker.recording, broker.assets[symbol], broker.conditions.history.get(symbol, ()), time_us)


def moment(time_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=time_us)


def session_now(broker: Broker, time_us: int) -> tuple[sessions.Session, str]:
    """The current or next session and the phase of the stock market."""
    session = sessions.current_or_next(moment(time_us), hours_of(broker))
    phase = sessions.phase(moment(time_us), session)
    if broker.conditions.forced_open is not None:
        phase = "open" if broker.conditions.forced_open else "closed"
    return session, phase


def world(broker: Broker, time_us: int | None = None) -> World:
    """One instant, for the engine; this one unless told."""
    time_us = now(broker) if time_us is None else time_us
    session, phase = session_now(broker, time_us)
    at_hand = session if moment(time_us) < session.close else sessions.next_session(session.day, hours_of(broker))
    return World(
        now=time_us,
        price=cache(lambda symbol: price_at(broker, symbol, time_us)),
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
    """Brings the books to this instant, whatever has been between: to be called when the market was changed by hand."""
    _look(broker, now(broker))


def _look(broker: Broker, time_us: int) -> None:
    broker.looked = time_us
    hours.step(broker.ledger, world(broker, time_us))


def follow(broker: Broker) -> None:
    """Time passes, up to a look before this instant. However late this is called, resting orders see the prices of the whole way
    in steps of a look, and the market opens and closes on time. To be called before every request.
    """
    present = now(broker)
    grain = max(clock.look_us(broker.conditions), (present - broker.looked) // MOST_LOOKS)
    while (following := min(broker.looked + grain, _next_bell(broker))) < present:
        _look(broker, following)


def tick(broker: Broker) -> None:
    """Time passes, up to this instant."""
    follow(broker)
    step(broker)


def _next_bell(broker: Broker) -> int:
    """When the stock market's phase changes next."""
    at = moment(broker.looked)
    session = sessions.current_or_next(at, hours_of(broker))
    bells = (session.pre_open, session.open, session.close, session.post_close)
    return (min(bell for bell in bells if bell > at) - EPOCH) // MICROSECOND


def record(broker: Broker) -> None:
    """Hands all changes to the store. To be called before the event loop runs anything else."""
    changes, broker.ledger.changes = broker.ledger.changes, ledger.Changes()
    broker.store.write(store.rows_of(broker.ledger, changes), changes.events)


def record_conditions(broker: Broker) -> None:
    broker.store.write([store.state_row("conditions", market.to_row(broker.conditions))], [])


def reset(broker: Broker, cash: Decimal, positions: dict[str, tuple[Decimal, Decimal]]) -> None:
    """A new account, as on the first day, with `positions` (symbol -> quantity, average entry price) and the market's usual ways."""
    broker.conditions = Conditions()
    broker.told = now(broker)
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

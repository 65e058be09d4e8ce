"""Positions, orders and days for tests of the pure parts."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from beancleaner.decide import decide
from beancleaner.due import at_new_york
from beancleaner.names import key_of
from beancleaner.rule_text import read_rules
from beancleaner.state import Asset, Calendar, Order, Position, Price, Session
from beancleaner.steps import View
from botkit.alpaca_clock import Clock

HALF_DAY, THANKSGIVING = date(2026, 11, 27), date(2026, 11, 26)
WEDNESDAY = date(2026, 12, 9)
FIRST, LAST = date(2026, 10, 25), date(2027, 3, 31)


def calendar():
    """NYSE's weekdays, but for the days named here, which is all that these tests look at."""
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    return Calendar(
        FIRST,
        LAST,
        {
            day: Session(at_new_york(day, time(9, 30)), at_new_york(day, time(13 if day == HALF_DAY else 16)))
            for day in days
            if day.weekday() < 5 and day != THANKSGIVING
        },
    )


def clock(text, day=WEDNESDAY, is_open=None):
    """`12:59` or `12:59:30` of New York; the market is open as the calendar says, unless told."""
    now = at_new_york(day, time.fromisoformat(text))
    session = calendar().on(day)
    in_session = session is not None and session.opens <= now < session.closes
    closes = session.closes if session and now < session.closes else now + timedelta(days=1)
    opens = session.opens if session and now < session.opens else now + timedelta(days=1)
    return Clock(now, in_session if is_open is None else is_open, opens, closes)


def position(symbol="AAPL", qty=10, entry=100, price=100, available=None, asset_class=None):
    qty = Decimal(str(qty))
    return Position(
        key=key_of(symbol),
        symbol=symbol,
        asset_class=asset_class or ("crypto" if "/" in symbol else "us_equity"),
        qty=qty,
        available=abs(qty) if available is None else Decimal(str(available)),
        entry_price=Decimal(str(entry)),
        price=None if price is None else Decimal(str(price)),
    )


def order(symbol="AAPL", side="buy", qty=10, client_order_id="mine-1", status="filled", filled=None, at="10:00", day=WEDNESDAY, id=None):
    filled = (qty if status == "filled" else 0) if filled is None else filled
    return Order(
        id=id or f"id-{client_order_id}",
        client_order_id=client_order_id,
        key=key_of(symbol),
        side=side,
        status=status,
        qty=Decimal(str(qty)),
        filled_qty=Decimal(str(filled)),
        filled_price=Decimal(100),
        filled_at=at_new_york(day, time.fromisoformat(at)).astimezone(UTC) if filled else None,
    )


def plan(rules, *positions, at="12:59", day=WEDNESDAY, orders=(), lists=None, best=None, done=frozenset(), is_open=None):
    """decide(), with `rules` as YAML."""
    read = read_rules(rules)
    known = (
        {name: frozenset() for name in read.lists} if lists is None else {name: frozenset(map(key_of, all)) for name, all in lists.items()}
    )
    prices = {one.key: Price(one.price, (best or {}).get(one.key)) for one in positions}
    return decide(read, positions, orders, known, clock(at, day, is_open), calendar(), prices, done)


def closed(found):
    return {line.position.symbol: line.rule for line in found.to_close}


def why(found, symbol="AAPL"):
    (line,) = [line for line in found.lines if line.position.symbol == symbol]
    return line.why


def view(held=None, orders=(), **values):
    usual = {
        "was_long": True,
        "position": held,
        "orders": tuple(orders),
        "asset": Asset("AAPL", True),
        "crypto": False,
        "market_open": True,
        "expected": None,
        "overdue": False,
    }
    return View(**{**usual, **values})


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

"""Account, position, clock and fill as Alpaca's JSON: amounts are strings."""

from decimal import Decimal

from . import checks, sessions
from . import ledger as books
from .broker import DAY_US, Broker, hours_of, moment, price_at, session_now
from .conditions import World
from .decimals import ZERO, dollars, text
from .ledger import Fill, Position
from .orders import iso

ACCOUNT_NUMBER = "PA3LOCAL0001"
ACCOUNT_ID = "4cc4d4a0-3f4b-4c5e-9f0a-7d2c5b1e8a11"
# Reg T's maintenance margin on stocks.
MAINTENANCE = Decimal("0.3")


def account(broker: Broker, world: World) -> dict:
    """GET /v2/account, as since 2026-07-06: without the fields of pattern day trading."""
    ledger = broker.ledger
    values = [held.qty * world.price(held.symbol) for held in ledger.positions.values()]
    long, short = sum((value for value in values if value > 0), ZERO), sum((value for value in values if value < 0), ZERO)
    equity = ledger.account.cash + long + short
    margin = checks.initial_margin(ledger, world)
    power = dollars(checks.buying_power(ledger, world))
    return {
        "id": ACCOUNT_ID,
        "admin_configurations": {},
        "user_configurations": None,
        "account_number": ACCOUNT_NUMBER,
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": "USD",
        "buying_power": power,
        "regt_buying_power": power,
        "effective_buying_power": power,
        "non_marginable_buying_power": dollars(checks.crypto_buying_power(ledger, world)),
        "options_buying_power": "0",
        "cash": dollars(ledger.account.cash),
        "accrued_fees": "0",
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "portfolio_value": dollars(equity),
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "created_at": iso(ledger.account.created),
        "trade_suspended_by_user": ledger.account.suspend_trade,
        "multiplier": str(books.MULTIPLIER),
        "shorting_enabled": not ledger.account.no_shorting,
        "equity": dollars(equity),
        "last_equity": dollars(ledger.account.last_equity),
        "long_market_value": dollars(long),
        "short_market_value": dollars(short),
        "position_market_value": dollars(long - short),
        "initial_margin": dollars(margin),
        "maintenance_margin": dollars((long - short) * MAINTENANCE),
        "last_maintenance_margin": "0",
        "sma": "0",
        "crypto_tier": 1,
        "options_approved_level": 0,
        "options_trading_level": 0,
    }


CONFIGURATIONS = (
    "suspend_trade",
    "no_shorting",
    "fractional_trading",
    "trade_confirm_email",
    "max_margin_multiplier",
    "ptp_no_exception_entry",
)


def configurations(broker: Broker) -> dict:
    """GET /v2/account/configurations."""
    return {name: getattr(broker.ledger.account, name) for name in CONFIGURATIONS} | {"max_options_trading_level": None}


def position(broker: Broker, held: Position, world: World) -> dict:
    """GET /v2/positions/{symbol}. As at Alpaca a coin's position is called BTCUSD, its orders BTC/USD."""
    asset, price = broker.assets[held.symbol], world.price(held.symbol)
    yesterday = price_at(broker, held.symbol, world.now - DAY_US)
    value, cost = held.qty * price, held.qty * held.avg_entry_price
    since = held.avg_entry_price if world.now - held.opened < DAY_US else yesterday
    day_cost = held.qty * since
    return {
        "asset_id": asset.id,
        "symbol": held.symbol.replace("/", ""),
        "exchange": asset.exchange,
        "asset_class": asset.asset_class,
        "asset_marginable": not asset.is_crypto,
        "qty": text(held.qty),
        "avg_entry_price": text(round(held.avg_entry_price, 9)),
        "side": "long" if held.qty > 0 else "short",
        "market_value": text(round(value, 9)),
        "cost_basis": text(round(cost, 9)),
        "unrealized_pl": text(round(value - cost, 9)),
        "unrealized_plpc": _ratio(value - cost, abs(cost)),
        "unrealized_intraday_pl": text(round(value - day_cost, 9)),
        "unrealized_intraday_plpc": _ratio(value - day_cost, abs(day_cost)),
        "current_price": text(price),
        "lastday_price": text(yesterday),
        "change_today": _ratio(price - yesterday, yesterday),
        "qty_available": text(books.available(broker.ledger, held.symbol, price) * (1 if held.qty > 0 else -1)),
    }


def _ratio(part: Decimal, whole: Decimal) -> str:
    return text(round(part / whole, 16)) if whole else "0"


def clock(broker: Broker, time_us: int) -> dict:
    """GET /v2/clock, in New York time."""
    session, phase = session_now(broker, time_us)
    following = sessions.next_session(session.day, hours_of(broker))
    opens = session.open if moment(time_us) < session.open else following.open
    closes = session.close if moment(time_us) < session.close else following.close
    shown = [at.astimezone(sessions.NEW_YORK).isoformat() for at in (moment(time_us), opens, closes)]
    return {"timestamp": shown[0], "is_open": phase == "open", "next_open": shown[1], "next_close": shown[2]}


def activity(fill: Fill) -> dict:
    """One entry of GET /v2/account/activities/FILL."""
    return {
        "id": f"{moment(fill.time):%Y%m%d%H%M%S}{fill.time // 1000 % 1000:03d}::{fill.id}",
        "account_id": ACCOUNT_ID,
        "activity_type": "FILL",
        "transaction_time": iso(fill.time),
        "type": "fill" if fill.status == "filled" else "partial_fill",
        "price": text(fill.price),
        "qty": text(fill.qty),
        "side": fill.side,
        "symbol": fill.symbol,
        "leaves_qty": text(fill.leaves),
        "order_id": fill.order_id,
        "cum_qty": text(fill.cumulative),
        "order_status": fill.status,
    }

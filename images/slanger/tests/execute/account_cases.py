"""What the broker says of an account, as REST and the stream say it, and an account that knows it."""

from datetime import UTC, datetime, timedelta

from botkit.alpaca_clock import Clock
from slanger.execute.account import LiveAccount, Snapshot
from slanger.execute.wire import orders_of, parse_position

# Of the broker: not the day of the machine that the tests run on.
NOW = datetime(2024, 7, 10, 15, tzinfo=UTC)
CLOCK = Clock(NOW, True, NOW + timedelta(days=1), NOW + timedelta(hours=1))


def order(status="new", filled=0, *, id="o1", symbol="AAPL", side="buy", qty=10, sent=NOW, **more):
    return {
        "id": id,
        "client_order_id": f"client-{id}",
        "symbol": symbol,
        "side": side,
        "type": "market",
        "status": status,
        "qty": str(qty),
        "notional": None,
        "filled_qty": str(filled),
        "filled_avg_price": "100" if filled else None,
        "limit_price": None,
        "stop_price": None,
        "submitted_at": sent.isoformat(),
        "created_at": sent.isoformat(),
        "filled_at": None,
        "legs": None,
        **more,
    }


def fill(body, position, qty, event="fill"):
    return {"event": event, "order": body, "position_qty": str(position), "price": "100", "qty": str(qty)}


def position(qty, symbol="AAPL", **more):
    side = "short" if qty < 0 else "long"
    prices = {"avg_entry_price": "100", "current_price": "100", "lastday_price": "95"}
    return {"symbol": symbol, "qty": str(qty), "side": side, **prices, **more}


def snapshot(orders=(), positions=(), clock=CLOCK):
    account = {"account_number": "PA1", "cash": "10000", "equity": "10000", "last_equity": "10000", "buying_power": "20000"}
    account |= {"trade_suspended_by_user": False, "trading_blocked": False, "account_blocked": False}
    return Snapshot(
        account=account,
        clock=clock,
        orders=[one for body in orders for one in orders_of(body)],
        positions=[parse_position(body) for body in positions],
    )


def known(orders=(), positions=(), clock=CLOCK):
    account = LiveAccount()
    account.begin()
    account.complete(snapshot(orders, positions, clock))
    return account

"""What happens in the market leaves on the streams as the broker's time passes: bars, trades, news."""

from . import bars, news
from .assets import Asset
from .broker import Broker, hours_of, now
from .feeds import Connection, Feed
from .prices import MINUTE_US, minute_of

# Trades of a symbol: one a second of the broker, but no more than four a real second.
TRADE_US = 1_000_000
MOST_TRADES_A_SECOND = 4
# A broker that is further behind cuts its listeners off, who then ask by REST for what they have missed, instead of telling it all.
MOST_BEHIND_US = 120 * MINUTE_US


def tell(broker: Broker, feeds: dict[str, Feed]) -> None:
    """Tells what was since the last call, or since the last jump of the clock."""
    since, present = broker.told, now(broker)
    if present < since and since - present < MOST_BEHIND_US:
        # The wall's clock was put back a little: nothing is told twice.
        return
    broker.told = present
    for path, feed in feeds.items():
        if feed.taken is None:
            continue
        if present - since > MOST_BEHIND_US:
            feed.cut()
            continue
        feed.tell(happened(broker, feed.taken, "crypto" in path, since, present))


def happened(broker: Broker, connection: Connection, crypto: bool, since: int, present: int) -> list[dict]:
    """What this connection hears of the time after `since` up to `present`, in order. A bar goes before a trade of its end."""
    if "news" in connection.listens:
        return [{"T": "n", **one} for one in news.between(since + 1, present) if any(connection.hears("news", s) for s in one["symbols"])]
    found = [*_bars(broker, connection, crypto, since, present), *_trades(broker, connection, crypto, since, present)]
    return [message for _, _, message in sorted(found, key=lambda one: one[:2])]


def _heard(broker: Broker, connection: Connection, channel: str, crypto: bool) -> list[Asset]:
    wanted = connection.listens[channel]
    names = broker.assets if "*" in wanted else sorted(wanted & broker.assets.keys())
    return [asset for name in names if (asset := broker.assets[name]).is_crypto == crypto and asset.tradable]


def _bars(broker: Broker, connection: Connection, crypto: bool, since: int, present: int) -> list[tuple[int, int, dict]]:
    assets = _heard(broker, connection, "bars", crypto)
    over = [minute for minute in range(minute_of(since), minute_of(present)) if assets and _trades_then(broker, crypto, minute * MINUTE_US)]
    return [
        ((minute + 1) * MINUTE_US, 0, {"T": "b", "S": asset.symbol, **_bar(broker, asset, minute)}) for minute in over for asset in assets
    ]


def _bar(broker: Broker, asset: Asset, minute: int) -> dict:
    return bars.bar(broker.recording, asset, broker.conditions.history.get(asset.symbol, ()), minute)


def _trades(broker: Broker, connection: Connection, crypto: bool, since: int, present: int) -> list[tuple[int, int, dict]]:
    assets = _heard(broker, connection, "trades", crypto)
    apart = max(TRADE_US, TRADE_US * broker.conditions.speed // MOST_TRADES_A_SECOND)
    times = [number * apart for number in range(since // apart + 1, present // apart + 1) if assets]
    return [
        (at, 1, {"T": "t", "S": asset.symbol, **bars.trade(broker.recording, asset, broker.conditions.history.get(asset.symbol, ()), at)})
        for at in times
        if _trades_then(broker, crypto, at)
        for asset in assets
    ]


def _trades_then(broker: Broker, crypto: bool, time_us: int) -> bool:
    return crypto or bars.in_session(hours_of(broker), time_us)

"""Binance's JSON for what the market shows. Prices and amounts are strings with 8 decimals."""

from functools import lru_cache

from . import market as markets
from .candles import Series, span
from .market import Market
from .prices import Bar, best, book, quantity
from .recording import UNIT

# Smallest order in the quote currency, as Binance sets it for these; 5 for the dollar-like rest.
MIN_NOTIONAL = {"BTC": "0.00010000", "ETH": "0.00100000", "BNB": "0.01000000"}

ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]


def decimal(units: int) -> str:
    """Units of 1e-8 as Binance prints them."""
    if units < 0:
        return f"-{decimal(-units)}"
    return f"{units // UNIT}.{units % UNIT:08d}"


def exchange_info(market: Market, symbols: list[str], now_ms: int) -> dict:
    """Body of /exchangeInfo. No limits on the number of requests are declared, for none are enforced."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [symbol_info(market.series[symbol]) for symbol in symbols],
    }


def symbol_info(series: Series) -> dict:
    """One symbol of /exchangeInfo: tick size from the recording, lot size the smallest amount that is printed."""
    tick = decimal(series.tick)
    lot = {"minQty": "0.00000001", "maxQty": "9000000000.00000000", "stepSize": "0.00000001"}
    return {
        "symbol": series.symbol,
        "status": "TRADING",
        "baseAsset": series.base,
        "baseAssetPrecision": 8,
        "quoteAsset": series.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ORDER_TYPES,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "9000000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot},
            {
                "filterType": "NOTIONAL",
                "minNotional": MIN_NOTIONAL.get(series.quote, "5.00000000"),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


def klines_text(market: Market, series: Series, opens: range, now_ms: int) -> str:
    """Body of /klines for candles that open at `opens` (ms)."""
    rows = []
    length_ms, count = opens.step, opens.step // market.clock.length_ms
    for opens_at in opens:
        if opens_at + length_ms <= now_ms:
            before_time, after_time = _closed_text(series, market.clock.index(opens_at) % series.size, count)
        else:
            bar = markets.bar_since(series, market.clock, opens_at, opens_at + length_ms - 1, now_ms)
            before_time, after_time = _bar_text(bar)
        rows.append(f"[{opens_at},{before_time},{opens_at + length_ms - 1},{after_time}]")
    return f"[{','.join(rows)}]"


# A closed candle never changes, and every poll asks for hundreds of them again: a hit costs a tenth of making it. Full, about 60 MB.
@lru_cache(maxsize=2**17)
def _closed_text(series: Series, first: int, count: int) -> tuple[str, str]:
    return _bar_text(span(series, first, count))


def _bar_text(bar: Bar) -> tuple[str, str]:
    """A kline's values, without its open time: those before its close time, and those after."""
    prices = ",".join(f'"{decimal(value)}"' for value in bar[:5])
    # The recording doesn't tell which side took: half of the volume is shown as the buyers'.
    return prices, f'"{decimal(bar.quote)}",{bar.trades},"{decimal(bar.volume // 2)}","{decimal(bar.quote // 2)}","0"'


def depth(market: Market, series: Series, limit: int, now_ms: int) -> dict:
    """Body of /depth. The number of the update is the wall time: it never goes back, not even over a restart."""
    bar, falling = markets.now_bar(series, market.clock, now_ms)
    bids, asks = book(series.symbol, bar.close, falling, series.tick, series.typical, limit)
    return {
        "lastUpdateId": now_ms,
        "bids": [[decimal(price), decimal(amount)] for price, amount in bids],
        "asks": [[decimal(price), decimal(amount)] for price, amount in asks],
    }


def price_ticker(market: Market, series: Series, now_ms: int) -> dict:
    """One entry of /ticker/price."""
    bar, _ = markets.now_bar(series, market.clock, now_ms)
    return {"symbol": series.symbol, "price": decimal(bar.close)}


def book_ticker(market: Market, series: Series, now_ms: int) -> dict:
    """One entry of /ticker/bookTicker."""
    bar, falling = markets.now_bar(series, market.clock, now_ms)
    bid, ask, _ = best(bar.close, falling, series.tick)
    return {
        "symbol": series.symbol,
        "bidPrice": decimal(bid),
        "bidQty": decimal(quantity(series.symbol, bid, 0, series.typical)),
        "askPrice": decimal(ask),
        "askQty": decimal(quantity(series.symbol, ask, 0, series.typical)),
    }


def day_ticker(market: Market, series: Series, now_ms: int, mini: bool) -> dict:
    """One entry of /ticker/24hr, `mini` without the change and the book."""
    opens_at, bar, close_before, first_trade = markets.last_day(series, market.clock, now_ms)
    short = {
        "symbol": series.symbol,
        "openPrice": decimal(bar.open),
        "highPrice": decimal(bar.high),
        "lowPrice": decimal(bar.low),
        "lastPrice": decimal(bar.close),
        "volume": decimal(bar.volume),
        "quoteVolume": decimal(bar.quote),
        "openTime": opens_at,
        "closeTime": now_ms,
        # Binance's way to say that there was no trade.
        "firstId": first_trade if bar.trades else -1,
        "lastId": first_trade + bar.trades - 1 if bar.trades else -1,
        "count": bar.trades,
    }
    if mini:
        return short
    change = bar.close - bar.open
    return {
        **short,
        "priceChange": decimal(change),
        "priceChangePercent": f"{100 * change / bar.open:.3f}",
        "weightedAvgPrice": decimal(bar.quote * UNIT // bar.volume if bar.volume else bar.close),
        "prevClosePrice": decimal(close_before),
        # The recording has no single trades: a candle's volume in equal parts.
        "lastQty": decimal(markets.now_bar(series, market.clock, now_ms)[0].volume // 4),
        **book_ticker(market, series, now_ms),
    }

"""ccxt, as freqtrade configures it, understands what is served."""

import asyncio
import time

import ccxt
import ccxt.async_support
import pytest

PAIRS = ["ADA/BTC", "ETH/BTC", "LTC/BTC", "XLM/BTC"]


def config(server):
    """The exchange part of a bot's configuration (freqtrade: `ccxt_config`)."""
    return {
        "urls": {
            "api": {
                "public": server.url,
                "private": server.url,
                "v1": server.url.replace("v3", "v1"),
                "sapi": server.url.replace("/api/v3", "/sapi/v1"),
            }
        },
        "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False},
    }


@pytest.fixture
def exchange(server):
    server.now = int(time.time() * 1000)
    return ccxt.binance(config(server))


def test_markets_are_active_spot_pairs_with_precision_and_limits(exchange):
    markets = exchange.load_markets()
    assert sorted(markets) == PAIRS
    for market in markets.values():
        assert market["spot"] and market["active"] and market["type"] == "spot"
        assert market["precision"] == {"amount": 1e-8, "price": 1e-8, "base": 1e-8, "quote": 1e-8}
        assert market["limits"]["cost"]["min"] == 0.0001 and market["limits"]["amount"]["min"] == 1e-8


def test_the_server_time_is_the_wall_clock(exchange, server):
    assert exchange.fetch_time() == server.now


@pytest.mark.parametrize("timeframe", ["1m", "5m", "1h", "1d"])
def test_candles_go_on_from_page_to_page_up_to_now(exchange, server, timeframe):
    step = exchange.parse_timeframe(timeframe) * 1000
    last = server.now - server.now % step
    first_page = exchange.fetch_ohlcv("ETH/BTC", timeframe, since=last - 1499 * step, limit=1000)
    second_page = exchange.fetch_ohlcv("ETH/BTC", timeframe, since=first_page[-1][0] + step, limit=1000)
    candles = first_page + second_page
    assert [candle[0] for candle in candles] == list(range(last - 1499 * step, last + 1, step))
    assert all(low <= min(opened, close) <= max(opened, close) <= high and volume >= 0 for _, opened, high, low, close, volume in candles)


def test_tickers_and_books_agree(exchange):
    tickers = exchange.fetch_tickers()
    assert sorted(tickers) == PAIRS
    best = exchange.fetch_bids_asks(PAIRS)
    assert exchange.fetch_tickers(["ETH/BTC"]) == {"ETH/BTC": tickers["ETH/BTC"]}
    for pair in PAIRS:
        ticker, book = tickers[pair], exchange.fetch_order_book(pair, 20)
        assert ticker["info"] == exchange.fetch_ticker(pair)["info"]
        assert [ticker["bid"], ticker["bidVolume"]] == book["bids"][0] and [ticker["ask"], ticker["askVolume"]] == book["asks"][0]
        assert (best[pair]["bid"], best[pair]["ask"]) == (ticker["bid"], ticker["ask"])
        assert ticker["bid"] <= ticker["last"] <= ticker["ask"] and ticker["quoteVolume"] > 0


def test_a_bad_symbol_is_ccxts_bad_symbol(exchange):
    exchange.load_markets()
    exchange.markets["ETH/BTC"]["id"] = "NOPE"
    with pytest.raises(ccxt.BadSymbol):
        exchange.fetch_order_book("ETH/BTC")


def test_the_asynchronous_client_gets_the_same(exchange, server):
    async def fetch():
        client = ccxt.async_support.binance(config(server))
        try:
            await client.load_markets()
            return await asyncio.gather(*(client.fetch_ohlcv(pair, "1m", limit=10) for pair in PAIRS))
        finally:
            await client.close()

    exchange.load_markets()
    assert asyncio.run(fetch()) == [exchange.fetch_ohlcv(pair, "1m", limit=10) for pair in PAIRS]

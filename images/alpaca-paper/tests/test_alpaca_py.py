"""Alpaca's own client, alpaca-py, against the broker: every answer passes its pydantic models."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import CryptoHistoricalDataClient, NewsClient, StockHistoricalDataClient
from alpaca.data.live import CryptoDataStream, NewsDataStream, StockDataStream
from alpaca.data.models import Bar, Trade
from alpaca.data.requests import CryptoBarsRequest, CryptoLatestTradeRequest, NewsRequest, StockBarsRequest, StockLatestTradeRequest
from alpaca.data.timeframe import TimeFrame
from alpaca.trading import enums, requests
from alpaca.trading.client import TradingClient
from alpaca.trading.stream import TradingStream

from .conftest import KEY, SECRET

pytestmark = pytest.mark.servers

BUY, SELL = enums.OrderSide.BUY, enums.OrderSide.SELL
DAY, GTC, IOC = enums.TimeInForce.DAY, enums.TimeInForce.GTC, enums.TimeInForce.IOC
COMMON = {"symbol": "AAPL", "qty": 1, "side": BUY, "time_in_force": DAY}
PROFIT, LOSS = requests.TakeProfitRequest(limit_price=900), requests.StopLossRequest(stop_price=9)


@pytest.fixture
def client(server):
    return TradingClient(KEY, SECRET, url_override=server.url)


@pytest.mark.parametrize(
    "request_made, status",
    [
        (requests.MarketOrderRequest(**COMMON), "filled"),
        (requests.MarketOrderRequest(**COMMON | {"qty": None, "notional": 20.5}), "filled"),
        (requests.MarketOrderRequest(**COMMON | {"symbol": "BTC/USD", "time_in_force": IOC}), "filled"),
        (requests.MarketOrderRequest(**COMMON | {"symbol": "BTC/USD", "time_in_force": GTC, "qty": None, "notional": 20}), "filled"),
        (requests.LimitOrderRequest(**COMMON, limit_price=10, extended_hours=True), "new"),
        (requests.StopOrderRequest(**COMMON, stop_price=900), "new"),
        (requests.StopLimitOrderRequest(**COMMON, stop_price=900, limit_price=901), "new"),
        (requests.TrailingStopOrderRequest(**COMMON, trail_percent=1.5), "new"),
        (requests.MarketOrderRequest(**COMMON, order_class=enums.OrderClass.BRACKET, take_profit=PROFIT, stop_loss=LOSS), "filled"),
        (requests.MarketOrderRequest(**COMMON, order_class=enums.OrderClass.OTO, stop_loss=LOSS), "filled"),
    ],
)
def test_every_kind_of_order(client, request_made, status):
    order = client.submit_order(request_made)
    seen = client.get_order_by_client_id(order.client_order_id)
    assert (seen.id, seen.status.value, seen.symbol) == (order.id, status, request_made.symbol)
    assert client.get_order_by_id(order.id) == seen


def test_account_clock_calendar_assets_positions(client):
    client.submit_order(requests.MarketOrderRequest(**COMMON))
    client.submit_order(requests.MarketOrderRequest(**COMMON | {"symbol": "ETH/USD", "time_in_force": GTC}))
    assert client.get_account().status == enums.AccountStatus.ACTIVE and client.get_clock().is_open
    assert client.get_calendar()[0].date and client.get_asset("BTC/USD").price_increment == 1
    assert len(client.get_all_assets(requests.GetAssetsRequest(asset_class=enums.AssetClass.CRYPTO))) >= 7
    assert {position.symbol for position in client.get_all_positions()} == {"AAPL", "ETHUSD"}
    assert client.get_open_position("AAPL").qty_available == "1"
    assert client.get_account_configurations().suspend_trade is False
    configurations = client.get_account_configurations()
    configurations.suspend_trade = True
    assert client.set_account_configurations(configurations).suspend_trade is True
    assert client.get_account().trade_suspended_by_user is True


def test_one_cancels_other_replace_cancel_and_close(client):
    client.submit_order(requests.MarketOrderRequest(**COMMON | {"qty": 4}))
    fields = COMMON | {"qty": 2, "side": SELL}
    pair = client.submit_order(
        requests.LimitOrderRequest(**fields, limit_price=900, order_class=enums.OrderClass.OCO, take_profit=PROFIT, stop_loss=LOSS)
    )
    assert client.get_open_position("AAPL").qty_available == "2"
    new = client.replace_order_by_id(pair.id, requests.ReplaceOrderRequest(limit_price=901))
    assert new.replaces == pair.id and len(client.get_orders(requests.GetOrdersRequest(nested=True))[0].legs) == 1
    client.cancel_order_by_id(new.id)
    assert client.get_orders() == []
    client.submit_order(requests.StopOrderRequest(**fields, stop_price=9))
    assert [one.status for one in client.cancel_orders()] == [200]
    assert isinstance(client.close_position("AAPL", requests.ClosePositionRequest(percentage="50")).id, UUID)
    assert [(one.symbol, one.status) for one in client.close_all_positions(cancel_orders=True)] == [("AAPL", 200)]
    assert client.get_all_positions() == []


def test_errors_arrive_with_alpacas_code(client):
    order = requests.MarketOrderRequest(**COMMON, client_order_id="twice")
    client.submit_order(order)
    with pytest.raises(APIError) as refused:
        client.submit_order(order)
    assert (refused.value.status_code, refused.value.code, refused.value.message) == (422, 40010001, "client_order_id must be unique")


def test_latest_trades(server):
    stocks = StockHistoricalDataClient(KEY, SECRET, url_override=server.url)
    assert stocks.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols=["AAPL", "MSFT"]))["AAPL"].price == 229
    coins = CryptoHistoricalDataClient(KEY, SECRET, url_override=server.url)
    assert coins.get_crypto_latest_trade(CryptoLatestTradeRequest(symbol_or_symbols="BTC/USD"))["BTC/USD"].price == 97000


def test_the_trading_stream_hears_every_update_and_comes_back_after_a_cut(server, client, wait_for):
    heard = []

    async def hear(update):
        heard.append((enums.TradeEvent(update.event).value, update.order.client_order_id, update.qty, update.position_qty))

    stream = TradingStream(KEY, SECRET, url_override=server.url.replace("http", "ws") + "/stream")
    stream.subscribe_trade_updates(hear)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.broker.hub.listeners)
        client.submit_order(requests.MarketOrderRequest(**COMMON, client_order_id="first"))
        wait_for(lambda: len(heard) == 3)
        assert heard == [("pending_new", "first", None, None), ("new", "first", None, None), ("fill", "first", 1, 1)]
        server.post("/_paper/stream/disconnect", {})
        wait_for(lambda: not server.broker.hub.listeners)
        wait_for(lambda: server.broker.hub.listeners)
        order = client.submit_order(requests.LimitOrderRequest(**COMMON, limit_price=10, client_order_id="second"))
        client.cancel_order_by_id(order.id)
        wait_for(lambda: ("canceled", "second", None, None) in heard)
    finally:
        asyncio.run_coroutine_threadsafe(stream.stop_ws(), stream._loop).result(timeout=20)
        thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.fixture
def live(serve):
    """A broker on a trading day at speed 60."""
    server = serve(HOURS="nyse", PRICES="replay")
    server.post("/_paper/clock", {"time": "2026-11-24T09:44:30-05:00", "speed": 60})
    return server


def test_bars_and_news_of_the_past(live):
    stocks = StockHistoricalDataClient(KEY, SECRET, url_override=live.url)
    start = datetime(2026, 11, 23, tzinfo=UTC)
    fields = {"timeframe": TimeFrame.Minute, "start": start, "end": start + timedelta(days=1)}
    found = stocks.get_stock_bars(StockBarsRequest(symbol_or_symbols=["AAPL", "KO"], **fields))
    assert {symbol: len(found[symbol]) for symbol in ("AAPL", "KO")} == {"AAPL": 390, "KO": 390}
    assert found["KO"][0].timestamp == datetime(2026, 11, 23, 14, 30, tzinfo=UTC) and found["KO"][0].vwap > 50
    coins = CryptoHistoricalDataClient(KEY, SECRET, url_override=live.url)
    assert len(coins.get_crypto_bars(CryptoBarsRequest(symbol_or_symbols="BTC/USD", **fields))["BTC/USD"]) == 1441
    news = NewsClient(KEY, SECRET, url_override=live.url).get_news(NewsRequest(start=start, limit=5))
    assert len(news.data["news"]) == 5 and news.data["news"][0].headline.startswith("Rehearsal: ")


@pytest.mark.parametrize("made", [StockDataStream, CryptoDataStream, NewsDataStream])
def test_the_market_data_streams_speak_to_it_and_come_back_after_a_cut(live, wait_for, made):
    heard = []

    async def hear(message):
        heard.append(message)

    path = {StockDataStream: "/v2/iex", CryptoDataStream: "/v1beta3/crypto/us", NewsDataStream: "/v1beta1/news"}[made]
    stream = made(KEY, SECRET, url_override=live.url.replace("http", "ws") + path)
    symbol = "BTC/USD" if made is CryptoDataStream else "AAPL"
    if made is NewsDataStream:
        # The headline of 09:45 must not be told before the stream is there to hear it, however long that takes.
        live.post("/_paper/clock", {"time": "2026-11-24T09:40:00-05:00", "speed": 1})
        stream.subscribe_news(hear, "*")
    else:
        stream.subscribe_bars(hear, symbol)
        stream.subscribe_trades(hear, symbol)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    try:
        if made is NewsDataStream:
            wait_for(lambda: stream._running)
            live.post("/_paper/clock", {"speed": 60})
            wait_for(lambda: heard)
            assert heard[0].created_at == datetime(2026, 11, 24, 14, 45, tzinfo=UTC)
            return
        wait_for(lambda: any(isinstance(one, Bar) for one in heard) and any(isinstance(one, Trade) for one in heard))
        bar = next(one for one in heard if isinstance(one, Bar))
        assert bar.symbol == symbol and bar.timestamp.second == 0 and bar.low <= bar.vwap <= bar.high
        live.post("/_paper/stream/disconnect", {})
        before = len(heard)
        wait_for(lambda: len(heard) > before + 3)
    finally:
        asyncio.run_coroutine_threadsafe(stream.stop_ws(), stream._loop).result(timeout=20)
        thread.join(timeout=20)
    assert not thread.is_alive()

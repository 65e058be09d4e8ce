"""Alpaca's own client, alpaca-py, against the broker: every answer passes its pydantic models."""

import asyncio
import threading
from uuid import UUID

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.requests import CryptoLatestTradeRequest, StockLatestTradeRequest
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

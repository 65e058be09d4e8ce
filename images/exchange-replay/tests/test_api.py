"""Requests as Binance takes and refuses them."""

import json
from decimal import Decimal

import pytest
from exchange_replay.market import make_market
from exchange_replay.recording import read_folder
from exchange_replay.settings import DEFAULT_EPOCH

EPOCH = DEFAULT_EPOCH * 1000
MINUTE = 60_000
NOW = EPOCH + 10_000 * MINUTE + 12_345


@pytest.fixture(autouse=True)
def at_one_instant(server):
    server.now = NOW


def opens(server, **query):
    return [row[0] for row in server.get("klines", symbol="ETHBTC", **query)]


def test_ping_and_time(server):
    assert server.get("ping") == {}
    assert server.get("time") == {"serverTime": NOW}


def test_klines_are_the_last_500_and_at_most_1000(server):
    last = NOW - NOW % MINUTE
    assert opens(server, interval="1m") == list(range(last - 499 * MINUTE, last + 1, MINUTE))
    assert opens(server, interval="1m", limit=1) == [last]
    assert len(opens(server, interval="1m", limit=5000)) == 1000


def test_klines_with_a_start_are_the_first_ones_from_there_and_with_an_end_only_the_last_ones_before(server):
    start = EPOCH + 3 * MINUTE
    assert opens(server, interval="1m", startTime=start, limit=3) == [start, start + MINUTE, start + 2 * MINUTE]
    assert opens(server, interval="1m", startTime=start - MINUTE + 1, limit=1) == [start]
    assert opens(server, interval="1m", endTime=start, limit=2) == [start - MINUTE, start]
    assert opens(server, interval="1m", endTime=start - 1, limit=1) == [start - MINUTE]
    assert opens(server, interval="1m", startTime=start, endTime=start + 2 * MINUTE - 1) == [start, start + MINUTE]


def test_klines_do_not_tell_the_future_nor_anything_before_unix_time(server):
    last = NOW - NOW % MINUTE
    assert opens(server, interval="1m", startTime=last - MINUTE, endTime=NOW + 10**9) == [last - MINUTE, last]
    assert opens(server, interval="1m", startTime=NOW + MINUTE) == []
    assert opens(server, interval="1m", startTime=NOW, endTime=NOW - 10 * MINUTE) == []
    assert opens(server, interval="1m", endTime=2 * MINUTE) == [0, MINUTE, 2 * MINUTE]


def test_values_are_strings_with_8_decimals(server):
    row = server.get("klines", symbol="ETHBTC", interval="1m", limit=1)[0]
    assert [type(value) for value in row] == [int, str, str, str, str, str, int, str, int, str, str, str]
    for text in [*row[1:6], row[7], row[9], row[10]]:
        assert str(Decimal(text).quantize(Decimal("0.00000001"))) == text or Decimal(text) == 0


def test_tickers_of_one_some_and_all(server):
    for path in ("ticker/price", "ticker/bookTicker", "ticker/24hr"):
        everything = server.get(path)
        assert [entry["symbol"] for entry in everything] == ["ADABTC", "ETHBTC", "LTCBTC", "XLMBTC"]
        assert server.get(path, symbol="ETHBTC") == everything[1]
        assert server.get(path, symbols='["XLMBTC","ADABTC"]') == [everything[3], everything[0]]


def test_a_mini_ticker_is_a_part_of_the_full_one(server):
    full, mini = (server.get("ticker/24hr", symbol="ETHBTC", type=kind) for kind in ("FULL", "MINI"))
    assert mini.items() < full.items() and "bidPrice" not in mini


def test_exchange_info_lists_the_pairs_with_their_filters(server):
    info = server.get("exchangeInfo")
    assert [symbol["symbol"] for symbol in info["symbols"]] == ["ADABTC", "ETHBTC", "LTCBTC", "XLMBTC"]
    one = server.get("exchangeInfo", symbol="ETHBTC")["symbols"]
    assert one == [info["symbols"][1]]
    assert (one[0]["baseAsset"], one[0]["quoteAsset"], one[0]["status"]) == ("ETH", "BTC", "TRADING")
    filters = {entry["filterType"]: entry for entry in one[0]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.00000001" and filters["NOTIONAL"]["minNotional"] == "0.00010000"


@pytest.mark.parametrize("limit", [1, 5, 100, 1000])
def test_depth_has_as_many_levels_as_asked_for(server, limit):
    depth = server.get("depth", symbol="ETHBTC", limit=limit)
    assert len(depth["bids"]) == len(depth["asks"]) == limit


@pytest.mark.parametrize(
    "path, query, code, message",
    [
        ("klines", {"symbol": "NOPE", "interval": "1m"}, -1121, "Invalid symbol."),
        ("depth", {"symbol": "BTCUSDT"}, -1121, "Invalid symbol."),
        ("ticker/price", {"symbols": '["ETHBTC","NOPE"]'}, -1121, "Invalid symbol."),
        ("ticker/price", {"symbol": "ethbtc"}, -1100, "Illegal characters found in parameter 'symbol'"),
        ("ticker/price", {"symbol": "ETHBTC", "symbols": '["ETHBTC"]'}, -1128, "Combination of optional parameters invalid."),
        ("ticker/price", {"symbols": "ETHBTC"}, -1135, "JSON sent for parameter 'symbols' is not valid"),
        ("ticker/price", {"symbols": "[]"}, -1135, "JSON sent"),
        ("ticker/price", {"symbols": "[1]"}, -1135, "JSON sent"),
        ("ticker/price", {"symbols": "[" * 2000}, -1135, "JSON sent"),
        ("ticker/price", {"symbols": '["ETHBTC","ETHBTC"]'}, -1151, "Symbol is present multiple times"),
        ("ticker/24hr", {"type": "HUGE"}, -1139, "Invalid ticker type."),
        ("klines", {"interval": "1m"}, -1102, "Mandatory parameter 'symbol' was not sent"),
        ("klines", {"symbol": "ETHBTC"}, -1102, "Mandatory parameter 'interval' was not sent"),
        ("klines", {"symbol": "ETHBTC", "interval": "7m"}, -1120, "Invalid interval."),
        ("klines", {"symbol": "ETHBTC", "interval": "1s"}, -1120, "Invalid interval."),
        ("klines", {"symbol": "ETHBTC", "interval": "1m", "limit": "0"}, -1130, "Data sent for parameter 'limit' is not valid."),
        ("klines", {"symbol": "ETHBTC", "interval": "1m", "limit": "-5"}, -1100, "Illegal characters found in parameter 'limit'"),
        (
            "klines",
            {"symbol": "ETHBTC", "interval": "1m", "startTime": "today"},
            -1100,
            "Illegal characters found in parameter 'startTime'",
        ),
        ("klines", {"symbol": "ETHBTC", "interval": "1m", "endTime": ""}, -1105, "Parameter 'endTime' was empty."),
        (
            "klines",
            {"symbol": "ETHBTC", "interval": "1m", "endtime": "5"},
            -1104,
            "Not all sent parameters were read; read '2' parameter(s) but was sent '3'.",
        ),
        ("time", {"x": "1"}, -1104, "Not all sent parameters were read; read '0' parameter(s) but was sent '1'."),
    ],
)
def test_bad_parameters_are_refused_with_binances_code(server, path, query, code, message):
    answer = server.raw(path, **query)
    assert answer.status_code == 400 and answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["code"] == code and answer.json()["msg"].startswith(message)


@pytest.mark.parametrize("big", ["startTime", "endTime"])
def test_times_far_away_are_answered(server, big):
    assert server.raw("klines", symbol="ETHBTC", interval="1w", **{big: "9" * 20}).status_code == 200


def test_other_paths_and_methods_are_refused_as_json(server):
    for answer, status in (
        (server.raw("account"), 404),
        (server.session.post(f"{server.url}/order", timeout=30), 404),
        (server.session.post(f"{server.url}/ping", timeout=30), 405),
    ):
        assert (answer.status_code, answer.json()["code"]) == (status, -1020)


def test_a_failure_of_our_own_is_json_too_and_logged(server, caplog):
    server.now = None
    answer = server.raw("klines", symbol="ETHBTC", interval="1m")
    assert (answer.status_code, answer.json()["code"]) == (500, -1000)
    assert "request failed" in caplog.text


def test_intervals_below_or_beside_the_shown_candle_are_refused(serve, write):
    market = make_market(read_folder(write("ETH_BTC-15m.csv", "0,2,4,1,3,10")), "5m", EPOCH)
    slow = serve(market, NOW)
    assert slow.get("klines", symbol="ETHBTC", interval="15m", limit=1)[0][4] == slow.get("ticker/price", symbol="ETHBTC")["price"]
    for interval in ("1m", "3m"):
        assert slow.raw("klines", symbol="ETHBTC", interval=interval).json() == {"code": -1120, "msg": "Invalid interval."}


def test_a_recording_of_one_weekly_candle_works_at_every_endpoint(serve, write):
    market = make_market(read_folder(write("SHIB_USDT-1w.csv.gz", f"{7 * 86_400_000},2,4,1,3,10000000000000")), "1w", EPOCH)
    weekly = serve(market, NOW)
    day = weekly.get("ticker/24hr", symbol="SHIBUSDT")
    kline = weekly.get("klines", symbol="SHIBUSDT", interval="1w", limit=1)[0]
    assert (day["lastPrice"], day["volume"], day["openTime"]) == (kline[4], kline[5], kline[0])
    assert json.loads(weekly.raw("exchangeInfo").text)["symbols"][0]["filters"][3]["minNotional"] == "5.00000000"

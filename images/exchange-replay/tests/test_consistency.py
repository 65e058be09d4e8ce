"""All endpoints tell one story: at many instants, over HTTP, against the recording read by other means."""

import csv
import gzip
import random
from decimal import Decimal
from pathlib import Path

import pytest
from exchange_replay.settings import DEFAULT_EPOCH

DATA = Path(__file__).resolve().parent.parent / "data"
EPOCH = DEFAULT_EPOCH * 1000
MINUTE = 60_000
LOOP = 5760 * MINUTE
DAY = 1440 * MINUTE

SYMBOLS = {"ADABTC": "ADA_BTC", "ETHBTC": "ETH_BTC", "LTCBTC": "LTC_BTC", "XLMBTC": "XLM_BTC"}


def instants(seed, count):
    """Instants over several loops before and after the epoch, with the awkward ones among them."""
    chance = random.Random(seed)
    awkward = [EPOCH, EPOCH - 1, EPOCH + LOOP, EPOCH + LOOP - 1, EPOCH + LOOP + MINUTE, EPOCH + 5 * MINUTE - 1, EPOCH - LOOP]
    return awkward + [EPOCH + chance.randrange(-2 * LOOP, 5 * LOOP) for _ in range(count)]


def recorded(symbol):
    """timestamp -> row of 8-decimal strings, straight from the file."""
    with gzip.open(DATA / f"{SYMBOLS[symbol]}-5m.csv.gz", "rt") as lines:
        return {
            int(row[0]): [str(round(Decimal(field), 8).quantize(Decimal("0.00000001"))) for field in row[1:]]
            for row in list(csv.reader(lines))[1:]
        }


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_closed_candles_are_the_recorded_ones_and_gaps_are_flat(server, symbol):
    rows = recorded(symbol)
    first = min(rows)
    server.now = EPOCH + 3 * LOOP
    seen = []
    for start in range(EPOCH + LOOP, EPOCH + 2 * LOOP, 1000 * MINUTE):
        seen += server.get("klines", symbol=symbol, interval="1m", startTime=start, endTime=EPOCH + 2 * LOOP - 1, limit=1000)
    assert [kline[0] for kline in seen] == list(range(EPOCH + LOOP, EPOCH + 2 * LOOP, MINUTE))
    close, filled = None, 0
    for index, kline in enumerate(seen):
        expected = rows.get(first + index * 300_000)
        if expected is None:
            expected, filled = [close] * 4 + ["0.00000000"], filled + 1
        assert kline[1:6] == expected and kline[6] == kline[0] + MINUTE - 1
        close = expected[3]
    assert filled == (40 if symbol == "ADABTC" else 0)


def test_the_price_is_the_same_at_every_endpoint(server):
    for now in instants(1, 60):
        server.now = now
        prices = {entry["symbol"]: entry["price"] for entry in server.get("ticker/price")}
        books = {entry["symbol"]: entry for entry in server.get("ticker/bookTicker")}
        days = {entry["symbol"]: entry for entry in server.get("ticker/24hr")}
        for symbol in SYMBOLS:
            price, book, day = Decimal(prices[symbol]), books[symbol], days[symbol]
            for interval in ("1m", "15m", "1d", "1w"):
                opened = server.get("klines", symbol=symbol, interval=interval, limit=1)[-1]
                assert opened[0] <= now <= opened[6] and opened[4] == prices[symbol]
                assert Decimal(opened[3]) <= min(price, Decimal(opened[1])) <= max(price, Decimal(opened[1])) <= Decimal(opened[2])
            depth = server.get("depth", symbol=symbol, limit=20)
            assert depth["bids"][0] == [book["bidPrice"], book["bidQty"]] == [day["bidPrice"], day["bidQty"]]
            assert depth["asks"][0] == [book["askPrice"], book["askQty"]] == [day["askPrice"], day["askQty"]]
            assert Decimal(book["bidPrice"]) <= price <= Decimal(book["askPrice"])
            assert Decimal(book["bidPrice"]) < Decimal(book["askPrice"]) <= Decimal(book["bidPrice"]) * Decimal("1.001")
            assert day["lastPrice"] == prices[symbol] and day["closeTime"] == now
            assert len(depth["bids"]) == len(depth["asks"]) == 20


def test_the_24_hour_ticker_is_the_sum_of_the_klines_of_its_time(server):
    for now in instants(2, 25):
        server.now = now
        for symbol in ("ADABTC", "XLMBTC"):
            day = server.get("ticker/24hr", symbol=symbol)
            rows = server.get("klines", symbol=symbol, interval="1m", startTime=day["openTime"], limit=1000)
            rows += server.get("klines", symbol=symbol, interval="1m", startTime=rows[-1][0] + 1, limit=1000)
            assert len(rows) == 1440 and DAY - MINUTE <= now - day["openTime"] < DAY
            assert day["openPrice"] == rows[0][1] and day["lastPrice"] == rows[-1][4]
            assert day["highPrice"] == max(row[2] for row in rows) and day["lowPrice"] == min(row[3] for row in rows)
            assert Decimal(day["volume"]) == sum(Decimal(row[5]) for row in rows)
            assert Decimal(day["quoteVolume"]) == sum(Decimal(row[7]) for row in rows)
            assert day["count"] == sum(row[8] for row in rows) == day["lastId"] - day["firstId"] + 1
            assert Decimal(day["priceChange"]) == Decimal(day["lastPrice"]) - Decimal(day["openPrice"])
            assert Decimal(day["lowPrice"]) <= Decimal(day["weightedAvgPrice"]) <= Decimal(day["highPrice"])
            before = server.get("klines", symbol=symbol, interval="1m", endTime=day["openTime"] - 1, limit=1)
            assert day["prevClosePrice"] == before[0][4]


@pytest.mark.parametrize("interval, minutes", [("3m", 3), ("5m", 5), ("15m", 15), ("1h", 60), ("4h", 240), ("12h", 720)])
def test_larger_intervals_are_made_of_the_base_candles(server, interval, minutes):
    for now in instants(minutes, 12):
        server.now = now
        wide = server.get("klines", symbol="LTCBTC", interval=interval, limit=2)
        assert [row[0] % (minutes * MINUTE) for row in wide] == [0, 0]
        for row in wide:
            rows = server.get("klines", symbol="LTCBTC", interval="1m", startTime=row[0], endTime=row[6], limit=1000)
            assert len(rows) == (minutes if row is wide[0] else (now - row[0]) // MINUTE + 1)
            assert row[1] == rows[0][1] and row[4] == rows[-1][4]
            assert row[2] == max(one[2] for one in rows) and row[3] == min(one[3] for one in rows)
            assert [Decimal(row[at]) for at in (5, 7)] == [sum(Decimal(one[at]) for one in rows) for at in (5, 7)]
            assert row[8] == sum(one[8] for one in rows)


def test_what_was_closed_never_changes_and_an_open_candle_only_grows(server):
    for start in instants(3, 8):
        server.now = start
        earlier = server.get("klines", symbol="ETHBTC", interval="3m", limit=50)
        for step in (1, 700, 20_000, 59_999, 100_000):
            server.now += step
            later = server.get("klines", symbol="ETHBTC", interval="3m", startTime=earlier[0][0], limit=1000)
            opened = earlier[-1]
            assert later[:49] == earlier[:49]
            assert later[49][:2] == opened[:2] and later[49][2] >= opened[2] and later[49][3] <= opened[3]
            assert Decimal(later[49][5]) >= Decimal(opened[5]) and Decimal(later[49][7]) >= Decimal(opened[7])
            earlier = later[:50]


def test_a_candle_closes_at_its_last_price_and_the_next_one_opens_as_recorded(server):
    for now in instants(4, 30):
        closes = now - now % MINUTE + MINUTE
        server.now = closes - 1
        last = server.get("klines", symbol="XLMBTC", interval="1m", limit=1)[0]
        price = server.get("ticker/price", symbol="XLMBTC")["price"]
        server.now = closes
        closed, opened = server.get("klines", symbol="XLMBTC", interval="1m", limit=2)
        assert closed == last and closed[4] == price
        assert opened[1] == opened[4] == server.get("ticker/price", symbol="XLMBTC")["price"] and opened[5] == "0.00000000"


def test_the_update_number_of_the_book_never_goes_back(server):
    seen = []
    for server.now in sorted(instants(5, 20)):
        seen.append(server.get("depth", symbol="ETHBTC")["lastUpdateId"])
    assert seen == sorted(seen)

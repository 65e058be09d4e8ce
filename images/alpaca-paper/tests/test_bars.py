"""One-minute bars: they tell what the price did, only of minutes that are over and of sessions, page by page."""

import random
from decimal import Decimal

import pytest
from alpaca_paper import bars
from alpaca_paper.assets import make_assets
from alpaca_paper.conditions import Change
from alpaca_paper.prices import EPOCH_SECONDS, MINUTE_US, price_at, read_recording

ASSETS, RECORDING = make_assets({}), read_recording()
SECOND = 1_000_000
FIRST = EPOCH_SECONDS // 60


def exact(value):
    return Decimal(str(value))


def some_changes(dice, minute):
    """What a test might have done to a price around a minute."""
    times = sorted(minute * MINUTE_US + dice.randrange(-30, 90) * SECOND for _ in range(dice.randrange(4)))
    prices = (None, None, Decimal(100), Decimal("0.5"))
    return [Change(time, dice.choice(prices), Decimal(dice.choice(("1", "0.9", "1.35")))) for time in times]


@pytest.mark.parametrize("seed", range(30))
def test_a_bar_tells_what_the_last_price_did_in_its_minute(seed):
    dice = random.Random(seed)
    asset = ASSETS[dice.choice(list(ASSETS))]
    minute = FIRST + dice.randrange(10**6)
    changes = some_changes(dice, minute)
    shown = bars.bar(RECORDING, asset, changes, minute)
    start = minute * MINUTE_US
    path = [price_at(RECORDING, asset, changes, start + second * SECOND) for second in range(60)]
    # The price just before the end is the close: what the test API sets at the very end is the next minute's.
    path += [price_at(RECORDING, asset, changes, start + MINUTE_US - 1)]
    tick = asset.tick(max(path))
    assert exact(shown["o"]) == path[0] and abs(exact(shown["c"]) - path[-1]) <= tick
    assert all(exact(shown["l"]) <= price <= exact(shown["h"]) for price in path)
    assert exact(shown["h"]) - max(path) <= max(tick, max(path) / 1000) and min(path) - exact(shown["l"]) <= max(tick, min(path) / 1000)
    assert shown["l"] <= shown["vw"] <= shown["h"] and shown["v"] > 0 and shown["n"] > 0
    assert asset.is_crypto or isinstance(shown["v"], int)


def test_each_bar_opens_where_the_one_before_closed():
    shown = [bars.bar(RECORDING, ASSETS["AAPL"], (), FIRST + n) for n in range(2000)]
    assert all(then["o"] == here["c"] for here, then in zip(shown, shown[1:]))
    assert len({one["v"] for one in shown}) > 300


def stocks(server, symbols="AAPL", **query):
    return server.get("/v2/stocks/bars", symbols=symbols, timeframe="1Min", **query)


def starts(page, symbol="AAPL"):
    return [one["t"] for one in page["bars"].get(symbol, [])]


@pytest.mark.parametrize(
    "day, opens, closes, count",
    [
        ("2026-11-24", "14:30", "20:59", 390),
        ("2026-11-27", "14:30", "17:59", 210),
        ("2026-10-30", "13:30", "19:59", 390),
        ("2026-11-26", None, None, 0),
        ("2026-11-28", None, None, 0),
    ],
)
def test_shares_have_bars_in_regular_hours_only(still, day, opens, closes, count):
    still.post("/_paper/clock", {"time": "2026-12-01T12:00:00-05:00"})
    found = starts(stocks(still, start=day, end=f"{day}T23:59:59Z"))
    assert len(found) == len(set(found)) == count
    assert not count or (found[0], found[-1]) == (f"{day}T{opens}:00Z", f"{day}T{closes}:00Z")
    coins = still.get("/v1beta3/crypto/us/bars", symbols="BTC/USD", timeframe="1Min", start=day, end=f"{day}T23:59:59Z", limit=10_000)
    assert len(coins["bars"]["BTC/USD"]) == 1440


def test_a_bar_is_there_when_its_minute_is_over_and_not_before(still):
    still.post("/_paper/clock", {"time": "2026-11-24T10:00:30-05:00"})
    since = "2026-11-24T14:58:00Z"
    assert starts(stocks(still, start=since)) == ["2026-11-24T14:58:00Z", "2026-11-24T14:59:00Z"]
    still.go(29.999999)
    assert len(starts(stocks(still, start=since))) == 2
    still.go(0.000001)
    assert starts(stocks(still, start=since, end="2030-01-01"))[2:] == ["2026-11-24T15:00:00Z"]
    assert starts(stocks(still, start=since, end="2026-11-24T14:58:00Z")) == ["2026-11-24T14:58:00Z"]
    assert starts(stocks(still, start="2026-11-24T14:58:00.000000001Z", limit=1)) == ["2026-11-24T14:58:00Z"]
    assert starts(stocks(still, start="2026-11-24T14:58:00.1Z", limit=1)) == ["2026-11-24T14:59:00Z"]


def test_unasked_for_the_day_so_far_is_shown(still):
    still.post("/_paper/clock", {"time": "2026-11-24T09:33:00-05:00"})
    assert starts(stocks(still)) == ["2026-11-24T14:30:00Z", "2026-11-24T14:31:00Z", "2026-11-24T14:32:00Z"]


def test_the_past_stays_as_it_was_when_a_price_is_set_or_shifted_or_the_speed_changes(still):
    still.post("/_paper/clock", {"time": "2026-11-24T12:00:00-05:00"})
    before = stocks(still, symbols="AAPL,KO", start="2026-11-23", limit=10_000)
    still.post("/_paper/prices", {"set": {"AAPL": 500}, "shift_percent": {"KO": -10}})
    still.post("/_paper/clock", {"speed": 60})
    assert stocks(still, symbols="AAPL,KO", start="2026-11-23", end="2026-11-24T16:59:59Z", limit=10_000) == before
    still.go(3)
    after = stocks(still, symbols="AAPL,KO", start="2026-11-24T17:00:00Z")["bars"]
    assert [(one["o"], one["c"]) for one in after["AAPL"]] == [(500, 500)] * 3
    assert after["KO"][0]["o"] < before["bars"]["KO"][-1]["c"] * 0.92
    still.post("/_paper/prices", {"release": ["AAPL", "KO"]})
    assert stocks(still, symbols="AAPL,KO", start="2026-11-24T17:00:00Z")["bars"] == after


def test_a_clock_that_is_put_back_keeps_the_price_that_is_set(still):
    still.post("/_paper/clock", {"time": "2026-11-24T12:00:00-05:00"})
    still.post("/_paper/prices", {"set": {"AAPL": 500}})
    still.post("/_paper/clock", {"time": "2026-11-23T12:00:00-05:00"})
    assert still.get("/_paper/conditions")["last"]["AAPL"] == "500"
    assert still.get("/v2/stocks/AAPL/trades/latest")["trade"]["p"] == 500


@pytest.mark.parametrize("seed", range(6))
def test_the_pages_together_are_the_whole(still, seed):
    dice = random.Random(seed)
    still.post("/_paper/clock", {"time": "2026-11-24T10:10:00-05:00"})
    query = {"symbols": "KO,AAPL,ZZZZZ,MSFT", "start": "2026-11-23T20:50:00Z", "sort": dice.choice(("asc", "desc"))}
    whole, pages, token = stocks(still, **query)["bars"], {}, None
    assert list(whole) == ["AAPL", "KO", "MSFT"] and {len(one) for one in whole.values()} == {50}
    while True:
        page = stocks(still, **query, limit=dice.choice((1, 7, 49, 50, 51)), **({"page_token": token} if token else {}))
        for symbol, found in page["bars"].items():
            pages.setdefault(symbol, []).extend(found)
        token = page["next_page_token"]
        if token is None:
            break
    assert pages == whole
    times = [one["t"] for one in whole["KO"]]
    assert times == sorted(times, reverse=query["sort"] == "desc")


@pytest.mark.parametrize("adjustment", ["raw", "split", "dividend", "all"])
def test_bars_are_the_same_however_adjusted(still, adjustment):
    still.post("/_paper/clock", {"time": "2026-11-24T12:00:00-05:00"})
    assert stocks(still, start="2026-11-24", adjustment=adjustment) == stocks(still, start="2026-11-24")


def test_one_symbol_has_a_path_of_its_own(still):
    still.post("/_paper/clock", {"time": "2026-11-24T12:00:00-05:00"})
    one = still.get("/v2/stocks/AAPL/bars", timeframe="1Min", start="2026-11-24", limit=2)
    assert (one["symbol"], one["bars"]) == ("AAPL", stocks(still, start="2026-11-24", limit=2)["bars"]["AAPL"])
    assert one["next_page_token"]
    nothing = still.get("/v2/stocks/ZZZZ/bars", timeframe="1Min", start="2026-11-24")
    assert nothing == {"bars": None, "symbol": "ZZZZ", "next_page_token": None}


@pytest.mark.parametrize(
    "path, query, message",
    [
        ("stocks", {"symbols": ""}, "symbols is required"),
        ("stocks", {"symbols": "AAPL,aapl"}, "invalid symbol: aapl"),
        ("stocks", {"symbols": "BTC/USD"}, "invalid symbol: BTC/USD"),
        ("crypto", {"symbols": "BTCUSD"}, "invalid symbol: BTCUSD"),
        ("stocks", {"timeframe": "1Day"}, "invalid timeframe: 1Day; this broker has one-minute bars only, use 1Min"),
        ("stocks", {"timeframe": None}, "invalid timeframe: "),
        ("stocks", {"start": "yesterday"}, "invalid start: yesterday: use RFC 3339"),
        ("stocks", {"start": "2026-11-24", "end": "2026-11-23"}, "end should not be before start"),
        ("stocks", {"limit": "0"}, "invalid limit: 0: use 1 to 10000"),
        ("stocks", {"limit": "10001"}, "invalid limit: 10001"),
        ("stocks", {"sort": "up"}, "invalid sort: up"),
        ("stocks", {"feed": "otc"}, "invalid feed: otc"),
        ("stocks", {"adjustment": "splits"}, "invalid adjustment: splits"),
        ("stocks", {"page_token": "%%%"}, "invalid page_token"),
        ("stocks", {"page_token": "eHh4"}, "invalid page_token"),
    ],
)
def test_what_is_asked_wrongly_is_refused(server, path, query, message):
    where = {"stocks": "/v2/stocks/bars", "crypto": "/v1beta3/crypto/us/bars"}[path]
    answer = server.raw("GET", where, params={"symbols": "AAPL", "timeframe": "1Min", **query})
    assert answer.status_code == 400 and answer.json()["message"].startswith(message)
    assert "X-Ratelimit-Remaining" in answer.headers


def test_bars_need_the_key_and_suffer_faults(server):
    server.post("/_paper/faults", {"action": "error", "status": 503, "times": 1, "path": "/v2/stocks"})
    query = {"symbols": "AAPL", "timeframe": "1Min"}
    assert [server.raw("GET", "/v2/stocks/bars", params=query).status_code for _ in range(2)] == [503, 200]
    wrong = server.raw("GET", "/v2/stocks/bars", params=query, headers={"APCA-API-SECRET-KEY": "wrong"})
    assert (wrong.status_code, wrong.json()) == (403, {"message": "forbidden."})


def test_headlines_come_newest_first_in_pages(still):
    still.post("/_paper/clock", {"time": "2026-11-24T12:00:00-05:00"})
    whole = still.get("/v1beta1/news", start="2026-11-20")["news"]
    assert [one["created_at"][:16] for one in whole[:3]] == ["2026-11-24T16:30", "2026-11-24T14:45", "2026-11-24T13:00"]
    assert len(whole) == len({one["id"] for one in whole}) == 10 and all(one["headline"].startswith("Rehearsal: ") for one in whole)
    pages, token = [], None
    for _ in range(5):
        page = still.get("/v1beta1/news", start="2026-11-20", limit=4, **({"page_token": token} if token else {}))
        pages += page["news"]
        if (token := page["next_page_token"]) is None:
            break
    assert pages[:10] == whole and len(pages) == 15
    assert [one["id"] for one in still.get("/v1beta1/news", start="2026-11-20", sort="asc", limit=50)["news"]] == [
        one["id"] for one in reversed(pages)
    ]
    symbol = whole[4]["symbols"][0]
    assert {one["symbols"][0] for one in still.get("/v1beta1/news", start="2026-11-01", symbols=symbol, limit=50)["news"]} == {symbol}
    assert [bool(still.get("/v1beta1/news", limit=1, include_content=sent)["news"][0]["content"]) for sent in ("true", "false")] == [
        True,
        False,
    ]

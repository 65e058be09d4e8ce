"""The HTTP API with the real paper broker: what it answers is what the broker says, as far as can be from memory, in time and within bounds."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from purrstream_world import wait_for

pytestmark = pytest.mark.servers
DAY = "2026-12-09"
NAMES = ("start", "open", "high", "low", "close", "volume")


def bars(world, symbol, start, end=None):
    query = {"symbols": symbol, "start": start, **({"end": end} if end else {})}
    answer = world.purrstream.ask("GET", "/bars", params=query)
    return [tuple(one[name] for name in NAMES) for one in answer["bars"][symbol]], answer["live"].get(symbol)


def test_bars_are_the_brokers_from_memory_and_by_rest(world):
    world.paper.clock(time=f"{DAY}T10:00:20-05:00", speed=60)
    world.follow(PURRSTREAM_SYMBOLS="AAPL,BTC/USD")
    wait_for(lambda: world.purrstream.stats()["shares"]["told"] > 8)
    world.paper.clock(speed=1)
    now = world.paper.now().astimezone(UTC)
    end = f"{now:%Y-%m-%dT%H:%M:00Z}"
    wait_for(lambda: bars(world, "AAPL", end)[1] >= end)
    for symbol in ("AAPL", "BTC/USD", "KO"):
        for start in (f"{DAY}T14:30:00Z", f"{now - timedelta(minutes=4):%Y-%m-%dT%H:%M:00Z}", "2026-12-08T20:30:00Z"):
            assert bars(world, symbol, start, end)[0] == world.paper.bars(symbol, start, end), (symbol, start)
    before = world.purrstream.stats()["requests"]
    found, live = bars(world, "AAPL", f"{now - timedelta(minutes=3):%Y-%m-%dT%H:%M:00Z}")
    assert len(found) == 3 and live == end
    assert world.purrstream.stats()["requests"] == before, "the last minutes are in memory"
    assert bars(world, "KO", f"{DAY}T14:30:00Z")[1] is None, "nobody follows it"


def test_a_minute_that_is_not_over_is_nobodys(world):
    world.paper.clock(time=f"{DAY}T10:00:50-05:00")
    world.follow()
    found, _ = bars(world, "ETH/USD", f"{DAY}T14:55:00Z")
    assert [one[0][11:16] for one in found][:5] == ["14:55", "14:56", "14:57", "14:58", "14:59"] and len(found) in (5, 6)


def test_clock_and_calendar(world):
    world.paper.clock(time="2026-11-27T12:50:00-05:00")
    world.follow()

    def clock():
        return world.purrstream.ask("GET", "/clock")

    first = clock()
    assert first["is_open"] and first["next_close"] == "2026-11-27T18:00:00.000Z"
    world.paper.clock(speed=60)
    # It goes on between two readings, as fast as the broker's, and the bell is heard.
    wait_for(lambda: abs((world.paper.now() - datetime.fromisoformat(clock()["time"])).total_seconds()) < 30)
    wait_for(lambda: not clock()["is_open"])
    assert clock()["next_open"] == "2026-11-30T14:30:00.000Z"
    days = world.purrstream.ask("GET", "/calendar", params={"start": "2026-11-25", "end": "2026-11-30"})["calendar"]
    assert days == [
        {"date": "2026-11-25", "open": "2026-11-25T14:30:00Z", "close": "2026-11-25T21:00:00Z"},
        {"date": "2026-11-27", "open": "2026-11-27T14:30:00Z", "close": "2026-11-27T18:00:00Z"},
        {"date": "2026-11-30", "open": "2026-11-30T14:30:00Z", "close": "2026-11-30T21:00:00Z"},
    ]


@pytest.mark.parametrize(
    "path, words",
    [
        ("/bars", "symbols=: use a symbol such as AAPL"),
        ("/bars?symbols=aapl&start=2026-12-09T14:30:00Z", "symbols=aapl: use a symbol"),
        ("/bars?symbols=AAPL", "start='': use a time with its zone"),
        ("/bars?symbols=AAPL&start=2026-12-09T14:30:00", "use a time with its zone"),
        ("/bars?symbols=AAPL&start=2026-12-09T14:30:00Z&end=2026-12-09T14:30:00Z", "use an end that is later"),
        ("/bars?symbols=AAPL&start=2020-12-09T14:30:00Z", "ask for fewer symbols or a shorter time"),
        ("/calendar?start=x&end=2026-12-09", "start='x': use a date"),
        ("/calendar?start=2026-12-09&end=2026-12-01", "the first one first"),
    ],
)
def test_questions_that_can_not_be_answered(shared, path, words):
    answer = shared.purrstream.session.get(shared.purrstream.url + path, timeout=30)
    assert answer.status_code == 400 and words in answer.json()["error"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    from purrstream_world import World

    with World(tmp_path_factory.mktemp("shared")) as found:
        found.paper.clock(time=f"{DAY}T10:00:00-05:00")
        found.follow()
        yield found


def test_a_broker_that_is_away_is_said_so(world):
    world.paper.clock(time=f"{DAY}T10:00:00-05:00")
    world.follow()
    wait_for(lambda: world.purrstream.session.get(f"{world.purrstream.url}/ready", timeout=9).status_code == 200)
    world.paper.kill()
    wait_for(lambda: world.purrstream.session.get(f"{world.purrstream.url}/ready", timeout=9).status_code == 503)
    answer = world.purrstream.session.get(f"{world.purrstream.url}/bars?symbols=AAPL&start={DAY}T14:30:00Z", timeout=60)
    assert answer.status_code == 503 and "no answer from the broker" in answer.json()["error"]
    assert world.purrstream.answers(), "it lives"
    assert "hush" not in json.dumps(world.purrstream.stats())

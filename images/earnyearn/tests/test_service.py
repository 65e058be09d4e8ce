"""The service as a process: the list of the day, bars, signals, orders, and what goes away in between."""

import signal

import pytest
from botkit.market import MINUTE
from earnyearn_expected import expected, settled
from earnyearn_market import at
from earnyearn_world import LISTED, WEDNESDAY, wait_for

pytestmark = pytest.mark.servers
THURSDAY = "2026-12-10"


def follow(world, run, minutes):
    """So many minutes, each seen before the next one begins."""
    for _ in range(minutes):
        world.market.advance(1, LISTED)
        settled(world, run)


def test_a_morning(world):
    """From the list to the orders: what is told, what Redis knows and what the webhook got are one."""
    told = world.redis.client.pubsub()
    told.subscribe("earnyearn.paper")
    run = world.start(SIDE="both")
    wait_for(lambda: world.listed() == LISTED, why=run.log)
    assert world.redis.client.get("earnings_list:day") == WEDNESDAY
    world.trading(run)
    world.market.now = at(WEDNESDAY, "09:30")
    follow(world, run, 45)
    signals = expected(world, LISTED, clock="10:15", SIDE="both")
    sent = [one for one in signals if one.verdict == "send"]
    assert len(sent) >= 5 and len(signals) > len(sent)
    alerts = world.alerts()
    assert len(world.taken) == len(sent) and set(alerts) == {one.id for one in sent}
    for one in sent:
        alert = alerts[one.id]
        assert (alert["symbol"], alert["action"], alert["route"], alert["name"]) == (one.symbol, one.side, "trailing", "earnyearn")
        own = {"notional": "2000", "trail_percent": "0.5", "only_flat": True}
        assert alert["order"] == own and float(alert["market"]["price"]) == one.price
        fields = {**own, "price": repr(one.price), "interval": "1"}
        assert world.records()[one.id] == {"outcome": "sent", "fields": fields, "alert": alert["key"]}
    assert {name: one["outcome"] for name, one in world.records().items()} == {
        one.id: "sent" if one.verdict == "send" else "cooldown" for one in signals
    }
    messages = []
    while message := told.get_message(timeout=2):
        messages += [message["data"]] if message["type"] == "message" else []
    assert len(messages) == len(signals) and all('"type": "Signal"' in one and '"account": "paper"' in one for one in messages)
    stats = run.get("/stats")
    assert stats["symbols"] == LISTED and stats["out"]["TSLA"].startswith("not more than half") and stats["signals"]["sent"] == len(sent)
    assert run.ask("/ready").status_code == 200
    run.signal(signal.SIGTERM)
    assert run.end() == 0
    assert "replay-key" not in run.text and "s" * 40 not in run.text and "is word" not in run.text


def test_started_at_noon_it_has_the_same_state(world):
    """A process that begins at any bar goes on as one that was there from the beginning."""
    world.market.now = at(WEDNESDAY, "12:00")
    run = world.trading(world.start(SIDE="both"))
    settled(world, run)
    follow(world, run, 30)
    later = {
        one.id for one in expected(world, LISTED, clock="12:30", SIDE="both") if one.verdict == "send" and one.end > at(WEDNESDAY, "12:00")
    }
    assert later and later <= set(world.alerts()), "and what was fresh when it started may be there too"
    assert all(float(one["market"]["price"]) > 0 for one in world.taken) and len(world.taken) - len(later) <= 4


def test_each_trading_day_has_its_list(world):
    run = world.trading(world.start())
    assert world.listed() == LISTED
    # Not from one day to the next: only that one morning.
    for day, clock, expected_day in (
        (WEDNESDAY, "23:00", WEDNESDAY),
        (THURSDAY, "06:00", WEDNESDAY),
        (THURSDAY, "08:00", THURSDAY),
        ("2026-12-12", "12:00", "2026-12-11"),
        ("2026-12-24", "08:00", "2026-12-24"),
        ("2026-12-25", "12:00", "2026-12-24"),
    ):
        world.market.now = at(day, clock)
        wait_for(lambda day=expected_day: world.redis.client.get("earnings_list:day") == day, why=run.log)
        assert world.listed() == LISTED
    wait_for(lambda: len(run.lines(message="list of the day")) >= 4, why=run.log)
    days = [line["day"] for line in run.lines(message="list of the day")]
    assert days == [WEDNESDAY, THURSDAY, "2026-12-11", "2026-12-24"]
    assert world.finnhub("GET")["calls"]["/api/v1/calendar/earnings"] == 4


def test_an_old_list_stays_until_the_new_one_is_there(world):
    world.redis.client.sadd("earnings_list", "OLD")
    world.redis.client.set("earnings_list:day", "2026-12-08")
    world.finnhub("POST", {"status": 503, "times": 2})
    run = world.start()
    wait_for(lambda: "Finnhub answers 503" in run.text, why=run.log)
    assert world.listed() == ["OLD"] and run.get("/stats")["symbols"] == []
    wait_for(lambda: world.listed() == LISTED, why=run.log)
    assert len(run.lines(message="no list of the day yet: Finnhub answers 503")) == 1


def test_nobody_sees_half_a_list(world):
    with world.redis.client.monitor() as monitor:
        world.trading(world.start())
        commands = []
        while not any("earnings_list:day" in one and one.startswith("SET ") for one in commands):
            commands.append(monitor.next_command()["command"])
        commands.append(monitor.next_command()["command"])
    assert [one.split()[0] for one in commands[-5:]] == ["MULTI", "DEL", "SADD", "SET", "EXEC"]


def test_nobody_passes(world):
    run = world.trading(world.start(MIN_EPS_ESTIMATE=1000))
    assert world.listed() == ["-"] and run.get("/stats")["symbols"] == []
    world.market.now = at(THURSDAY, "09:00")
    wait_for(lambda: world.redis.client.get("earnings_list:day") == THURSDAY, why=run.log)


def test_redis_loses_everything(world):
    """The list and what became of signals are there again, and nothing is ordered twice, by a new process neither."""
    world.market.now = at(WEDNESDAY, "10:00")
    run = world.trading(world.start(SIDE="both", FRESH=3600))
    settled(world, run)
    before = world.records()
    count = len(world.messages())
    assert count >= 3
    world.redis.end()
    world.market.now += 3 * MINUTE
    world.redis.start()
    wait_for(lambda: world.listed() == LISTED and before.items() <= world.records().items(), why=run.log)
    settled(world, run)
    follow(world, run, 5)
    run.kill()
    again = world.trading(world.start(SIDE="both", FRESH=3600))
    settled(world, again)
    sent = {one.id for one in expected(world, LISTED, clock="10:08", SIDE="both") if one.verdict == "send"}
    assert world.ordered() == sorted(sent) and len(sent) >= count


def test_a_lost_list_alone_is_put_back(world):
    """As it was, with what a person has changed, and without asking Finnhub again."""
    world.trading(world.start()).kill()
    left = [one for one in LISTED if one != "AAPL"]
    world.redis.client.srem("earnings_list", "AAPL")
    run = world.trading(world.start())
    world.redis.client.delete("earnings_list", "earnings_list:day")
    wait_for(lambda: world.listed() == left, why=run.log)
    assert world.finnhub("GET")["calls"]["/api/v1/calendar/earnings"] == 1


def test_a_person_takes_a_symbol_out(world):
    run = world.trading(world.start())
    world.redis.client.srem("earnings_list", "AAPL")
    wait_for(lambda: run.get("/stats")["symbols"] == [one for one in LISTED if one != "AAPL"], why=run.log)
    again = world.trading(world.start())
    assert again.get("/stats")["symbols"] == [one for one in LISTED if one != "AAPL"]


def test_bars_that_redis_lost_are_read(world):
    world.market.now = at(WEDNESDAY, "10:00")
    run = world.trading(world.start(SIDE="both", FRESH=3600))
    settled(world, run)
    world.market.lost = True
    world.market.advance(10, LISTED)
    world.market.lost = False
    follow(world, run, 1)
    sent = {one.id for one in expected(world, LISTED, clock="10:11", SIDE="both") if one.verdict == "send"}
    assert world.ordered() == sorted(sent)


def test_the_webhook_is_away(world):
    """Orders wait as long as they are fresh; sent again they are the same alert."""
    world.market.now = at(WEDNESDAY, "10:00")
    world.webhook.kill()
    run = world.trading(world.start(SIDE="both", FRESH=3600))
    wait_for(lambda: "the webhook did not take an order" in run.text, why=run.log)
    world.start_webhook()
    settled(world, run)
    sent = {one.id for one in expected(world, LISTED, clock="10:00", SIDE="both") if one.verdict == "send"}
    assert world.ordered() == sorted(sent) and len(sent) >= 3


def test_purrstream_is_away(world):
    run = world.start(FRESH=3600)
    world.trading(run)
    world.market.wrong = {path: (503, "away") for path in ("/clock", "/bars", "/calendar")}
    wait_for(lambda: "503" in run.text, why=run.log)
    assert run.ask("/health").status_code == 200 and run.ask("/ready").status_code == 503
    world.market.now = at(WEDNESDAY, "10:00")
    world.market.wrong = {}
    follow(world, run, 1)


@pytest.mark.parametrize(("minutes", "ordered"), [(15, True), (380, False)])
def test_none_in_the_last_minutes(world, minutes, ordered):
    world.market.now = at(WEDNESDAY, "15:30")
    run = world.trading(world.start(SIDE="both", FRESH=3600, MINUTES_BEFORE_CLOSE=minutes))
    settled(world, run)
    assert bool(world.messages()) == ordered
    before = len(world.taken)
    world.market.now = at(WEDNESDAY, "15:45")
    follow(world, run, 14)
    last = [one for one in expected(world, LISTED, clock="15:59", SIDE="both") if one.end > at(WEDNESDAY, "15:45")]
    assert last and {world.records()[one.id]["outcome"] for one in last} == {"late"}
    assert len(world.messages()) == before


def test_the_list_as_a_table(world):
    run = world.start("list")
    assert run.end() == 0, run.text
    lines = run.text.splitlines()
    assert lines[0] == f"{WEDNESDAY}: 11 of 20 symbols" and lines[1].split() == ["symbol", "reports", "eps", "revenue", "ratings"]
    why = {line.split()[0]: line for line in lines[2:]}
    assert all(why[symbol].endswith(" in") for symbol in LISTED) and len(lines) == 2 + 20
    for symbol, words in {
        "SNDL": "out: EPS estimate below 0", "GME": "out: revenue estimate below 250 M", "TSLA": "19 of 48 buy", "L": "out: no analyst's ratings",
        "F": "out: no estimate of EPS", "T": "out: no estimate of revenue", "SIEGY": "out: not listed at an exchange of the USA",
    }.items():  # fmt: skip
        assert words in why[symbol]
    assert not world.redis.client.keys("*"), "it changes nothing"


def test_a_finnhub_without_the_right_key(world):
    run = world.start(FINNHUB_KEY="wrong")
    wait_for(lambda: "see whether EARNYEARN_FINNHUB_KEY is your key" in run.text, why=run.log)
    assert world.listed() == [] and run.ask("/health").status_code == 200
    listing = world.start("list", FINNHUB_KEY="wrong")
    assert listing.end() == 1 and "EARNYEARN_FINNHUB_KEY" in listing.text

"""Every fill of the account once, in InfluxDB and on its channel, whatever is away: equal to the broker's activities."""

import json
import os
import random
import threading
import time

import pytest
from botkit_servers import Influx
from purrstream_world import wait_for

pytestmark = pytest.mark.servers
DAY = "2026-12-09"
SEED = int(os.environ.get("PURRSTREAM_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
KILLS = int(os.environ.get("PURRSTREAM_TEST_KILLS", "8"))


@pytest.fixture
def influx(tmp_path):
    server = Influx(tmp_path / "influx").start()
    yield server
    server.end()


def listen(world, channel):
    """A list that fills with a channel's messages."""
    heard, client = [], world.redis.client()
    subscription = client.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe(channel)

    def run(client=client):
        # A client that nobody holds any more closes its connections.
        try:
            for one in subscription.listen():
                heard.append(json.loads(one["data"]))
        except Exception:
            # The server was killed.
            return

    threading.Thread(target=run, daemon=True).start()
    wait_for(lambda: dict(client.pubsub_numsub(channel))[channel] == 1)
    return heard


def differences(world, influx, database):
    """What the points and the activities disagree about."""
    points = {
        one["fill_id"]: (one["symbol"], one["side"], one["qty"], one["price"], one["order_id"])
        for one in influx.rows(database, "account_fill")
    }
    told = {
        one["id"]: (one["symbol"], one["side"], float(one["qty"]), float(one["price"]), one["order_id"]) for one in world.paper.activities()
    }
    count = len(influx.rows(database, "account_fill"))
    return [key for key in points.keys() | told.keys() if points.get(key) != told.get(key)] + ([count] if count != len(told) else [])


def test_fills_are_points_and_messages(world, influx):
    database = influx.new_database()
    world.paper.clock(time=f"{DAY}T10:00:00-05:00")
    world.follow(PURRSTREAM_INFLUX_URL=influx.write_url(database))
    heard = listen(world, "purrstream.account.paper")
    wait_for(lambda: world.purrstream.stats()["account"]["connected"])
    world.paper.ask("POST", "/_paper/fills", {"parts": 5})
    first = world.paper.order("AAPL", "buy", 10, client_order_id="mine-1")
    world.paper.order("BTC/USD", "buy", "0.01", time_in_force="gtc")
    wait_for(lambda: len(influx.rows(database, "account_fill")) == 10, why=lambda: world.purrstream.process.text)
    assert not differences(world, influx, database)
    points = influx.rows(database, "account_fill", "WHERE symbol = 'AAPL'")
    assert sorted(one["position_qty"] for one in points) == [2, 4, 6, 8, 10]
    assert {one["client_order_id"] for one in points} == {"mine-1"} and {one["account"] for one in points} == {"paper"}
    fills = [one for one in heard if one["event"] in ("fill", "partial_fill")]
    assert sorted(one["fill_id"] for one in fills) == sorted(one["id"].rpartition("::")[2] for one in world.paper.activities())
    assert all(one["type"] == "AccountUpdate" for one in heard) and any(one["event"] == "new" for one in heard)
    assert [one["filled_qty"] for one in fills if one["order_id"] == first["id"]] == [2, 4, 6, 8, 10]


def test_what_was_filled_while_it_was_away_is_told_after(world, influx):
    database = influx.new_database()
    world.paper.clock(time=f"{DAY}T10:00:00-05:00")
    world.follow(PURRSTREAM_INFLUX_URL=influx.write_url(database))
    world.paper.order("AAPL", "buy", 1, client_order_id="before")
    wait_for(lambda: world.redis.client().get("purrstream.fills.paper") and len(influx.rows(database, "account_fill")) == 1)
    world.purrstream.kill()
    world.paper.order("AAPL", "buy", 2, client_order_id="away")
    heard = listen(world, "purrstream.account.paper")
    world.purrstream.start()
    wait_for(lambda: len(influx.rows(database, "account_fill")) == 2, why=lambda: world.purrstream.process.text)
    assert not differences(world, influx, database)
    assert [(one["client_order_id"], one["event"], one["qty"]) for one in heard] == [("away", "fill", 2)]


def test_fills_wait_at_the_broker_while_influxdb_is_away(world, influx):
    database = influx.new_database()
    world.paper.clock(time=f"{DAY}T10:00:00-05:00")
    influx.kill()
    world.follow(PURRSTREAM_INFLUX_URL=influx.write_url(database))
    wait_for(lambda: world.purrstream.stats()["account"]["connected"])
    world.paper.order("KO", "buy", 3)
    wait_for(lambda: world.purrstream.stats()["fills"]["read"] == 1)
    world.purrstream.kill()
    world.purrstream.start()
    world.paper.order("KO", "sell", 1)
    influx.start()
    wait_for(lambda: len(influx.rows(database, "account_fill")) == 2, why=lambda: world.purrstream.process.text)
    assert not differences(world, influx, database)


def test_every_fill_is_one_point_whatever_is_killed(world, influx):
    print(f"PURRSTREAM_TEST_SEED={SEED}")
    dice, database = random.Random(SEED), influx.new_database()
    world.paper.clock(time=f"{DAY}T10:00:00-05:00", speed=5)
    world.paper.ask("POST", "/_paper/fills", {"parts": 3})
    world.follow(PURRSTREAM_INFLUX_URL=influx.write_url(database))

    def trade():
        for _ in range(dice.randrange(1, 4)):
            world.paper.order(dice.choice(("AAPL", "KO", "T")), "buy", dice.randrange(3, 9))

    for _ in range(KILLS):
        trade()
        time.sleep(dice.uniform(0, 1))
        what = dice.choice(("purrstream", "purrstream", "influx", "redis", "paper", "cut"))
        if what == "cut":
            world.paper.ask("POST", "/_paper/stream/disconnect", {"refuse_seconds": 1})
            trade()
            continue
        one = {"purrstream": world.purrstream, "paper": world.paper, "influx": influx, "redis": world.redis}[what]
        one.kill()
        if what != "paper":
            trade()
        time.sleep(dice.uniform(0, 1))
        one.start()
    trade()
    wait_for(lambda: not differences(world, influx, database), 120, why=lambda: world.purrstream.process.text[-3000:])

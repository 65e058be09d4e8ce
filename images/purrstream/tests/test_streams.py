"""purrstream between the real paper broker and a real Redis: what the services hear is what the broker says by REST, whatever happens."""

import json

import pytest
from purrstream_world import wait_for

pytestmark = pytest.mark.servers
DAY = "2026-12-09"
OPEN = f"{DAY}T14:30:00Z"


def test_readers_have_every_bar_of_shares_and_coins(world):
    world.paper.clock(time=f"{DAY}T09:40:00-05:00", speed=60)
    world.follow(PURRSTREAM_SYMBOLS="SPY")
    world.read("one", ["AAPL", "BTC/USD", "KO"], OPEN)
    world.read("two", ["AAPL", "MSFT"], f"{DAY}T14:36:00Z")
    until = f"{DAY}T14:55:00Z"
    world.all_heard(until)
    assert not [found for reader in world.readers for found in world.differences(reader, until)]
    stats = world.purrstream.stats()
    assert stats["shares"]["symbols"] == 4 and stats["coins"]["symbols"] == 1 and stats["services"] == ["one", "two"]
    assert stats["redis"]["dropped"] == 0
    assert world.purrstream.process.stop() == 0


def test_what_nobody_has_is_told_and_harms_none(world):
    world.paper.clock(time=f"{DAY}T10:00:00-05:00", speed=60)
    world.follow()
    world.read("one", ["AAPL", "NOPE", "NO.PE", "ZZZ/USD"], f"{DAY}T15:00:00Z")
    until = f"{DAY}T15:05:00Z"
    wait_for(lambda: world.readers[0].latest("AAPL") >= until, why=lambda: world.purrstream.process.text)
    wait_for(lambda: world.purrstream.stats()["unknown"] == ["NO.PE", "NOPE", "ZZZ/USD"], why=lambda: json.dumps(world.purrstream.stats()))
    assert "NOPE: the broker doesn't know it" in world.purrstream.process.text
    assert world.purrstream.stats()["shares"]["symbols"] == 1


def subscribed(world, *channels):
    client = world.redis.client()
    found = client.pubsub(ignore_subscribe_messages=True)
    found.subscribe(*channels)
    wait_for(lambda: all(count == 1 for _, count in client.pubsub_numsub(*channels)))
    # A client that nobody holds any more closes its connections.
    return client, found


def heard(subscription, seconds=30):
    _, found = subscription
    told = wait_for(lambda: found.get_message(timeout=0.2), seconds)
    return json.loads(told["data"])


def test_trades_and_news(world):
    world.paper.clock(time=f"{DAY}T10:00:00-05:00", speed=30)
    world.redis.client().set("purrstream.want.x", json.dumps({"trades": ["AAPL", "BTC/USD"]}), ex=100)
    world.redis.client().sadd("purrstream.wants", "x")
    world.follow(PURRSTREAM_NEWS="on")
    shares, coins, news = (subscribed(world, one) for one in ("purrstream.trades.AAPL", "purrstream.trades.BTC/USD", "purrstream.news"))
    for subscription, symbol in ((shares, "AAPL"), (coins, "BTC/USD")):
        trade = heard(subscription)
        assert trade["type"] == "Trade" and trade["symbol"] == symbol and trade["price"] > 0 and trade["time"].startswith(DAY)
    world.paper.clock(speed=600)
    ids = [heard(news, 120)["id"] for _ in range(3)]
    world.paper.ask("POST", "/_paper/stream/disconnect", {"refuse_seconds": 2})
    ids += [heard(news, 120)["id"] for _ in range(3)]
    assert len(set(ids)) == 6, "each once"
    told = world.paper.ask("GET", "/v1beta1/news", params={"start": f"{DAY}T15:00:00Z", "sort": "asc", "limit": 50})["news"]
    listed = [one["id"] for one in told]
    first = listed.index(ids[0])
    assert ids == listed[first : first + 6], "none is missing"


def test_what_nobody_wants_any_more_is_not_followed(world):
    world.paper.clock(time=f"{DAY}T10:00:00-05:00", speed=30)
    client = world.redis.client()
    client.set("purrstream.want.x", json.dumps({"bars": ["AAPL", "KO"]}), ex=100)
    client.set("purrstream.want.y", "no JSON", ex=100)
    client.set("purrstream.want.z", json.dumps({"bars": ["aapl", 7, None, "KO"]}), ex=100)
    client.sadd("purrstream.wants", "x", "y", "z", "gone")
    world.follow()
    wait_for(lambda: world.purrstream.stats()["shares"]["live"] == 2)
    wait_for(lambda: client.smembers("purrstream.wants") == {"x", "y", "z"})
    client.set("purrstream.want.x", json.dumps({"bars": ["MSFT"]}), ex=100)
    wait_for(lambda: world.purrstream.stats()["shares"]["symbols"] == 2 and "MSFT" in client.hkeys("purrstream.published"))
    wait_for(lambda: set(client.hkeys("purrstream.published")) == {"KO", "MSFT"})
    assert "use a symbol such as AAPL" in world.purrstream.process.text
    # Redis forgets everything; what is followed stays.
    client.flushall()
    told = world.purrstream.stats()["shares"]["told"]
    wait_for(lambda: world.purrstream.stats()["shares"]["told"] >= told + 4)
    assert world.purrstream.stats()["shares"]["connections"] == 1


def test_stores_and_redis_that_are_away_stop_nothing(world):
    world.paper.clock(time=f"{DAY}T10:00:00-05:00", speed=60)
    nobody = "http://writer:hush@127.0.0.1:9/api/v2/write?bucket=x&precision=ns"
    world.follow(PURRSTREAM_SYMBOLS="AAPL", PURRSTREAM_INFLUX_URL=nobody, PURRSTREAM_HISTORY_URL="http://admin:hush@127.0.0.1:9")
    wait_for(lambda: world.purrstream.stats()["shares"]["told"] > 2)
    world.redis.kill()
    told = world.purrstream.stats()["shares"]["told"]
    wait_for(lambda: world.purrstream.stats()["shares"]["told"] > told + 4)
    stats = world.purrstream.stats()
    assert stats["redis"]["waiting"] > 0 and stats["influx"]["waiting"] > 0 and stats["history"]["waiting"] > 0
    world.redis.start()
    wait_for(lambda: world.purrstream.stats()["redis"]["waiting"] == 0)
    assert world.purrstream.process.stop() == 0 and "hush" not in world.purrstream.process.text

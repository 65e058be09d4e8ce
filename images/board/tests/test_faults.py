"""Stores and bots as they should not be: what asks them gets a reason in time, the rest goes on, and twenty pages ask as much as one."""

import asyncio
import json
import time

import aiohttp
import pytest
from board_world import Bots, Broken, Served

pytestmark = pytest.mark.servers
WORDS = {
    "hang": "no answer within", "500": "answers with HTTP 500", "garbage": "answers, but not with JSON", "odd": "answers, but not as",
    "huge": "the answer is larger than",
}  # fmt: skip
SECONDS = 30


async def listened(served, enough, seconds=60, pages=1):
    """The newest data by topic once `enough(it)`; the first of `pages` sockets is read."""
    found = {}
    async with aiohttp.ClientSession() as session:
        sockets = [
            await session.ws_connect(f"{served.url}/api/live", headers={"Origin": served.url}, max_msg_size=2**24) for _ in range(pages)
        ]
        async with asyncio.timeout(seconds):
            while not enough(found):
                message = json.loads((await sockets[0].receive()).data)
                found[message["topic"]] = message["data"]
        for socket in sockets:
            await socket.close()
    return found


def states(found, topic="bots"):
    return {one["name"]: one["state"] for one in found.get(topic, [])}


@pytest.mark.parametrize("fault", WORDS)
def test_a_broken_store_is_a_reason_in_time_and_the_bots_go_on(fault, tmp_path):
    broken, bots = Broken(fault), Bots(2)
    served = Served(tmp_path / "log", influx_url=f"{broken.url}/query?db=x", loki_url=broken.url, bots=bots.settings)
    try:
        for path in ("orders", "strategies", "profit?bot=bot-01", "trades", "costs", "telemetry", "logs?text=x"):
            began = time.monotonic()
            answer = served.api(path)
            assert answer["data"] is None and WORDS[fault] in answer["problem"], (path, answer)
            assert time.monotonic() - began < SECONDS
        found = asyncio.run(listened(served, lambda found: states(found) == {"bot-01": "running", "bot-02": "running"}))
        if fault != "huge":
            known = {one["name"]: one for one in found["sources"]}
            assert known["influxdb"]["state"] == "down" and known["influxdb"]["todo"] and known["influxdb"]["since"] > 1e12
            assert known["redis"]["state"] == "absent"
            asked = len(broken.asked)
            began = time.monotonic()
            served.api("orders?range=7d")
            assert time.monotonic() - began < SECONDS
            assert len(broken.asked) - asked <= 8, "a store that is down is spared"
    finally:
        log = served.stop()
        broken.stop()
        bots.stop()
    assert "Traceback" not in log


def test_a_broken_bot_is_told_and_delays_no_other(tmp_path):
    bots = Bots(5)
    for name, fault in (("bot-02", "hang"), ("bot-03", "500"), ("bot-04", "odd")):
        bots.bots[name].fault = fault
    served = Served(tmp_path / "log", bots=bots.settings)
    try:
        found = asyncio.run(listened(served, lambda found: {"unknown"}.isdisjoint(states(found).values() or {"unknown"})))
        unreachable = dict.fromkeys(("bot-02", "bot-03", "bot-04"), "unreachable")
        assert states(found) == {"bot-01": "running", **unreachable, "bot-05": "running"}
        assert "no answer within" in next(one["problem"] for one in found["bots"] if one["name"] == "bot-02")
        bots.bots["bot-02"].fault = ""
        asyncio.run(listened(served, lambda found: states(found).get("bot-02") == "running"))
    finally:
        served.stop()
        bots.stop()


def test_nobody_is_asked_for_nobody(tmp_path):
    bots = Bots(1)
    served = Served(tmp_path / "log", bots=bots.settings)
    try:
        asyncio.run(listened(served, lambda found: states(found) == {"bot-01": "running"}))
        bot = bots.bots["bot-01"]
        # The look that was under way when the page was closed may still end.
        deadline, quiet = time.monotonic() + 60, 0
        while quiet < 12 and time.monotonic() < deadline:
            before = len(bot.asked)
            time.sleep(0.5)
            quiet = quiet + 1 if len(bot.asked) == before else 0
        assert quiet == 12, "a bot is asked though no page is open"
    finally:
        served.stop()
        bots.stop()


def test_twenty_pages_ask_as_much_as_one(tmp_path):
    answer = {"results": [{"series": [{"name": "bot", "tags": {"bot": "bot-01"}, "columns": ["time", "profit"], "values": [[1, 2.0]]}]}]}
    store, bots = Broken("", answer), Bots(1)
    served = Served(tmp_path / "log", influx_url=f"{store.url}/query?db=x", bots=bots.settings)

    async def twenty():
        async with aiohttp.ClientSession() as session:

            async def one():
                async with session.get(f"{served.url}/api/profit?range=24h&bot=bot-01") as answer:
                    return (await answer.json())["problem"]

            return await asyncio.gather(*(one() for _ in range(20)))

    try:
        assert asyncio.run(twenty()) == [""] * 20
        assert len(store.asked) == 1
        before = len(bots.bots["bot-01"].asked)
        asyncio.run(listened(served, lambda found: len(bots.bots["bot-01"].asked) - before >= 10, pages=20))
        assert len(bots.bots["bot-01"].asked) - before <= 20, "five questions a look, whoever looks"
    finally:
        served.stop()
        store.stop()
        bots.stop()


def test_it_ends_at_once_though_pages_are_open_and_stores_hang(tmp_path):
    hanging, bots = Broken("hang"), Bots(1)
    bots.bots["bot-01"].fault = "hang"
    served = Served(tmp_path / "log", influx_url=f"{hanging.url}/query?db=x", loki_url=hanging.url, bots=bots.settings)

    async def end():
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(f"{served.url}/api/live", headers={"Origin": served.url})
            asking = asyncio.create_task(session.get(f"{served.url}/api/orders"))
            await socket.receive(20)
            began = time.monotonic()
            served.process.terminate()
            await asyncio.to_thread(served.process.wait, 30)
            took = time.monotonic() - began
            asking.cancel()
            return took

    try:
        assert asyncio.run(end()) < 9, "the engine kills it after 10 s"
        assert served.process.returncode == 0
    finally:
        served.stop()
        hanging.stop()
        bots.stop()

"""With the real InfluxDB, Loki and Redis: every panel's data, a search for any text, live orders, no credential in any answer, and their return."""

import asyncio
import base64
import json
import time

import aiohttp
import pytest
import requests
from board.settings import read_settings
from board_stores import DATABASE, HOSTILE, NASTY, READER
from board_world import IMAGE, Bots, Served, environment
from botkit_servers import wait_for

pytestmark = pytest.mark.servers
PATHS = (
    "orders?range=24h",
    "strategies?range=24h",
    "profit?range=24h&bot=bot-01",
    "profit?range=7d&currency=BTC",
    "trades?range=24h",
    "costs?range=24h",
    "telemetry",
    "logs?range=24h",
)


@pytest.fixture(scope="module")
def bots():
    made = Bots(2)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def served(stores, bots, vendor, tmp_path_factory):
    services = [{"name": "loki", "url": stores.loki.url + "/ready"}, {"name": "redis", "url": f"redis://127.0.0.1:{stores.redis.port}"},
                {"name": "influxdb", "url": f"tcp://127.0.0.1:{stores.influx.port}"}, {"name": "gone", "url": "tcp://127.0.0.1:1"}]  # fmt: skip
    started = Served(tmp_path_factory.mktemp("board") / "log", bots=bots.settings, services=services, vendor=str(vendor), **stores.settings)
    yield started
    assert "Traceback" not in started.stop()


def search(served, **parameters):
    query = "&".join(f"{key}={requests.utils.quote(value, safe='')}" for key, value in parameters.items())
    return served.api(f"logs?{query}")["data"]


def test_orders(served, stores):
    data = served.api("orders?range=24h")["data"]
    assert data["loki_problem"] == ""
    assert data["counts"] == {"ordered": 32, "passed": 4, "refused": 4, "fills": 32, "accepted": 6, "rejected": 1}
    assert sum(sum(values) for _, *values in data["bars"]) == 40
    kinds = [one["kind"] for one in data["recent"]]
    assert {"ordered", "passed", "refused", "fill", "rejected"} == set(kinds) and len(kinds) == 40 + 32 + 1
    assert data["recent"] == sorted(data["recent"], key=lambda one: -one["time"])
    (rejected,) = [one for one in data["recent"] if one["kind"] == "rejected"]
    assert (rejected["name"], rejected["reason"]) == ("macd-5m", "the signature is wrong")
    assert {one["reason"] for one in data["recent"] if one["kind"] == "refused"} == {"order_notional: 1200 USD is more than 1000 USD"}


def test_strategies(served):
    answer = served.api("strategies?range=24h")
    data = answer["data"]
    assert answer["problem"] == data["loki_problem"] == ""
    counts = {"sent": 3, "refused": 1, "unknown": 1, "stale": 1, "cooldown": 1, "late": 1, "closed": 3, "failed": 3, "kept": 2}
    assert data["counts"] == counts
    assert [one["outcome"] for one in data["signals"]][:3] == ["sent", "cooldown", "refused"]
    # The one is closed since, the other was sold by hand.
    assert [(one["symbol"], one["left"], one["why"]) for one in data["failed"]] == [("TSLA", 12, "the broker refuses: TSLA is halted")]
    assert [(one["symbol"], one["outcome"]) for one in data["closes"]] == [
        ("TSLA", "failed"),
        ("MSFT", "closed"),
        ("MSFT", "failed"),
        ("GE", "failed"),
        ("T", "closed"),
        (HOSTILE, "closed"),
    ]
    assert {one["symbol"]: one["why"] for one in data["kept"]} == {"KO": "on the list dividend_aristocrats", "BTC/USD": "no rule wants it"}
    shorter = served.api("strategies?range=1h")["data"]
    assert len(shorter["closes"]) == 4 and shorter["failed"] == data["failed"]


def test_a_run_that_closed_nothing_is_read_from_the_log(served, stores):
    """However long its report is."""
    report = {
        "level": "info",
        "message": "report",
        "type": "beancleaner_report",
        "account": "logged",
        "day": "2026-01-05",
        "refused": "no list",
    }
    kept = [{"symbol": f"K{number}", "why": "no list"} for number in range(200)]
    now = time.time_ns()
    stores.loki.push("beancleaner", [(now - 10**9, {**report, "kept": kept})])

    def told():
        data = served.api("strategies?range=24h")["data"]
        return [(one["account"], one["symbol"], one["why"]) for one in data["failed"] if one["list"] == "run"]

    wait_for(lambda: told() == [("logged", "", "no list")])
    stores.loki.push("beancleaner", [(now, {**report, "refused": ""})])
    wait_for(lambda: told() == [])


def test_a_report_shows_at_once_and_to_pages_that_open_later(served, stores):
    publish = stores.redis.client().publish
    wait_for(lambda: [one[1] for one in stores.redis.client().pubsub_numsub("beancleaner.paper", "earnyearn.paper")] == [1, 1])
    failed = {"symbol": "LIVE", "rule": "bell", "why": "halted", "qty": 0.0, "left": 5.0, "time_ns": time.time_ns()}
    report = {"type": "beancleaner_report", "time": "2026-01-05T00:00:00Z", "account": "paper", "day": "2026-01-05", "refused": ""}
    signal = {"type": "Signal", "id": "live-1", "account": "paper", "symbol": "LIVE", "at": "2026-01-05T00:00:00Z", "outcome": "refused"}
    sent = []

    def work():
        if not sent:
            sent.append(publish("beancleaner.paper", json.dumps({**report, "failed": [failed], "closed": [], "kept": []})))
            sent.append(publish("earnyearn.paper", "no JSON") + publish("earnyearn.paper", json.dumps(signal)))

    every = asyncio.run(live(served, lambda found: any(one["list"] == "signal" for one in found.get("new strategies", [])), work))
    news = [one for message in every if message["topic"] == "new strategies" for one in message["data"]]
    assert [(one["list"], one["outcome"]) for one in news] == [("run", ""), ("close", "failed"), ("signal", "refused")]
    later = asyncio.run(live(served, lambda found: "strategies" in found))
    assert {one["symbol"] for one in later[-1]["data"]} == {"", "LIVE"}


def test_curves(served):
    asyncio.run(live(served, lambda found: all(one["state"] == "running" for one in found.get("bots", [{"state": ""}]))))
    one, both = (served.api(f"profit?range=24h&{which}")["data"] for which in ("bot=bot-01", "currency=BTC"))
    assert one["currency"] == both["currency"] == "BTC"
    assert 280 <= len(one["points"]) <= 290 and one["points"][-1][1] == pytest.approx(288e-5)
    assert both["points"][-1][1] == pytest.approx(288e-5 * 0.5), "the sum of both"
    assert served.api("profit?range=24h&currency=USD")["data"]["points"] == []


def test_trades(served):
    every = served.api("trades?range=24h")["data"]["trades"]
    assert len(every) == 30 and {one["bot"] for one in every} == {"bot-01", "bot-02"}
    (own,) = {(one["bot"], one["pair"]) for one in served.api("trades?range=24h&bot=bot-02")["data"]["trades"]}
    assert own == ("bot-02", "LTC/BTC")


def test_costs(served):
    data = served.api("costs?range=24h")["data"]
    assert [(one["task"], one["usd"]) for one in data["tasks"]] == [("data-influxdb", 5.34), ("bot-01", 2.67)]
    assert data["total"] == pytest.approx(8.01)
    assert sum(one["usd"] for one in data["months"]) == pytest.approx(8.01 * 5 / 720, rel=0.01)


def test_what_services_dropped(served):
    rows = {one["service"]: one for one in served.api("telemetry")["data"]["rows"]}
    assert (rows["slanger"]["dropped"], rows["bot-metrics"]["written"], rows["bot-metrics"]["waiting"]) == (5, 1234, 3)


@pytest.mark.parametrize(
    "text", [NASTY, 'a "quoted"', "\\ back", "tick' {curly}", "$dollar | pipe (.*)", "<script>alert(1)</script>", "ünï", 'A "QUOTED"']
)
def test_any_text_is_found_as_it_stands(served, text):
    found = search(served, text=text, range="24h")["lines"]
    assert [one["message"] for one in found] == [NASTY]


@pytest.mark.parametrize("text", ['"} or {service=~".+', ".*", "`", "nothing like it", "|~ `x`", "$search", "${bot}", "\n", "\x00"])
def test_no_text_is_a_query(served, text):
    answer = served.api(f"logs?range=24h&text={requests.utils.quote(text, safe='')}")
    assert answer["problem"] == ""
    assert all(text.lower() in json.dumps([one["message"], one["rest"]], ensure_ascii=False).lower() for one in answer["data"]["lines"])


@pytest.mark.parametrize("key", ["service", "bot", "level"])
def test_no_choice_is_a_query(served, key):
    status, _, text = served.request(f"/api/logs?range=24h&{key}=" + requests.utils.quote('.*"} or {x=~".', safe=""))
    assert status == 400 or json.loads(text)["data"]["lines"] == []


def test_by_service_bot_and_level(served):
    assert {one["service"] for one in search(served, service="slanger", range="24h")["lines"]} == {"slanger"}
    assert {one["bot"] for one in search(served, bot="bot-01", range="24h")["lines"]} == {"bot-01"}
    assert search(served, bot="bot-02", range="24h")["lines"] == []
    errors = search(served, level="error", range="24h")["lines"]
    assert {(one["level"], one["service"]) for one in errors} == {("error", "slanger"), ("error", "freqtrade")}
    assert {one["level"] for one in search(served, level="warning", range="24h")["lines"]} == {"error", "warning"}
    assert {"freqtrade", "slanger"} <= set(search(served, range="24h")["services"])


def test_all_lines_page_by_page(served):
    seen, before = [], {}
    while True:
        data = search(served, bot="bot-01", range="24h", **before)
        seen += [one["ns"] for one in data["lines"]]
        if not data["more"]:
            break
        before = {"before": seen[-1]}
    assert len(seen) == len(set(seen)) == 700 and seen == sorted(seen, key=int, reverse=True)


def test_between_two_times(served, stores):
    start, end = stores.now // 10**6 - 1000_000, stores.now // 10**6 - 500_000
    found = search(served, bot="bot-01", **{"from": str(start), "to": str(end)})["lines"]
    assert found and all(start * 10**6 <= int(one["ns"]) < end * 10**6 for one in found)


async def live(served, enough, work=None, seconds=60):
    """All messages of a page by topic, until `enough(newest by topic)`; `work` is done once the page is open."""
    newest, every = {}, []
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"{served.url}/api/live", headers={"Origin": served.url}, max_msg_size=2**24)
        async with asyncio.timeout(seconds):
            while not enough(newest):
                message = json.loads((await socket.receive()).data)
                every.append(message)
                newest[message["topic"]] = message["data"]
                if work and message["topic"] == "tick":
                    work()
        await socket.close()
    return every


def outcome(**changes):
    usual = {
        "type": "outcome",
        "event": "outcome",
        "account": "paper",
        "time_ns": time.time_ns(),
        "kind": "ordered",
        "key": "live-1",
        "name": "macd-5m",
    }
    return json.dumps({**usual, "route": "market", "symbol": "AAPL", "side": "buy", "reason": "", "orders": 1, **changes})


def test_an_order_shows_at_once_and_to_pages_that_open_later(served, stores):
    publish = stores.redis.client().publish
    wait_for(lambda: stores.redis.client().pubsub_numsub("slanger.paper")[0][1] == 1)
    sent = []

    def work():
        if not sent:
            sent.append(
                publish("slanger.paper", "no JSON") + publish("slanger.paper", '{"type": "outcome"}') + publish("slanger.paper", outcome())
            )

    asyncio.run(live(served, lambda found: [one["kind"] for one in found.get("new orders", [])] == ["ordered"], work))
    later = asyncio.run(live(served, lambda found: "orders" in found))
    assert [one["name"] for one in later[-1]["data"]][-1] == "macd-5m"


def test_health_of_services(served):
    def settled(found):
        return {one["name"]: one["state"] for one in found.get("services", [])} == {
            "loki": "up",
            "redis": "up",
            "influxdb": "up",
            "gone": "down",
        }

    every = asyncio.run(live(served, settled))
    (gone,) = [one for one in every[-1]["data"] if one["name"] == "gone"] if every[-1]["topic"] == "services" else [None]
    assert gone is None or (gone["problem"] and "make logs BOT=gone" in gone["todo"])


def test_no_credential_in_any_answer(served, stores, bots):
    """As it stands, quoted as in a URL, and as in a header; even when a service logs one."""
    settings = read_settings(
        {key: value for key, value in environment(bots=bots.settings, **stores.settings).items() if key.startswith("BOARD_")}
    )
    stores.loki.push("leaky", [(time.time_ns(), {"level": "info", "message": f"connecting with {READER}", "url": settings.influx_url})])
    stores.redis.client().publish("slanger.paper", outcome(reason=f"refused with {READER}", key="leak"))
    asyncio.run(live(served, lambda found: any("•••" in one["reason"] for one in found.get("orders", []))))
    report = {"type": "beancleaner_report", "time": "2026-01-05T00:00:00Z", "account": "paper", "refused": f"Redis refuses {READER}"}
    stores.redis.client().publish("beancleaner.paper", json.dumps(report))
    asyncio.run(live(served, lambda found: any("•••" in one["why"] for one in found.get("strategies", []))))
    stores.write(
        [f'earnyearn_signal,account=paper,symbol=LEAK,reason={READER.replace(" ", chr(92) + " ")} id="leak",outcome="stale" 1000000000']
    )
    assert len(settings.secrets) >= 4
    users = {f"{one.username}:{one.password}" for one in settings.bots} | {f"reader:{READER}", f":{stores.redis.PASSWORD}"}
    forbidden = {*settings.secrets, *(requests.utils.quote(one, safe="") for one in settings.secrets)}
    forbidden |= {base64.b64encode(one.encode()).decode() for one in users}
    page = [f"/page/{one.name}" for one in (IMAGE / "board" / "page").iterdir()]
    texts = [
        served.request(path)
        for path in ["/", *page, "/health", "/nothing", *(f"/api/{one}" for one in PATHS), "/api/logs?text=" + "x" * 300]
    ]
    texts += [
        json.dumps(
            asyncio.run(live(served, lambda found: {"bots", "sources", "services", "orders", "strategies"} <= set(found))),
            ensure_ascii=False,
        )
    ]
    wait_for(lambda: "leaky" in json.dumps(search(served, range="15m", text="connecting with")))
    texts.append(json.dumps(search(served, range="15m", text="connecting with"), ensure_ascii=False))
    assert "•••" in texts[-1] and "•••" in texts[-2]
    for text in map(str, texts):
        assert not [one for one in forbidden if one in text or json.dumps(one)[1:-1] in text]


def test_a_store_that_comes_back_is_asked_again(served, stores):
    def state(name, wanted):
        def enough(found):
            served.api("orders?range=1h"), served.api("logs?range=15m")
            return any(one["name"] == name and one["state"] == wanted for one in found.get("sources", []))

        return enough

    for name, store in (("redis", stores.redis), ("influxdb", stores.influx), ("loki", stores.loki)):
        store.kill()
        asyncio.run(live(served, state(name, "down")))
        if name == "influxdb":
            answer = served.api("orders?range=24h")
            assert answer["problem"]
        store.start()
        asyncio.run(live(served, state(name, "up"), seconds=120))
    wait_for(lambda: not served.api("orders?range=24h")["problem"])
    # Redis pushes again too.
    wait_for(lambda: stores.redis.client().pubsub_numsub("slanger.paper")[0][1] == 1)
    stores.redis.client().publish("slanger.paper", outcome(key="after"))
    assert DATABASE and asyncio.run(live(served, lambda found: len(found.get("orders", [])) >= 1))

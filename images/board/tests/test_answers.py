"""Answers that browsers share, sources that are spared while they are down, spans of time, sums of curves, texts without credentials."""

import asyncio
import json
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from board.curves import profit_curves, total, widened
from board.fetch import Address, beside, get_json
from board.influx import Series
from board.loki import line_of
from board.orders import order_data
from board.panels import Panels
from board.redact import redactor
from board.service_health import ServiceWatch
from board.settings import Service, read_settings
from board.shared import Shared
from board.sources import BadQuery, Source, SourceDown, TooSlow
from board.window import RANGES, Window, chart_window, grid, log_window


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def run(work):
    return asyncio.run(asyncio.wait_for(work, 20))


def test_twenty_browsers_are_one_question():
    asked = []

    async def slow():
        asked.append(1)
        await asyncio.sleep(0.01)
        return "data"

    async def ask():
        shared = Shared(10)
        first = await asyncio.gather(*(shared.get("key", 60, slow) for _ in range(20)))
        return [*first, await shared.get("key", 60, slow)]

    assert {answer.data for answer in run(ask())} == {"data"} and len(asked) == 1


def test_a_browser_that_goes_away_does_not_end_what_the_others_wait_for():
    async def slow():
        await asyncio.sleep(0.05)
        return "data"

    async def ask():
        shared = Shared(10)
        gone = asyncio.create_task(shared.get("key", 60, slow))
        stays = asyncio.create_task(shared.get("key", 60, slow))
        await asyncio.sleep(0.01)
        gone.cancel()
        return (await stays).data

    assert run(ask()) == "data"


def test_the_last_good_answer_stays_with_the_reason():
    clock = Clock()

    async def good():
        return "data"

    async def bad():
        raise SourceDown("it is away")

    async def ask():
        shared = Shared(10, clock)
        answers = [await shared.get("key", 5, bad), await shared.get("other", 5, good)]
        clock.now += 6
        answers.append(await shared.get("other", 5, bad))
        clock.now += 6
        return [*answers, await shared.get("other", 5, good)]

    never, fresh, old, again = run(ask())
    assert (never.data, never.problem) == (None, "it is away")
    assert (old.data, old.at, old.problem) == ("data", fresh.at, "it is away")
    assert (again.data, again.problem) == ("data", "")


def test_no_more_answers_are_kept_than_said():
    asked = []

    async def ask():
        shared = Shared(3)

        def compute(key):
            async def work():
                asked.append(key)
                return key

            return work

        for key in (*range(5), 4, 0):
            await shared.get(key, 60, compute(key))

    run(ask())
    assert asked == [0, 1, 2, 3, 4, 0]


def test_a_source_that_is_down_is_not_asked_all_the_time():
    clock, asked = Clock(), []
    source = Source("loki", "Loki", "look at its log", clock=clock)

    async def away():
        asked.append(clock.now)
        raise SourceDown("connection refused")

    async def ask(times, call=away):
        for _ in range(times):
            try:
                await source.ask(call)
            except SourceDown as down:
                assert str(down) == "connection refused"

    run(ask(1))
    assert source.state == "unknown", "one failure may be a hiccup"
    run(ask(10))
    assert len(asked) == 2 and source.state == "down" and source.described()["problem"] == "connection refused"
    clock.now += 1.1
    run(ask(10))
    assert len(asked) == 3, "one question finds out whether it is back"

    async def well():
        return 1

    clock.now += 2.1
    run(ask(1, well))
    assert source.state == "up" and "problem" not in source.described()


def test_only_one_question_finds_out_whether_it_is_back():
    clock, asked = Clock(), []
    source = Source("loki", "Loki", "", clock=clock)
    source.failed("away")
    source.failed("away")
    clock.now += 60

    async def slow():
        asked.append(1)
        await asyncio.sleep(0.02)

    async def ask():
        return await asyncio.gather(*(source.ask(slow) for _ in range(5)), return_exceptions=True)

    assert len([one for one in run(ask()) if isinstance(one, SourceDown)]) == 4 and len(asked) == 1


def test_a_question_that_is_refused_says_nothing_about_the_source():
    source = Source("influxdb", "InfluxDB", "")

    async def refused():
        raise BadQuery("too many points")

    async def ask():
        for _ in range(5):
            with pytest.raises(BadQuery):
                await source.ask(refused)

    run(ask())
    assert source.state == "up"


def test_a_stack_without_the_store_asks_nobody():
    async def never():
        raise AssertionError

    with pytest.raises(SourceDown, match="this stack has none"):
        run(Source("redis", "Redis", "", given=False).ask(never))


@pytest.mark.parametrize("name", RANGES)
def test_a_chart_has_a_few_hundred_points(name):
    window = chart_window(name)
    first, last, step = grid(window)
    assert 200 <= (last - first) / step <= 400
    assert first % step == 0 and first * 1000 <= window.start_ms < (first + step) * 1000


def test_with_many_bots_points_are_further_apart():
    window = chart_window("24h")
    assert widened(window, 20_000 // 50) == window
    assert widened(window, 20_000 // 200).step_s > window.step_s


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"range": "2h"}, "range='2h': use one of"),
        ({"from": "1"}, "to: give the day and the time"),
        ({"from": "-1", "to": "5"}, "from: give the day"),
        ({"from": "5", "to": "5"}, "from must be earlier than to"),
        ({"from": "1", "to": str(10**13)}, "more than 31 days apart"),
        ({"from": "1" * 30, "to": "2"}, "from: give the day"),
    ],
)
def test_a_time_that_cannot_be_searched(parameters, message):
    with pytest.raises(ValueError, match=message):
        log_window(parameters)


def test_a_search_of_one_second_asks_the_same():
    assert log_window({"range": "1h"}, 1_000_000_000_123) == log_window({"range": "1h"}, 1_000_000_000_999)
    assert log_window({"from": "1000", "to": "5000"}) == Window(1000, 5000, 60)


def test_the_sum_of_curves_changes_when_one_of_them_does():
    assert total([[(10, 1.0), (30, 2.0)], [(20, 5.0), (30, 4.0)]]) == [(10, 1.0), (20, 6.0), (30, 6.0)]
    assert total([]) == []


def test_credentials_are_taken_out_of_what_others_say():
    clean = redactor(["hush-hush", "a+b"])
    said = {"lines": [{"message": "password hush-hush refused", "rest": {"hush-hush": ["a+b", 5, None]}}]}
    assert clean(said) == {"lines": [{"message": "password ••• refused", "rest": {"•••": ["•••", 5, None]}}]}
    assert redactor([])("hush-hush") == "hush-hush"


class Asked:
    """An Ask whose InfluxDB gives `found` by query; Loki is down. `windows`: of what it was asked."""

    def __init__(self, **found):
        self.found, self.windows = found, []

    async def series(self, file, name, window, **values):
        self.windows.append(window)
        return self.found.get(name, [])

    async def numbers(self, *_):
        raise SourceDown("can't connect")

    lines = numbers


def curve(bot, *points):
    return Series("bot", {"bot": bot}, [{"time": seconds * 1000, "profit": value} for seconds, value in points])


def test_curves_begin_with_a_whole_step():
    """A cut one has the points of some bots only: their sum would begin too low."""
    ask, window = Asked(), chart_window("7d", now=1_767_571_234_000)
    _, axis = run(profit_curves(ask, window, 2))
    (asked,) = ask.windows
    assert asked.start_ms == axis[0] * 1000 <= window.start_ms and asked.end_ms == window.end_ms


def profit_of(moneys, **parameters):
    """The last value of the panel, with a curve for each bot: 1, 2, 4, …"""
    settings = read_settings(
        {"BOARD_BOTS": json.dumps([{"name": name, "url": "http://bot:1", "username": "user", "password": "word"} for name in moneys])}
    )
    ask = Asked(profit=[curve(name, (10, 2.0**place)) for place, name in enumerate(moneys)])

    async def answer():
        return await Panels(settings, ask, moneys.__getitem__, lambda said: said).answer("profit", parameters)

    points = run(answer()).data["points"]
    return points[-1][1] if points else None


def test_only_profits_of_one_known_money_are_added_up():
    mixed = {"live": ("USDT", False), "dry": ("USDT", True), "other": ("USDT", True), "silent": ("", True)}
    assert profit_of(mixed, currency="USDT") == 1.0, "real money alone"
    assert profit_of(mixed, currency="USDT", dry="1") == 2.0 + 4.0
    assert profit_of(mixed, bot="dry") == 2.0
    assert profit_of({"one": ("BTC", True), "two": ("BTC", True)}, currency="BTC") == 3.0
    assert profit_of({"one": ("", True), "two": ("", True)}, currency="") is None, "they may earn different ones"
    assert profit_of({"one": ("", True)}, currency="") == 1.0


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_logged_number_that_no_browser_reads_stays_text(value):
    found = line_of("1", f'{{"message": "odd", "level": "info", "ratio": {value}, "half": 0.5, "deep": [{value}]}}', {})
    assert found.rest == {"ratio": value, "half": 0.5, "deep": [value]}
    json.dumps(found.rest, allow_nan=False)


@pytest.mark.parametrize(("lives", "failure"), [(True, TooSlow), (False, SourceDown)])
def test_a_slow_question_is_no_store_that_is_down(lives, failure):
    async def ask():
        async def slow(_):
            await asyncio.Event().wait()

        async def ping(_):
            return web.Response(status=204 if lives else 503)

        app = web.Application()
        app.router.add_get("/folder/query", slow)
        app.router.add_get("/folder/ping", ping)
        runner = web.AppRunner(app, shutdown_timeout=0.01)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        where = Address("http://{}:{}/folder/query?db=x".format(*runner.addresses[0]), {})
        try:
            async with aiohttp.ClientSession() as session:
                await get_json(session, where, {"q": "1"}, 0.1, beside(where, "ping"))
        finally:
            await runner.cleanup()

    with pytest.raises((SourceDown, BadQuery), match="no answer within 0.1 s") as told:
        run(ask())
    assert type(told.value) is failure and ("choose a shorter range" in str(told.value)) is lives


def test_counts_are_of_the_whole_range():
    """An alert that was delivered again is in two bars and counts once."""

    def rows(*counts):
        return Series(
            "slanger_outcome", {"kind": "ordered"}, [{"time": 60_000 * place, "count": count} for place, count in enumerate(counts)]
        )

    data = run(order_data(Asked(outcomes=[rows(1, 1)], outcome_counts=[rows(1)]), Window(0, 120_000, 60)))
    assert data["counts"] == {"ordered": 1, "passed": 0, "refused": 0, "fills": 0, "accepted": None, "rejected": None}
    assert sum(sum(values) for _, *values in data["bars"]) == 2


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:99999", "tcp://[x:1", "http://a..b/health", f"tcp://{'x' * 64}.internal:1", "tcp://.x:1"])
def test_a_service_with_an_odd_url_is_down_and_ends_nothing(url):
    async def look():
        async with aiohttp.ClientSession() as session:
            watch = ServiceWatch(Service("odd", url), session)
            for _ in range(2):
                await watch.look()
            return watch.row()

    row = run(look())
    assert row["state"] == "down" and row["problem"]


def test_the_log_search_offers_services_that_there_are():
    settings = read_settings({"BOARD_BOTS": json.dumps([{"name": "bot", "url": "http://bot:1", "username": "user", "password": "word"}])})

    async def none(*_, **__):
        return []

    async def answer():
        ask = SimpleNamespace(lines=none, loki=SimpleNamespace(values=none))
        return await Panels(settings, ask, lambda _: ("", True), lambda said: said).answer("logs", {})

    assert run(answer()).data["services"] == []

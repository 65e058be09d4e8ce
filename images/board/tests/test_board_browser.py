"""The page in Chromium: every panel and control, with data and with everything down, by mouse and by keyboard, wide and on a phone, dark and light."""

import json
import time
from datetime import UTC, datetime

import pytest
from board_chromium import DESKTOP, PHONE, Page, start_browser
from board_stores import HOSTILE, NASTY
from board_world import Bots, Broken, Served
from botkit_servers import free_port, wait_for
from selenium.webdriver.common.keys import Keys

pytestmark = [pytest.mark.browser, pytest.mark.servers]
VIEWS = [(DESKTOP, "dark"), (DESKTOP, "light"), (PHONE, "dark"), (PHONE, "light")]
views = pytest.mark.parametrize(("size", "scheme"), VIEWS, ids=[f"{size[0]}-{scheme}" for size, scheme in VIEWS])
FILLED = {
    "#order-list tbody": "dead letter", "#cost-table": "data-influxdb", "#telemetry": "slanger", "#log-lines": "Wallets synced",
    "#signal-list tbody": "cooldown", "#close-list tbody": "halted", "#kept-list tbody": "dividend_aristocrats",
    "#service-list": "InfluxDB", "#closed-trades tbody": "BTC", "#profit-legend": "BTC", "#open-trades tbody": "BTC",
}  # fmt: skip
PANELS = ("bots", "profit", "trades", "orders", "strategies", "services", "costs", "logs")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = start_browser(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def bots():
    made = Bots(3)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def served(stores, bots, vendor, tmp_path_factory):
    services = [{"name": "loki", "url": f"tcp://127.0.0.1:{stores.loki.port}"}, {"name": "gone", "url": "tcp://127.0.0.1:1"}]
    started = Served(
        tmp_path_factory.mktemp("board") / "log",
        bots=bots.settings,
        services=services,
        vendor=str(vendor),
        title="Our bots",
        **stores.settings,
    )
    yield started
    assert "Traceback" not in started.stop()


@pytest.fixture(scope="module")
def nothing_up(vendor, tmp_path_factory):
    """A board of which every source refuses connections."""
    dead = f"http://127.0.0.1:{free_port()}"
    bots = [{"name": f"bot-{number}", "url": dead, "username": "user", "password": "hush-hush"} for number in (1, 2)]
    started = Served(
        tmp_path_factory.mktemp("down") / "log", bots=bots, services=[{"name": "webhook", "url": dead}], vendor=str(vendor), accounts="paper",
        influx_url=f"{dead}/query?db=x", loki_url=dead, redis_url=dead.replace("http", "redis"),
    )  # fmt: skip
    yield started
    assert "Traceback" not in started.stop()


@pytest.fixture
def page(browser, served):
    opened = Page(browser, served.url)
    opened.live()
    yield opened
    assert opened.complaints() == []


def filled(page):
    """Every panel has its data."""
    page.live()
    page.wait(lambda: len(page.all("#bot-rows tr")) == 3 and "running" in page.text("#bot-rows"))
    for selector, part in FILLED.items():
        page.wait_text(selector, part)


@views
def test_every_panel_with_data(browser, served, size, scheme):
    page = Page(browser, served.url, size, scheme)
    filled(page)
    assert page.overflow() == 0
    assert page.text("h1") == "Our bots" and page.browser.title == "Our bots"
    dark = page.js("return getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, dark.strip("rgb()").split(","))) < 60) == (scheme == "dark")
    for panel in PANELS:
        box = page.js("const box = document.getElementById(arguments[0]).getBoundingClientRect(); return [box.left, box.right]", panel)
        assert box[0] >= 0 and box[1] <= size[0], (panel, box)
    # Charts are drawn, and told to who can't see them.
    for chart, words in (("profit-chart", "Profit of all bots in BTC"), ("orders-chart", "40 together"), ("cost-chart", "$8.01 now")):
        assert page.all(f"#{chart} canvas")
        page.wait(lambda chart=chart, words=words: words in page.at(chart).get_attribute("aria-label"))
    assert page.texts("#order-counts dd") == ["6", "1", "32", "4", "4", "32"]
    assert "2 of 3" not in page.text("#stat-bots") and page.text("#stat-bots") == "3 of 3"
    assert page.text("#stat-cost") == "$8.01"
    page.wait_text("#down", "Service gone")
    page.wait_text("#down", "make logs BOT=gone")
    hosts = page.js("return performance.getEntriesByType('resource').map(one => new URL(one.name).host)")
    assert set(hosts) == {served.url.removeprefix("http://")}
    assert page.complaints() == []


@views
def test_every_panel_with_everything_down(browser, nothing_up, size, scheme):
    page = Page(browser, nothing_up.url, size, scheme)
    page.live()
    page.wait(lambda: len(page.all("#down-list li")) == 6, f"all six: {page.text('#down')}")
    for title in ("InfluxDB", "Loki", "Redis", "Bot bot-1", "Bot bot-2", "Service webhook"):
        (line,) = [one for one in page.texts("#down-list li") if one.startswith(title)]
        assert " since " in line and "onnect" in line and "make logs BOT=" in line, line
    for panel in ("profit", "trades", "orders", "strategies", "costs", "telemetry"):
        page.wait_text(f"[data-notice={panel}]", "InfluxDB is down since")
    page.wait_text("[data-notice=logs]", "Loki")
    page.wait_text("[data-notice=redis]", "Redis is down since")
    page.wait(lambda: page.texts("#bot-rows .mark") == ["unreachable"] * 2)
    assert page.text("#stat-bots") == "0 of 2"
    assert page.overflow() == 0
    # The rest goes on: what is chosen is still obeyed.
    page.click("#bot-rows [data-bot=bot-2]")
    page.wait(lambda: page.text("#trades-title") == "Trades of bot-2")
    page.radio("range", "7d")
    page.wait(lambda: "last 7 days" in page.text("#trades"))
    page.click("#log-form button[type=submit]")
    page.wait_text("[data-notice=logs]", "Loki is down since")
    assert page.complaints() == []


def test_the_bots_controls(page):
    filled(page)
    page.click("#bot-rows [data-bot=bot-02]")
    page.wait(lambda: page.text("#trades-title") == "Trades of bot-02")
    assert page.js("return new URL(location).searchParams.get('bot')") == "bot-02"
    assert page.js("return document.querySelector('[data-bot=bot-02]').getAttribute('aria-pressed')") == "true"
    page.wait(lambda: "Profit of bot-02" in page.at("profit-chart").get_attribute("aria-label"))
    page.wait(lambda: set(page.texts("#closed-trades tbody td:nth-child(2)")) == {"LTC/BTC"})
    assert "running" in page.text("#bot-facts")
    page.choose("profit-of", "bot-01")
    page.wait(lambda: page.text("#trades-title") == "Trades of bot-01")
    page.choose("profit-of", "*BTC")
    page.wait(lambda: page.text("#trades-title") == "Trades of all bots")
    page.at("bot-filter").send_keys("-03")
    page.wait(lambda: page.texts("#bot-rows .pick") == ["bot-03"])
    page.at("bot-filter").send_keys("x")
    page.wait_text("#bots-empty", "No bot's name contains")
    page.at("bot-filter").clear()
    page.at("bot-filter").send_keys(" ", Keys.BACKSPACE)
    heads = page.js("return [...document.querySelectorAll('#bot-table thead th')].map(one => one.checkVisibility() ? one.innerText : '')")
    assert [one.strip(" ↑↓") for one in heads if one] == ["Bot", "State", "Last loop", "Open", "Closed", "Profit"]
    for number, head in enumerate(heads):
        if not head:
            continue
        page.click(f"#bot-table th:nth-child({number + 1}) button")
        first = page.js("return document.querySelectorAll('#bot-table th')[arguments[0]].getAttribute('aria-sort')", number)
        names = page.texts("#bot-rows .pick")
        page.click(f"#bot-table th:nth-child({number + 1}) button")
        second = page.js("return document.querySelectorAll('#bot-table th')[arguments[0]].getAttribute('aria-sort')", number)
        assert {first, second} == {"ascending", "descending"}
        if head.startswith("Bot"):
            assert page.texts("#bot-rows .pick") == names[::-1]
    assert len(page.all("#bot-table [aria-sort]")) == 1


def test_the_ranges(page):
    filled(page)
    for value, words in (
        ("1h", "last hour"),
        ("6h", "last 6 hours"),
        ("24h", "last 24 hours"),
        ("7d", "last 7 days"),
        ("30d", "last 30 days"),
    ):
        page.radio("range", value)
        for chart in ("profit-chart", "orders-chart", "cost-chart"):
            page.wait(lambda chart=chart, words=words: words in page.at(chart).get_attribute("aria-label"), f"{chart} {words}")
        assert words in page.text(".stats")
    page.browser.refresh()
    page.live()
    assert page.js("return document.querySelector('input[name=range]:checked').value") == "30d", "what was chosen stays over a reload"


def test_tables_behind_the_charts(page):
    filled(page)
    for panel, table in (("profit", "profit-table"), ("orders", "orders-table")):
        page.click(f"#{panel} details summary")
        page.wait(lambda table=table: len(page.all(f"#{table} tbody tr")) > 10)
        page.click(f"#{panel} details summary")


def test_kinds_of_orders(page):
    filled(page)
    orders, trouble = {"ordered", "filled"}, {"dead letter", "rejected"}
    for kind, wanted in (("orders", orders), ("trouble", trouble), ("all", {*orders, "passed", *trouble})):
        page.radio("order-kind", kind)
        page.wait(lambda wanted=wanted: set(page.texts("#order-list tbody .mark")) == wanted, kind)


def test_times_of_a_zone_west_of_utc(browser, nothing_up):
    """UTC's midnight is the evening before there; a month's cost stays that month's."""
    page = Page(browser, nothing_up.url, zone="America/New_York")
    page.live()
    ask = """
        const [chart, format] = await Promise.all([import("/page/chart.js"), import("/page/format.js")]);
        const at = Date.UTC(2026, 2, 1);
        return [chart.tick(at / 1000, 1), chart.tick(at / 1000 + 86400, 2), chart.tick(at / 1000 + 5 * 3600, 2), format.monthUtc(at)];"""
    assert page.js(f"return (async () => {{ {ask} }})()") == ["28 Feb 19:00", "1 Mar 19:00", "1 Mar", "Mar 2026"]


def test_the_choice_of_a_zone_keeps_what_is_told_as_down(browser, nothing_up):
    page = Page(browser, nothing_up.url)
    panels = ("profit", "orders", "costs")
    for panel in panels:
        page.wait_text(f"[data-notice={panel}]", "InfluxDB is down since")
    hidden = """
        document.getElementById("zone").value = "UTC";
        document.getElementById("zone").dispatchEvent(new Event("change"));
        return arguments[0].filter(one => document.querySelector(`[data-notice=${one}]`).hidden);"""
    assert page.js(hidden, panels) == []
    page.choose("zone", "own")


def test_play_money_is_not_added_to_real_money(browser, nothing_up):
    page = Page(browser, nothing_up.url)
    page.live()
    ask = """
        const own = await import("/page/bots.js");
        own.bots.splice(0, own.bots.length,
          ...[[1, false, "USDT"], [10, true, "USDT"], [20, true, "USDT"], [0.5, true, "BTC"]].map(
            ([profit, dry, currency], number) => ({name: `bot-${number}`, profit, dry, currency})));
        return [own.moneys().map(one => one.name), own.sums("profit").map(one => one.textContent)];"""
    names, sums = page.js(f"return (async () => {{ {ask} }})()")
    assert names == ["BTC, dry run", "USDT", "USDT, dry run"]
    assert sums == ["+0.500000 BTC, dry run", "+1.00 USDT", "+30.00 USDT, dry run"]


def test_a_page_that_is_open_for_long_keeps_the_newest_orders_only(browser, nothing_up):
    page = Page(browser, nothing_up.url)
    ask = """
        const {remember} = await import("/page/orders.js"), events = new Map();
        for (let id = 0; id < 250; id++) remember(events, {id, time: id});
        remember(events, {id: 50, time: 60, kind: "newer"});
        remember(events, {id: 60, time: 1, kind: "older"});
        return [events.size, events.keys().next().value, events.get(50).kind, events.get(60).kind];"""
    assert page.js(f"return (async () => {{ {ask} }})()") == [200, 51, "newer", None]


def test_following_says_only_what_was_asked_for(browser, nothing_up):
    page = Page(browser, nothing_up.url)
    page.live()
    page.click("#log-follow")
    page.wait(lambda: page.at("log-said").get_attribute("aria-live") == "off")
    page.js("document.getElementById('log-follow').checked = false")
    page.click("#log-form button[type=submit]")
    page.wait(lambda: page.at("log-said").get_attribute("aria-live") == "polite")


def test_zone_and_colours(page):
    filled(page)
    newest = page.text("#order-list tbody time")
    page.choose("zone", "UTC")
    page.wait(lambda: page.text("#order-list tbody time") != newest)
    assert "Berlin" in page.text("#zone") and "UTC+" in page.text("#zone")
    ground = lambda: page.js("return getComputedStyle(document.body).backgroundColor")  # noqa: E731
    dark = ground()
    page.choose("theme", "light")
    light = ground()
    assert light != dark
    page.browser.refresh()
    page.live()
    assert ground() == light and page.js("return document.getElementById('zone').value") == "UTC"
    page.choose("theme", "system")
    assert ground() == dark
    page.choose("zone", "own")


def test_log_search(page):
    filled(page)
    page.at("log-text").send_keys("<script>alert(1)", Keys.ENTER)
    page.wait(lambda: page.texts("#log-lines .message") == [NASTY])
    page.click("#log-lines summary")
    page.wait_text("#log-lines pre", "logger: slanger.accept.journal")
    page.at("log-text").clear()
    page.choose("log-service", "slanger")
    page.wait(lambda: len(page.all("#log-lines li")) == 8)
    page.choose("log-level", "warning")
    page.wait(lambda: page.texts("#log-lines .level") == ["warning", "error"])
    page.choose("log-level", "")
    page.choose("log-service", "")
    page.choose("log-bot", "bot-02")
    page.wait(lambda: page.at("logs-empty").is_displayed() and not page.all("#log-lines li"))
    page.choose("log-bot", "bot-01")
    page.choose("log-range", "24h")
    page.wait(lambda: len(page.all("#log-lines li")) == 300)
    page.click("#log-older")
    page.wait(lambda: len(page.all("#log-lines li")) == 600)
    page.click("#log-older")
    page.wait(lambda: len(page.all("#log-lines li")) == 700 and not page.at("log-older").is_displayed())


def test_logs_between_two_times(page):
    filled(page)
    page.choose("log-range", "custom")
    assert page.at("log-from").is_displayed() and not page.at("log-follow").is_enabled()
    set_value = "const box = document.getElementById(arguments[0]); box.value = arguments[1]"
    page.js(set_value, "log-from", "2020-01-01T00:00:00")
    page.click("#log-form button[type=submit]")
    page.wait_text("[data-notice=logs]", "31 days apart")
    page.js(set_value, "log-from", "")
    page.click("#log-form button[type=submit]")
    page.wait_text("[data-notice=logs]", "give the day and the time")
    assert page.complaints() and page.complaints() == []  # Two answers of 400, as they should be.
    page.choose("log-range", "1h")
    page.wait(lambda: page.all("#log-lines li") and not page.at("log-from").is_displayed())


def test_following_the_logs(page, stores):
    filled(page)
    page.click("#log-follow")
    stores.loki.push("slanger", [(time.time_ns(), {"level": "info", "message": f"fresh line {time.time_ns()}", "service": "slanger"})])
    page.wait_text("#log-lines li", "fresh line")


def test_an_order_appears_without_a_reload(page, stores):
    filled(page)
    page.js("window.before = true")
    wait_for(lambda: stores.redis.client().pubsub_numsub("slanger.paper")[0][1] == 1)
    key = f"key-{time.time_ns()}"
    event = {"type": "outcome", "event": "outcome", "account": "paper", "time_ns": time.time_ns(), "kind": "ordered", "key": key, "name": "<i>fresh</i>",
             "route": "limit", "symbol": "NVDA", "side": "sell", "reason": "", "orders": 1}  # fmt: skip
    stores.redis.client().publish("slanger.paper", json.dumps(event))
    page.wait(lambda: "<i>fresh</i>" in page.text("#order-list tbody tr") and "sell NVDA" in page.text("#order-list tbody tr"))
    assert page.js("return window.before") is True


@views
def test_a_failed_closing_is_seen_at_once(browser, served, size, scheme):
    """On a phone too, without a scroll, and whichever range is chosen; what is settled is told in the list alone."""
    page = Page(browser, served.url, size, scheme)
    filled(page)
    for span in ("24h", "1h"):
        page.radio("range", span)
        page.wait_text("#failed", "TSLA was not closed")
        page.wait_text("#failed-list", "the broker refuses: TSLA is halted")
        assert "12 left" in page.text("#failed") and "MSFT" not in page.text("#failed") and "GE" not in page.text("#failed")
        page.js("window.scrollTo(0, 0)")
        box = page.js("const box = document.querySelector('#failed-list').getBoundingClientRect(); return [box.top, box.bottom]")
        assert 0 < box[0] < box[1] <= size[1]
        assert page.js("const list = document.querySelector('#failed-list'); return list.scrollWidth - list.clientWidth") <= 0
    mark = page.js("return document.querySelector('#close-list tr.failed td:nth-child(3)').getBoundingClientRect().right")
    assert mark <= size[0], "without a scroll to the side"
    assert page.at("failed-announce").get_attribute("role") == "alert" and "TSLA" in page.at("failed-announce").get_attribute("textContent")
    marks = dict(zip(page.texts("#close-list tbody td:nth-child(2) > span"), page.texts("#close-list tbody .mark")))
    assert {one.split()[0]: word for one, word in marks.items() if one.startswith(("TSLA", "GE"))} == {
        "TSLA": "failed",
        "GE": "failed, flat since",
    }
    assert [one.split()[0] for one in page.texts("#close-list tr.failed td:nth-child(2)")] == ["TSLA"]
    colours = page.js(
        "return ['tr.failed td', 'tr:not(.failed) td'].map(one => getComputedStyle(document.querySelector('#close-list tbody ' + one)).backgroundColor)"
    )
    assert colours[0] != colours[1]
    assert page.overflow() == 0 and page.complaints() == []


def test_what_services_say_stays_text(page):
    """A symbol and a reason that would be markup, and a script."""
    filled(page)
    page.wait(lambda: any(HOSTILE in one for one in page.texts("#close-list tbody td")))
    (row,) = [one for one in page.texts("#close-list tbody tr") if HOSTILE in one]
    assert NASTY in row
    assert page.all("#strategies img, #failed img, #strategies script") == []


def test_a_closing_that_fails_appears_and_goes_without_a_reload(page, stores):
    filled(page)
    page.js("window.before = true")
    publish = stores.redis.client().publish
    wait_for(lambda: stores.redis.client().pubsub_numsub("beancleaner.paper")[0][1] == 1)
    report = {
        "type": "beancleaner_report",
        "time": "2026-01-05T00:00:00Z",
        "account": "paper",
        "day": "2026-01-05",
        "refused": "",
        "failed": [],
        "closed": [],
        "kept": [],
    }
    now = time.time_ns()
    entry = {"symbol": HOSTILE, "rule": "bell", "why": NASTY, "qty": 0.0, "left": 2.5, "time_ns": now}
    publish("beancleaner.paper", json.dumps({**report, "failed": [entry]}))
    page.wait(
        lambda: f"{HOSTILE} was not closed" in page.text("#failed") and NASTY in page.text("#failed") and "2.5 left" in page.text("#failed")
    )
    assert page.text("#failed-title") == "2 closings failed" and page.all("#failed img") == []
    publish("beancleaner.paper", json.dumps({**report, "closed": [{**entry, "why": "flat", "left": 0.0, "time_ns": now + 10**9}]}))
    page.wait(lambda: page.text("#failed-title") == "A closing failed")
    assert page.js("return window.before") is True
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    no_list = "nothing is closed: the list holds can't be read"
    publish("beancleaner.paper", json.dumps({**report, "time": at, "refused": no_list}))
    page.wait(lambda: "Nothing was closed" in page.text("#failed") and no_list in page.text("#failed"))
    publish("beancleaner.paper", json.dumps({**report, "time": datetime.now(UTC).isoformat(timespec="milliseconds")}))
    page.wait(lambda: no_list not in page.text("#failed"))


def test_a_signal_appears_without_a_reload_and_once(page, stores):
    filled(page)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    signal = {
        "type": "Signal",
        "id": f"live-{at}",
        "account": "paper",
        "symbol": "LIVE",
        "side": "buy",
        "reason": "rsi",
        "at": at,
        "price": 9.5,
    }
    for outcome in ("unknown", "sent"):
        stores.redis.client().publish("earnyearn.paper", json.dumps({**signal, "outcome": outcome}))
        page.wait(lambda outcome=outcome: [outcome in one for one in page.texts("#signal-list tbody tr") if "buy LIVE" in one] == [True])


def test_an_alert_that_is_delivered_again_stands_there_once(page, stores):
    filled(page)
    now = time.time_ns()
    event = {"type": "outcome", "event": "outcome", "account": "paper", "key": f"again-{now}", "name": f"again-{now}", "symbol": "AAPL"}
    for kind, word, at in (("ordered", "ordered", now), ("passed", "passed", now + 10**9), ("ordered", "passed", now + 1)):
        stores.redis.client().publish("slanger.paper", json.dumps({**event, "kind": kind, "time_ns": at}))
        page.wait(lambda word=word: [word in one for one in page.texts("#order-list tbody tr") if event["name"] in one] == [True])


def test_what_is_settled_and_what_is_not(browser, nothing_up):
    page = Page(browser, nothing_up.url)
    ask = """
        const {settledTimes, unsettled} = await import("/page/strategies.js");
        const one = (symbol, time, account = "main") => ({account, symbol, time, id: `${account}${symbol}${time}`});
        const settled = settledTimes([["main", "A", 10], ["main", "C", 10], ["main", "D", 11], ["main", "", 5]], [one("B", 7), one("A", 8), one("D", 9)]);
        const failed = [one("A", 10), one("A", 11), one("A", 12), one("B", 6), one("D", 10), one("C", 4), one("C", 3, "second"), one("", 5), one("", 6)];
        return unsettled(failed, settled).map(one => `${one.account} ${one.symbol} ${one.time}`);"""
    assert page.js(f"return (async () => {{ {ask} }})()") == ["main A 12", "main  6", "second C 3"]


def test_a_stack_without_strategies_says_so(browser, vendor, tmp_path):
    empty = Broken("", {"results": [{}]})
    served = Served(tmp_path / "log", influx_url=f"{empty.url}/query?db=x", vendor=str(vendor))
    page = Page(browser, served.url, PHONE)
    page.live()
    page.wait_text("#signals-empty", "No signal in the last 24 hours: none arose, or no service writes them yet (earnyearn does).")
    page.wait_text(
        "#closes-empty", "Nothing was closed in the last 24 hours: no rule was due, or no service writes it yet (beancleaner does)."
    )
    page.wait_text("#kept-empty", "No position is known to be kept.")
    assert page.texts("#strategy-counts dd") == ["0"] * 6 and not page.at("failed").is_displayed()
    served.stop()
    empty.stop()


def test_a_bot_that_goes_and_comes_back(page, bots):
    filled(page)
    bots.bots["bot-03"].fault = "500"
    page.wait(lambda: "unreachable" in page.text("#bot-rows tr") and "Bot bot-03" in page.text("#down"))
    assert page.text("#stat-bots") == "2 of 3"
    bots.bots["bot-03"].fault = ""
    page.wait(lambda: "unreachable" not in page.text("#bot-rows") and "bot-03" not in page.text("#down"))


def test_the_boards_own_end_is_told_and_its_return_needs_no_reload(browser, bots, vendor, tmp_path):
    port = str(free_port())
    first = Served(tmp_path / "first", port=port, bots=bots.settings, vendor=str(vendor))
    page = Page(browser, first.url, PHONE)
    page.live()
    page.wait(lambda: "running" in page.text("#bot-rows"))
    page.js("window.before = true")
    first.stop()
    page.wait(lambda: page.at("live").get_attribute("data-state") == "stale")
    assert "nothing new since" in page.text("#live") and page.overflow() == 0
    second = Served(tmp_path / "second", port=port, bots=bots.settings, vendor=str(vendor))
    page.live()
    assert page.js("return window.before") is True
    second.stop()


@pytest.mark.parametrize("source", ["served", "nothing_up"])
def test_by_keyboard_alone(browser, source, request):
    page = Page(browser, request.getfixturevalue(source).url)
    page.live()
    page.wait(lambda: len(page.all("#bot-rows tr")) >= 2 and (source == "nothing_up" or "running" in page.text("#bot-rows")))
    if source == "served":
        filled(page)
    page.tab()
    assert page.focused() == "body/A Skip to the panels"
    page.wait(lambda: page.js("return document.activeElement.getBoundingClientRect().top") >= 0)
    page.press(Keys.ENTER)
    assert page.js("return document.activeElement.id") == "main"
    page.browser.get(page.browser.current_url.partition("#")[0])
    page.live()
    if source == "served":
        filled(page)
    # Everything that can be operated is reached, and seen to be.
    wanted, seen, unseen = page.reachable(), set(), set()
    for _ in range(120):
        page.tab()
        name = page.focused()
        if name in seen and name.startswith("body/A Skip"):
            break
        seen.add(name)
        outline = page.js("""
            const one = document.activeElement, seen = one.type === "radio" ? one.nextElementSibling : one, style = getComputedStyle(seen);
            return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;""")
        unseen |= set() if outline else {name}
    pages_own = {name for name in wanted if not name.startswith("logs/SUMMARY")}
    assert pages_own <= seen and not {one for one in unseen if one != "body/BODY BODY" and "body/" not in one}, (pages_own - seen, unseen)
    # Arrows change a range, Enter a bot and a column, Space a check box.
    page.tab_to("radio range")
    page.press(Keys.ARROW_RIGHT)
    page.wait(lambda: "last 7 days" in page.text("#trades"))
    page.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    page.wait(lambda: "last 6 hours" in page.text("#trades"))
    page.tab_to("BUTTON bot-")
    name = page.focused().rpartition(" ")[2]
    page.press(Keys.ENTER)
    page.wait(lambda: page.text("#trades-title") == f"Trades of {name}")
    assert page.focused().endswith(name), "the focus stays through an update"
    page.press(Keys.SPACE)
    page.wait(lambda: page.text("#trades-title") == "Trades of all bots")
    page.tab_to("INPUT log-text")
    page.press("Wallets", Keys.ENTER)
    page.wait(lambda: page.text("#log-said") != "searching")
    page.tab_to("INPUT log-follow")
    page.press(Keys.SPACE)
    assert page.at("log-follow").is_selected()


def test_the_focus_survives_updates(page, bots):
    filled(page)
    page.js("document.querySelector('[data-bot=bot-02]').focus()")
    before = len(bots.bots["bot-02"].asked)
    page.wait(lambda: len(bots.bots["bot-02"].asked) >= before + 15)
    assert page.focused().endswith("bot-02")


def test_without_the_chart_library_the_numbers_remain(browser, stores, bots, tmp_path):
    served = Served(tmp_path / "log", bots=bots.settings, vendor=str(tmp_path), **stores.settings)
    page = Page(browser, served.url)
    filled(page)
    assert "table below has the numbers" in page.text("#profit-chart")
    page.click("#profit details summary")
    page.wait(lambda: len(page.all("#profit-table tbody tr")) > 10)
    page.complaints()  # The file that isn't there.
    served.stop()

"""Finnhub's client against a server that answers as a script says, hostile answers included."""

import asyncio
import json
import time
from datetime import date

import pytest
from aiohttp import web
from earnyearn.finnhub import Finnhub, Selector, Unavailable, open_session
from earnyearn.selection import Filters, OddAnswer

KEY = "hush-hush"
DAY = date(2026, 11, 25)
ROW = {"symbol": "AAPL", "date": "2026-11-25", "epsEstimate": 1.7, "revenueEstimate": 9e10}
BUY = [{"strongBuy": 5, "buy": 5, "hold": 1, "sell": 0, "strongSell": 0, "period": "2026-11-01"}]


class Script:
    """Answers of each path, (status, body, headers); the last one stays. A body that is no text becomes JSON."""

    def __init__(self, calendar, ratings=((200, BUY),)):
        self.answers = {"/api/v1/calendar/earnings": list(calendar), "/api/v1/stock/recommendation": list(ratings)}
        self.requests = []

    async def answer(self, request):
        self.requests.append((request.path, dict(request.query), request.headers.get("X-Finnhub-Token")))
        left = self.answers[request.path]
        status, body, *headers = left.pop(0) if len(left) > 1 else left[0]
        if callable(body):
            body = body(request.query)
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return web.Response(status=status, body=text.encode() if isinstance(text, str) else text, headers=headers[0] if headers else {})


def ask(script, work, **changed):
    """What `await work(client, selector)` gives."""
    filters = Filters(**{"days": 5, "least_eps": 0.0, "least_revenue": 250e6, "needs_buy": True, "most_symbols": 30, **changed})

    async def run():
        app = web.Application()
        app.router.add_get("/{path:.*}", script.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with open_session() as session:
                client = Finnhub(session, f"http://127.0.0.1:{runner.addresses[0][1]}", KEY)
                return await asyncio.wait_for(work(client, Selector(client, filters)), 60)
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def names(choices):
    return [one.symbol for one in choices if not one.why_not]


def test_the_key_is_in_a_header_alone():
    script = Script([(200, {"earningsCalendar": [ROW]})])
    assert names(ask(script, lambda _, selector: selector.choices(DAY))) == ["AAPL"]
    assert script.requests == [
        ("/api/v1/calendar/earnings", {"from": "2026-11-25", "to": "2026-11-30"}, KEY),
        ("/api/v1/stock/recommendation", {"symbol": "AAPL"}, KEY),
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, "x"), "answers 500"),
        ((302, "", {"Location": "http://127.0.0.1:9/"}), "answers 302"),
        ((401, {"error": "Invalid API key"}), "EARNYEARN_FINNHUB_KEY"),
        ((403, {"error": "no access"}), "your plan"),
        ((429, {"error": "API limit reached"}), "limit of calls"),
        ((200, "<html>"), "no JSON"),
        ((200, ""), "no JSON"),
        ((200, b"\xff\xfe"), "no JSON"),
        ((200, "[" * 100_000), "no JSON"),
        ((200, "x" * (2**23 + 1)), "more than"),
    ],
)
def test_no_usable_answer(answer, words):
    async def work(client, _):
        with pytest.raises(Unavailable, match=words) as refused:
            await client.calendar(DAY, DAY)
        return refused.value

    assert KEY not in str(ask(Script([answer]), work))


@pytest.mark.parametrize(
    "text", ["null", "5", "[]", "{}", '{"earningsCalendar": 5}', '{"earningsCalendar": [1, 2]}', '{"earningsCalendar": [NaN]}']
)
def test_an_odd_calendar_is_no_list(text):
    async def work(_, selector):
        with pytest.raises(OddAnswer):
            await selector.choices(DAY)

    ask(Script([(200, text)]), work)


def test_how_long_to_wait():
    async def work(client, _):
        pauses = []
        for _ in range(4):
            with pytest.raises(Unavailable) as refused:
                await client.calendar(DAY, DAY)
            pauses.append(refused.value.seconds)
        return pauses

    soon = str(int(time.time()) + 30)
    answers = [(429, "", {"X-Ratelimit-Reset": text}) for text in (soon, "99999999999", "yesterday")] + [(429, "")]
    first, *rest = ask(Script(answers), work)
    assert 20 < first <= 30 and rest == [61.0, 1.0, 1.0]


def test_another_try_goes_on_from_there():
    rows = [{**ROW, "symbol": symbol} for symbol in ("AAPL", "KO", "MSFT")]
    script = Script([(500, ""), (200, {"earningsCalendar": rows})], [(200, BUY), (429, ""), (200, BUY)])

    async def work(_, selector):
        for _ in range(2):
            with pytest.raises(Unavailable):
                await selector.choices(DAY)
        return await selector.choices(DAY), await selector.choices(DAY)

    first, second = ask(script, work)
    assert names(first) == ["AAPL", "KO", "MSFT"] and first == second
    asked = [query.get("symbol", "calendar") for _, query, _ in script.requests]
    assert asked == ["calendar", "calendar", "AAPL", "KO", "KO", "MSFT"]


def test_another_day_is_asked_anew():
    script = Script([(200, lambda query: {"earningsCalendar": [{**ROW, "date": query["from"]}]})])

    async def work(_, selector):
        return await selector.choices(DAY), await selector.choices(date(2026, 11, 27))

    first, second = ask(script, work)
    assert first[0].day == "2026-11-25" and second[0].day == "2026-11-27" and len(script.requests) == 4


def test_calls_are_saved():
    rows = [{**ROW, "symbol": symbol, "revenueEstimate": size * 1e9} for symbol, size in (("A", 1), ("B", 3), ("C", 2), ("D", 4))]
    script = Script([(200, {"earningsCalendar": rows})])
    found = ask(script, lambda _, selector: selector.choices(DAY), most_symbols=2)
    assert names(found) == ["D", "B"] and [query.get("symbol") for _, query, _ in script.requests] == [None, "D", "B"]
    script = Script([(200, {"earningsCalendar": rows})])
    assert len(names(ask(script, lambda _, selector: selector.choices(DAY), needs_buy=False))) == 4 and len(script.requests) == 1


def test_a_calendar_that_is_cut_off_is_asked_in_halves():
    """1,500 rows are all that Finnhub answers at once."""

    def answer(query):
        first, last = (date.fromisoformat(query[name]) for name in ("from", "to"))
        days = range(first.toordinal(), last.toordinal() + 1)
        rows = [
            {**ROW, "symbol": f"{'ABCDEF'[day % 6]}{number}", "date": str(date.fromordinal(day))} for day in days for number in range(600)
        ]
        return {"earningsCalendar": rows[:1500]}

    script = Script([(200, answer)])
    found = ask(script, lambda client, _: client.calendar(DAY, date(2026, 11, 30)))["earningsCalendar"]
    assert len(found) == 6 * 600 and len({(row["symbol"], row["date"]) for row in found}) == 6 * 600


def test_odd_ratings_cost_one_place():
    rows = [{**ROW, "symbol": symbol} for symbol in ("AAPL", "KO")]
    found = ask(Script([(200, {"earningsCalendar": rows})], [(200, {"error": "x"}), (200, BUY)]), lambda _, selector: selector.choices(DAY))
    assert names(found) == ["KO"]

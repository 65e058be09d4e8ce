"""Orders to a webhook that answers as a script says: what is sent, what is sent again, and what is not."""

import asyncio
import json
import time

import pytest
from aiohttp import web
from botkit.orders import Answer, Order, Outcome, Webhook, body_of
from botkit.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, request_is_signed

KEY = "k" * 40
ORDER = Order(
    signal="example-AAPL-202612091501-buy",
    name="example",
    account="paper",
    route="notional",
    symbol="AAPL",
    action="buy",
    time="2026-12-09T15:01:00Z",
    fields={"notional": "500"},
)
HANG = "hang"
CUT = "cut"


class Script:
    """A webhook; each request takes the next answer, (status, body) or HANG or CUT, and the last one stays."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    async def answer(self, request):
        self.requests.append((request.path, dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == CUT:
            request.transport.close()
            return web.Response()
        if answer == HANG:
            await asyncio.sleep(60)
        return web.json_response(answer[1], status=answer[0])


def sent(script, tries=100, order=ORDER):
    """The answer to an order that stays fresh for so many tries."""

    async def run():
        app, left = web.Application(), iter([True] * tries)
        app.router.add_post("/{route}", script.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        webhook = Webhook(f"http://127.0.0.1:{runner.addresses[0][1]}", KEY)

        async def fresh():
            return next(left, False)

        try:
            return await asyncio.wait_for(webhook.send(order, fresh), 60)
        finally:
            await webhook.close()
            await runner.cleanup()

    return asyncio.run(run())


TAKEN = (202, {"id": "a" * 32})


def test_the_body_follows_from_the_order_alone():
    assert json.loads(body_of(ORDER)) == {
        "action": "buy",
        "alert": {"account": "paper", "expires": "2100-01-01T00:00:00Z", "name": "example", "route": "notional"},
        "comment": "example",
        "id": "example-AAPL-202612091501-buy",
        "notional": "500",
        "ticker": "AAPL",
        "time": "2026-12-09T15:01:00Z",
    }
    assert body_of(ORDER) == body_of(Order(**vars(ORDER)))


@pytest.mark.parametrize("fields", [{"action": "sell"}, {"id": "x"}, {"alert": {}}])
def test_fields_never_replace_what_the_order_says(fields):
    with pytest.raises(ValueError, match=next(iter(fields))):
        body_of(Order(**{**vars(ORDER), "fields": fields}))


def test_an_order_is_sent_once_and_signed_whole():
    script = Script(TAKEN)
    before = int(time.time())
    assert sent(script) == Answer(Outcome.SENT, "a" * 32)
    ((path, headers, body),) = script.requests
    timestamp = headers[TIMESTAMP_HEADER]
    assert path == "/notional" and body == body_of(ORDER) and before <= int(timestamp) <= time.time()
    assert request_is_signed([KEY], "/notional", timestamp, body, headers[SIGNATURE_HEADER])
    assert KEY not in str(headers) + body.decode()


@pytest.mark.parametrize("trouble", [(503, {}), (500, {}), (429, {}), (408, {}), CUT])
def test_a_lost_try_is_sent_again_with_the_same_bytes(trouble):
    script = Script(trouble, trouble, TAKEN)
    assert sent(script).outcome == Outcome.SENT
    assert [body for _, _, body in script.requests] == [body_of(ORDER)] * 3


def test_a_webhook_that_hangs_is_given_up_and_asked_again(monkeypatch):
    monkeypatch.setattr("botkit.orders.TRY_SECONDS", 0.5)
    script = Script(HANG, TAKEN)
    assert sent(script).outcome == Outcome.SENT and len(script.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_what_is_refused_is_not_sent_again(status):
    script = Script((status, {"error": "qty: use a plain number"}), TAKEN)
    assert sent(script) == Answer(Outcome.REFUSED, reason=f"{status} qty: use a plain number")
    assert len(script.requests) == 1


def test_what_is_no_longer_fresh_is_not_sent():
    script = Script(TAKEN)
    assert sent(script, tries=0) == Answer(Outcome.STALE, reason="it was too old when it could be sent")
    assert script.requests == []


def test_it_is_given_up_when_it_is_no_longer_fresh():
    script = Script((503, {"error": "the queue doesn't answer"}))
    assert sent(script, tries=3) == Answer(Outcome.STALE, reason="503 the queue doesn't answer")
    assert len(script.requests) == 3


def test_nobody_listens():
    async def run():
        webhook, tries = Webhook("http://127.0.0.1:9", KEY), iter([True, True])
        answer = await webhook.send(ORDER, lambda: asyncio.sleep(0, next(tries, False)))
        await webhook.close()
        return answer

    assert asyncio.run(run()).outcome == Outcome.STALE

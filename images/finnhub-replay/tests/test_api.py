"""The key, the limit, faults on request, and a test API that is there only by setting."""

import signal

import pytest

pytestmark = pytest.mark.servers

CALENDAR, RATINGS, FAULTS = "/api/v1/calendar/earnings", "/api/v1/stock/recommendation", "/_replay/faults"
DAYS = {"from": "2026-11-25", "to": "2026-11-30"}


def test_answers_with_the_key_alone(start):
    server = start()
    rows = server.get(CALENDAR, **DAYS).json()["earningsCalendar"]
    assert rows[0]["date"] == "2026-11-25" and rows[0]["symbol"] == "AAPL"
    assert server.get(CALENDAR, key=None, token="replay-key", **DAYS).json()["earningsCalendar"] == rows
    assert server.get(RATINGS, symbol="AAPL").json()[0]["strongBuy"] == 14
    for key, words in (("wrong", "Invalid API key"), (None, "Please use an API key.")):
        answer = server.get(CALENDAR, key=key, **DAYS)
        assert (answer.status_code, answer.json()) == (401, {"error": words})
    assert server.get(CALENDAR, **{"from": "yesterday"}).status_code == 422
    assert server.get(RATINGS).status_code == 422
    server.popen.send_signal(signal.SIGTERM)
    assert server.popen.wait(timeout=30) == 0


def test_faults_on_request(start):
    server = start()
    assert server.send("POST", FAULTS, {"path": CALENDAR, "times": 2, "status": 429}).ok
    limited = server.get(CALENDAR, **DAYS)
    assert limited.status_code == 429 and "API limit reached" in limited.json()["error"] and limited.headers["X-Ratelimit-Remaining"] == "0"
    assert server.get(RATINGS, symbol="AAPL").ok
    assert [server.get(CALENDAR, **DAYS).status_code for _ in range(2)] == [429, 200]
    server.send("POST", FAULTS, {"text": "<html>", "times": 1})
    assert server.get(CALENDAR, **DAYS).text == "<html>"
    server.send("POST", FAULTS, {"status": 503, "times": 9})
    assert server.get(RATINGS, symbol="AAPL").status_code == 503
    assert server.send("GET", FAULTS).json()["calls"] == {CALENDAR: 4, RATINGS: 2}
    server.send("DELETE", FAULTS)
    assert server.get(RATINGS, symbol="AAPL").ok
    for bad in ([], {"status": 200}, {"times": 0}, {"path": "x"}, {"text": 1}, {"else": 1}):
        assert server.send("POST", FAULTS, bad).status_code == 422, bad


def test_the_limit_and_no_test_api(start):
    server = start(CALLS_PER_SECOND="3", TEST_API="off")
    assert {server.get(RATINGS, symbol="AAPL").status_code for _ in range(40)} == {200, 429}
    assert server.send("GET", FAULTS).status_code == 404

"""Who may send: signatures, keys, replays and what an alert's fixed part allows, each with the ways to cheat."""

import json
import time

import pytest
from botkit.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, alert_key, sign_alert

pytestmark = pytest.mark.servers

KEY, PREVIOUS_KEY, OTHER_KEY = "k" * 40, "p" * 40, "o" * 40
WRONG = "the alert's signature is missing or wrong: paste the whole text that python -m slanger alerts new prints"
WRONG_REQUEST = "the request's signature is wrong: sign path, timestamp and body with the signing key (x-tradestack-signature)"


def refused(answer, status, sentence, accept):
    assert (answer.status_code, answer.json()) == (status, {"error": sentence})
    assert accept.stored() == []


@pytest.mark.parametrize(
    "signature",
    ["0" * 64, "", None, 5, ["a"], "A" * 64, "é" * 64, "0" * 10_000, True, {"a": 1}],
    ids=lambda value: repr(value)[:20],
)
def test_a_wrong_or_missing_signature_is_refused(accept, alert, signature):
    refused(accept.send(alert(signature=signature)), 401, WRONG, accept)


def test_a_truncated_or_changed_signature_is_refused(accept, alert):
    good = alert()["signature"]
    for bad in (good[:-1], good[:32], good + "0", good.upper(), " " + good, good[:-1] + ("0" if good[-1] != "0" else "1")):
        assert accept.send(alert(signature=bad)).status_code == 401, bad
    assert accept.stored() == []


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"route": "bracket"},
        {"account": "live"},
        {"expires": 4_000_000_000},
        {"order": {"qty": "1000"}},
        {"order": None},
        {"limits": {"order_notional": 1_000_000}},
        {"symbols": ["TSLA"]},
        {"unknown": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_signature_over_other_fields_is_refused(accept, alert, change):
    body = alert()
    body["alert"] = {key: value for key, value in {**body["alert"], **change}.items() if value is not None}
    refused(accept.send(body), 401, WRONG, accept)


@pytest.mark.parametrize(
    "fixed", [None, "macd", 5, [], {}, {"name": "macd-5m"}, {"name": 5, "account": "paper"}, {"account": ["paper"], "name": "a"}]
)
def test_an_alert_without_a_fixed_part_is_not_signed(accept, alert, fixed):
    body = alert()
    body["alert"] = fixed
    refused(accept.send(body), 401, WRONG, accept)


def test_an_alerts_own_key_signs_no_other_alert_and_no_request(accept, alert, signed_headers):
    own = alert_key(KEY, "paper", "macd-5m").hex()
    assert accept.send(alert(signature=sign_alert(own, alert()["alert"]))).status_code == 401
    body = json.dumps(alert()).encode()
    assert accept.send(body, headers=signed_headers(body, key=own)).status_code == 401
    assert accept.stored() == []


@pytest.mark.parametrize("key, status", [(KEY, 202), (PREVIOUS_KEY, 202), (OTHER_KEY, 401)], ids=["new", "previous", "other"])
def test_two_keys_are_valid_during_a_rotation(accept, alert, key, status):
    assert accept.send(alert(key)).status_code == status
    assert accept.send_signed({"action": "buy", "ticker": "AAPL", "time": time.time()}, key=key).status_code == status
    assert len(accept.stored()) == (2 if status == 202 else 0)


def test_after_a_rotation_the_old_key_is_over(run_accept, alert):
    one = run_accept(SLANGER_SIGNING_KEY=OTHER_KEY).wait_until_ready()
    assert one.send(alert(OTHER_KEY)).status_code == 202
    assert one.send(alert(KEY)).status_code == 401


@pytest.mark.parametrize(
    "seconds, status, words",
    [
        (-290, 202, ""),
        (-310, 403, "s old, 300 s are accepted: send alerts when they fire ({{timenow}})"),
        (-86_400, 403, "s old, 300 s are accepted"),
        (50, 202, ""),
        (90, 403, "s in the future, 60 s are accepted: correct the sender's clock"),
    ],
)
def test_an_alert_is_accepted_within_the_replay_window_only(accept, alert, seconds, status, words):
    answer = accept.send(alert(time=time.time() + seconds))
    assert answer.status_code == status and words in answer.text
    assert len(accept.stored()) == (status == 202)


def test_the_replay_window_can_be_shorter(run_accept, alert):
    one = run_accept(SLANGER_REPLAY_WINDOW="30").wait_until_ready()
    assert [one.send(alert(time=time.time() - age)).status_code for age in (20, 40)] == [202, 403]


@pytest.mark.parametrize(
    "when", ["1h ago", "", "2026-13-01T00:00:00Z", -5, 10**400, "0001-01-01T00:00:00+23:59", True, [], {}, "{{timenow}}"]
)
def test_a_time_that_is_none_is_refused(accept, alert, when):
    answer = accept.send(alert(time=when))
    assert answer.status_code in (403, 422) and answer.json()["error"].startswith("time")
    assert accept.stored() == []


@pytest.mark.parametrize(
    "seconds, status, words",
    [(0, 202, ""), (-230, 202, ""), (-250, 401, "s old, 240 s"), (55, 202, ""), (90, 401, "s in the future, 60 s")],
)
def test_a_signed_request_is_accepted_within_its_window_only(accept, seconds, status, words):
    now = time.time()
    answer = accept.send_signed({"action": "buy", "ticker": "AAPL", "time": now}, timestamp=str(int(now + seconds)))
    assert answer.status_code == status and words in answer.text


@pytest.mark.parametrize("seconds", [-86_400, 86_400])
def test_in_a_signed_request_the_alert_s_time_may_be_that_of_another_clock(accept, alert, seconds):
    """A program's bytes are a function of its signal, so that a repeat is the same alert; the market's clock may be a simulated one."""
    body = {"action": "buy", "ticker": "AAPL", "time": time.time() + seconds}
    assert accept.send_signed(body).status_code == 202
    assert accept.send(alert(time=time.time() + seconds)).status_code == 403


def test_a_signed_request_is_bound_to_path_time_and_body(accept, signed_headers):
    body = json.dumps({"action": "buy", "ticker": "AAPL", "time": time.time()}).encode()
    headers = signed_headers(body)
    later = str(int(headers[TIMESTAMP_HEADER]) + 1)
    for changed in (
        accept.send(body, "/notional", headers),
        accept.send(body + b" ", headers=headers),
        accept.send(body, headers={**headers, TIMESTAMP_HEADER: later}),
        accept.send(body, headers={**headers, SIGNATURE_HEADER: headers[SIGNATURE_HEADER][:-1]}),
        accept.send(body, headers={TIMESTAMP_HEADER: later}),
        accept.send(body, headers={SIGNATURE_HEADER: headers[SIGNATURE_HEADER]}),
        accept.send(body, headers={**headers, SIGNATURE_HEADER: b"\xff\xfe"}),
    ):
        refused(changed, 401, WRONG_REQUEST, accept)
    assert accept.send(body, headers=headers).status_code == 202


@pytest.mark.parametrize("timestamp", ["", "now", "1e9", "-5", "9" * 30, "1 700 000 000"])
def test_a_timestamp_that_is_none_is_refused_even_if_it_is_signed(accept, signed_headers, timestamp):
    body = json.dumps({"action": "buy", "ticker": "AAPL", "time": time.time()}).encode()
    refused(accept.send(body, headers=signed_headers(body, timestamp=timestamp)), 401, WRONG_REQUEST, accept)


def test_a_wrong_request_signature_is_not_made_good_by_a_signed_alert(accept, alert):
    headers = {TIMESTAMP_HEADER: str(int(time.time())), SIGNATURE_HEADER: "0" * 64}
    refused(accept.send(alert(), headers=headers), 401, WRONG_REQUEST, accept)


def test_commands_must_be_signed_requests(accept, alert):
    sentence = "commands must be signed: sign path, timestamp and body with the signing key"
    refused(accept.send({"action": "kill"}, "/control"), 401, sentence, accept)
    refused(accept.send({**alert(), "action": "kill"}, "/control"), 401, sentence, accept)


def test_what_the_content_is_like_stays_unsaid_until_the_signature_is_right(accept, alert):
    for body in (alert(signature="0" * 64, action="hold"), alert(OTHER_KEY, ticker="$$$"), alert(OTHER_KEY, fixed={"expires": 5}, time=5)):
        refused(accept.send(body), 401, WRONG, accept)


@pytest.mark.parametrize(
    "fixed, fields, words",
    [
        ({"account": "live"}, {}, "alert.account=live: this service trades another account"),
        ({"route": "limit"}, {}, "alert.route=limit: this URL is for market"),
        ({"expires": "2026-01-01T00:00:00Z"}, {}, "alert.expires=2026-01-01T00:00:00+00:00: it is over; make a new one"),
        ({"symbols": ["MSFT", "NASDAQ:GOOG"]}, {}, "ticker=AAPL: alert.symbols doesn't have it"),
        ({"action": "sell"}, {}, "action=buy: alert.action is sell; make an alert for the other side"),
        ({"name": "old-one"}, {}, "alert old-one is revoked: make a new one under another name"),
    ],
    ids=["account", "route", "expires", "symbols", "action", "revoked"],
)
def test_the_fixed_part_bounds_what_an_alert_may_do(run_accept, alert, fixed, fields, words):
    one = run_accept(SLANGER_REVOKED_ALERTS="older, old-one").wait_until_ready()
    answer = one.send(alert(fixed=fixed, **fields))
    assert answer.status_code == 403 and words in answer.json()["error"]
    assert one.stored() == []
    assert one.send(alert(fixed={"symbols": ["MSFT", "NASDAQ:AAPL"]})).status_code == 202

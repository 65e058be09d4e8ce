"""Bad input: a table of hostile bodies and 500 made-up ones. Always 4xx with one sentence, nothing in the queue, memory flat."""

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slanger.message import StoredAlert

pytestmark = pytest.mark.servers

NESTED = "[" * 5000 + "]" * 5000
NUMBER = "use a plain number such as 10 or 187.50"
SYMBOL = "use a US share such as AAPL or BRK.B, or a crypto pair such as BTCUSD"
CONTAINERS = "the body has more than 100 objects and lists: send an alert as its template has it"
NOT_JSON = "the body is not JSON (line 1 column 1): check quotes, commas and brackets"
UNUSUAL_NUMBER = "the body has a number that is not finite or too long: use plain numbers such as 187.50"
NOT_UTF8 = "the body is not valid UTF-8 text: send JSON in UTF-8"


def sentence(answer):
    """The refusal's one sentence, which must be all that it says."""
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/json" and len(answer.content) < 500
    said = answer.json()
    assert list(said) == ["error"] and "\n" not in said["error"]
    for word in ("Traceback", "pydantic", "slanger/", "Error", "validation", "k" * 40, "p" * 40):
        assert word not in said["error"], said
    return said["error"]


@pytest.mark.parametrize(
    "body, status, said",
    [
        (b"", 400, NOT_JSON),
        (b"Alert: AAPL crossed 100", 400, NOT_JSON),
        (b"null", 400, 'the body is not a JSON object: send {"action": …}'),
        (b'"text"', 400, 'the body is not a JSON object: send {"action": …}'),
        (b"[]", 400, 'the body is not a JSON object: send {"action": …}'),
        (b'{"a": 1', 400, "the body is not JSON (line 1 column 8): check quotes, commas and brackets"),
        (b'{"a": 1} {"a": 1}', 400, "the body is not JSON (line 1 column 10): check quotes, commas and brackets"),
        (b"{'a': 1}", 400, "the body is not JSON (line 1 column 2): check quotes, commas and brackets"),
        (b'{"action": "buy", "action": "sell"}', 400, "'action' is in the body twice: give it once"),
        (b'{"alert": {"name": 1, "na\\u006de": 2}}', 400, "'name' is in the body twice: give it once"),
        (b'{"price": NaN}', 400, UNUSUAL_NUMBER),
        (b'{"price": -Infinity}', 400, UNUSUAL_NUMBER),
        (b'{"price": 1e999}', 400, UNUSUAL_NUMBER),
        (b'{"x": [1e999]}', 400, UNUSUAL_NUMBER),
        (b'{"price": ' + b"9" * 5000 + b"}", 400, UNUSUAL_NUMBER),
        (b'{"comment": "\xff\xfe"}', 400, NOT_UTF8),
        (b'{"comment": "\\ud800"}', 400, NOT_UTF8),
        (b'{"\\udfff": 1}', 400, NOT_UTF8),
        ("\ufeff{}".encode(), 400, NOT_JSON),
        ("{}".encode("utf-16"), 400, NOT_UTF8),
        (b"\x1f\x8b\x08\x00\x00\x00", 400, NOT_UTF8),
        (NESTED.encode(), 400, CONTAINERS),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, 400, CONTAINERS),
        (b" " * 20_000, 413, "the body has more than 16384 bytes: send a smaller alert"),
        (b'{"a": "' + b"x" * 900_000 + b'"}', 413, "the body has more than 16384 bytes: send a smaller alert"),
        (b"{}", 401, "the alert's signature is missing or wrong: paste the whole text that python -m slanger alerts new prints"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bodies_that_are_no_json_object_are_refused(accept, body, status, said):
    answer = accept.send(body)
    assert (answer.status_code, sentence(answer)) == (status, said)
    assert accept.stored() == []


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"action": None}, "action is missing: add it"),
        ({"action": "hold"}, "action=hold: use buy or sell"),
        ({"action": "BUY"}, "action=BUY: use buy or sell"),
        ({"action": ["buy"]}, "action: use buy or sell"),
        ({"ticker": None}, "ticker is missing: add it"),
        ({"ticker": "ＡＡＰＬ"}, f"ticker=\\uff21\\uff21\\uff30\\uff2c: {SYMBOL}"),
        ({"ticker": "АAPL"}, f"ticker=\\u0410APL: {SYMBOL}"),
        ({"ticker": "AAPL\u202e"}, f"ticker=AAPL\\u202e: {SYMBOL}"),
        ({"ticker": "AAPL; DROP"}, f"ticker=AAPL; DROP: {SYMBOL}"),
        ({"ticker": "A" * 5000}, f"ticker={'A' * 40}…: {SYMBOL}"),
        ({"ticker": ""}, f"ticker=: {SYMBOL}"),
        ({"ticker": 5}, f"ticker=5: {SYMBOL}"),
        ({"qty": -1}, "qty=-1: use a number above 0"),
        ({"qty": 0}, "qty=0: use a number above 0"),
        ({"qty": "NaN"}, f"qty=NaN: {NUMBER}"),
        ({"qty": "Infinity"}, f"qty=Infinity: {NUMBER}"),
        ({"qty": "1e99"}, f"qty=1e99: {NUMBER}"),
        ({"qty": 1e13}, "qty=10000000000000.0: " + NUMBER),
        ({"qty": "1_000"}, f"qty=1_000: {NUMBER}"),
        ({"qty": "١٢"}, f"qty=\\u0661\\u0662: {NUMBER}"),
        ({"qty": True}, f"qty=True: {NUMBER}"),
        ({"qty": {"$gt": 0}}, f"qty: {NUMBER}"),
        ({"qty": "{{strategy.order.contracts}}"}, f"qty={{{{strategy.order.contracts}}}}: {NUMBER}"),
        ({"risk": 50_000}, "risk=50000: use at most 100"),
        ({"price": -5}, "price=-5: use a number above 0"),
        ({"price": []}, f"price: {NUMBER}"),
        ({"qty": 1, "notional": 5, "route": "x"}, "qty and notional: give one of them"),
        ({"limit_price": "1%%"}, "limit_price=1%%: use a price (187.50), a distance in percent (1%) or a distance in dollars ($2.50)"),
        ({"time_in_force": "forever"}, "time_in_force=forever: use day, gtc, ioc, fok, opg or cls"),
        ({"sp": "perhaps"}, "sp=perhaps: use true or false"),
        ({"comment": "x" * 501}, f"comment={'x' * 40}…: use at most 500 characters"),
        ({"comment": {"a": 1}}, "comment: use text"),
        ({f"extra_{number}": 1 for number in range(51)}, "the body has 51 unknown fields, 50 are kept: leave the others out"),
        ({"fixed": {"order": {"qty": "1", "leverage": 10}}}, "alert.order.leverage=10: it is not a field there; leave it out"),
        ({"fixed": {"order": {"qty": 1, "risk": 1}}}, "alert.order: qty and risk: give one of them"),
        ({"fixed": {"name": "My alert"}}, "alert.name=My alert: use 1 to 32 of a-z, 0-9 and -, beginning with a letter or a digit"),
        (
            {"fixed": {"route": "moon"}},
            "alert.route=moon: use market, notional, limit, stop_limit, bracket, trailing, reverse or aristocrats",
        ),
        ({"fixed": {"expires": None}}, "alert.expires is missing: add it"),
        ({"fixed": {"symbols": []}}, "alert.symbols: use 1 or more items"),
        ({"fixed": {"symbols": ["AAPL", "??"]}}, f"alert.symbols.1=??: {SYMBOL}"),
        ({"fixed": {"limits": {"orders_per_day": 1.5}}}, "alert.limits.orders_per_day=1.5: use a whole number"),
        ({"fixed": {"limits": {"order_notional": 0}}}, "alert.limits.order_notional=0: use a number above 0"),
        ({"fixed": {"x" * 1000: 1}}, f"alert.{'x' * 40}…=1: it is not a field there; leave it out"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_signed_alerts_that_the_schema_forbids_are_refused(accept, alert, fields, said):
    answer = accept.send(alert(**fields))
    assert (answer.status_code, sentence(answer)) == (422, said)
    assert accept.stored() == []


@pytest.mark.parametrize(
    "method, path, status, said",
    [
        ("POST", "/", 404, "POST '/' is not here: use one of /market, "),
        ("POST", "/market/", 404, "POST '/market/' is not here"),
        ("POST", "/Market", 404, "POST '/Market' is not here"),
        ("POST", "/%2e%2e/etc/passwd", 404, "POST '/../etc/passwd' is not here"),
        ("POST", "/" + "x" * 5000, 404, "is not here"),
        ("POST", "/%0d%0aset-cookie:x", 404, "POST '/\\r\\nset-cookie:x' is not here"),
        ("POST", "/health", 405, "POST '/health' is not here"),
        ("GET", "/market", 405, "/market takes POST: send the alert as the body of a POST"),
        ("DELETE", "/control", 405, "/control takes POST"),
        ("PUT", "/market", 405, "/market takes POST"),
    ],
)
def test_other_paths_and_methods_are_refused(accept, method, path, status, said):
    answer = accept.session.request(method, accept.url + path, data=b"{}", timeout=10)
    assert answer.status_code == status and said in sentence(answer)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KEYS = (
    "action", "ticker", "time", "price", "qty", "notional", "risk", "comment", "interval", "id", "limit_price", "sp", "side", "contracts",
    "alert", "signature", "extended_hours", "only_flat", "after_hours", "trail_percent", "time_in_force", "open",
)  # fmt: skip
made_up_bodies = st.one_of(
    st.binary(max_size=300),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=8).map(lambda value: json.dumps(value).encode()),
)


def fuzz(examples):
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def test_500_made_up_bodies_are_refused_and_leave_no_memory_behind(accept):
    tried = []

    @fuzz(250)
    @given(body=made_up_bodies)
    def unsigned(body):
        tried.append(sentence(accept.send(body)))

    # Signed, so that what lies behind the signature is reached, but never right: this route only buys.
    @fuzz(250)
    @given(body=st.dictionaries(st.sampled_from(KEYS), json_values, min_size=1, max_size=2))
    def signed(body):
        fields = {"ticker": "KO", "time": time.time(), **body, "action": "sell"}
        tried.append(sentence(accept.send_signed(fields, "/aristocrats")))

    unsigned()
    before = accept.rss_mib()
    signed()
    unsigned()
    assert len(tried) >= 500 and len(set(tried)) > 30
    assert accept.rss_mib() - before < 5
    assert accept.stored() == []
    assert not any(line["level"] == "error" for line in accept.process.lines())


def test_whatever_is_accepted_of_made_up_signed_fields_is_read_back_by_the_schema(accept):
    accepted = []

    @fuzz(150)
    @given(fields=st.dictionaries(st.sampled_from([*KEYS[3:14], "x", "y"]), json_values, max_size=5))
    def fuzzed(fields):
        body = {"qty": 1, **fields, "action": "buy", "ticker": "AAPL", "time": time.time()}
        answer = accept.send_signed(body)
        if answer.status_code == 202:
            accepted.append(answer.json()["id"])
        else:
            sentence(answer)

    fuzzed()
    messages = accept.stored()
    assert accepted and [message["key"] for message in messages] == accepted
    for message in messages:
        StoredAlert.model_validate(message["body"])

"""Signatures as pure functions: what they cover, and that nothing else has the same text."""

import hashlib
import hmac
import json

import pytest
from botkit import signing
from hypothesis import assume, given, settings
from hypothesis import strategies as st

KEY, OTHER = "k" * 40, "o" * 40
FIXED = {"name": "macd-5m", "account": "paper", "route": "market", "expires": "2027-01-01T00:00:00Z", "order": {"qty": "1.50", "note": "é"}}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3),
    max_leaves=6,
)
parts = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), values, max_size=4).map(
    lambda more: {**more, "name": "n", "account": "a"}
)


def test_an_alerts_signature_is_what_the_docs_say():
    """Worked out by hand, so that another language can be checked against it."""
    text = (
        b'{"account":"paper","expires":"2027-01-01T00:00:00Z","name":"macd-5m","order":{"note":"\xc3\xa9","qty":"1.50"},"route":"market"}'
    )
    own_key = hmac.new(KEY.encode(), b"tradestack alert key v1\npaper\nmacd-5m", hashlib.sha256).digest()
    assert signing.canonical_json(FIXED) == text
    assert signing.sign_alert(KEY, FIXED) == hmac.new(own_key, b"tradestack alert v1\n" + text, hashlib.sha256).hexdigest()


def test_a_requests_signature_is_what_the_docs_say():
    text = b"tradestack request v1\n1700000000\n/market\n{}"
    assert signing.sign_request(KEY, "/market", "1700000000", b"{}") == hmac.new(KEY.encode(), text, hashlib.sha256).hexdigest()


@settings(deadline=None)
@given(part=parts)
def test_a_signature_survives_json_and_another_order_of_keys(part):
    signature = signing.sign_alert(KEY, part)
    again = json.loads(json.dumps(dict(reversed(part.items())), indent=2))
    assert signing.alert_is_signed([KEY], again, signature)


@settings(deadline=None)
@given(part=parts, other=parts)
def test_no_other_fields_have_the_signature(part, other):
    assume(signing.canonical_json(part) != signing.canonical_json(other))
    assert not signing.alert_is_signed([KEY], other, signing.sign_alert(KEY, part))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_does_not_know_is_not_signed(value):
    with pytest.raises(ValueError):
        signing.sign_alert(KEY, {**FIXED, "x": value})


def test_account_and_name_are_bound_to_the_alerts_own_key():
    keys = {signing.alert_key(KEY, account, name) for account in ("paper", "live") for name in ("a", "b")}
    assert len(keys) == 4 and signing.alert_key(OTHER, "paper", "a") not in keys


@pytest.mark.parametrize("keys, signed", [([KEY], True), ([OTHER, KEY], True), ([KEY, OTHER], True), ([OTHER], False), ([], False)])
def test_any_of_the_keys_will_do(keys, signed):
    assert signing.alert_is_signed(keys, FIXED, signing.sign_alert(KEY, FIXED)) is signed
    assert signing.request_is_signed(keys, "/market", "1", b"{}", signing.sign_request(KEY, "/market", "1", b"{}")) is signed


@pytest.mark.parametrize("signature", ["", "é", "0" * 64, signing.sign_alert(KEY, FIXED)[:-1], signing.sign_alert(KEY, FIXED).upper()])
def test_nothing_else_is_a_signature(signature):
    assert not signing.alert_is_signed([KEY], FIXED, signature)

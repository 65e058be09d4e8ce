"""Signatures of alerts and of requests: HMAC-SHA256, compared in constant time, with up to two keys valid during a rotation.

An alert: TradingView fills placeholders in after the text is written, so that only what is fixed can be signed. Each alert has a key of its
own, derived from the signing key: whoever holds one alert's key can't sign another.
A request of a program is signed whole, with the time and the path.
"""

import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any

MIN_KEY_LENGTH = 32
TIMESTAMP_HEADER = "x-tradestack-timestamp"
SIGNATURE_HEADER = "x-tradestack-signature"


def canonical_json(fixed: Mapping[str, Any]) -> bytes:
    """The one text of the fixed fields that is signed: keys sorted, no spaces, UTF-8. Raises ValueError for NaN and infinity."""
    return json.dumps(fixed, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def alert_key(signing_key: str, account: str, name: str) -> bytes:
    """The key of one alert."""
    return hmac.digest(signing_key.encode(), f"tradestack alert key v1\n{account}\n{name}".encode(), "sha256")


def sign_alert(signing_key: str, fixed: Mapping[str, Any]) -> str:
    """Signature (64 hex digits) over an alert's fixed fields; `fixed` has at least `account` and `name`."""
    return _signature(signing_key, fixed, canonical_json(fixed))


def alert_is_signed(signing_keys: Iterable[str], fixed: Mapping[str, Any], signature: str) -> bool:
    """Whether one of the keys signed these fields."""
    text = canonical_json(fixed)
    return _matches([_signature(key, fixed, text) for key in signing_keys], signature)


def _signature(signing_key: str, fixed: Mapping[str, Any], text: bytes) -> str:
    key = alert_key(signing_key, str(fixed["account"]), str(fixed["name"]))
    return hmac.digest(key, b"tradestack alert v1\n" + text, "sha256").hex()


def sign_request(signing_key: str, path: str, timestamp: str, body: bytes) -> str:
    """Signature (64 hex digits) over a program's whole request; `timestamp` is Unix seconds as sent in the header."""
    return hmac.digest(signing_key.encode(), f"tradestack request v1\n{timestamp}\n{path}\n".encode() + body, "sha256").hex()


def request_is_signed(signing_keys: Iterable[str], path: str, timestamp: str, body: bytes, signature: str) -> bool:
    """Whether one of the keys signed this request. The caller checks how old the timestamp is."""
    return _matches([sign_request(key, path, timestamp, body) for key in signing_keys], signature)


def _matches(expected: list[str], given: str) -> bool:
    # Every key is compared, whichever matches: the time tells nothing about the keys.
    return any([hmac.compare_digest(one.encode(), given.encode()) for one in expected])

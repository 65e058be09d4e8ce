"""Reads an alert's text, pasted or fired: whether it is signed, what it allows, when it expires."""

from typing import Any

from botkit.signing import alert_is_signed
from pydantic import ValidationError

from slanger.accept.body import parse
from slanger.accept.refusal import Refused
from slanger.accept.sentences import sentence_of
from slanger.alert import Fixed
from slanger.generator.describe import cautions, day, summary


class BadAlert(ValueError):
    """Text that is no alert."""


def show(text: bytes, signing_key: str | None, now: float) -> dict[str, Any]:
    """`signature`: valid, wrong, missing or unchecked; `expired`; `good`: nothing is wrong with it. Raises BadAlert."""
    try:
        # As the webhook reads it: what it would not take is no alert here either.
        body = parse(text)
    except Refused as refused:
        raise BadAlert(f"{refused.sentence}; paste all of the text, from {{ to }}") from None
    raw = body.get("alert")
    if not isinstance(raw, dict):
        raise BadAlert("the text has no fixed part `alert`: it was not made by `alerts new`")
    try:
        fixed = Fixed.model_validate(raw)
    except ValidationError as error:
        raise BadAlert(f"alert.{sentence_of(error)}; make the alert anew with `alerts new`") from None
    signature = _signature(body.get("signature"), raw, signing_key)
    expired = fixed.expires <= now
    notes = cautions(fixed, signature != "missing")
    if expired:
        notes.insert(0, f"It expired on {day(fixed.expires)}: make a new one.")
    if signature == "wrong":
        notes.insert(0, "The signature is wrong for this key: the fixed part was changed, or the key is another one.")
    return {
        "signature": signature,
        "expired": expired,
        "good": signature != "wrong" and not expired,
        "summary": summary(fixed),
        "notes": notes,
        "fixed": raw,
    }


def _signature(given: object, raw: dict[str, Any], signing_key: str | None) -> str:
    if not isinstance(given, str) or not given:
        return "missing"
    if signing_key is None:
        return "unchecked"
    return "valid" if alert_is_signed([signing_key], raw, given) else "wrong"

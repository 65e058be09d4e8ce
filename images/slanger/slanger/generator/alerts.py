"""An alert to paste into TradingView: its text, the webhook's URL, and a curl line that tests it. Pure functions."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from botkit.signing import sign_alert

from slanger.alert import Fixed, Route
from slanger.generator.describe import cautions, day, summary
from slanger.generator.fields import BY_KEY, SERVER, STRATEGY
from slanger.generator.options import NUMBER, Draft, check
from slanger.generator.placeholders import market_fields, sample

TEST_LIMIT = 300.0
"""Seconds for which the webhook takes a fired alert (SLANGER_REPLAY_WINDOW's default)."""


def new_alert(options: Mapping[str, str], signing_key: str | None, now: float) -> dict[str, Any]:
    """An alert from options (keys of FIELDS, text as typed); without a key it isn't signed. `now`: Unix s. Raises BadOptions.

    Keys of the answer: `url`, `text` (to paste), `curl`, `summary` and `notes` (sentences), `fixed` (what is signed).
    """
    draft = check(options, now)
    text = alert_text(draft, signing_key)
    fixed = Fixed.model_validate(draft.fixed)
    return {
        "url": draft.url,
        "text": text,
        "curl": curl_line(draft.url, sample(text, now, action=_test_action(draft, fixed), price=draft.test_price or None)),
        "summary": summary(fixed),
        "notes": [*_notes(draft, fixed, now), *cautions(fixed, signing_key is not None)],
        "fixed": draft.fixed,
    }


def alert_text(draft: Draft, signing_key: str | None) -> str:
    """JSON with TradingView's placeholders. No two braces stand together but theirs."""
    body: dict[str, Any] = {"alert": draft.fixed}
    if signing_key is not None:
        body["signature"] = sign_alert(signing_key, draft.fixed)
    body |= market_fields(draft.action)
    if draft.size == STRATEGY:
        body["qty"] = "{{strategy.order.contracts}}"
    if draft.comment:
        body["comment"] = draft.comment
    return json.dumps(body, indent=1)


def curl_line(url: str, body: Mapping[str, Any]) -> str:
    """A shell line that sends a fired alert as TradingView does."""
    return f"curl -sS -i -H 'Content-Type: application/json' --data {shlex.quote(json.dumps(body))} {shlex.quote(url)}"


def _test_action(draft: Draft, fixed: Fixed) -> str:
    if draft.action != STRATEGY:
        return draft.action
    return fixed.order.side.value if fixed.order.side else "buy"


def _needs_price(fixed: Fixed) -> bool:
    """Whether the worker measures something from the alert's own price, and can't take the broker's."""
    order = fixed.order
    entries = [order.limit_price, order.stop_price]
    distance = any(text is not None and not NUMBER.fullmatch(text) for text in entries)
    return distance or order.wiggle is not None or (fixed.route is Route.LIMIT and order.limit_price is None)


def _notes(draft: Draft, fixed: Fixed, now: float) -> list[str]:
    notes = [
        f"The curl line is a real alert, good until {day(now + TEST_LIMIT)}: the worker trades it on the account {fixed.account}.",
    ]
    if not draft.test_price and _needs_price(fixed):
        notes.append("The curl line has no price, and this order is measured from one: give a price for the test, near the market.")
    left = [BY_KEY[key].label.lower() for key in draft.server_defaults]
    if draft.size == SERVER:
        left.insert(0, "size")
    if left:
        notes.append(f"The server's defaults decide: {', '.join(left)} (SLANGER_DEFAULTS; where they are missing the alert is refused).")
    if draft.size == STRATEGY:
        notes.append("TradingView's strategy decides the quantity, up to the limits.")
    if not draft.url.startswith("https://"):
        notes.append("TradingView can't use this URL: it sends to public addresses, ports 80 and 443. It is good for tests.")
    return notes

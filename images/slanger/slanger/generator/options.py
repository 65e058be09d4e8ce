"""Options, all text as typed -> the alert's fixed part, checked by the schema and by what the route needs. Nothing is guessed."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from slanger.alert import SIZES, Fixed, Limits, Side
from slanger.generator.fields import BY_KEY, DEFAULT_EXPIRY, ROUTES, SERVER, STRATEGY
from slanger.generator.routes import ORDER_KEYS
from slanger.generator.rules import Mistakes, check_route

NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
COMMENT = re.compile(r"[A-Za-z0-9_.]{1,40}")
FURTHEST = timedelta(days=3660)
LONGEST = {"symbols": 10_000}
SERVER_DEFAULTS = ("take_profit", "stop_loss", "trail_percent")


class BadOptions(ValueError):
    """Options that make no alert; `mistakes` has every key, its value and the fix."""

    def __init__(self, mistakes: Mistakes) -> None:
        super().__init__("; ".join(f"{key}={value!r}: {fix}" if value else f"{key}: {fix}" for key, value, fix in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True)
class Draft:
    """An alert before it is signed."""

    fixed: dict[str, Any]
    """What is signed; JSON values."""
    url: str
    """Webhook URL with the route."""
    action: str
    """strategy, buy or sell"""
    size: str
    """A key of SIZES, server or strategy."""
    server_defaults: tuple[str, ...]
    """Keys that the server fills in."""
    comment: str
    test_price: str


def check(options: Mapping[str, str], now: float) -> Draft:
    """`options`: key of FIELDS -> text; empty text is the same as no key. `now`: Unix s. Raises BadOptions with every mistake."""
    given = {key: value.strip() for key, value in options.items() if value.strip()}
    mistakes = _unreadable(given)
    if mistakes:
        raise BadOptions(mistakes)
    given = {key: _bare(key, value) for key, value in given.items()}
    given.setdefault("expires", DEFAULT_EXPIRY)
    given.setdefault("action", STRATEGY)
    mistakes += check_route(given)
    expires, url = _expiry(given["expires"], now), _url(given.get("url", ""), given.get("route", ""))
    checked, fixed = _fixed(given, expires)
    mistakes += checked
    mistakes += [(key, "", BY_KEY[key].fix) for key in ("name", "account", "url") if key not in given]
    for key, wrong in (
        ("expires", expires is None),
        ("url", url is None and "url" in given),
        ("action", given["action"] not in BY_KEY["action"].choices),
        ("comment", not COMMENT.fullmatch(given.get("comment", "x"))),
        ("test_price", not NUMBER.fullmatch(given.get("test_price", "1")) or Decimal(given.get("test_price", "1")) <= 0),
    ):
        if wrong:
            mistakes.append((key, given[key], BY_KEY[key].fix))
    if mistakes or fixed is None or url is None:
        first = {key: (key, value, fix) for key, value, fix in reversed(mistakes)}
        raise BadOptions([first[key] for key in BY_KEY if key in first])
    return Draft(
        fixed=fixed,
        url=url,
        action=given["action"],
        size=next((key for key in SIZES if key in given), given.get("size", "")),
        server_defaults=tuple(key for key in SERVER_DEFAULTS if given.get(key) == SERVER),
        comment=given.get("comment", ""),
        test_price=given.get("test_price", ""),
    )


def _unreadable(given: Mapping[str, str]) -> Mistakes:
    mistakes: Mistakes = []
    for key, value in given.items():
        if key not in BY_KEY:
            mistakes.append((key, value[:40], f"there is no such option; use {', '.join(BY_KEY)}"))
        elif "{{" in value or "}}" in value:
            mistakes.append((key, value[:40], "TradingView fills placeholders in after the text was signed: write a fixed value"))
        elif len(value) > LONGEST.get(key, 300) or not value.isprintable():
            mistakes.append((key, value[:40], BY_KEY[key].fix))
    return mistakes


def _bare(key: str, value: str) -> str:
    """`$500` -> `500` and `1%` -> `1` where the unit is known; not of prices, where the sign says what is meant."""
    unit = BY_KEY[key].unit
    if unit == "dollars":
        return value.removeprefix("$")
    return value.removesuffix("%").rstrip() if unit == "percent" else value


def _fixed(given: Mapping[str, str], expires: float | None) -> tuple[Mistakes, dict[str, Any] | None]:
    order = {key: given[key] for key in ORDER_KEYS if key in given and not (key in SERVER_DEFAULTS and given[key] == SERVER)}
    limits = {key: given[key] for key in Limits.model_fields if key in given}
    mistakes = [
        (key, value, BY_KEY[key].fix)
        for key, value in {**order, **limits}.items()
        if BY_KEY[key].unit in ("dollars", "percent", "shares", "count") and not NUMBER.fullmatch(value)
    ]
    raw: dict[str, Any] = {**{key: given.get(key) for key in ("name", "route", "account")}, "expires": expires}
    if "symbols" in given:
        raw["symbols"] = list(dict.fromkeys(part.strip() for part in given["symbols"].split(",")))
    if given["action"] in (Side.BUY.value, Side.SELL.value):
        raw["action"] = given["action"]
    try:
        fixed = Fixed.model_validate({**raw, "limits": limits, "order": order})
    except ValidationError as error:
        for one in error.errors(include_url=False, include_context=False):
            path = [part for part in one["loc"] if part not in ("limits", "order")]
            key = str(path[0]) if path else ""
            # A missing one is told apart, and two sizes at once by the route's rules.
            if key in given and not (key == "expires" and expires is None):
                mistakes.append((key, str(one["input"])[:40], BY_KEY[key].fix))
        return mistakes, None
    return mistakes, None if mistakes else signable(fixed)


def signable(fixed: Fixed) -> dict[str, Any]:
    """The fixed part as JSON values that every JSON reader gives back unchanged: whole numbers, and text for the others."""
    values: dict[str, Any] = {
        "name": fixed.name,
        "route": fixed.route.value,
        "account": fixed.account,
        "expires": datetime.fromtimestamp(fixed.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if fixed.symbols:
        values["symbols"] = list(dict.fromkeys(fixed.symbols))
    if fixed.action:
        values["action"] = fixed.action.value
    for section in ("limits", "order"):
        inner = getattr(fixed, section).model_dump(exclude_none=True)
        if inner:
            values[section] = {key: _plain(value) for key, value in inner.items()}
    return values


def _plain(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return getattr(value, "value", value)
    return int(value) if value == value.to_integral_value() else f"{value.normalize():f}"


def _expiry(text: str, now: float) -> float | None:
    """Unix seconds; None where the text is no time to come."""
    start = datetime.fromtimestamp(int(now), UTC)
    if re.fullmatch(r"[0-9]{1,4}d", text):
        when = start + timedelta(days=int(text[:-1]))
    else:
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when.timestamp() if start < when <= start + FURTHEST else None


def _url(text: str, route: str) -> str | None:
    """The webhook's address with the route; None where it is none."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    path = parts.path.rstrip("/")
    clean = re.fullmatch(r"[A-Za-z0-9_.:\[\]/~-]+", text) and not (parts.query or parts.fragment or parts.username)
    if not clean or not host or parts.scheme not in ("http", "https") or (parts.scheme == "http" and not _is_private(host)):
        return None
    if path.rpartition("/")[2] in ROUTES:
        return None
    return f"{parts.scheme}://{parts.netloc}{path}/{route}"


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host

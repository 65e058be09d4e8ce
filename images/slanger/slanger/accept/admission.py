"""From an authentic body to what the queue holds: schema, what the fixed part allows, and signed fields over unsigned ones."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from slanger.accept.authentication import check_age
from slanger.accept.refusal import Refused
from slanger.accept.routes import check_route
from slanger.accept.sentences import sentence_of
from slanger.accept.settings import Settings
from slanger.alert import SIZES, Alert, Fixed, Limits, Market, OrderFields, Route
from slanger.message import StoredAlert, StoredControl

UNNAMED = "unnamed"
# How a request is authenticated that a program signed whole.
SIGNED_REQUEST = "request"
# What old templates call it.
AFTER_HOURS = "after_hours"
# A signed one of a group replaces every unsigned one of it.
GROUPS = (frozenset(SIZES), frozenset({"trail_percent", "trail_price"}), frozenset({"limit_price", "wiggle"}))
MARKET_KEYS = tuple(Market.model_fields)
ORDER_KEYS = tuple(OrderFields.model_fields)
KNOWN = frozenset({*MARKET_KEYS, *ORDER_KEYS, AFTER_HOURS})
MOST_EXTRA = 50


class Control(BaseModel):
    """Body of POST /control."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: Literal["kill", "resume"]
    close: bool = False


def admit_alert(settings: Settings, route: Route, body: dict[str, Any], key: str, authenticated_by: str, now: float) -> StoredAlert:
    """Raises Refused: 422 for what the schema forbids, 403 for what the alert's fixed part or the settings forbid."""
    try:
        alert = Alert.model_validate(body)
        market = Market.model_validate({key: body[key] for key in MARKET_KEYS if key in body})
        unsigned = OrderFields.model_validate(_order_keys(body))
    except ValidationError as error:
        raise Refused(422, sentence_of(error)) from None
    fixed = alert.alert
    if fixed is not None:
        _check_fixed(settings, route, alert, fixed, now)
    name = fixed.name if fixed else UNNAMED
    if name in settings.revoked:
        raise Refused(403, f"alert {name} is revoked: make a new one under another name")
    # A program's request has the time of its sending in its signature; the alert's own may be that of a market whose clock is another one.
    if SIGNED_REQUEST not in authenticated_by.split("+"):
        check_age("time", alert.time, now, settings.replay_window, 403)
    order = _merge(unsigned, fixed.order) if fixed else unsigned
    check_route(route, alert.ticker, alert.action, order)
    return StoredAlert(
        key=key,
        name=name,
        route=route,
        account=settings.queue.account,
        symbol=alert.ticker,
        action=alert.action,
        fired_at=alert.time,
        received_at=now,
        authenticated_by=authenticated_by,
        limits=fixed.limits if fixed else Limits(),
        order=order,
        market=market,
        extra=_extra(alert),
    )


def admit_control(settings: Settings, body: dict[str, Any], key: str, now: float) -> StoredControl:
    """Raises Refused (422)."""
    try:
        control = Control.model_validate(body)
    except ValidationError as error:
        raise Refused(422, sentence_of(error)) from None
    if control.close and control.action != "kill":
        raise Refused(422, "close=true goes with action=kill only: leave it out")
    return StoredControl(key=key, account=settings.queue.account, action=control.action, close=control.close, received_at=now)


def _check_fixed(settings: Settings, route: Route, alert: Alert, fixed: Fixed, now: float) -> None:
    if fixed.account != settings.queue.account:
        raise Refused(403, f"alert.account={fixed.account}: this service trades another account; use the alert's own URL")
    if fixed.route != route:
        raise Refused(403, f"alert.route={fixed.route.value}: this URL is for {route.value}; use the alert's own URL")
    if fixed.expires <= now:
        when = datetime.fromtimestamp(fixed.expires, UTC).isoformat(timespec="seconds")
        raise Refused(403, f"alert.expires={when}: it is over; make a new one with python -m slanger alerts new")
    if fixed.symbols is not None and alert.ticker not in fixed.symbols:
        raise Refused(403, f"ticker={alert.ticker}: alert.symbols doesn't have it; make an alert for it")
    if fixed.action is not None and alert.action != fixed.action:
        raise Refused(403, f"action={alert.action.value}: alert.action is {fixed.action.value}; make an alert for the other side")


def _order_keys(body: dict[str, Any]) -> dict[str, Any]:
    found = {key: body[key] for key in ORDER_KEYS if key in body}
    if AFTER_HOURS in body:
        if "extended_hours" in found:
            raise Refused(422, f"{AFTER_HOURS} and extended_hours: give one of them")
        found["extended_hours"] = body[AFTER_HOURS]
    return found


def _merge(unsigned: OrderFields, signed: OrderFields) -> OrderFields:
    ours, theirs = _given(signed), _given(unsigned)
    if not ours or not theirs:
        return signed if ours else unsigned
    replaced = {key for group in GROUPS if not group.isdisjoint(ours) for key in group}
    return OrderFields.model_validate({key: value for key, value in theirs.items() if key not in replaced} | ours)


def _given(order: OrderFields) -> dict[str, Any]:
    return {key: value for key in order.model_fields_set if (value := getattr(order, key)) is not None}


def _extra(alert: Alert) -> dict[str, Any]:
    extra = {key: value for key, value in (alert.model_extra or {}).items() if key not in KNOWN}
    if len(extra) > MOST_EXTRA:
        raise Refused(422, f"the body has {len(extra)} unknown fields, {MOST_EXTRA} are kept: leave the others out")
    return extra

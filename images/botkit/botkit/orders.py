"""Orders to the webhook: signed whole, sent again while they are worth it, always the same bytes, so that a repeat is the same alert.

The webhook takes the same bytes as one alert for five minutes, and the broker refuses the id that comes of them for ever: whoever decides the same
signal again after a restart sends it again and orders nothing twice.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from botkit.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign_request
from botkit.stopping import Backoff

log = logging.getLogger(__name__)
# The webhook answers within 3 s, or never.
TRY_SECONDS = 5.0
LONGEST_DELAY = 5.0
MOST_ANSWER = 4096
# Answers after which the same request may be taken: too slow, too many, and every fault of the server.
AGAIN = (408, 425, 429)
# What bounds a program's request is the timestamp of its signature; an alert on paper needs an end of its own.
EXPIRES = "2100-01-01T00:00:00Z"


class Outcome(str, Enum):
    """What became of an order."""

    SENT = "sent"
    """The webhook has stored it: it is never lost and never ordered twice."""
    REFUSED = "refused"
    """The webhook says that it will never take it; `reason` has its sentence."""
    STALE = "stale"
    """It was no longer fresh. An earlier try whose answer was lost may have been taken."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to order and why. Its bytes follow from these values alone."""

    signal: str
    """The signal's id: the same whenever the same signal is decided, and never that of another one."""
    name: str
    """Whose it is: 1 to 32 lower-case letters, digits, hyphens. Limits count by it, and beancleaner's rules know it as a strategy."""
    account: str
    """The webhook's account: it refuses another one."""
    route: str
    """market, notional, trailing, …: docs/webhook.md#routes."""
    symbol: str
    action: str
    """buy or sell."""
    time: str
    """When the signal arose, on the market's clock (RFC 3339)."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The route's own, such as {"notional": "500"}: sizes, prices. Amounts of money as text, so that they are sent as they were typed."""


@dataclass(frozen=True)
class Answer:
    outcome: Outcome
    alert: str = ""
    """The alert's id at the webhook, which is part of its orders' client_order_id; "" unless it was sent."""
    reason: str = ""


def body_of(order: Order) -> bytes:
    """The request's body."""
    fixed = {"name": order.name, "route": order.route, "account": order.account, "expires": EXPIRES}
    own = {"action": order.action, "ticker": order.symbol, "time": order.time, "id": order.signal, "comment": order.name, "alert": fixed}
    if taken := sorted(set(own) & set(order.fields)):
        raise ValueError(f"fields {', '.join(taken)}: the order has them already")
    return json.dumps({**order.fields, **own}, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class Webhook:
    """`url`: the webhook's, such as http://webhook:8000. `signing_key` is its own; whoever has it can order."""

    def __init__(self, url: str, signing_key: str) -> None:
        self._url, self._key = url.rstrip("/"), signing_key
        self._session: Any = None

    async def send(self, order: Order, fresh: Callable[[], Awaitable[bool]]) -> Answer:
        """Sends until the webhook takes or refuses it, or until it is no longer `fresh`, which is asked before each try. Raises nothing of its own."""
        path, body, backoff, reason = f"/{order.route}", body_of(order), Backoff(0.25, LONGEST_DELAY), ""
        while await fresh():
            status, words = await self._post(path, body)
            if status == 202:
                return Answer(Outcome.SENT, _told(words, "id"))
            reason = f"{status} {_told(words, 'error') or words}" if status else words
            if 400 <= status < 500 and status not in AGAIN:
                return Answer(Outcome.REFUSED, reason=reason)
            log.warning("the webhook did not take an order, trying again: %s", reason, extra={"signal": order.signal})
            await asyncio.sleep(backoff.delay())
        return Answer(Outcome.STALE, reason=reason or "it was too old when it could be sent")

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def _post(self, path: str, body: bytes) -> tuple[int, str]:
        """(status, text); 0 and why when there was no answer."""
        import aiohttp

        if self._session is None:
            # No proxy of the environment gets to see orders.
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        timestamp = str(int(time.time()))
        headers = {
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign_request(self._key, path, timestamp, body),
            "Content-Type": "application/json",
        }
        timeout = aiohttp.ClientTimeout(total=TRY_SECONDS, sock_connect=2.0)
        try:
            async with self._session.post(self._url + path, data=body, headers=headers, timeout=timeout, allow_redirects=False) as answer:
                return answer.status, (await answer.content.read(MOST_ANSWER)).decode("utf-8", "replace")
        except TimeoutError:
            return 0, f"no answer within {TRY_SECONDS:g} s"
        except (aiohttp.ClientError, OSError) as problem:
            return 0, str(problem) or type(problem).__name__


def _told(words: str, key: str) -> str:
    try:
        value = json.loads(words)[key]
    except (ValueError, LookupError, TypeError):
        return ""
    return value if isinstance(value, str) else ""

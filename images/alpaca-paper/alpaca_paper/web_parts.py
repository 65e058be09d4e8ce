"""What all routes share: the broker behind a request, JSON answers, parameters."""

import json
from datetime import UTC, datetime

from aiohttp import web

from . import assets
from .assets import Asset
from .broker import Broker
from .faults import Fault
from .feeds import Feed
from .limits import Window
from .orders import EPOCH
from .refusals import Refusal, malformed

BROKER = web.AppKey("broker", Broker)
FAULTS = web.AppKey("faults", list[Fault])
# The market data streams by path.
FEEDS = web.AppKey("feeds", dict[str, Feed])
# The limits on requests of trading and of market data.
WINDOWS = web.AppKey("windows", dict[str, Window])
MICROSECONDS = 1_000_000


def answer(body: object, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body, separators=(",", ":")), status=status, content_type="application/json")


async def body_of(request: web.Request) -> object:
    """The JSON of the body. Raises Refusal."""
    try:
        return json.loads(await request.read())
    except (ValueError, RecursionError):
        raise Refusal(400, 40010000, "request body format is invalid") from None


def flag(request: web.Request, name: str) -> bool:
    """A query parameter that is true or false (also as Python spells them); not sent is false. Raises Refusal."""
    value = request.query.get(name, "false").lower()
    if value not in ("true", "false"):
        raise malformed(f"invalid {name}")
    return value == "true"


def whole(request: web.Request, name: str, default: int, most: int) -> int:
    """Raises Refusal."""
    value = request.query.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) <= most):
        raise malformed(f"invalid {name}")
    return int(value)


def choice(request: web.Request, name: str, default: str, *choices: str) -> str:
    """Raises Refusal."""
    value = request.query.get(name, default)
    if value not in choices:
        raise malformed(f"invalid {name}")
    return value


def instant(request: web.Request, name: str) -> int | None:
    """A time in ISO 8601 (a date alone is its midnight, no zone is UTC) as Unix microseconds. Raises Refusal."""
    value = request.query.get(name)
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise malformed(f"invalid {name}") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int((at - EPOCH).total_seconds() * MICROSECONDS)


def asset_named(broker: Broker, name: str) -> Asset | None:
    return assets.find(broker.assets, name)

"""Bars and news by REST, with Alpaca's parameters, pages and errors.

https://docs.alpaca.markets/reference/stockbars, /cryptobars and /news-3
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from aiohttp import web

from . import bars, news
from .assets import Asset
from .broker import DAY_US, MICROSECOND, Broker, hours_of, now
from .orders import EPOCH
from .prices import MINUTE_US
from .refusals import Refusal
from .web_parts import BROKER, answer

routes = web.RouteTableDef()
NEWS = "/v1beta1/news"
MOST_BARS, USUAL_BARS = 10_000, 1_000
MOST_NEWS, USUAL_NEWS = 50, 10
STOCK, COIN = re.compile(r"[A-Z][A-Z0-9.]{0,9}"), re.compile(r"[A-Z0-9]{1,10}/[A-Z]{3,4}")
# Bars after which others have their turn: a large page takes some tenths of a second.
BREATH = 500
ADJUSTMENTS = ("raw", "split", "dividend", "all")
FEEDS = ("", "iex", "sip", "delayed_sip")
# Alpaca's own data begins in 2016; unasked-for years cost nothing here, but absurd ones would count days for long.
OLDEST = (datetime(2016, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND


def _wrong(message: str) -> Refusal:
    return Refusal(400, None, message)


@routes.get("/v2/stocks/bars")
async def stocks(request: web.Request) -> web.Response:
    return answer(await _page(request, _symbols(request, STOCK), crypto=False))


@routes.get("/v1beta3/crypto/us/bars")
async def coins(request: web.Request) -> web.Response:
    return answer(await _page(request, _symbols(request, COIN), crypto=True))


@routes.get("/v2/stocks/{symbol}/bars")
async def stock(request: web.Request) -> web.Response:
    symbol = request.match_info["symbol"]
    page = await _page(request, [_well_formed(symbol, STOCK)], crypto=False)
    # As at Alpaca, no bars of a single symbol are null, not an empty list.
    return answer({"bars": page["bars"].get(symbol), "symbol": symbol, "next_page_token": page["next_page_token"]})


def _symbols(request: web.Request, pattern: re.Pattern) -> list[str]:
    names = [name for name in request.query.get("symbols", "").split(",") if name]
    if not names:
        raise _wrong("symbols is required")
    return sorted({_well_formed(name, pattern) for name in names})


def _well_formed(name: str, pattern: re.Pattern) -> str:
    if not pattern.fullmatch(name):
        raise _wrong(f"invalid symbol: {name[:32]} does not match ^{pattern.pattern}$")
    return name


async def _page(request: web.Request, symbols: list[str], crypto: bool) -> dict:
    """One page of bars: symbol after symbol, each in the order of time. Raises Refusal."""
    broker, query = request.app[BROKER], request.query
    if query.get("timeframe") not in ("1Min", "1T"):
        raise _wrong(f"invalid timeframe: {query.get('timeframe', '')}; this broker has one-minute bars only, use 1Min")
    if query.get("feed", "") not in FEEDS:
        raise _wrong(f"invalid feed: {query['feed']}")
    if not crypto:
        # Nothing is ever split here and no dividend paid: all of them are the same bars.
        _choice(request, "adjustment", *ADJUSTMENTS)
    present = now(broker)
    start, end = _range(request, present)
    newest_first = _choice(request, "sort", "asc", "desc") == "desc"
    size = _size(request, USUAL_BARS, MOST_BARS)
    # A bar's time is its start; one that has not ended yet is nobody's to see.
    first, last = -(-start // MINUTE_US), min(end // MINUTE_US, present // MINUTE_US - 1)
    after = _token(request)
    found: dict[str, list[dict]] = {}
    token, count = None, 0
    for asset, minute in _wanted(broker, symbols, crypto, first, last, newest_first, after):
        if count % BREATH == BREATH - 1:
            await asyncio.sleep(0)
        if count == size:
            return {"bars": found, "next_page_token": token}
        changes = broker.conditions.history.get(asset.symbol, ())
        found.setdefault(asset.symbol, []).append(bars.bar(broker.recording, asset, changes, minute))
        token, count = _as_token(asset.symbol, minute), count + 1
    return {"bars": found, "next_page_token": None}


def _wanted(
    broker: Broker, symbols: list[str], crypto: bool, first: int, last: int, newest_first: bool, after: tuple[str, int] | None
) -> Iterator[tuple[Asset, int]]:
    """The bars to show, behind the last one of the page before."""
    for symbol in symbols:
        asset = broker.assets.get(symbol)
        if asset is None or asset.is_crypto != crypto or not asset.tradable or (after is not None and symbol < after[0]):
            continue
        begin, end = first, last
        if after is not None and symbol == after[0]:
            begin, end = (first, min(last, after[1] - 1)) if newest_first else (max(first, after[1] + 1), last)
        for minute in bars.minutes(asset, hours_of(broker), begin, end, newest_first):
            yield asset, minute


def _range(request: web.Request, present: int) -> tuple[int, int]:
    """`start` and `end` in Unix microseconds: the day so far if not sent. Raises Refusal."""
    start = _instant(request, "start", present - present % DAY_US)
    end = _instant(request, "end", present)
    if "start" in request.query and end < start:
        raise _wrong("end should not be before start")
    return max(start, OLDEST), end


def _instant(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name)
    if not value:
        return default
    try:
        at = datetime.fromisoformat(value)
        return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND
    except (ValueError, OverflowError):
        raise _wrong(f"invalid {name}: {value[:40]}: use RFC 3339, such as 2026-11-24T14:30:00Z, or a date") from None


def _choice(request: web.Request, name: str, default: str, *others: str) -> str:
    value = request.query.get(name) or default
    if value not in (default, *others):
        raise _wrong(f"invalid {name}: {value[:40]}")
    return value


def _size(request: web.Request, usual: int, most: int) -> int:
    value = request.query.get("limit") or str(usual)
    if not re.fullmatch(r"[0-9]{1,9}", value) or not 1 <= int(value) <= most:
        raise _wrong(f"invalid limit: {value[:40]}: use 1 to {most}")
    return int(value)


def _as_token(name: str, place: int) -> str:
    return base64.urlsafe_b64encode(f"{name}|M|{place}".encode()).decode()


def _token(request: web.Request) -> tuple[str, int] | None:
    value = request.query.get("page_token")
    if not value:
        return None
    try:
        name, _, place = base64.urlsafe_b64decode(value).decode().split("|")
        return name, int(place)
    except (ValueError, binascii.Error):
        raise _wrong("invalid page_token") from None


async def headlines(request: web.Request) -> web.Response:
    """Newest first unless told."""
    start, end = _range(request, now(request.app[BROKER]))
    newest_first = _choice(request, "sort", "desc", "asc") == "desc"
    size, after = _size(request, USUAL_NEWS, MOST_NEWS), _token(request)
    wanted = {name.replace("/", "") for name in request.query.get("symbols", "").split(",") if name}
    found = news.between(start, min(end, now(request.app[BROKER])), newest_first)
    if wanted:
        found = (one for one in found if wanted & set(one["symbols"]))
    if after is not None:
        found = (one for one in found if (one["id"] < after[1] if newest_first else one["id"] > after[1]))
    shown = []
    for one in found:
        if len(shown) == size:
            return answer({"news": shown, "next_page_token": _as_token("news", shown[-1]["id"])})
        content = one["content"] if request.query.get("include_content", "").lower() == "true" else ""
        shown.append({**one, "content": content, "images": []})
    return answer({"news": shown, "next_page_token": None})

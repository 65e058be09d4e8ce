"""The market as purrstream tells it: messages on Redis channels, what a service wants to hear, and a client of purrstream's HTTP API.

Market time is the broker's and that of the bars, never this machine's: a paper broker's clock may be set, and run fast.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from types import TracebackType
from typing import Any

from botkit.bus import Bus

MINUTE = timedelta(minutes=1)
NEWS = "purrstream.news"
# A want is repeated within 30 s and forgotten after 120.
WANT_SECONDS = 120
REPEAT_SECONDS = 20.0
WANTS = "purrstream.wants"
SECONDS = 30.0
CONNECT_SECONDS = 3.0
# Symbols in one request, so that its line stays short.
MOST_SYMBOLS = 100


class MarketDown(Exception):
    """purrstream gave no answer to use; a later one may be one."""


class MarketRefused(ValueError):
    """purrstream won't answer this however often it is asked. The message says what to change."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute of a symbol. Prices in dollars; volume in shares or coins."""

    symbol: str
    start: str
    """Its minute's beginning: RFC 3339, UTC, whole seconds, such as 2026-12-09T14:30:00Z; such texts sort as the times do."""
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int = 0
    vwap: float = 0.0
    since: str = ""
    """No other bar of this symbol starts from here on until `start`: whoever has all before `since` has missed none. "" says nothing."""
    received: float = 0.0
    """Unix seconds (real time) at which purrstream had it; 0: read by REST."""

    @property
    def begins(self) -> datetime:
        return datetime.fromisoformat(self.start)

    @property
    def ends(self) -> datetime:
        """When it was complete: indicators of this bar are known from here on."""
        return datetime.fromisoformat(self.start) + MINUTE


@dataclass(frozen=True, slots=True)
class Trade:
    symbol: str
    time: str
    """Of the trade: RFC 3339, UTC, as precise as the broker tells."""
    price: float
    size: float
    id: int = 0
    exchange: str = ""
    received: float = 0.0


@dataclass(frozen=True, slots=True)
class News:
    id: int
    time: str
    """When it was written."""
    headline: str
    symbols: list[str] = field(default_factory=list)
    summary: str = ""
    url: str = ""
    source: str = ""
    received: float = 0.0


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """What became of an order. A fill is told once while purrstream lives; after a gap it may be told again: `fill_id` tells."""

    account: str
    event: str
    """Alpaca's: new, fill, partial_fill, canceled, …"""
    time: str
    symbol: str
    side: str
    order_id: str
    client_order_id: str = ""
    status: str = ""
    qty: float = 0.0
    """Of this fill; 0 for other events."""
    price: float = 0.0
    fill_id: str = ""
    filled_qty: float = 0.0
    """Of the order, all fills together."""
    position_qty: float | None = None
    """After it; None: not told (a fill read after a gap)."""
    received: float = 0.0


@dataclass(frozen=True)
class Clock:
    """The broker's clock."""

    time: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime


@dataclass(frozen=True)
class Session:
    """A trading day. Instants in UTC."""

    day: date
    open: datetime
    close: datetime


@dataclass(frozen=True)
class Answer:
    """Bars of each symbol, oldest first."""

    bars: Mapping[str, list[Bar]]
    live: Mapping[str, str]
    """Symbol -> the time before which the answer is complete; every bar from there on is, or will be, published. Others are not followed yet."""
    unknown: frozenset[str] = frozenset()
    """The broker has no such symbols."""


def bars_channel(symbol: str) -> str:
    return f"purrstream.bars.{symbol}"


def trades_channel(symbol: str) -> str:
    return f"purrstream.trades.{symbol}"


def account_channel(account: str) -> str:
    return f"purrstream.account.{account}"


def text_of(time: datetime) -> str:
    """As `Bar.start`. Raises ValueError for a time without a zone."""
    if time.tzinfo is None:
        raise ValueError(f"{time.isoformat()}: say in which time zone")
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@lru_cache(1000)
def later(start: str, minutes: int = 1) -> str:
    """A bar's time, so many minutes on. Remembered: hundreds of symbols have a bar of the same minute."""
    return text_of(datetime.fromisoformat(start) + minutes * MINUTE)


async def want(bus: Bus, service: str, *, bars: Iterable[str] = (), trades: Iterable[str] = ()) -> None:
    """Tells purrstream what `service` follows, all of it; to be said at least every 30 s. Raises BusDown.

    Of services with the same name the last one counts.
    """
    text = json.dumps({"bars": sorted(set(bars)), "trades": sorted(set(trades))})
    await bus.together(("SET", f"purrstream.want.{service}", text, "EX", WANT_SECONDS), ("SADD", WANTS, service))


class Market:
    """purrstream's HTTP API. `async with` it, or `close` it. Every method raises MarketDown and MarketRefused."""

    def __init__(self, url: str, *, seconds: float = SECONDS) -> None:
        """`url`: such as http://purrstream:8000. `seconds`: deadline of a request."""
        self.url, self._seconds, self._session = url.rstrip("/"), seconds, None

    async def __aenter__(self) -> "Market":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def bars(self, symbols: Iterable[str], start: datetime, end: datetime | None = None) -> dict[str, list[Bar]]:
        """Complete one-minute bars that start from `start` on until before `end` (None: up to now), oldest first; every symbol has a list."""
        found: dict[str, list[Bar]] = {}
        names = sorted(set(symbols))
        for at in range(0, len(names), MOST_SYMBOLS):
            found |= (await self.answer(names[at : at + MOST_SYMBOLS], text_of(start), text_of(end) if end else "")).bars
        return found

    async def answer(self, symbols: list[str], start: str, end: str = "") -> Answer:
        """The same for at most MOST_SYMBOLS, and how far it reaches."""
        query = {"symbols": ",".join(symbols), "start": start, **({"end": end} if end else {})}
        body = await self._get("bars", query)
        try:
            bars = {one: [Bar(symbol=one, **values) for values in body["bars"].get(one, ())] for one in symbols}
            return Answer(bars, body.get("live", {}), frozenset(body.get("unknown", ())))
        except (KeyError, TypeError, AttributeError) as odd:
            raise MarketDown(f"{self.url}/bars: an odd answer ({odd!r:.100})") from None

    async def clock(self) -> Clock:
        body = await self._get("clock", {})
        try:
            return Clock(_at(body["time"]), bool(body["is_open"]), _at(body["next_open"]), _at(body["next_close"]))
        except (KeyError, TypeError, ValueError) as odd:
            raise MarketDown(f"{self.url}/clock: an odd answer ({odd!r:.100})") from None

    async def calendar(self, first: date, last: date) -> list[Session]:
        """The trading days from `first` to `last` (New York's), both included."""
        body = await self._get("calendar", {"start": first.isoformat(), "end": last.isoformat()})
        try:
            return [Session(date.fromisoformat(one["date"]), _at(one["open"]), _at(one["close"])) for one in body["calendar"]]
        except (KeyError, TypeError, ValueError) as odd:
            raise MarketDown(f"{self.url}/calendar: an odd answer ({odd!r:.100})") from None

    async def _get(self, path: str, query: Mapping[str, str]) -> Any:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        timeout = aiohttp.ClientTimeout(total=self._seconds, sock_connect=CONNECT_SECONDS)
        try:
            async with self._session.get(f"{self.url}/{path}", params=query, timeout=timeout, allow_redirects=False) as answer:
                status, text = answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError, OSError) as problem:
            raise MarketDown(f"{self.url}/{path}: {str(problem) or type(problem).__name__}") from None
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if status == 400 and isinstance(body, dict):
            raise MarketRefused(f"{self.url}/{path}: {body.get('error')}")
        if status != 200 or not isinstance(body, dict):
            raise MarketDown(f"{self.url}/{path}: {status} {text[:200]}")
        return body


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)

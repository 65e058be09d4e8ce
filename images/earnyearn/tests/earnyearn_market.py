"""A stand-in of purrstream: its HTTP API and its channel of bars, over recorded closes, at a time that the test chooses."""

import asyncio
import json
import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web
from botkit.bus import encode
from botkit.market import MINUTE, Bar, bars_channel, text_of

NEW_YORK = ZoneInfo("America/New_York")
# Thanksgiving, a half day, and the end of daylight saving time are in here.
HOLIDAYS = {date(2026, 11, 26), date(2026, 12, 25)}
HALF_DAYS = {date(2026, 11, 27), date(2026, 12, 24)}


def at(day, clock):
    """`at("2026-11-25", "15:59")`: that time in New York."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=NEW_YORK).astimezone(UTC)


def sessions(first, last):
    """(day, open, close) of the trading days, both included."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    open_days = [day for day in days if day.weekday() < 5 and day not in HOLIDAYS]
    return [(day, at(day, "09:30"), at(day, "13:00" if day in HALF_DAYS else "16:00")) for day in open_days]


class FakeMarket:
    """Every symbol has a bar in every minute of a session. `redis`: a client to publish with."""

    def __init__(self, closes, redis, now):
        self.closes, self.redis, self.now = closes, redis, now
        self.lost = False
        """Bars are not published."""
        self.wrong = {}
        """Path -> (status, text) to answer instead."""
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)
        self._thread.start()
        assert self._started.wait(30)

    def close_of(self, symbol, start):
        """Each symbol has its own place in the recording."""
        minute = int(start.timestamp()) // 60
        return self.closes[(minute + 1709 * sum(map(ord, symbol))) % len(self.closes)]

    def bar(self, symbol, start, since=""):
        close = self.close_of(symbol, start)
        return Bar(symbol, text_of(start), close, close, close, close, 100.0, since=since)

    def bars(self, symbol, start, end):
        """Complete ones."""
        found = []
        for _, opens, closes in sessions(start.date() - timedelta(days=1), end.date()):
            at = max(opens, start)
            while at < closes and at + MINUTE <= min(end, self.now):
                found.append(self.bar(symbol, at))
                at += MINUTE
        return found

    def advance(self, minutes, symbols):
        """So many minutes pass; their bars are published."""
        for _ in range(minutes):
            start, self.now = self.now, self.now + MINUTE
            if self.lost or not self._is_open(start):
                continue
            for symbol in symbols:
                before = self.bars(symbol, start - timedelta(days=5), start)[-1:]
                since = text_of(before[0].ends) if before else ""
                self.redis.publish(bars_channel(symbol), encode(self.bar(symbol, start, since)))

    def stop(self):
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(30)

    def _is_open(self, time):
        return any(opens <= time < closes for _, opens, closes in sessions(time.date() - timedelta(days=1), time.date()))

    async def _run(self):
        self._stopping = asyncio.Event()
        app = web.Application()
        for path, handler in (("/clock", self._clock), ("/calendar", self._calendar), ("/bars", self._bars)):
            app.router.add_get(path, handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._started.set()
        await self._stopping.wait()
        await runner.cleanup()

    def _answer(self, path, body):
        if path in self.wrong:
            status, text = self.wrong[path]
            return web.Response(status=status, text=text)
        return web.Response(text=json.dumps(body), content_type="application/json")

    async def _clock(self, _):
        around = sessions(self.now.date() - timedelta(days=1), self.now.date() + timedelta(days=9))
        body = {
            "time": self.now.isoformat(),
            "is_open": self._is_open(self.now),
            "next_open": next(opens for _, opens, _ in around if opens > self.now).isoformat(),
            "next_close": next(closes for _, _, closes in around if closes > self.now).isoformat(),
        }
        return self._answer("/clock", body)

    async def _calendar(self, request):
        first, last = (date.fromisoformat(request.query[name]) for name in ("start", "end"))
        days = [{"date": str(day), "open": opens.isoformat(), "close": closes.isoformat()} for day, opens, closes in sessions(first, last)]
        return self._answer("/calendar", {"calendar": days})

    async def _bars(self, request):
        start, now = datetime.fromisoformat(request.query["start"]), self.now.replace(second=0, microsecond=0)
        symbols = request.query["symbols"].split(",")
        fields = ("start", "open", "high", "low", "close", "volume")
        bars = {one: [{name: getattr(bar, name) for name in fields} for bar in self.bars(one, start, now)] for one in symbols}
        return self._answer("/bars", {"bars": bars, "live": dict.fromkeys(symbols, text_of(now))})

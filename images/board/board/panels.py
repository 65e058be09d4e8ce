"""What the page asks for: each panel's parameters, checked, and its data, shared by all browsers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from queries import LEVELS

from board.ask import Ask
from board.costs import cost_data
from board.curves import curve_of, profit_curves, trade_rows
from board.log_search import MOST_TEXT, search, services_seen
from board.orders import order_data
from board.settings import Settings
from board.shared import Answer, Shared
from board.strategies import strategy_data
from board.telemetry import telemetry_rows
from board.window import chart_window, log_window

FRESH_SECONDS = 4.0
COST_SECONDS = 25.0
LOG_SECONDS = 2.0


class Panels:
    """`money_of`: a bot's currency by its name, "" while it isn't known, and whether it is a dry run. `redact`: takes credentials out of a text."""

    def __init__(self, settings: Settings, ask: Ask, money_of: Callable[[str], tuple[str, bool]], redact: Callable[[Any], Any]) -> None:
        self._bots = [bot.name for bot in settings.bots]
        self._services = [service.name for service in settings.services]
        self._ask, self._money_of, self._redact = ask, money_of, redact
        self._answers = Shared(60)
        # Larger ones, and anybody's own: a few are enough.
        self._searches = Shared(8)
        self._panels: Mapping[str, Callable[[Mapping[str, str]], Awaitable[Answer]]] = {
            "profit": self._profit, "trades": self._trades, "orders": self._orders, "strategies": self._strategies,
            "costs": self._costs, "telemetry": self._telemetry, "logs": self._logs,
        }  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._panels)

    async def answer(self, name: str, parameters: Mapping[str, str]) -> Answer:
        """Raises ValueError with a sentence for the person."""
        return await self._panels[name](parameters)

    async def _profit(self, parameters: Mapping[str, str]) -> Answer:
        """`range`, and `bot` or `currency` (all bots that earn it: with `dry` those of a dry run, else the others if there are any)."""
        span, bot, currency = self._range(parameters), self._bot(parameters), parameters.get("currency", "")
        dry = parameters.get("dry", "") == "1"
        curves = await self._answers.get(
            ("profit", span), FRESH_SECONDS, lambda: profit_curves(self._ask, chart_window(span), len(self._bots))
        )
        if curves.data is None:
            return curves
        points, axis = curves.data
        data = {
            "points": curve_of(points, [bot] if bot else self._earning(currency, dry)),
            "grid": axis,
            "currency": self._money_of(bot)[0] if bot else currency,
            "dry": dry and not bot,
        }
        return Answer(data, curves.at, curves.problem)

    def _earning(self, currency: str, dry: bool) -> list[str]:
        """Bots whose profits can be added up: of one currency, play money apart from real money."""
        if not currency:
            # Not known yet, of several bots perhaps several.
            return self._bots if len(self._bots) == 1 else []
        moneys = {name: self._money_of(name) for name in self._bots}
        alike = dry or not any(known and not is_dry for known, is_dry in moneys.values())
        return [name for name, money in moneys.items() if money == (currency, alike)]

    async def _trades(self, parameters: Mapping[str, str]) -> Answer:
        """`range`, and `bot` or all."""
        span, bot = self._range(parameters), self._bot(parameters)
        return await self._answers.get(("trades", span, bot), FRESH_SECONDS, lambda: trade_rows(self._ask, chart_window(span), bot))

    async def _orders(self, parameters: Mapping[str, str]) -> Answer:
        span = self._range(parameters)
        answer = await self._answers.get(("orders", span), FRESH_SECONDS, lambda: order_data(self._ask, chart_window(span, 60)))
        return Answer(self._redact(answer.data), answer.at, answer.problem)

    async def _strategies(self, parameters: Mapping[str, str]) -> Answer:
        span = self._range(parameters)
        answer = await self._answers.get(("strategies", span), FRESH_SECONDS, lambda: strategy_data(self._ask, chart_window(span)))
        return Answer(self._redact(answer.data), answer.at, answer.problem)

    async def _costs(self, parameters: Mapping[str, str]) -> Answer:
        span = self._range(parameters)
        return await self._answers.get(("costs", span), COST_SECONDS, lambda: cost_data(self._ask, chart_window(span)))

    async def _telemetry(self, _: Mapping[str, str]) -> Answer:
        return await self._answers.get("telemetry", FRESH_SECONDS, lambda: telemetry_rows(self._ask, chart_window("1h")))

    async def _logs(self, parameters: Mapping[str, str]) -> Answer:
        """`range`, or `from` and `to`; `service`, `bot`, `level` (and worse), `text`; `before`: nanoseconds of the oldest line that is there."""
        window = log_window(parameters)
        text, level, before = parameters.get("text", ""), parameters.get("level", ""), parameters.get("before", "")
        service = parameters.get("service", "")
        if len(text) > MOST_TEXT:
            raise ValueError(f"text has {len(text)} characters: use at most {MOST_TEXT}")
        if level and level not in LEVELS:
            raise ValueError(f"level={level[:20]!r}: use one of {', '.join(LEVELS)}")
        if before and not (before.isascii() and before.isdigit() and len(before) <= 20):
            raise ValueError("before: use the nanoseconds of a line")
        if len(service) > 80:
            raise ValueError("service: use the name of one")
        wanted = {"service": service, "bot": self._bot(parameters), "level": level, "text": text}
        # Relative ranges that are asked within the same moments are one question.
        when = (parameters.get("range", "1h"),) if "from" not in parameters else (window.start_ms, window.end_ms)
        key = (*wanted.items(), *when, before)
        found, seen = await asyncio.gather(
            self._searches.get(key, LOG_SECONDS, lambda: search(self._ask, window, before, **wanted)),
            self._answers.get("services seen", 60.0, lambda: services_seen(self._ask)),
        )
        if found.data is None:
            return found
        services = sorted({*self._services, *(seen.data or [])})
        return Answer(self._redact(found.data) | {"services": services}, found.at, found.problem)

    def _range(self, parameters: Mapping[str, str]) -> str:
        name = parameters.get("range", "24h")
        chart_window(name)
        return name

    def _bot(self, parameters: Mapping[str, str]) -> str:
        bot = parameters.get("bot", "")
        if bot and bot not in self._bots:
            raise ValueError(f"bot={bot[:64]!r}: this board has no such bot")
        return bot

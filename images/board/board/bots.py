"""Every bot's live state, from its own REST API, so that bots show even when nothing else does. Asked only while a page is open."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp
from botkit.freqtrade import BotError, Client

from board.numbers import number
from board.settings import Bot
from board.sources import Source, SourceDown

log = logging.getLogger(__name__)
INTERVAL = 4.0
SECONDS = 4.0
SHOWN_TRADES = 20
# A reload takes a second or two, in the same process.
STATES = {"running": "running", "reload_config": "running", "paused": "paused", "stopped": "stopped"}


class BotWatch:
    """One bot: what it said last, and whether it answers."""

    def __init__(self, bot: Bot, session: aiohttp.ClientSession) -> None:
        self.name, self._client = bot.name, Client(bot.url, bot.username, bot.password, session=session, seconds=SECONDS)
        todo = f"See whether its container runs and what it says: make logs BOT={bot.name}; on AWS its ECS service."
        self.source = Source(f"bot:{bot.name}", f"Bot {bot.name}", todo)
        self.said: dict[str, Any] = {}

    async def look(self) -> None:
        """Ask it once."""
        try:
            self.said = await self.source.ask(self._read)
        except SourceDown:
            pass

    async def _read(self) -> dict[str, Any]:
        bot = self._client
        try:
            return described(*await asyncio.gather(bot.show_config(), bot.profit(), bot.status(), bot.health(), bot.balance()))
        except BotError as error:
            raise SourceDown(str(error)) from None
        except (AttributeError, KeyError, TypeError, ValueError):
            raise SourceDown("answers, but not as freqtrade does") from None

    def row(self) -> dict[str, Any]:
        """For the page: what it said last, and what is wrong now."""
        state = {"down": "unreachable", "unknown": "unknown"}.get(self.source.state, self.said.get("state", "unknown"))
        known = {"name": self.name, **self.said, "state": state}
        return known | ({"problem": self.source.problem, "since": round(self.source.since * 1000)} if state == "unreachable" else {})


def described(config: Any, profit: Any, status: Any, health: Any, balance: Any) -> dict[str, Any]:
    """freqtrade's answers (`freqtrade/rpc/api_server/api_schemas.py`) as the page needs them. Amounts are in `currency`; None: not known."""
    closed, everything = number(profit.get("profit_closed_coin")), number(profit.get("profit_all_coin"))
    loop = number(health.get("last_process_ts"))
    return {
        "state": STATES.get(config["state"], str(config["state"])[:40]),
        "dry": config["dry_run"] is not False,
        "strategy": str(config.get("strategy") or "")[:80],
        "currency": str(config["stake_currency"])[:12],
        "loop_at": loop * 1000 if loop else None,
        "profit": closed,
        "profit_percent": number(profit.get("profit_closed_percent")),
        "open_profit": None if closed is None or everything is None else everything - closed,
        "balance": number(balance.get("total_bot") if balance.get("total_bot") is not None else balance.get("total")),
        "closed": int(profit["closed_trade_count"]),
        "wins": int(profit.get("winning_trades") or 0),
        "open": len(status),
        "trades": [open_trade(one) for one in status[:SHOWN_TRADES]],
    }


def open_trade(trade: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": int(trade["trade_id"]),
        "pair": str(trade["pair"])[:40],
        "side": "short" if trade.get("is_short") else "long",
        "opened": number(trade.get("open_timestamp")),
        "stake": number(trade.get("stake_amount")),
        "rate": number(trade.get("open_rate")),
        "profit": number(trade.get("profit_abs")),
        "profit_percent": number(trade.get("profit_pct")),
    }


async def watch_bots(bots: Sequence[BotWatch], watched: asyncio.Event, publish: Callable[[list[dict[str, Any]]], None]) -> None:
    """For ever: each bot at its own pace, so that a slow one delays no other."""

    async def follow(bot: BotWatch, offset: float) -> None:
        while True:
            await watched.wait()
            try:
                await bot.look()
            except Exception:
                log.exception("fault while reading bot %s", bot.name)
            await asyncio.sleep(INTERVAL + offset)

    async def tell() -> None:
        while True:
            publish([bot.row() for bot in bots])
            await asyncio.sleep(0.5)
            await watched.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(tell())
        for place, bot in enumerate(bots):
            tasks.create_task(follow(bot, place / len(bots)))

"""Client of a bot's REST API (freqtrade 2026.9): what it holds, what it has earned, whether its loop runs."""

import json
from base64 import b64encode
from enum import Enum
from types import TracebackType
from typing import Any

SECONDS = 5.0
CONNECT_SECONDS = 2.0
MOST_BYTES = 8 * 2**20


class Fault(str, Enum):
    """Why there is no answer to use."""

    NO_NAME = "no_dns_name"
    NO_ANSWER = "no_answer"
    REFUSED = "wrong_password"
    ODD_ANSWER = "odd_answer"


class BotError(Exception):
    """A bot did not answer as it should. The message is for people and without credentials; `fault` is for programs."""

    def __init__(self, fault: Fault, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = fault


class Client:
    """One bot. `async with` it, or `close` it; a session that was given stays open.

    Answers are freqtrade's own, decoded (`freqtrade/rpc/api_server/api_schemas.py`). Each call has a deadline and raises only BotError.
    """

    def __init__(self, url: str, username: str, password: str, *, session: Any = None, seconds: float = SECONDS) -> None:
        """`url`: such as http://sample:8080, without a path and without credentials."""
        self.url = url.rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode(),
        }
        self._session, self._own, self._seconds = session, session is None, seconds

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        if self._own and self._session:
            await self._session.close()
            self._session = None

    async def show_config(self) -> dict[str, Any]:
        """`state` (running, paused, stopped, reload_config), `stake_currency`, `dry_run`, `strategy`, `bot_name`, …"""
        return await self._get("show_config", dict)

    async def status(self) -> list[dict[str, Any]]:
        """Open trades: `trade_id`, `pair`, `is_short`, `stake_amount`, `open_rate`, `current_rate`, `profit_abs`, `open_timestamp` (ms), …"""
        return await self._get("status", list)

    async def count(self) -> dict[str, Any]:
        """`current` and `max` open trades, `total_stake` (stake currency)."""
        return await self._get("count", dict)

    async def profit(self) -> dict[str, Any]:
        """Stake currency: `profit_closed_coin`, `profit_all_coin`; parts of 1: `profit_closed_ratio`, …; `closed_trade_count`, …"""
        return await self._get("profit", dict)

    async def balance(self) -> dict[str, Any]:
        """`total` and `total_bot` in stake currency, `stake`, `currencies`."""
        return await self._get("balance", dict)

    async def trades(self, limit: int = 500, offset: int = 0, newest_first: bool = False) -> dict[str, Any]:
        """A page of closed trades, oldest first by id: `trades` (`close_timestamp` in ms, `close_profit_abs`, …), `trades_count`, `total_trades`.

        `newest_first`: by the time of closing. `limit`: at most 500.
        """
        order = {"order_by_id": "false"} if newest_first else {}
        return await self._get("trades", dict, limit=limit, offset=offset, **order)

    async def health(self) -> dict[str, Any]:
        """`last_process_ts`: Unix seconds of the loop's last round, None before the first."""
        return await self._get("health", dict)

    async def _get(self, path: str, kind: type, **parameters: Any) -> Any:
        import aiohttp

        if self._session is None:
            # No proxy of the environment gets to see credentials.
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        timeout = aiohttp.ClientTimeout(total=self._seconds, sock_connect=CONNECT_SECONDS)
        url = f"{self.url}/api/v1/{path}"
        try:
            async with self._session.get(url, params=parameters, headers=self._headers, timeout=timeout, allow_redirects=False) as answer:
                return await self._decoded(path, answer, kind)
        except aiohttp.ClientConnectorDNSError:
            raise BotError(Fault.NO_NAME, f"{self.url}: DNS does not know this name") from None
        except TimeoutError:
            raise BotError(Fault.NO_ANSWER, f"{self.url}/…/{path}: no answer within {self._seconds:g} s") from None
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise BotError(Fault.NO_ANSWER, f"{self.url}: {_reason(error)}") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise BotError(Fault.ODD_ANSWER, f"{self.url}/…/{path}: {type(error).__name__}") from None

    async def _decoded(self, path: str, answer: Any, kind: type) -> Any:
        if answer.status == 401:
            raise BotError(Fault.REFUSED, f"{self.url} refuses username or password")
        if answer.status != 200:
            raise BotError(Fault.ODD_ANSWER, f"{self.url}/…/{path}: HTTP {answer.status}")
        body = bytearray()
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > MOST_BYTES:
                raise BotError(Fault.ODD_ANSWER, f"{self.url}/…/{path}: more than {MOST_BYTES} bytes")
        try:
            decoded = json.loads(body)
        except (ValueError, RecursionError):
            raise BotError(Fault.ODD_ANSWER, f"{self.url}/…/{path}: no JSON") from None
        if not isinstance(decoded, kind):
            raise BotError(Fault.ODD_ANSWER, f"{self.url}/…/{path}: no {kind.__name__}")
        return decoded


def _reason(error: Exception) -> str:
    """In the system's words where it has some."""
    system = getattr(error, "os_error", None) or error
    return getattr(system, "strerror", None) or type(error).__name__

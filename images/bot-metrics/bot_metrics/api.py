"""GET of one bot's REST API: a deadline and a size for each answer, and every way to fail as a BotFault without credentials in it."""

import json
from base64 import b64encode
from typing import Any

import aiohttp

from bot_metrics.settings import BotAddress
from bot_metrics.troubles import NO_ANSWER, NO_NAME, ODD_ANSWER, REFUSED, Kind

# A bot on a quarter of a vCPU takes its time while it works through its pairs.
TIMEOUT = aiohttp.ClientTimeout(total=5, sock_connect=2)
MOST_BYTES = 8 * 2**20
HEADERS = {"Accept": "application/json"}


class BotFault(Exception):
    """A bot did not answer as it should. `detail` is for people."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(f"{kind.name}: {detail}")
        self.kind = kind
        self.detail = detail


class BotApi:
    """One bot, over a session that all bots share."""

    def __init__(self, session: aiohttp.ClientSession, bot: BotAddress) -> None:
        self._session, self._bot = session, bot
        self._headers = {**HEADERS, "Authorization": "Basic " + b64encode(f"{bot.username}:{bot.password}".encode()).decode()}

    async def get(self, path: str, **parameters: Any) -> Any:
        """GET /api/v1/PATH, decoded. Raises BotFault."""
        url = f"{self._bot.url}/api/v1/{path}"
        try:
            async with self._session.get(url, params=parameters, headers=self._headers, timeout=TIMEOUT, allow_redirects=False) as answer:
                return await self._decoded(path, answer)
        except aiohttp.ClientConnectorDNSError:
            raise BotFault(NO_NAME, self._bot.url) from None
        except TimeoutError:
            raise BotFault(NO_ANSWER, f"{self._bot.url}: /{path} not within {TIMEOUT.total:g} s") from None
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise BotFault(NO_ANSWER, f"{self._bot.url}: {_reason(error)}") from None
        except aiohttp.ClientError as error:
            raise BotFault(ODD_ANSWER, f"{self._bot.url}: /{path}: {error.__class__.__name__}") from None

    async def _decoded(self, path: str, answer: aiohttp.ClientResponse) -> Any:
        if answer.status == 401:
            raise BotFault(REFUSED, f"{self._bot.url}: 401")
        if answer.status != 200:
            raise BotFault(ODD_ANSWER, f"{self._bot.url}: /{path}: HTTP {answer.status}")
        body = bytearray()
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > MOST_BYTES:
                raise BotFault(ODD_ANSWER, f"{self._bot.url}: /{path}: more than {MOST_BYTES} bytes")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise BotFault(ODD_ANSWER, f"{self._bot.url}: /{path}: no JSON") from None


def _reason(error: Exception) -> str:
    """In the system's words where it has some."""
    system = getattr(error, "os_error", error)
    return getattr(system, "strerror", None) or type(error).__name__

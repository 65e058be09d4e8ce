"""GET of JSON with a deadline and a size; every way to fail is a SourceDown in plain words, without the URL's credentials."""

import json
import os
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

import aiohttp

from board.sources import BadQuery, SourceDown, TooSlow

MOST_BYTES = 8 * 2**20
SHOWN = 300
PING_SECONDS = 2.0


class Address(NamedTuple):
    """A URL without its credentials, and the header that they became."""

    url: str
    headers: Mapping[str, str]


def address(url: str, alone_is_token: bool = False) -> Address:
    """User and password become Basic; `alone_is_token`: one of them without the other is InfluxDB's token, as botkit.metrics has it."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    headers = {}
    if alone_is_token and bool(user) != bool(password):
        headers["Authorization"] = f"Token {user or password}"
    elif user or password:
        headers["Authorization"] = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    return Address(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), headers)


def beside(where: Address, name: str) -> Address:
    """Another page in the same folder."""
    parts = urlsplit(where.url)
    return Address(urlunsplit(parts._replace(path=parts.path.rpartition("/")[0] + f"/{name}", query="")), where.headers)


async def get_json(session: aiohttp.ClientSession, where: Address, parameters: Mapping[str, str], seconds: float, ping: Address) -> Any:
    """Raises SourceDown; BadQuery when the server refuses the question itself (400), TooSlow when it takes longer but answers `ping`."""
    timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=min(2.0, seconds))
    try:
        async with session.get(where.url, params=parameters, headers=where.headers, timeout=timeout, allow_redirects=False) as answer:
            body = await _limited(answer)
            status = answer.status
    except aiohttp.ConnectionTimeoutError:
        raise SourceDown(f"no answer within {timeout.sock_connect:g} s") from None
    except TimeoutError:
        if await _answers(session, ping):
            raise TooSlow(f"no answer within {seconds:g} s: choose a shorter range") from None
        raise SourceDown(f"no answer within {seconds:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise SourceDown(reason(error)) from None
    if status == 400:
        raise BadQuery(body.decode(errors="replace").strip()[:SHOWN])
    if status in (401, 403):
        raise SourceDown(f"refuses the user or password ({status})")
    if status != 200:
        raise SourceDown(f"answers with HTTP {status}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise SourceDown("answers, but not with JSON") from None


async def _answers(session: aiohttp.ClientSession, ping: Address) -> bool:
    timeout = aiohttp.ClientTimeout(total=PING_SECONDS)
    try:
        async with session.get(ping.url, headers=ping.headers, timeout=timeout, allow_redirects=False) as answer:
            return answer.status < 300
    except (TimeoutError, aiohttp.ClientError, OSError):
        return False


async def _limited(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise BadQuery(f"the answer is larger than {MOST_BYTES // 2**20} MiB: choose a shorter range")
    return bytes(body)


def reason(error: Exception) -> str:
    """In the system's words where it has some."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "DNS does not know its host name"
    system = getattr(error, "os_error", error)
    if isinstance(number := getattr(system, "errno", None), int) and number > 0:
        return os.strerror(number).lower()
    return {"ServerDisconnectedError": "closed the connection"}.get(type(error).__name__, type(error).__name__)

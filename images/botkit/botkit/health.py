"""Health: GET /health (the process lives) and GET /ready (what it needs answers) for a service, and the command that asks the first.

`python3 -m botkit.health`: exit code 0 if GET BOTKIT_HEALTH_URL (default http://127.0.0.1:8000/health) is answered 200 within 3 s, else 1 and the
reason. Few imports: it runs every few seconds beside a service that may have a quarter of a core.
"""

import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

DEFAULT_URL = "http://127.0.0.1:8000/health"
SECONDS = 3
CHECK_SECONDS = 2.0
Check = Callable[[], Awaitable[str]]
"""Empty text when all is well, else a sentence without secrets. Raising counts as not well; more than CHECK_SECONDS too."""


def routes(checks: Mapping[str, Check] | None = None, alive: Callable[[], str] | None = None) -> list[Any]:
    """aiohttp routes GET /health and GET /ready, for a service that has an application of its own.

    `alive`: empty text while the process does its work, else a sentence; without it an answer is proof enough. `checks`: name -> what /ready asks.
    200 if all is well, else 503; the body is JSON: {"alive": true} or {"ready": true}, else false and the sentences in `problems`.
    """
    from aiohttp import web

    async def health(_: web.Request) -> web.Response:
        problem = alive() if alive else ""
        body = {"alive": not problem, **({"problems": {"alive": problem}} if problem else {})}
        return web.json_response(body, status=503 if problem else 200)

    async def ready(_: web.Request) -> web.Response:
        problems = await problems_of(checks or {})
        body = {"ready": not problems, **({"problems": problems} if problems else {})}
        return web.json_response(body, status=503 if problems else 200)

    return [web.get("/health", health), web.get("/ready", ready)]


async def problems_of(checks: Mapping[str, Check]) -> dict[str, str]:
    """Name -> sentence, of the checks that find something; all at once."""
    import asyncio

    async def ask(check: Check) -> str:
        try:
            return await asyncio.wait_for(check(), CHECK_SECONDS)
        except TimeoutError:
            return f"no answer within {CHECK_SECONDS:g} s"
        except Exception as fault:
            return type(fault).__name__

    found = await asyncio.gather(*map(ask, checks.values()))
    return {name: problem for name, problem in zip(checks, found) if problem}


@asynccontextmanager
async def serve(
    port: int,
    checks: Mapping[str, Check] | None = None,
    *,
    host: str = "0.0.0.0",
    alive: Callable[[], str] | None = None,
    more: Iterable[Any] = (),
) -> AsyncIterator[int]:
    """`async with serve(8000, {"redis": …}):` answers until the end of the block; gives the port (a free one for 0).

    `more`: further aiohttp routes. Raises OSError when it can't listen there.
    """
    from aiohttp import web

    app = web.Application(client_max_size=2**16)
    app.add_routes([*routes(checks, alive), *more])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def ask(host: str, port: int, path: str = "/health") -> str:
    """Empty text if GET is answered 200 within SECONDS, else the reason."""
    try:
        with socket.create_connection((host, port), timeout=SECONDS) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n".encode())
            status = connection.recv(64).split(b"\r\n")[0].decode("latin-1")
    except OSError as problem:
        return f"no answer from the service: {problem}"
    return "" if " 200 " in f"{status} " else f"the service answers {status!r}"


def main() -> int:
    from urllib.parse import urlsplit

    url = os.environ.get("BOTKIT_HEALTH_URL", DEFAULT_URL)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host, port = None, 0
    if parts.scheme != "http" or not host:
        print(f"BOTKIT_HEALTH_URL={url!r}: use a URL such as {DEFAULT_URL}")
        return 1
    reason = ask(host, port, parts.path or "/")
    print(reason, end="\n" if reason else "")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())

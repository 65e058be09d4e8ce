"""Who may ask, and what every answer carries: this machine's names in Host (DNS rebinding), GET alone, a policy without inline code."""

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

LOCAL = ("localhost", "127.0.0.1", "[::1]")
HEADERS = {
    # lightweight-charts sets sizes through the DOM's style object, which needs no 'unsafe-inline'.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; manifest-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")
FIX = "this name is not the board's: open http://localhost:PORT, or add the name to hosts (BOARD_HOSTS)\n"


def guard(hosts: Collection[str]) -> Any:
    """Middleware; `hosts`: further names of Host, without a port."""
    allowed = {*LOCAL, *(name.lower() for name in hosts)}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        match = HOST.fullmatch(request.headers.get("Host", ""))
        # Health commands call it by any name, and it tells nothing.
        if request.path != "/health" and (match is None or match["name"].lower() not in allowed):
            return web.Response(status=421, text=FIX)
        if request.method != "GET":
            return web.Response(status=405, text="the board only reads: use GET\n", headers={"Allow": "GET"})
        if request.path.startswith("/api/") and not is_own(request):
            return web.Response(status=403, text="the request comes from another site\n")
        return await handler(request)

    return check


def is_own(request: web.Request) -> bool:
    """Whether no page of another site makes the browser ask. Programs send neither header."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers["Host"].lower():
        return False
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")


async def add_headers(request: web.Request, answer: web.StreamResponse) -> None:
    """For on_response_prepare: errors carry them too."""
    for name, value in HEADERS.items():
        answer.headers[name] = value
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers.pop("Server", None)

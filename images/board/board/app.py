"""The routes: the page's files, answers in JSON, and the socket that everything live comes through."""

import asyncio
import json
import time
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from board.guard import add_headers, guard, is_own
from board.hub import Hub
from board.page_files import PageFile, read_files
from board.panels import Panels
from board.settings import Settings
from board.shared import Answer

TICK_SECONDS = 2.0
FILES = web.AppKey("files", dict[str, PageFile])
HUB = web.AppKey("hub", Hub)
PANELS = web.AppKey("panels", Panels)


def make_app(settings: Settings, hub: Hub, panels: Panels) -> web.Application:
    app = web.Application(middlewares=[guard(settings.hosts)], client_max_size=1024)
    app.on_response_prepare.append(add_headers)
    app[FILES], app[HUB], app[PANELS] = read_files(settings.title, settings.vendor), hub, panels
    app.router.add_get("/health", health, allow_head=False)
    app.router.add_get("/api/live", live, allow_head=False)
    for name in panels.names:
        app.router.add_get(f"/api/{name}", panel, allow_head=False, name=name)
    app.router.add_get("/{path:.*}", page_file, allow_head=False)
    return app


async def health(_: web.Request) -> web.Response:
    """This process lives; what it reads from may be down."""
    return web.json_response({"status": "ok"})


async def page_file(request: web.Request) -> web.Response:
    found = request.app[FILES].get(request.path)
    return found.answer(request) if found else web.Response(status=404, text="no such page\n")


async def panel(request: web.Request) -> web.Response:
    """One panel's data. 400 and a sentence when a parameter can't be used."""
    try:
        answer: Answer = await request.app[PANELS].answer(request.match_info.route.name, dict(request.query))
    except ValueError as wrong:
        return _json({"error": str(wrong)}, 400)
    return _json(answer.as_json())


def _json(data: Any, status: int = 200) -> web.Response:
    answer = web.json_response(data, status=status, dumps=lambda one: json.dumps(one, separators=(",", ":"), allow_nan=False))
    answer.enable_compression()
    return answer


async def live(request: web.Request) -> web.StreamResponse:
    """Snapshots and events as `{"topic", "data"}`, and a tick every 2 s by which the page knows that it isn't stale."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        return web.Response(status=426, text="this address is for the page's WebSocket\n", headers={"Upgrade": "websocket"})
    if request.headers.get("Origin") is None or not is_own(request):
        # A socket is not bound by the same-origin rule: without this any site could listen.
        return web.Response(status=403, text="the request comes from another site\n")
    socket = web.WebSocketResponse(heartbeat=20, max_msg_size=1024, compress=True)
    await socket.prepare(request)
    client = request.app[HUB].join()
    if client is None:
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many pages")
        return socket
    sender = asyncio.create_task(_send(socket, client.texts))
    try:
        async for message in socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                break  # A page says nothing.
    finally:
        request.app[HUB].leave(client)
        sender.cancel()
    await socket.close()
    return socket


async def _send(socket: web.WebSocketResponse, texts: "asyncio.Queue[str | None]") -> None:
    next_tick = 0.0
    while True:
        try:
            async with asyncio.timeout(max(0.0, next_tick - time.monotonic())):
                text = await texts.get()
        except TimeoutError:
            text = json.dumps({"topic": "tick", "data": round(time.time() * 1000)})
            next_tick = time.monotonic() + TICK_SECONDS
        if text is None:
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too slow")
            return
        await socket.send_str(text)

"""The HTTP side: verify, validate, store, and only then 202. A plain ASGI application."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from slanger.accept.admission import SIGNED_REQUEST, UNNAMED, admit_alert, admit_control
from slanger.accept.authentication import Request, check_sender, check_signature, request_timestamp
from slanger.accept.batches import BatchWriter, Message, NotStored
from slanger.accept.body import Disconnected, Receive, parse, read_body
from slanger.accept.journal import Journal
from slanger.accept.readiness import Readiness
from slanger.accept.refusal import Refused
from slanger.accept.settings import Settings
from slanger.alert import NAME, Route
from slanger.message import StoredAlert, StoredControl, alert_key_of, group_of

# TradingView waits 3 s: the answer must be there before, whatever the queue does.
ANSWER_SECONDS = 2.4
CONTROL = "/control"
POSTED = {f"/{route.value}": route for route in Route} | {CONTROL: None}
ASKED = ("/health", "/ready")

Send = Callable[[dict[str, Any]], Awaitable[None]]


class App:
    """One for all requests of the process."""

    def __init__(self, settings: Settings, writer: BatchWriter, readiness: Readiness) -> None:
        self._settings = settings
        self._writer = writer
        self._readiness = readiness
        self._journal = Journal()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        noted: dict[str, Any] = {"route": scope["path"][1:41]}
        try:
            status, answer = 202, {"id": await self._handle(scope, receive, noted)}
        except _Answer as early:
            status, answer = early.status, early.answer
        except Refused as refused:
            status, answer = refused.status, {"error": refused.sentence}
            self._journal.refused(status=status, reason=refused.sentence, **noted)
        except NotStored:
            status, answer = 503, {"error": "the queue doesn't answer: send the alert again"}
            self._journal.refused(status=status, reason="not stored in time", **noted)
        except Disconnected:
            return
        except Exception:
            self._journal.failed(**noted)
            status, answer = 500, {"error": "the request failed for a reason of our own: send it again"}
        await _respond(send, status, answer)

    async def _handle(self, scope: dict[str, Any], receive: Receive, noted: dict[str, Any]) -> str:
        """The accepted alert's id."""
        deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
        # First, whatever the path: a body that is left unread keeps its connection for as long as its sender likes.
        body = await read_body(receive)
        path = scope["path"]
        await self._route(scope["method"], path)
        request = Request(path=path, peer=(scope["client"] or ("",))[0], headers=scope["headers"])
        now = time.time()
        stored = self._admit(request, body, now, noted)
        text = stored.model_dump_json(exclude_none=True, ensure_ascii=True)
        group = group_of(stored.account, stored.symbol if isinstance(stored, StoredAlert) else None)
        await self._writer.store(Message(key=stored.key, group=group, body=text), deadline)
        self._journal.accepted(id=stored.key, ms=round((time.time() - now) * 1000), **noted)
        return stored.key

    async def _route(self, method: str, path: str) -> None:
        if path in ASKED and method in ("GET", "HEAD"):
            if path == "/ready" and not await self._readiness.ready():
                raise _Answer(503, {"status": "the queue doesn't answer"})
            raise _Answer(200, {"status": "ok"})
        if path not in POSTED:
            known = f"use one of {', '.join(POSTED)}"
            raise Refused(405 if path in ASKED else 404, f"{method} {ascii(path[:40])} is not here: {known}")
        if method != "POST":
            raise Refused(405, f"{path} takes POST: send the alert as the body of a POST")

    def _admit(self, request: Request, body: bytes, now: float, noted: dict[str, Any]) -> StoredAlert | StoredControl:
        settings, route = self._settings, POSTED[request.path]
        timestamp = request_timestamp(settings, request, body, now)
        if route is None:
            if timestamp is None:
                raise Refused(401, "commands must be signed: sign path, timestamp and body with the signing key")
            # With the timestamp: a second kill within SQS's five minutes of deduplication is another command.
            key = alert_key_of(settings.queue.account, request.path, f"{timestamp}\n".encode() + body)
            noted["authenticated_by"] = SIGNED_REQUEST
            return admit_control(settings, parse(body), key, now)
        proofs = [SIGNED_REQUEST] if timestamp is not None else check_sender(settings, request)
        tree = parse(body)
        _note_name(noted, tree)
        if check_signature(settings, tree, whole=timestamp is not None):
            proofs.append("signature")
        noted["authenticated_by"] = "+".join(proofs)
        key = alert_key_of(settings.queue.account, request.path, body)
        alert = admit_alert(settings, route, tree, key, noted["authenticated_by"], now)
        noted["symbol"] = alert.symbol
        return alert


class _Answer(Exception):
    """Answers that are no alert's."""

    def __init__(self, status: int, answer: dict[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.answer = answer


def _note_name(noted: dict[str, Any], tree: dict[str, Any]) -> None:
    fixed = tree.get("alert")
    name = fixed.get("name") if isinstance(fixed, dict) else UNNAMED
    if isinstance(name, str) and NAME.fullmatch(name):
        noted["alert"] = name


async def _respond(send: Send, status: int, answer: dict[str, Any]) -> None:
    body = json.dumps(answer, ensure_ascii=True).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    # The rest of the body is not worth waiting for.
    if status in (413, 503):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""The alert generator as a page for the person at this machine: served on 127.0.0.1 alone, signed in this process.

Who may use it is who knows the address that was printed: it has a secret part, since every user of a machine reaches its loopback address. A page
of another site can't: it doesn't know that part, its Origin is another one, and a name that it lets point to 127.0.0.1 is not in the Host header's list.
"""

import hmac
import json
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from slanger.generator.alerts import new_alert
from slanger.generator.form import page
from slanger.generator.keys import BadKey, checked_key
from slanger.generator.options import BadOptions

ADDRESS = "127.0.0.1"
LARGEST_REQUEST = 64 * 1024
DEFAULT_PORT = 8765


class Page(ThreadingHTTPServer):
    """The server; `url` is the address to open."""

    daemon_threads = True

    def __init__(self, port: int, signing_key: str | None, known: Mapping[str, str]) -> None:
        super().__init__((ADDRESS, port), Handler)
        self.signing_key = signing_key
        self.known = known
        self.path = f"/{secrets.token_urlsafe(24)}/"
        self.hosts = (f"{ADDRESS}:{self.server_port}", f"localhost:{self.server_port}")

    @property
    def url(self) -> str:
        return f"http://{self.hosts[0]}{self.path}"


class Refused(Exception):
    """A request that is not answered."""

    def __init__(self, status: HTTPStatus, fix: str) -> None:
        super().__init__(fix)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    server: Page
    timeout = 10  # Seconds for one read: a silent client must not hold a thread.

    def do_GET(self) -> None:
        try:
            self._check(self.server.path)
        except Refused as refused:
            self._send(refused.status, "text/plain", str(refused))
            return
        nonce = secrets.token_urlsafe(16)
        self._send(HTTPStatus.OK, "text/html", page(nonce, self.server.signing_key is not None, self.server.known), nonce)

    def do_POST(self) -> None:
        try:
            self._check(f"{self.server.path}alert")
            answer = make(self._body(), self.server.signing_key)
        except Refused as refused:
            self._send(refused.status, "application/json", json.dumps({"error": str(refused)}))
            return
        status = HTTPStatus.UNPROCESSABLE_ENTITY if "mistakes" in answer else HTTPStatus.OK
        self._send(status, "application/json", json.dumps(answer))

    def _check(self, path: str) -> None:
        host = self.headers.get("Host", "")
        if host not in self.server.hosts:
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "this server is for this machine only: open the address that it printed")
        if not hmac.compare_digest(self.path.encode(), path.encode()):
            raise Refused(HTTPStatus.NOT_FOUND, "open the address that `alerts page` printed")
        if self.command == "POST" and self.headers.get("Origin") != f"http://{host}":
            raise Refused(HTTPStatus.FORBIDDEN, "the request comes from another site: use the page itself")

    def _body(self) -> dict[str, Any]:
        # No form of another site can send this type without asking first, and nobody answers that.
        if self.headers.get_content_type() != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON: the page needs JavaScript")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= LARGEST_REQUEST):
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send at most {LARGEST_REQUEST} bytes, with their number")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError, TimeoutError):
            raise Refused(HTTPStatus.BAD_REQUEST, "the request is not JSON: load the page again") from None
        options = body.get("options") if isinstance(body, dict) else None
        if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
            raise Refused(HTTPStatus.BAD_REQUEST, "the request has no options: load the page again")
        return body

    def _send(self, status: HTTPStatus, kind: str, text: str, nonce: str = "") -> None:
        data = text.encode()
        own = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; " if nonce else ""
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", f"default-src 'none'; {own}base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
        self.wfile.write(data)

    def version_string(self) -> str:
        return "slanger"

    def log_message(self, *_: Any) -> None:
        """Nothing: the address is a secret."""


def make(body: dict[str, Any], server_key: str | None) -> dict[str, Any]:
    """`{"alert": …}` as new_alert gives it, or `{"mistakes": [{"key", "fix"}]}`. A typed key serves this one request."""
    typed = body.get("key")
    mistakes: list[dict[str, str]] = []
    key = None
    if body.get("unsigned") is not True:
        try:
            key = server_key or checked_key(typed if isinstance(typed, str) else "", "the key")
        except BadKey as error:
            mistakes.append({"key": "signing_key", "fix": str(error)})
    try:
        made = new_alert(body["options"], key, time.time())
    except BadOptions as error:
        mistakes = [{"key": name, "fix": fix} for name, _, fix in error.mistakes] + mistakes
    return {"mistakes": mistakes} if mistakes else {"alert": made}


def serve(port: int, signing_key: str | None, known: Mapping[str, str]) -> int:
    """Serve until interrupted. `known`: key of FIELDS -> what the form begins with. Exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server = Page(port, signing_key, known)
    except (OSError, OverflowError) as error:
        print(f"--port={port}: {error}: choose another port", file=sys.stderr)
        return 1
    print(f"Open {server.url}\nThe address is secret and good until this ends (Ctrl-C).", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    server.server_close()
    return 0

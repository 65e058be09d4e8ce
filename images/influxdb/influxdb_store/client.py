"""One InfluxQL statement to the server in this container; passwords go in headers and bodies only."""

import base64
import http.client
import json
from urllib.parse import urlencode

from .server import PORT

SECONDS = 5.0


class Refused(Exception):
    """The server answered, with an error. The message is its status and words."""


class WrongPassword(Refused):
    """This user doesn't exist, or has another password."""


def query(
    statement: str, *, user: str = "", password: str = "", database: str = "", port: int = PORT, seconds: float = SECONDS
) -> list[list[object]]:
    """Rows of the first series. Raises Refused; OSError or HTTPException when there is no answer."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", **(_access(user, password) if user else {})}
    status, text = _post("/query", urlencode({"q": statement, "db": database}), headers, port, seconds)
    if status == 401:
        raise WrongPassword("401 authorization failed")
    try:
        answer = json.loads(text)
        error = answer.get("error") or answer["results"][0].get("error")
    except (ValueError, KeyError, IndexError, AttributeError):
        raise Refused(f"{status} {text[:200]!r}") from None
    if error:
        raise Refused(f"{status} {error}")
    series = answer["results"][0].get("series", [])
    return series[0].get("values", []) if series else []


def write(line: str, *, user: str, password: str, database: str, port: int = PORT, seconds: float = SECONDS) -> None:
    """One line of line protocol. Raises Refused; OSError or HTTPException when there is no answer."""
    status, text = _post("/write?" + urlencode({"db": database}), line, _access(user, password), port, seconds)
    if status != 204:
        raise Refused(f"{status} {text[:500].decode(errors='replace')}")


def _access(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _post(path: str, body: str, headers: dict[str, str], port: int, seconds: float) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def name(text: str) -> str:
    """Text as an InfluxQL identifier."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(text: str) -> str:
    """Text as an InfluxQL string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

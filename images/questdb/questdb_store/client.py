"""One SQL statement to the server in this container; the password goes in a header only."""

import base64
import http.client
import json
from urllib.parse import urlencode

from .settings import USER

PORT = 9000
SECONDS = 5.0


class Refused(Exception):
    """The server answered, with an error. The message is its status and words."""


def execute(statement: str, password: str, seconds: float = SECONDS) -> list[list[object]]:
    """Rows. Raises Refused; OSError or HTTPException when there is no answer."""
    headers = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()}
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=seconds)
    try:
        connection.request("GET", f"/exec?{urlencode({'query': statement})}", headers=headers)
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    try:
        answer = json.loads(text)
        error = answer.get("error")
    except (ValueError, AttributeError):
        answer, error = {}, text[:200].decode(errors="replace").strip()
    if error or response.status != 200:
        raise Refused(f"{response.status} {error}")
    return answer.get("dataset", [])

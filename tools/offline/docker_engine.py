"""The Docker engine behind the offline docker plugin: one connection per operation, and its errors as sentences that name the fix."""

import errno
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, NotFound

from tools.offline.serve import Refused
from tools.offline.wire import Secret

DEFAULT_HOST = "unix:///var/run/docker.sock"
# Go's names of "address in use", by engine version: docker-proxy's own words, the port allocator's, and the kernel's.
PORT_IN_USE = re.compile(
    r"(?:for |listen \w+ |\b)(?P<ip>[0-9.]+|\[[0-9a-f:]*\]):(?P<port>\d+)\b.*(?:already allocated|address already in use)", re.DOTALL
)
REMOVAL_SECONDS = 10
"""How long a network or volume may still be held by containers that are on their way out."""

cancelled = threading.Event()
"""Set when the Pulumi engine asks to stop; every wait ends then."""


class Problem(Refused):
    """What went wrong and what to do, in a sentence for people."""


def address(host: str = "") -> str:
    """URL of the engine: the provider's `host`, else DOCKER_HOST, else the default socket."""
    return host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST


@contextmanager
def connect(host: str = "") -> Iterator[docker.APIClient]:
    """A client for one operation. Raises Problem when no engine answers, and for whatever the engine refuses meanwhile."""
    url = address(host)
    client = None
    try:
        client = docker.APIClient(base_url=url, version="auto")
        yield client
    except Problem:
        raise
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise Problem(sentence(error, url)) from error
    finally:
        if client is not None:
            client.close()


def sentence(error: BaseException, url: str = DEFAULT_HOST) -> str:
    """An engine's or connection's error in one sentence; in its own words where there is nothing better to say."""
    text = explanation(error)
    if "no space left on device" in text.lower() or getattr(error, "errno", None) == errno.ENOSPC:
        return (
            f"the disk that Docker keeps its data on is full ({text}): free some space, for example with `docker system prune`, "
            "and run the command again"
        )
    if "Permission denied" in text and not isinstance(error, APIError):
        return (
            f"no permission for Docker's socket {url}: add yourself to its group (`sudo usermod -aG docker $USER`, then log in again) "
            "or set DOCKER_HOST to an engine of your own"
        )
    if not isinstance(error, APIError) and isinstance(error, (DockerException, requests.exceptions.ConnectionError)):
        return (
            f"Docker is not running: nothing answers at {url}; start it (for example `sudo systemctl start docker`) or set DOCKER_HOST "
            f"to a running engine ({text})"
        )
    port = PORT_IN_USE.search(text)
    if port:
        number = port["port"]
        return (
            f"host port {number} on {port['ip']} is already in use: stop what uses it (`docker ps --filter publish={number}` or "
            f"`ss -ltnp 'sport = :{number}'` shows it) or choose another external port"
        )
    return text


def explanation(error: BaseException) -> str:
    """The engine's own words, without the client library's."""
    return (error.explanation or str(error)).strip() if isinstance(error, APIError) else str(error)


def redact(text: str, inputs: Any) -> str:
    """`text` without any secret of the inputs: logs and build output may repeat one."""
    for secret in sorted(_secrets(inputs), key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text


def _secrets(value: Any, inside: bool = False) -> set[str]:
    if isinstance(value, Secret):
        return _secrets(value.value, True)
    if isinstance(value, dict):
        return set().union(*(_secrets(item, inside) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_secrets(item, inside) for item in value))
    if inside and isinstance(value, str):
        # An environment variable is KEY=VALUE: its value is what must not be shown. What is shorter is no secret worth the name (a bot's name, a
        # switch), and blanking it would make the text unreadable.
        return {part for part in (value, value.partition("=")[2]) if len(part) >= 8}
    return set()


def wait(seconds: float) -> None:
    """Sleep, unless the Pulumi engine wants to stop. Raises Problem then."""
    if cancelled.wait(seconds):
        raise Problem("stopped, as the Pulumi engine was asked to cancel")


def inspect_or_none(inspect: Any, name: str) -> Any:
    """What `inspect(name)` gives, or None when the engine has no such thing."""
    try:
        return inspect(name)
    except NotFound:
        return None


def users_of(client: docker.APIClient, filters: dict) -> str:
    """Names of the containers that match, for an error."""
    return ", ".join(sorted(c["Names"][0].lstrip("/") for c in client.containers(all=True, filters=filters) if c["Names"]))

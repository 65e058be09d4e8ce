"""The settings from the environment, checked at once, and what they are to the collector."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

NAMES = ("LOG_ROUTER_HOST", "LOG_ROUTER_LOKI_URL", "LOG_ROUTER_MEMORY_MIB", "LOG_ROUTER_QUEUE_MB", "LOG_ROUTER_STATE")


class BadSettings(ValueError):
    """Settings that can't be used. The message names every variable, its value unless it may be secret, and the fix."""


@dataclass(frozen=True)
class Settings:
    host: str
    """Address that all ports listen on."""
    endpoint: str
    """Loki's OTLP endpoint, without user and password."""
    authorization: str = field(repr=False)
    """Value of the Authorization header; empty: none."""
    state: Path
    """Folder of this router alone, on a disk that outlives it."""
    queue_bytes: int
    """Lines that wait for Loki: more are dropped and counted."""
    memory_mib: int
    """Above this the collector takes no line in."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises BadSettings."""
    mistakes = [
        f"{name} is not a setting: use {', '.join(NAMES)}"
        for name in sorted(environment)
        if name.startswith("LOG_ROUTER_") and name not in NAMES
    ]

    def number(name: str, default: int, low: int, high: int, unit: str) -> int:
        text = environment.get(name, str(default))
        if not re.fullmatch(r"[0-9]{1,7}", text) or not low <= int(text) <= high:
            mistakes.append(f"{name}={text!r}: use a whole number from {low} to {high} ({unit})")
            return default
        return int(text)

    endpoint, authorization = _loki(environment.get("LOG_ROUTER_LOKI_URL", ""), mistakes)
    state = environment.get("LOG_ROUTER_STATE", "")
    if not state or not Path(state).is_dir():
        mistakes.append(f"LOG_ROUTER_STATE={state!r}: is not a folder; give one on a disk that outlives the router")
    queue_mb = number("LOG_ROUTER_QUEUE_MB", 100, 5, 100_000, "MB on the volume")
    container_mib = number("CONTAINER_MEMORY_MIB", 533, 170, 1_000_000, "MiB that the task gives this container")
    memory_mib = number("LOG_ROUTER_MEMORY_MIB", container_mib * 3 // 5, 100, 600_000, "MiB, three fifths of the container's")
    if mistakes:
        raise BadSettings("; ".join(mistakes))
    return Settings(
        host=environment.get("LOG_ROUTER_HOST", "127.0.0.1"),
        endpoint=endpoint,
        authorization=authorization,
        state=Path(state),
        queue_bytes=queue_mb * 1_000_000,
        memory_mib=memory_mib,
    )


def _loki(text: str, mistakes: list[str]) -> tuple[str, str]:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment or "$" in text:
        # Not shown: what is wrong with it may be its password.
        mistakes.append("LOG_ROUTER_LOKI_URL: use http(s)://[user:password@]host[:port][/path], the base URL of Loki; write $ as %24")
        return "", ""
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    endpoint = f"{url.scheme}://{host}{f':{port}' if port else ''}{url.path.rstrip('/')}/otlp"
    if url.username is None:
        return endpoint, ""
    user = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return endpoint, "Basic " + base64.b64encode(user.encode()).decode()


def collector_environment(settings: Settings) -> dict[str, str]:
    """The variables that collector.yaml reads."""
    return {
        "LISTEN": settings.host,
        "LOKI_ENDPOINT": settings.endpoint,
        "LOKI_AUTHORIZATION": settings.authorization,
        "STATE": str(settings.state),
        "QUEUE_BYTES": str(settings.queue_bytes),
        "MEMORY_MIB": str(settings.memory_mib),
        "MEMORY_SPIKE_MIB": str(settings.memory_mib // 5),
        # Go collects harder before it comes near the limit.
        "GOMEMLIMIT": f"{settings.memory_mib}MiB",
    }


def collector_arguments(settings: Settings, config: Path) -> list[str]:
    """What follows the program. No secret: the header names its variable."""
    arguments = ["--config", str(config)]
    if settings.authorization:
        arguments += ["--config", "yaml:exporters::otlp_http::headers::Authorization: ${env:LOKI_AUTHORIZATION}"]
    return arguments

"""What a stack runs beside its bots: the data services, the exchange replay, the paper broker, the queue, the webhook, the poller, the board, your own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from settings_section import BEANCLEANER, DATA, EARNYEARN, FINNHUB_REPLAY, PURRSTREAM, SERVICES
from tools.stack.engine import LOCAL

# Key in the stack's outputs -> (name that people know it by, output with its container or ECS service).
OUTPUTS = (
    ("exchangeReplay", "exchange-replay", "service"),
    ("alpacaPaper", "alpaca-paper", "service"),
    ("queue", "queue", "service"),
    ("webhook", "webhook", "service"),
    ("webhook", "webhook-worker", "workerService"),
    (PURRSTREAM, "purrstream", "service"),
    (FINNHUB_REPLAY, "finnhub-replay", "service"),
    (EARNYEARN, "earnyearn", "service"),
    (BEANCLEANER, "beancleaner", "service"),
    ("botMetrics", "bot-metrics", "service"),
    ("board", "board", "service"),
    ("grafana", "grafana", "service"),
)


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """One row of the second table of `make status`."""

    service: str
    state: str
    url: str
    """Where it is called; `-` for one that nobody calls."""
    logs: str


def services(known: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, container or ECS service) of everything but the bots; `known` are the stack's outputs."""
    yield from sorted(((known.get(DATA) or {}).get("services") or {}).items())
    for output, name, key in OUTPUTS:
        if known.get(output):
            yield name, known[output][key]
    yield from ((one["name"], one["service"]) for one in known.get(SERVICES) or [])


def everything(known: dict[str, Any]) -> dict[str, str]:
    """Name -> container or ECS service of all that the stack runs."""
    return {**{bot["name"]: bot["service"] for bot in known.get("bots", [])}, **dict(services(known))}


def service_statuses(stack: str, known: dict[str, Any], state: Callable[[str], str]) -> list[ServiceStatus]:
    """State of every service of a stack; `state` looks at one container or ECS service."""
    urls = {name: known.get(output) for output, name, key in OUTPUTS if key == "service"}
    urls |= {one["name"]: one for one in known.get(SERVICES) or []}
    logs = "make logs BOT={}" + ("" if stack == LOCAL else f" STACK={stack}")
    return [
        ServiceStatus(service=name, state=state(service), url=(urls.get(name) or {}).get("url") or "-", logs=logs.format(name))
        for name, service in services(known)
    ]

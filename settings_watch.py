"""What the poller and the board are told of the rest of the stack: the bots' APIs, what each task costs, where each service says how it is."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from components import Beancleaner, Earnyearn, FinnhubReplay, Purrstream, StrategyService
from components.bot_metrics import PORT
from components.hosts import HostArgs, name_on_host
from settings_data import BOT_METRICS
from settings_section import WEBHOOK

if TYPE_CHECKING:
    from settings import Settings

# Name in the program -> path that answers 200 while the service lives.
HEALTH_PATHS = {"exchange-replay": "/api/v3/ping", "alpaca-paper": "/health", WEBHOOK: "/health"}
# Components whose images have botkit's /health.
KITTED = (Beancleaner, Earnyearn, FinnhubReplay, Purrstream, StrategyService)


def watched_bots(stack: "Settings", running: Mapping[str, Any]) -> pulumi.Output[str]:
    """Secret JSON list of name, url, username, password: every bot but those whose credentials are in a secret of their own (`secretArn`), which
    the program can't read."""
    bots = [
        {
            "name": bot.name,
            "url": running[bot.name].private_url,
            "username": stack.secrets[bot.name]["apiUsername"],
            "password": stack.secrets[bot.name]["apiPassword"],
        }
        for bot in stack.bots
        if bot.secret_arn is None
    ]
    return pulumi.Output.secret(pulumi.Output.from_input(bots).apply(json.dumps))


def costs(components: Mapping[str, Any]) -> dict[str, pulumi.Output[float]]:
    """Name -> USD for 30 days, of every component that the stack has."""
    return {name: component.monthly_cost for name, component in components.items() if component is not None}


def health_checks(components: Mapping[str, Any], host: HostArgs) -> list[dict[str, pulumi.Input[str]]]:
    """name and url of what the board asks how it is; Redis, InfluxDB, Loki and the bots it talks to anyway."""
    poller = name_on_host(BOT_METRICS, host)
    found: list[dict[str, pulumi.Input[str]]] = [{"name": BOT_METRICS, "url": pulumi.Output.concat("http://", poller, f":{PORT}/health")}]
    for name, component in components.items():
        path = HEALTH_PATHS.get(name, "/health" if isinstance(component, KITTED) else None)
        if component is not None and path is not None and getattr(component, "listens", True):
            base = component.private_url if name == WEBHOOK else component.url
            found.append({"name": name, "url": pulumi.Output.concat(base, path)})
    queue = components.get("queue")
    if queue is not None:
        address = queue.endpoint.apply(lambda endpoint: endpoint.removeprefix("http://"))
        found.append({"name": "queue", "url": pulumi.Output.concat("tcp://", address)})
    return found

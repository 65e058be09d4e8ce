"""Purrstream: one connection to the broker's streams for all services: bars, trades, news and the account's updates, on Redis channels."""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import partial
from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .broker_account import account_mistakes
from .hosts import HostArgs, check_task, run_task
from .image_folders import image_at
from .service_task import PORT, service_task
from .task_environment import choice_mistakes, environment, number_mistakes, secret_mistakes, secret_sources
from .webhook_args import WebhookMode

PREFIX = "PURRSTREAM_"
# Alpaca's shares (BRK.B) and pairs (BTC/USD).
SYMBOL = re.compile(r"[A-Z0-9]{1,12}([./][A-Z0-9]{1,5})?")
REQUIRED_SECRETS: Mapping[str, str] = {
    "broker_key": "it comes from the broker's website",
    "broker_secret": "it comes from the broker's website",
    "redis_url": "what it hears goes there",
}
OPTIONAL_SECRETS = ("influx_url", "history_url")
TOLD = ("account", "mode", "live_account", "broker_url", "data_url", "stream_url", "feed", "symbols", "news", "requests_per_minute")


class MarketFeed(str, Enum):
    """Where prices of shares come from; Alpaca's documentation of market data says which plan has which."""

    IEX = "iex"
    """One exchange, free of charge."""
    SIP = "sip"
    """All exchanges of the United States, with a subscription."""


class PurrstreamArgs(TypedDict):
    """Arguments of Purrstream."""

    host: HostArgs
    """Where it runs."""
    account: str
    """Name of the broker account, e.g. `paper`: part of its channel's name. Lower-case letters, digits, hyphens."""
    secrets: Mapping[str, pulumi.Input[str]]
    """broker_key, broker_secret, redis_url; as needed influx_url and history_url, to which bars and fills are written."""
    mode: NotRequired[WebhookMode]
    """Which of the broker's accounts it listens to. Default paper; live needs live_account too."""
    live_account: NotRequired[str]
    """Number of the account that trades real money; it must be the one that the broker reports. Only with mode live."""
    broker_url: NotRequired[pulumi.Input[str]]
    """Base URL of the broker's trading API. Default: Alpaca's, by mode."""
    data_url: NotRequired[pulumi.Input[str]]
    """Base URL of the broker's market data. Default: Alpaca's."""
    stream_url: NotRequired[pulumi.Input[str]]
    """Base URL of the broker's streams of market data. Default: Alpaca's."""
    feed: NotRequired[MarketFeed]
    """Where prices of shares come from. Default iex."""
    symbols: NotRequired[Sequence[str]]
    """Followed always, e.g. `["AAPL", "BTC/USD"]`; the services ask for theirs themselves. Default: none."""
    news: NotRequired[bool]
    """Follow the news too. Default: the image's, false."""
    requests_per_minute: NotRequired[int]
    """Calls of the broker's REST API that it may make; the webhook has its own share of the account's 200. Default: the image's, 100."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address (docker only). Default: none, only the stack's tasks reach it."""
    image: NotRequired[pulumi.Input[str]]
    """A published image. Default: built from the library's folder."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512."""
    architecture: NotRequired[str]
    """`arm64` or `amd64`. Default: the host's."""
    spot: NotRequired[bool]
    """Fargate Spot: after an interruption it asks for the bars of the gap. Default true."""


class Purrstream(pulumi.ComponentResource):
    """The account's one connection to each stream. It places no orders; what it misses while it is away it reads again from the broker."""

    url: pulumi.Output[str]
    """Base URL of /bars, /clock, /calendar and /health for the tasks of the same host."""
    service: pulumi.Output[str]
    """Container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its task on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: PurrstreamArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("purrstream", name, args, PurrstreamArgs, argument_mistakes)
        spec = service_task(
            name,
            "Purrstream",
            args,
            build=partial(image_at, "purrstream"),
            environment=environment(PREFIX, {key.upper(): args.get(key) for key in TOLD}),
            secrets=secret_sources(PREFIX, args["secrets"]),
            # Alpaca allows one connection to a stream: a second copy would be refused, or take the first one's place.
            single_writer=True,
        )
        check_task(spec, args["host"])
        super().__init__("tradestack:index:Purrstream", name, {}, opts)
        task = run_task(spec, args["host"], self)
        self.url = pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        self.service = task.service
        self.logs = task.logs
        self.monthly_cost = task.monthly_cost
        self.register_outputs({"url": self.url, "service": self.service, "logs": self.logs, "monthlyCost": self.monthly_cost})


def argument_mistakes(args: PurrstreamArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    mistakes = secret_mistakes(args["secrets"], REQUIRED_SECRETS, OPTIONAL_SECRETS)
    mistakes += choice_mistakes(args, {"mode": WebhookMode, "feed": MarketFeed})
    mistakes += number_mistakes(args, {"requests_per_minute": (10, 1_000_000, "")})
    mistakes += account_mistakes(args)
    for one in args.get("symbols") or ():
        if not SYMBOL.fullmatch(one):
            mistakes.append(f"symbols: {one!r}: use a share such as AAPL or BRK.B, or a pair such as BTC/USD")
    return mistakes

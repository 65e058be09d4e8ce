"""Earnyearn: trades around earnings: a list each morning, crosses of MACD and RSI on its bars, signed orders with a trailing stop to a webhook."""

import math
import re
from collections.abc import Mapping
from enum import Enum
from functools import partial
from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .broker_account import name_mistakes
from .hosts import HostArgs, check_task, run_task
from .image_folders import image_at
from .service_task import PORT, service_task
from .task_environment import choice_mistakes, environment, number_mistakes, secret_mistakes, secret_sources
from .webhook_checks import SIGNING_KEY

PREFIX = "EARNYEARN_"
REQUIRED_SECRETS: Mapping[str, str] = {
    "finnhub_key": "it comes from Finnhub's website",
    "redis_url": "bars come from there, and its list goes there",
    "signing_key": "the webhook's own",
}
OPTIONAL_SECRETS = ("influx_url",)
# As the image has them.
BOUNDS: Mapping[str, tuple[float, float, str]] = {
    "notional": (1, 1_000_000, " (USD)"),
    "trail_percent": (0.01, 50, " (percent)"),
    "days": (0, 30, " (days)"),
    "min_eps_estimate": (-1_000_000, 1_000_000, " (USD)"),
    "min_revenue_estimate": (0, 10_000_000_000_000, " (USD)"),
    "most_symbols": (1, 200, ""),
    "cooldown": (0, 1440, " (minutes)"),
    "minutes_before_close": (0, 380, " (minutes)"),
    "fresh": (1, 3600, " (seconds)"),
}
MOST_DECIMALS = 4
LIST = re.compile(r"[a-z][a-z0-9_]{0,63}")
TOLD = (
    *("account", "finnhub_url", "purrstream_url", "webhook_url", "notional", "trail_percent", "side", "signals", "recommendation"),
    *("days", "min_eps_estimate", "min_revenue_estimate", "most_symbols", "cooldown", "minutes_before_close", "fresh", "list"),
)


class EarningsSide(str, Enum):
    """Which crosses become orders."""

    BUY = "buy"
    """Up: a long position."""
    SELL = "sell"
    """Down: a short position, which the webhook's limits must allow."""
    BOTH = "both"
    """Either."""


class EarningsSignals(str, Enum):
    """What makes a signal."""

    MACD = "macd"
    """MACD(12, 26, 9) crosses its signal line."""
    RSI = "rsi"
    """RSI(14) rises through 30 or falls through 70."""
    BOTH = "both"
    """Both the same way within 25 bars."""


class Recommendation(str, Enum):
    """What analysts must say of a symbol."""

    BUY = "buy"
    """More than half of the newest ratings say buy."""
    ANY = "any"
    """Whatever they say."""


class EarnyearnArgs(TypedDict):
    """Arguments of Earnyearn. What can cost money has no default."""

    host: HostArgs
    """Where it runs."""
    account: str
    """Name of the broker account; the webhook's."""
    purrstream_url: pulumi.Input[str]
    """Purrstream's url: bars, clock and calendar."""
    webhook_url: pulumi.Input[str]
    """WebhookService's private_url: where its orders go."""
    notional: float
    """USD of one order; the webhook's limits must allow it."""
    trail_percent: float
    """Distance of the trailing stop, percent."""
    secrets: Mapping[str, pulumi.Input[str]]
    """finnhub_key, redis_url, signing_key (the webhook's); as needed influx_url, to which signals are written."""
    finnhub_url: NotRequired[pulumi.Input[str]]
    """Base URL of Finnhub's API, or FinnhubReplay's url. Default: Finnhub's."""
    days: NotRequired[int]
    """Companies that report today or within so many more days are followed. Default: the image's, 5."""
    min_eps_estimate: NotRequired[float]
    """Least estimate of earnings a share, USD. Default: the image's, 0."""
    min_revenue_estimate: NotRequired[float]
    """Least estimate of revenue, USD. Default: the image's, 250 million."""
    recommendation: NotRequired[Recommendation]
    """What analysts must say. Default: the image's, buy."""
    most_symbols: NotRequired[int]
    """Most companies that are followed, those with the largest revenue. Default: the image's, 30."""
    signals: NotRequired[EarningsSignals]
    """What makes a signal. Default: the image's, macd."""
    side: NotRequired[EarningsSide]
    """Which crosses become orders. Default: the image's, buy."""
    cooldown: NotRequired[int]
    """Minutes of bars after a signal in which the same symbol gives none. Default: the image's, 25."""
    minutes_before_close: NotRequired[int]
    """No order in the session's last minutes. Default: the image's, 15."""
    fresh: NotRequired[int]
    """A signal that is older than these seconds, by the broker's clock, is recorded and not sent. Default: the image's, 120."""
    list: NotRequired[str]
    """Redis set that holds the day's symbols, for others too. Default: the image's, `earnings_list`."""
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
    """Fargate Spot: after an interruption it rebuilds its state from the day's bars. Default true."""


class Earnyearn(pulumi.ComponentResource):
    """The strategy around earnings. It has no credentials of the broker: what it may trade, the webhook's limits say."""

    url: pulumi.Output[str]
    """Base URL of /health and /stats for the tasks of the same host."""
    service: pulumi.Output[str]
    """Container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its task on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: EarnyearnArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("earnyearn", name, args, EarnyearnArgs, argument_mistakes)
        spec = service_task(
            name,
            "Earnyearn",
            args,
            build=partial(image_at, "earnyearn"),
            environment=environment(PREFIX, {key.upper(): args.get(key) for key in TOLD}),
            secrets=secret_sources(PREFIX, args["secrets"]),
            # Two copies would write the day's list twice and record every signal twice.
            single_writer=True,
        )
        check_task(spec, args["host"])
        super().__init__("tradestack:index:Earnyearn", name, {}, opts)
        task = run_task(spec, args["host"], self)
        self.url = pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        self.service = task.service
        self.logs = task.logs
        self.monthly_cost = task.monthly_cost
        self.register_outputs({"url": self.url, "service": self.service, "logs": self.logs, "monthlyCost": self.monthly_cost})


def argument_mistakes(args: EarnyearnArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    mistakes = secret_mistakes(args["secrets"], REQUIRED_SECRETS, OPTIONAL_SECRETS)
    mistakes += choice_mistakes(args, {"side": EarningsSide, "signals": EarningsSignals, "recommendation": Recommendation})
    mistakes += number_mistakes(args, BOUNDS)
    mistakes += name_mistakes("account", args["account"])
    for one in ("notional", "trail_percent"):
        if round(args[one], MOST_DECIMALS) != args[one] and math.isfinite(args[one]):
            mistakes.append(f"{one}={args[one]}: use {MOST_DECIMALS} digits behind the point at most")
    if args.get("list") is not None and not LIST.fullmatch(args["list"]):
        mistakes.append(f"list={args['list']!r}: use 1 to 64 lower-case letters, digits and underscores, beginning with a letter")
    key = args["secrets"].get("signing_key")
    if isinstance(key, str) and key and not SIGNING_KEY.fullmatch(key):
        mistakes.append("secrets.signing_key: is shorter than 32 characters or has spaces; use the webhook's own")
    return mistakes

"""`tradestack:webhook` and the paper broker of a stack: alerts from TradingView become orders at Alpaca."""

import re
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pulumi
from pydantic import Field
from pydantic.alias_generators import to_camel

from components.alpaca_paper import MarketHours
from components.webhook_args import WebhookAuthentication, WebhookIngress, WebhookMode
from components.webhook_checks import argument_mistakes
from components.webhook_environment import ACCEPT_SECRETS, EXECUTE_SECRETS, REQUIRED_SECRETS
from settings_budget import budget
from settings_section import PROJECT, WEBHOOK, Port, Section

if TYPE_CHECKING:
    from settings import Settings

# Taken by the webhook's own tasks.
RESERVED_NAMES = (WEBHOOK, f"{WEBHOOK}-worker", "alpaca-paper", "queue")
SECRET_KEYS = tuple(to_camel(key) for key in (*ACCEPT_SECRETS, *EXECUTE_SECRETS))
Dollars = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Percent = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class Broker(str, Enum):
    """Where orders go."""

    ALPACA = "alpaca"
    """Alpaca itself: its paper trading, or real money with mode live."""
    ALPACA_PAPER = "alpaca-paper"
    """The stack's own paper broker (`tradestack:alpacaPaper`)."""


class ScopeSettings(Section):
    """Limits in one scope. Names and meaning as in LimitScope."""

    order_notional: Optional[Dollars] = None
    notional_per_day: Optional[Dollars] = None
    position_notional: Optional[Dollars] = None
    orders_per_day: Optional[Annotated[int, Field(ge=1)]] = None
    loss_per_day: Optional[Dollars] = None


class LimitSettings(Section):
    """Bounds that no alert can raise. Names and meaning as in WebhookLimits."""

    account: ScopeSettings
    symbol: Optional[ScopeSettings] = None
    alert: Optional[ScopeSettings] = None
    allow_short: Optional[bool] = None
    price_deviation_percent: Optional[Percent] = None
    symbols: Optional[list[str]] = None


class DefaultSettings(Section):
    """Sizes of alerts that give none. Names and meaning as in WebhookDefaults."""

    notional: Optional[Dollars] = None
    risk: Optional[Percent] = None
    trail_percent: Optional[Percent] = None
    take_profit: Optional[str] = None
    stop_loss: Optional[str] = None


class LoadBalancerSettings(Section):
    """The load balancer of ingress alb. Names and meaning as in WebhookLoadBalancer."""

    certificate_arn: str
    domain_name: Optional[str] = None
    trust_store_arn: Optional[str] = None


class AlpacaPaperSettings(Section):
    """`tradestack:alpacaPaper`: a paper broker of the stack's own. Names and meaning as in AlpacaPaperArgs."""

    hours: Annotated[MarketHours, Field(strict=False)] = MarketHours.ALWAYS
    test_api: bool = False
    requests_per_minute: Optional[Annotated[int, Field(ge=1)]] = None
    published_port: Optional[Port] = None


class WebhookSettings(Section):
    """`tradestack:webhook`. Names and meaning as in WebhookServiceArgs."""

    broker: Annotated[Broker, Field(strict=False)]
    account: str
    limits: LimitSettings
    mode: Annotated[WebhookMode, Field(strict=False)] = WebhookMode.PAPER
    live_account: Optional[str] = None
    authentication: Optional[list[Annotated[WebhookAuthentication, Field(strict=False)]]] = None
    ingress: Annotated[WebhookIngress, Field(strict=False)] = WebhookIngress.NONE
    alb: Optional[LoadBalancerSettings] = None
    trusted_proxies: Optional[list[str]] = None
    source_ips: Optional[list[str]] = None
    client_certificate_name: Optional[str] = None
    replay_window: Optional[int] = None
    revoked_alerts: Optional[list[str]] = None
    max_delay: Optional[int] = None
    defaults: Optional[DefaultSettings] = None
    aristocrats: Optional[list[str]] = None
    requests_per_minute: Optional[int] = None
    oldest_alert_alarm: Optional[int] = None
    published_port: Optional[Port] = None
    accept_min: Optional[int] = None
    accept_max: Optional[int] = None
    cpu: Optional[int] = None
    memory: Optional[int] = None
    spot: Optional[bool] = None
    worker_spot: Optional[bool] = None
    architecture: Optional[str] = None
    execute_command: Optional[bool] = None
    protect: Optional[bool] = None
    secret_arn: Optional[str] = None
    secret_keys: Optional[list[str]] = None

    def arguments(self, settings: "Settings") -> dict[str, Any]:
        """WebhookServiceArgs but for what other resources give (host, queue, broker_url, subnets)."""
        given = {**self.model_dump(exclude={"broker"}, exclude_none=True), **budget(settings, WEBHOOK)}
        if self.secret_arn is None:
            secrets = settings.secrets.get(WEBHOOK, {})
            own = {key: secrets[to_camel(key)] for key in (*ACCEPT_SECRETS, *EXECUTE_SECRETS) if to_camel(key) in secrets}
            given["secrets"] = {key: pulumi.Output.secret(value) for key, value in own.items()}
        return given


def webhook_mistakes(settings: "Settings", stack: str) -> list[str]:
    """What is wrong with the webhook's block beyond types; messages name configuration keys."""
    webhook, paper = settings.webhook, settings.alpaca_paper
    mistakes = [
        f"{PROJECT}:bots: name={bot.name!r}: the webhook's own task has this name; choose another"
        for bot in settings.bots
        if bot.name in RESERVED_NAMES
    ]
    if webhook is None:
        return mistakes + ([f"{PROJECT}:alpacaPaper: there is no tradestack:webhook that would trade there; remove it"] if paper else [])
    if webhook.broker == Broker.ALPACA_PAPER and paper is None:
        mistakes.append(f"{PROJECT}:webhook.broker='alpaca-paper': there is none; add tradestack:alpacaPaper, or use alpaca")
    if webhook.broker == Broker.ALPACA and paper is not None:
        mistakes.append(f"{PROJECT}:alpacaPaper: the webhook's broker is alpaca; remove it, or set webhook.broker to alpaca-paper")
    if webhook.broker == Broker.ALPACA_PAPER and webhook.mode == WebhookMode.LIVE:
        mistakes.append(f"{PROJECT}:webhook.mode='live': the paper broker has no real money; use broker alpaca")
    if webhook.broker == Broker.ALPACA_PAPER and webhook.secret_arn:
        mistakes.append(f"{PROJECT}:webhook.secretArn: the paper broker's key must be known here; use {PROJECT}:secrets.{WEBHOOK}")
    if webhook.mode == WebhookMode.LIVE and settings.host.value == "fargate" and settings.cluster.alarm_email is None:
        mistakes.append(f"{PROJECT}:cluster.alarmEmail: is missing and the webhook trades real money; name who hears of its dead letters")
    if settings.host.value == "fargate" and webhook.published_port:
        mistakes.append(f"{PROJECT}:webhook: publishedPort={webhook.published_port}: Fargate publishes nothing; use ingress")
    if settings.host.value == "docker" and webhook.ingress != WebhookIngress.NONE:
        mistakes.append(
            f"{PROJECT}:webhook.ingress={webhook.ingress.value!r}: Docker has none; leave it out, publishedPort leads to the webhook"
        )
    if webhook.ingress == WebhookIngress.ALB and settings.network.zones < 2:
        mistakes.append(f"{PROJECT}:network.zones={settings.network.zones}: a load balancer needs two; use 2, or ingress http-api")
    return mistakes + _secret_mistakes(settings, stack) + _component_mistakes(settings)


def made_up_secrets(broker: Any) -> tuple[str, ...]:
    """Keys that `make secrets` makes up: the signing key, and what the stack's own paper broker asks for."""
    return ("signingKey", "brokerKey", "brokerSecret") if broker == Broker.ALPACA_PAPER.value else ("signingKey",)


def _secret_mistakes(settings: "Settings", stack: str) -> list[str]:
    webhook, given = settings.webhook, settings.secrets.get(WEBHOOK, {})
    path = f"{PROJECT}:secrets.{WEBHOOK}"
    if webhook.secret_arn:
        docker = settings.host.value == "docker"
        return ([f"{path}: the webhook has a secretArn too; keep one of them"] if given else []) + (
            [f"{PROJECT}:webhook.secretArn: Docker can't read Secrets Manager; use tradestack:secrets"] if docker else []
        )
    mistakes = [f"{path}.{key}: unknown key; use {', '.join(SECRET_KEYS)}" for key in sorted(set(given) - set(SECRET_KEYS))]
    for key in map(to_camel, REQUIRED_SECRETS):
        if not given.get(key):
            typed = f"it comes from Alpaca's website: run `pulumi config set --secret --path '{path}.{key}' --stack {stack}` and paste it"
            made_up = key in made_up_secrets(webhook.broker.value)
            mistakes.append(f"{path}.{key}: is missing; " + (f"run `make secrets STACK={stack}`, which makes it up" if made_up else typed))
    return mistakes


def _component_mistakes(settings: "Settings") -> list[str]:
    """What WebhookService itself would refuse, before anything is created; what other resources give is filled in."""
    docker = settings.host.value == "docker"
    args = settings.webhook.model_dump(exclude={"broker", "secret_arn", "secret_keys"}, exclude_none=True)
    args |= {"host": {settings.host.value: {}}, "secrets": {key: "x" * 32 for key in REQUIRED_SECRETS}}
    args |= {"queue": {"url": "q", "dead_letter_url": "d", "endpoint": "e"}} if docker else {}
    if "alb" in args:
        args["alb"]["public_subnet_ids"] = ["a", "b"]
    given = settings.secrets.get(WEBHOOK, {})
    optional = {key: given[to_camel(key)] for key in ACCEPT_SECRETS if given.get(to_camel(key)) is not None}
    args["secrets"] |= {key: value for key, value in optional.items() if value or key not in REQUIRED_SECRETS}
    names = re.compile(r"\b[a-z]+(_[a-z]+)+\b")  # arguments are snake_case, configuration is camelCase
    return [f"{PROJECT}:webhook.{names.sub(lambda name: to_camel(name[0]), one)}" for one in argument_mistakes(WEBHOOK, args)]

"""What a WebhookService is told: limits, ways to authenticate, ways in, queue. Plain types; their values are checked in webhook_checks."""

from collections.abc import Sequence
from enum import Enum
from typing import NotRequired, TypedDict

import pulumi


class WebhookMode(str, Enum):
    """Which of the broker's accounts is traded."""

    PAPER = "paper"
    """Play money."""
    LIVE = "live"
    """Real money; needs live_account too."""


class WebhookAuthentication(str, Enum):
    """What an alert must prove; all that are listed must pass. A program's signed request passes them all."""

    SIGNATURE = "signature"
    """The alert's fixed fields are signed with the signing key."""
    CLIENT_CERTIFICATE = "client-certificate"
    """TradingView's TLS client certificate, verified by the load balancer (alb.trust_store_arn) or by a proxy of your own (trusted_proxies)."""
    SOURCE_IP = "source-ip"
    """The caller's address is one of source_ips, as a proxy saw it (ingress http-api or alb, or trusted_proxies)."""


class WebhookIngress(str, Enum):
    """How alerts come in from the internet. Prices in USD for 30 days, us-east-1."""

    NONE = "none"
    """Not at all: the private network, and on Docker published_port."""
    HTTP_API = "http-api"
    """API Gateway HTTP API and VPC link: HTTPS without a domain, about 1.00 per million requests, nothing by the hour."""
    ALB = "alb"
    """Application Load Balancer: HTTPS with a certificate of your own, optional mutual TLS; about 16, its public addresses (3.60 a zone) and traffic."""


class LimitScope(TypedDict):
    """Limits in USD and orders. What is left out isn't limited in this scope; the account's must all be there but position_notional."""

    order_notional: NotRequired[float]
    """Most dollars in one order."""
    notional_per_day: NotRequired[float]
    """Most dollars ordered in a day."""
    position_notional: NotRequired[float]
    """Most dollars in one position."""
    orders_per_day: NotRequired[int]
    """Most orders in a day."""
    loss_per_day: NotRequired[float]
    """Loss of a day, in dollars, after which nothing is opened until the next."""


class WebhookLimits(TypedDict):
    """Bounds that no alert can raise. An alert's own, signed limits may lower them."""

    account: LimitScope
    """All alerts together; everything but position_notional is required."""
    symbol: NotRequired[LimitScope]
    """Each symbol."""
    alert: NotRequired[LimitScope]
    """Each alert by its name."""
    allow_short: NotRequired[bool]
    """Sell what isn't held (equities). Default false."""
    price_deviation_percent: NotRequired[float]
    """How far an alert's price may be from the market's. Default 5."""
    symbols: NotRequired[Sequence[str]]
    """The only symbols that are traded. Default: all that the broker has."""


class WebhookDefaults(TypedDict):
    """Sizes of an alert that gives none. What is neither here nor in the alert is an error, not a guess."""

    notional: NotRequired[float]
    """Dollars."""
    risk: NotRequired[float]
    """Percent of the cash that is spent."""
    trail_percent: NotRequired[float]
    """Distance of a trailing stop, percent."""
    take_profit: NotRequired[str]
    """Distance (`1%`, `$2.50`) or price of a bracket's profit leg."""
    stop_loss: NotRequired[str]
    """Distance (`1%`, `$2.50`) or price of a bracket's stop leg."""


class WebhookQueue(TypedDict):
    """FIFO queue for alerts and its dead-letter queue: LocalQueue's outputs on Docker, your own SQS queues on Fargate."""

    url: pulumi.Input[str]
    """Queue URL."""
    dead_letter_url: pulumi.Input[str]
    """URL of the dead-letter queue."""
    endpoint: NotRequired[pulumi.Input[str]]
    """Base URL of an SQS-compatible server, e.g. `http://queue:9324`. Required on Docker; AWS has its own."""


class WebhookLoadBalancer(TypedDict):
    """The load balancer of ingress alb."""

    certificate_arn: pulumi.Input[str]
    """ACM certificate of domain_name, in the stack's region."""
    public_subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Subnets with a route to the internet, in two zones or more (Network's public_subnet_ids)."""
    domain_name: NotRequired[str]
    """Name in the certificate, e.g. `hooks.example.com`; point it at ingress_dns_name. Default: the load balancer's own name, which no
    certificate can have."""
    trust_store_arn: NotRequired[pulumi.Input[str]]
    """Mutual TLS: clients must show a certificate of this ELB trust store. Programs without one then have no way in from outside."""

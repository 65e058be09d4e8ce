"""What is wrong with a WebhookService's arguments, one sentence a mistake: key, value, fix."""

import ipaddress
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from .arguments import key_mistakes, text_of
from .broker_account import account_mistakes, name_mistakes
from .webhook_args import (
    LimitScope,
    WebhookAuthentication,
    WebhookDefaults,
    WebhookIngress,
    WebhookLimits,
    WebhookLoadBalancer,
    WebhookMode,
    WebhookQueue,
)
from .webhook_environment import ACCEPT_SECRETS, EXECUTE_SECRETS, REQUIRED_SECRETS
from .webhook_queue import SQS_URL

SECRET_KEYS = (*ACCEPT_SECRETS, *EXECUTE_SECRETS)
MIN_SIGNING_KEY = 32  # characters
SIGNING_KEY = re.compile(rf"\S{{{MIN_SIGNING_KEY},}}")
# What an account must be bounded by before anything trades on it.
ACCOUNT_LIMITS = ("order_notional", "notional_per_day", "orders_per_day", "loss_per_day")
# The load balancer's name: AWS allows 32 characters, eight of them are Pulumi's and four say what it is.
MAX_NAME_WITH_ALB = 20
# SQS forgets an alert's id after 300 s: a request that is still valid then could be stored twice.
SECONDS = {"replay_window": (1, 300), "max_delay": (1, 36_000), "oldest_alert_alarm": (60, 345_600)}
# Fewer calls than ten would not even keep the account's state up to date.
LEAST = {"requests_per_minute": 10, "accept_min": 1, "accept_max": 1}


def argument_mistakes(name: str, args: Mapping[str, Any]) -> list[str]:
    """Every mistake in WebhookServiceArgs whose required keys are there."""
    found = [*_choices(args), *_limits(args["limits"]), *_defaults(args.get("defaults") or {}), *_secrets(args)]
    found += account_mistakes(args)
    for alert in args.get("revoked_alerts") or ():
        found += name_mistakes("revoked_alerts", alert)
    for key, (low, high) in SECONDS.items():
        if args.get(key) is not None and not low <= args[key] <= high:
            found.append(f"{key}={args[key]!r}: use {low} to {high} (seconds)")
    found += [
        f"{key}={args[key]!r}: use {least} or more" for key, least in LEAST.items() if args.get(key) is not None and args[key] < least
    ]
    if (args.get("accept_max") or math.inf) < (args.get("accept_min") or 1):
        found.append(f"accept_max={args['accept_max']!r}: use accept_min ({args['accept_min']}) or more")
    return found + [*_queue(args), *_ingress(name, args), *_authentication(args)]


def _choices(args: Mapping[str, Any]) -> Iterator[str]:
    for key, choices in (("mode", WebhookMode), ("ingress", WebhookIngress), ("authentication", WebhookAuthentication)):
        given = args.get(key)
        for one in given if isinstance(given, (list, tuple)) else () if given is None else [given]:
            if one not in [choice.value for choice in choices]:
                yield f"{key}={one!r}: use {', '.join(choice.value for choice in choices)}"


def _limits(limits: Mapping[str, Any]) -> Iterator[str]:
    yield from key_mistakes(limits, WebhookLimits, "limits.")
    for scope in ("account", "symbol", "alert"):
        given = limits.get(scope)
        if given is None:
            continue
        yield from key_mistakes(given, LimitScope, f"limits.{scope}.")
        if scope == "account":
            yield from (
                f"limits.account.{key}: is missing; without it nothing bounds the account"
                for key in ACCOUNT_LIMITS
                if given.get(key) is None
            )
        yield from (f"limits.{scope}.{key}={value!r}: use a number above 0" for key, value in given.items() if not _positive(value))
    deviation = limits.get("price_deviation_percent")
    if deviation is not None and not (_positive(deviation) and deviation <= 100):
        yield f"limits.price_deviation_percent={deviation!r}: use a number above 0, at most 100"
    if limits.get("symbols") is not None and not limits["symbols"]:
        yield "limits.symbols=[]: nothing could be traded; leave it out for all symbols"


def _defaults(defaults: Mapping[str, Any]) -> Iterator[str]:
    yield from key_mistakes(defaults, WebhookDefaults, "defaults.")
    for key in ("notional", "risk", "trail_percent"):
        if defaults.get(key) is not None and not _positive(defaults[key]):
            yield f"defaults.{key}={defaults[key]!r}: use a number above 0"


def _positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _secrets(args: Mapping[str, Any]) -> Iterator[str]:
    secrets = args.get("secrets")
    if (secrets is None) == (args.get("secret_arn") is None):
        yield "secrets: give exactly one of secrets and secret_arn"
        return
    for key in sorted({*(secrets or ()), *(args.get("secret_keys") or ())} - set(SECRET_KEYS)):
        yield f"secrets.{key}: unknown; use {', '.join(SECRET_KEYS)}"
    for key in REQUIRED_SECRETS if secrets is not None else ():
        if secrets.get(key) in (None, ""):
            yield f"secrets.{key}: is missing; " + (
                "make up a random text" if key == "signing_key" else "it comes from the broker's website"
            )
    for key in ACCEPT_SECRETS if secrets is not None else ():
        # The value is never shown. What is an output, the image checks.
        # An empty previous key too: the deployment would fail, and what runs would go on taking the old key.
        if isinstance(secrets.get(key), str) and (secrets[key] or key not in REQUIRED_SECRETS) and not SIGNING_KEY.fullmatch(secrets[key]):
            yield f"secrets.{key}: is shorter than {MIN_SIGNING_KEY} characters or has spaces; make up a longer one, or leave it out"


def _queue(args: Mapping[str, Any]) -> Iterator[str]:
    queue, docker = args.get("queue"), args["host"].get("docker") is not None
    if queue is None:
        if docker:
            yield "queue: is missing; Docker has no SQS: give LocalQueue's url, dead_letter_url and endpoint"
        return
    yield from key_mistakes(queue, WebhookQueue, "queue.")
    if docker and queue.get("endpoint") is None:
        yield "queue.endpoint: is missing; Docker has no SQS: give the base URL of an SQS-compatible server"
    if not docker and queue.get("endpoint") is not None:
        yield "queue.endpoint: AWS has its own; leave it out"
    for key in ("url", "dead_letter_url") if not docker else ():
        if isinstance(queue.get(key), str) and not SQS_URL.fullmatch(queue[key]):
            yield f"queue.{key}={queue[key]!r}: use the URL of an SQS FIFO queue, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.fifo"


def _ingress(name: str, args: Mapping[str, Any]) -> Iterator[str]:
    ingress, alb = args.get("ingress") or "none", args.get("alb")
    if alb is not None:
        yield from key_mistakes(alb, WebhookLoadBalancer, "alb.")
    if (ingress == WebhookIngress.ALB) != (alb is not None):
        yield f"ingress={text_of(ingress)!r} and alb: the load balancer needs both, ingress=alb and alb={{certificate_arn, public_subnet_ids}}"
    if ingress == WebhookIngress.ALB and len(name) > MAX_NAME_WITH_ALB:
        yield f"name={name!r}: with ingress alb use {MAX_NAME_WITH_ALB} characters at most"
    subnets = (alb or {}).get("public_subnet_ids")
    if isinstance(subnets, (list, tuple)) and len(subnets) < 2:
        yield f"alb.public_subnet_ids={list(subnets)!r}: AWS wants subnets in two zones or more"
    for key in ("source_ips", "trusted_proxies"):
        for one in args.get(key) or ():
            if _network(one) is None:
                yield f"{key}={one!r}: use an IPv4 address or CIDR, e.g. 192.0.2.1 or 192.0.2.0/24"
    if any(net and net.prefixlen == 0 for net in map(_network, args.get("trusted_proxies") or ())):
        yield "trusted_proxies=0.0.0.0/0: everybody could forge an address; name the proxy"
    if args.get("trusted_proxies") and ingress != WebhookIngress.NONE:
        yield f"trusted_proxies: ingress={text_of(ingress)!r} knows its own proxy; leave it out"


def _authentication(args: Mapping[str, Any]) -> Iterator[str]:
    ways, ingress = args.get("authentication"), args.get("ingress") or "none"
    if ways is None:
        return
    if not ways or len(set(ways)) != len(ways):
        yield f"authentication={[text_of(way) for way in ways]!r}: give at least one, each once"
    proxy = ingress in (WebhookIngress.HTTP_API, WebhookIngress.ALB) or bool(args.get("trusted_proxies"))
    if WebhookAuthentication.SOURCE_IP in ways and not proxy:
        yield "authentication=source-ip: nobody trusted says where a request comes from; use ingress http-api or alb, or trusted_proxies"
    if WebhookAuthentication.SOURCE_IP in ways and any(net and net.prefixlen == 0 for net in map(_network, args.get("source_ips") or ())):
        yield "authentication=source-ip: source_ips lets every address pass; name those that may call"
    verified = (ingress == WebhookIngress.ALB and (args.get("alb") or {}).get("trust_store_arn") is not None) or bool(
        args.get("trusted_proxies")
    )
    if WebhookAuthentication.CLIENT_CERTIFICATE in ways and not verified:
        yield "authentication=client-certificate: nobody verifies one; use ingress alb with alb.trust_store_arn, or trusted_proxies"


def _network(text: Any) -> Optional[ipaddress.IPv4Network]:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:
        return None

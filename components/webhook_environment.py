"""Environment of slanger's two roles, from a WebhookService's arguments. Only what was given: everything else is the image's own default."""

import json
from collections.abc import Mapping
from typing import Any, Optional

import pulumi

from .arguments import text_of
from .task import SecretSource

# Key in `secrets` (or in the JSON secret behind `secret_arn`) -> the variable that slanger reads.
ACCEPT_SECRETS: Mapping[str, str] = {"signing_key": "SLANGER_SIGNING_KEY", "previous_signing_key": "SLANGER_PREVIOUS_SIGNING_KEY"}
EXECUTE_SECRETS: Mapping[str, str] = {
    "broker_key": "SLANGER_BROKER_KEY",
    "broker_secret": "SLANGER_BROKER_SECRET",
    "redis_url": "SLANGER_REDIS_URL",
    "influx_url": "SLANGER_INFLUX_URL",
}
REQUIRED_SECRETS = ("signing_key", "broker_key", "broker_secret")
# An SQS-compatible server of one's own asks for credentials and a region, and looks at neither.
LOCAL_CREDENTIALS: Mapping[str, str] = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"}

Environment = dict[str, pulumi.Input[str]]


def shared_environment(args: Mapping[str, Any], queue: Mapping[str, Any]) -> Environment:
    """What both roles are told; `queue` is a WebhookQueue."""
    told = {"SLANGER_ACCOUNT": args["account"], "SLANGER_QUEUE_URL": queue["url"], "SLANGER_DEAD_LETTER_URL": queue["dead_letter_url"]}
    if queue.get("endpoint") is not None:
        return {**told, "SLANGER_QUEUE_ENDPOINT": queue["endpoint"], **LOCAL_CREDENTIALS}
    return _given({**told, "AWS_REGION": (args["host"].get("fargate") or {}).get("region")})


def accept_environment(args: Mapping[str, Any], trusted_proxies: Optional[str], source_ip_header: Optional[str]) -> Environment:
    """What the accepting role is told; `trusted_proxies`: comma list of CIDRs."""
    ways = [text_of(way) for way in args.get("authentication") or ("signature",)]
    return _given(
        {
            "SLANGER_AUTHENTICATION": ",".join(ways),
            "SLANGER_TRUSTED_PROXIES": trusted_proxies,
            "SLANGER_SOURCE_IP_HEADER": source_ip_header,
            # Without it they are the load balancer's business alone.
            "SLANGER_SOURCE_IPS": ",".join(args["source_ips"]) if args.get("source_ips") and "source-ip" in ways else None,
            "SLANGER_CLIENT_CERTIFICATE_NAME": args.get("client_certificate_name"),
            "SLANGER_REPLAY_WINDOW": args.get("replay_window"),
            "SLANGER_REVOKED_ALERTS": ",".join(args["revoked_alerts"]) if args.get("revoked_alerts") else None,
        }
    )


def execute_environment(args: Mapping[str, Any]) -> Environment:
    """What the executing role is told."""
    return _given(
        {
            "SLANGER_MODE": text_of(args.get("mode") or "paper"),
            "SLANGER_LIVE_ACCOUNT": args.get("live_account"),
            "SLANGER_BROKER_URL": args.get("broker_url"),
            "SLANGER_DATA_URL": args.get("data_url"),
            "SLANGER_LIMITS": _json(args["limits"]),
            "SLANGER_DEFAULTS": _json(args["defaults"]) if args.get("defaults") else None,
            "SLANGER_REQUESTS_PER_MINUTE": args.get("requests_per_minute"),
            "SLANGER_MAX_DELAY": args.get("max_delay"),
            "SLANGER_ARISTOCRATS": _json(list(args["aristocrats"])) if args.get("aristocrats") is not None else None,
        }
    )


def secret_sources(args: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, SecretSource]:
    """Secret variables of one role, `variables` being ACCEPT_SECRETS or EXECUTE_SECRETS: neither role sees the other's."""
    if args.get("secrets") is not None:
        return {variable: SecretSource(value=args["secrets"][key]) for key, variable in variables.items() if key in args["secrets"]}
    keys = {*REQUIRED_SECRETS, *(args.get("secret_keys") or ())}
    return {variable: SecretSource(arn=f"{args['secret_arn']}:{key}::") for key, variable in variables.items() if key in keys}


def _given(values: Mapping[str, Any]) -> Environment:
    return {name: str(value) if isinstance(value, (int, float)) else value for name, value in values.items() if value is not None}


def _json(value: Any) -> str:
    # Sorted, so that the same limits are the same task definition whatever their order.
    return json.dumps(value, sort_keys=True, separators=(",", ":"))

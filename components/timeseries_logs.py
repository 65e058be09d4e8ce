"""A host whose tasks log into Loki: through the log router on Docker, through FireLens on Fargate."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pulumi
import pulumi_aws as aws

from .hosts import HostArgs
from .timeseries_urls import public_part

# What of a host says where its tasks log to.
ROUTING = ("fluentd_address", "loki_url", "loki_secret_arn")


def without_routing(host: HostArgs) -> HostArgs:
    """The same host, with logs where the host itself keeps them: for whoever takes everybody else's lines."""
    return {kind: {key: value for key, value in given.items() if key not in ROUTING} for kind, given in host.items()}


def log_host(
    host: HostArgs, name: str, *, router_port: int, loki_url: pulumi.Output[str], own_loki: bool, parent: pulumi.Resource
) -> HostArgs:
    """`host` with the address of the log router (docker) or of Loki (fargate). `own_loki`: the stack's own, which asks for no password."""
    plain = without_routing(host)
    if plain.get("docker") is not None:
        # Where the daemon reaches it, on its own machine.
        return {"docker": {**plain["docker"], "fluentd_address": f"127.0.0.1:{router_port}"}}
    place = {"loki_url": public_part(loki_url, path=True)}
    if not own_loki:
        place["loki_secret_arn"] = _login(name, loki_url, parent)
    return {"fargate": {**plain["fargate"], **place}}


def _login(name: str, loki_url: pulumi.Output[str], parent: pulumi.Resource) -> pulumi.Output[Any]:
    """ARN of a secret with the URL's user and password, as FireLens wants them; None once it is known that the URL has none."""
    secret = aws.secretsmanager.Secret(
        f"{name}-loki-login",
        description="User and password of Loki, for the tasks' log routers",
        recovery_window_in_days=0,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    version = aws.secretsmanager.SecretVersion(
        f"{name}-loki-login-version",
        secret_id=secret.id,
        secret_string=pulumi.Output.secret(loki_url.apply(login_json)),
        opts=pulumi.ResourceOptions(parent=parent),
    )

    def arn_if_used(known: list[Any]) -> Any:
        arn, url, _ = known
        return arn if urlsplit(url).username else None

    return pulumi.Output.unsecret(pulumi.Output.all(secret.arn, loki_url, version.id).apply(arn_if_used))


def login_json(url: str) -> str:
    parts = urlsplit(url)
    return json.dumps({"password": unquote(parts.password or ""), "username": unquote(parts.username or "")}, sort_keys=True)

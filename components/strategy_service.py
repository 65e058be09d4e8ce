"""StrategyService: a service of your own that runs all the time: it hears bars, sends orders to the webhook, writes metrics; never two copies."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .hosts import HostArgs, check_task, run_task
from .image_folders import image_in
from .service_task import PORT, service_task
from .task import SecretSource

PREFIX = re.compile(r"[A-Z][A-Z0-9_]*")
SECRET = re.compile(r"[a-z][a-z0-9_]*")
# Argument -> what its variable has behind the prefix.
TOLD: Mapping[str, str] = {"account": "ACCOUNT", "purrstream_url": "PURRSTREAM_URL", "webhook_url": "WEBHOOK_URL"}


class StrategyServiceArgs(TypedDict):
    """Arguments of StrategyService. An image sees its own name (variable PREFIX_NAME) and what is given here: leave out what it doesn't need."""

    host: HostArgs
    """Where it runs."""
    image_context: NotRequired[str]
    """Folder with its Dockerfile, which answers /health on port 8000. Exactly one of image_context and image."""
    image: NotRequired[pulumi.Input[str]]
    """A published image; needs prefix."""
    prefix: NotRequired[str]
    """What the names of its variables begin with. Default: the folder's name in capitals, `my-service` is `MY_SERVICE`."""
    account: NotRequired[str]
    """Name of the broker account; variable PREFIX_ACCOUNT."""
    purrstream_url: NotRequired[pulumi.Input[str]]
    """Purrstream's url; variable PREFIX_PURRSTREAM_URL."""
    webhook_url: NotRequired[pulumi.Input[str]]
    """WebhookService's private_url; variable PREFIX_WEBHOOK_URL. Orders need the secret signing_key too."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """redis_url, influx_url, signing_key and any of your own; the variable of `api_key` is PREFIX_API_KEY."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Variables by their whole names, e.g. `{"MINE_SYMBOLS": "AAPL,MSFT"}`. No secrets: they are readable in the task definition.

    PREFIX_NAME here is told in place of the resource's name."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address that leads to port 8000 (docker only). Default: none."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512."""
    architecture: NotRequired[str]
    """`arm64` or `amd64`. Default: the host's."""
    spot: NotRequired[bool]
    """Fargate Spot: interrupted, it is away for a minute or two. Default true."""


class StrategyService(pulumi.ComponentResource):
    """Your service. It has no way in from outside, no storage of its own, and what a crash must not lose it keeps in Redis or reads again."""

    url: pulumi.Output[str]
    """Base URL of /health for the tasks of the same host."""
    service: pulumi.Output[str]
    """Container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its task on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: StrategyServiceArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("strategy service", name, args, StrategyServiceArgs, argument_mistakes)
        prefix = prefix_of(args)
        told = {f"{prefix}_{suffix}": args[key] for key, suffix in TOLD.items() if args.get(key) is not None}
        secrets = args.get("secrets") or {}
        spec = service_task(
            name,
            "StrategyService",
            args,
            build=lambda: image_in(args["image_context"]),
            # Ids of signals begin with it: two services of one image with the same ids would take each other's orders for their own.
            environment={f"{prefix}_NAME": name, **(args.get("environment") or {}), **told},
            secrets={variable_of(prefix, key): SecretSource(value=value) for key, value in secrets.items()},
            # Two copies would see the same signal and order twice.
            single_writer=True,
        )
        check_task(spec, args["host"])
        super().__init__("tradestack:index:StrategyService", name, {}, opts)
        task = run_task(spec, args["host"], self)
        self.url = pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        self.service = task.service
        self.logs = task.logs
        self.monthly_cost = task.monthly_cost
        self.register_outputs({"url": self.url, "service": self.service, "logs": self.logs, "monthlyCost": self.monthly_cost})


def prefix_of(args: Mapping[str, object]) -> str:
    """What its variables begin with, without the underscore; empty when nobody says."""
    if args.get("prefix") is not None:
        return str(args["prefix"])
    if args.get("image_context") is None:
        return ""
    return re.sub(r"[^A-Z0-9]+", "_", Path(str(args["image_context"])).resolve().name.upper()).strip("_")


def variable_of(prefix: str, key: str) -> str:
    """Environment variable of a secret."""
    return f"{prefix}_{key.upper()}"


def argument_mistakes(args: StrategyServiceArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    context, prefix = args.get("image_context"), prefix_of(args)
    if (context is None) == (args.get("image") is None):
        return ["image_context: give exactly one of image_context (a folder with a Dockerfile) and image (a published one)"]
    mistakes = []
    if context is not None and not Path(context, "Dockerfile").is_file():
        mistakes.append(f"image_context={context!r}: no Dockerfile there; name the service's own folder")
    if not PREFIX.fullmatch(prefix):
        mistakes.append(f"prefix={prefix!r}: use capital letters, digits and underscores, beginning with a letter, e.g. MY_SERVICE")
    secrets, environment = args.get("secrets") or {}, args.get("environment") or {}
    mistakes += [f"secrets.{key}: use lower-case letters, digits and underscores" for key in sorted(secrets) if not SECRET.fullmatch(key)]
    mistakes += [f"secrets.{key}: is empty; give it, or leave the key out" for key in sorted(secrets) if secrets[key] in (None, "")]
    if "name" in secrets:
        mistakes.append(f"secrets.name: {prefix}_NAME is the service's name, which is no secret; use another key")
    taken = {f"{prefix}_{suffix}": key for key, suffix in TOLD.items() if args.get(key) is not None}
    taken |= {variable_of(prefix, key): f"secrets.{key}" for key in secrets}
    mistakes += [f"environment.{name}: {taken[name]} sets it; leave it out" for name in sorted(set(environment) & set(taken))]
    if args.get("webhook_url") is not None:
        mistakes += ["account: is missing; with webhook_url name the account that is traded"] if not args.get("account") else []
        mistakes += ["secrets.signing_key: is missing; with webhook_url orders are signed"] if "signing_key" not in secrets else []
    elif "signing_key" in secrets:
        mistakes.append("secrets.signing_key: without webhook_url it signs nothing; leave it out")
    return mistakes

"""Board: the page on which people see bots, orders, costs, logs and health, live. It only reads, and listens on loopback or the private network."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import key_mistakes, refuse_mistakes
from .hosts import HostArgs, check_task, run_task
from .image_folders import image_at
from .task import HealthCheck, SecretSource, TaskSpec

PORT = 8000
SECRET_VARIABLES: Mapping[str, str] = {
    "redis_url": "BOARD_REDIS_URL",
    "influx_url": "BOARD_INFLUX_URL",
    "loki_url": "BOARD_LOKI_URL",
    "bots": "BOARD_BOTS",
}
SERVICE_URL = re.compile(r"https?://[^\s/@]+(/\S*)?|redis://[^\s/@]+(/\S*)?|tcp://[^\s/@]+:[0-9]+")
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class BoardService(TypedDict):
    """A service whose health the board shows."""

    name: pulumi.Input[str]
    """As it stands on the page."""
    url: pulumi.Input[str]
    """`http://…/health` (a status below 300), `redis://host:port` (it answers PING) or `tcp://host:port` (it takes connections)."""


class BoardArgs(TypedDict):
    """Arguments of Board."""

    host: HostArgs
    """Where it runs."""
    secrets: Mapping[str, pulumi.Input[str]]
    """bots: a JSON list of objects with name, url, username and password, those of the bot's REST API. redis_url, influx_url (a user that may read is
    enough; TimeseriesStack's influx_read_url) and loki_url, with credentials; left out or "": the stack has none, and its panels say so."""
    accounts: NotRequired[Sequence[str]]
    """Broker accounts of the webhooks, whose alerts and orders are shown as they happen. Required with redis_url."""
    services: NotRequired[Sequence[BoardService]]
    """Services whose health is shown. Default: none but the stores and bots."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address, to open in a browser (docker only). Default: none. On Fargate people use a tunnel."""
    hosts: NotRequired[Sequence[str]]
    """Names by which a browser may call it beside localhost, 127.0.0.1 and [::1], without a port, such as the task's private DNS name."""
    title: NotRequired[str]
    """Heading of the page, up to 60 characters. Default `tradestack` and the stack's name."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512."""


class Board(pulumi.ComponentResource):
    """One page for people, live without a reload. No ingress: whoever reaches it sees everything, and can change nothing."""

    url: pulumi.Output[str]
    """Address to open in a browser: on this machine's loopback where a port is published, else in the private network."""
    service: pulumi.Output[str]
    """Container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its task on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: BoardArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("board", name, args, BoardArgs, argument_mistakes)
        services = pulumi.Output.all(*(pulumi.Output.all(**one) for one in args.get("services") or ()))
        title = args.get("title") or f"tradestack {pulumi.get_stack()}"[:60]
        spec = TaskSpec(
            name=name,
            component="Board",
            image=image_at("board"),
            environment={
                "BOARD_TITLE": title,
                "BOARD_ACCOUNTS": ",".join(args.get("accounts") or ()),
                "BOARD_HOSTS": ",".join(args.get("hosts") or ()),
                "BOARD_SERVICES": services.apply(lambda found: json.dumps(found, sort_keys=True)),
            },
            secrets={
                variable: SecretSource(value=args["secrets"][key]) for key, variable in SECRET_VARIABLES.items() if args["secrets"].get(key)
            },
            port=PORT,
            published_port=args.get("published_port"),
            cpu=args.get("cpu") or 256,
            memory=args.get("memory") or 512,
            health=HealthCheck(command=("python3", "-m", "botkit.health"), interval=10, timeout=5, start_period=60),
            stop_timeout=10,
        )
        check_task(spec, args["host"])
        super().__init__("tradestack:index:Board", name, {}, opts)
        task = run_task(spec, args["host"], self)
        published = args.get("published_port")
        self.url = (
            pulumi.Output.from_input(f"http://127.0.0.1:{published}")
            if published
            else pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        )
        self.service = task.service
        self.logs = task.logs
        self.monthly_cost = task.monthly_cost
        self.register_outputs({"url": self.url, "service": self.service, "logs": self.logs, "monthlyCost": self.monthly_cost})


def argument_mistakes(args: BoardArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    secrets = args["secrets"]
    mistakes = ["secrets.bots: is missing; give [] for a stack without bots"] if secrets.get("bots") in (None, "") else []
    mistakes += [f"secrets.{key}: unknown; use {', '.join(SECRET_VARIABLES)}" for key in sorted(set(secrets) - set(SECRET_VARIABLES))]
    accounts = args.get("accounts") or ()
    if secrets.get("redis_url") and not accounts:
        mistakes.append("accounts: is missing; with redis_url name the webhooks' broker accounts, such as paper")
    mistakes += [
        f"accounts: {one!r}: use 1 to 64 letters, digits, dots, hyphens and underscores" for one in accounts if not NAME.fullmatch(one)
    ]
    mistakes += [f"hosts: {one!r}: use a host name without a port" for one in args.get("hosts") or () if not HOST_NAME.fullmatch(one)]
    names = [one.get("name") for one in args.get("services") or () if isinstance(one.get("name"), str)]
    mistakes += [
        f"services: {one!r} is there twice; give each a name of its own" for one in sorted({one for one in names if names.count(one) > 1})
    ]
    for place, one in enumerate(args.get("services") or ()):
        mistakes += key_mistakes(one, BoardService, f"services[{place}].")
        url, called = one.get("url"), one.get("name")
        if isinstance(url, str) and not SERVICE_URL.fullmatch(url):
            mistakes.append(f"services[{place}].url: use http://HOST/health, redis://HOST:PORT or tcp://HOST:PORT, without credentials")
        if isinstance(called, str) and not NAME.fullmatch(called):
            mistakes.append(f"services[{place}].name={called!r}: use 1 to 64 letters, digits, dots, hyphens and underscores")
    if not 1 <= len(args.get("title") or "x") <= 60:
        mistakes.append("title: use 1 to 60 characters")
    return mistakes

"""AlpacaPaper: a paper broker that looks like Alpaca, so that alerts become orders without an account, a key or the internet."""

from collections.abc import Mapping
from enum import Enum
from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .hosts import HostArgs, check_task, run_task
from .image_folders import base_image, image_folder
from .task import HealthCheck, Image, SecretSource, TaskSpec, Volume

PORT = 8000
DATA = "/data"
SECRET_VARIABLES: Mapping[str, str] = {"key": "ALPACA_PAPER_KEY", "secret": "ALPACA_PAPER_SECRET"}


class MarketHours(str, Enum):
    """When the market for shares is open. Crypto trades always."""

    ALWAYS = "always"
    """At all times, so that an alert can be tried at night."""
    NYSE = "nyse"
    """As the New York Stock Exchange, with holidays and early closes."""


class AlpacaPaperArgs(TypedDict):
    """Arguments of AlpacaPaper."""

    host: HostArgs
    """Where it runs."""
    secrets: Mapping[str, pulumi.Input[str]]
    """key and secret that its clients must show; make them up."""
    hours: NotRequired[MarketHours]
    """When the market for shares is open. Default always."""
    test_api: NotRequired[bool]
    """Offer `/_paper/…`, which sets prices, moves the clock and makes faults. Whoever reaches the port may use it. Default false."""
    requests_per_minute: NotRequired[int]
    """Answer 429 to more than this from one account. Default 200, as Alpaca does."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address (docker only). Default: none, only the stack's tasks reach it."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512."""


class AlpacaPaper(pulumi.ComponentResource):
    """Alpaca's trading API, its stream and its last trades, with play money; its orders survive a crash."""

    url: pulumi.Output[str]
    """Base URL for the tasks of the same host: broker_url and data_url of a WebhookService."""
    service: pulumi.Output[str]
    """Container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    volume_name: pulumi.Output[str]
    """Docker volume or EFS access point with its orders."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its task on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: AlpacaPaperArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("paper broker", name, args, AlpacaPaperArgs, argument_mistakes)
        context = image_folder("alpaca-paper")
        spec = TaskSpec(
            name=name,
            component="AlpacaPaper",
            image=Image(context=context, base=base_image(context)),
            environment={
                "ALPACA_PAPER_HOURS": MarketHours(args.get("hours") or MarketHours.ALWAYS).value,
                "ALPACA_PAPER_TEST_API": "on" if args.get("test_api") else "off",
                "ALPACA_PAPER_REQUESTS_PER_MINUTE": str(args.get("requests_per_minute") or 200),
            },
            secrets={variable: SecretSource(value=args["secrets"][key]) for key, variable in SECRET_VARIABLES.items()},
            volumes=(Volume(name="data", mount_path=DATA, backup=False),),
            port=PORT,
            published_port=args.get("published_port"),
            cpu=args.get("cpu") or 256,
            memory=args.get("memory") or 512,
            health=HealthCheck(command=("python3", "-m", "alpaca_paper.health"), interval=10, timeout=5, start_period=60),
            stop_timeout=10,
            single_writer=True,
        )
        check_task(spec, args["host"])
        super().__init__("tradestack:index:AlpacaPaper", name, {}, opts)
        task = run_task(spec, args["host"], self)
        self.url = pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        self.service = task.service
        self.logs = task.logs
        self.volume_name = task.volumes["data"]
        self.monthly_cost = task.monthly_cost
        self.register_outputs(
            {
                "url": self.url,
                "service": self.service,
                "logs": self.logs,
                "volumeName": self.volume_name,
                "monthlyCost": self.monthly_cost,
            }
        )


def argument_mistakes(args: AlpacaPaperArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    secrets = args["secrets"]
    mistakes = [f"secrets.{key}: is missing; make it up" for key in SECRET_VARIABLES if secrets.get(key) in (None, "")]
    mistakes += [f"secrets.{key}: unknown; use {', '.join(SECRET_VARIABLES)}" for key in sorted(set(secrets) - set(SECRET_VARIABLES))]
    choices = [choice.value for choice in MarketHours]
    if args.get("hours", "always") not in choices:
        mistakes.append(f"hours={args['hours']!r}: use one of {', '.join(choices)}")
    limit = args.get("requests_per_minute")
    if limit is not None and limit < 1:
        mistakes.append(f"requests_per_minute={limit!r}: use 1 or more")
    return mistakes

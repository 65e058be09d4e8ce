"""BotMetrics: reads every bot's REST API again and again and writes profit, trades, balance, last loop and costs to InfluxDB."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .hosts import HostArgs, check_task, cost_on_host, run_task
from .image_folders import image_at
from .task import HealthCheck, SecretSource, TaskSpec

PORT = 8000
SECRET_VARIABLES: Mapping[str, str] = {"influx_url": "BOT_METRICS_INFLUX_URL", "bots": "BOT_METRICS_BOTS"}
# Digits of an amount in USD: what it costs changes neither by rounding errors nor with their order.
COST_DIGITS = 4


class BotMetricsArgs(TypedDict):
    """Arguments of BotMetrics."""

    host: HostArgs
    """Where it runs."""
    secrets: Mapping[str, pulumi.Input[str]]
    """influx_url: where points are written, with credentials (TimeseriesStack's influx_write_url). bots: a JSON list of objects with name, url,
    username and password, those of the bot's REST API."""
    costs: Mapping[str, pulumi.Input[float]]
    """Task -> USD for 30 days, such as the components' monthly_cost; written every hour. Its own is known to it."""
    interval: NotRequired[int]
    """Seconds between two looks at a bot, 1 to 3600. Default 10: a trade that closes is in InfluxDB within 15 s."""
    trades_days: NotRequired[int]
    """Trades that closed within this many days are written again at each start; no more days than InfluxDB keeps. Default 30."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address for /health and /stats (docker only). Default: none."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256 (enough for 200 bots every 10 s)."""
    memory: NotRequired[int]
    """MiB. Default 512."""


class BotMetrics(pulumi.ComponentResource):
    """The bots' numbers in InfluxDB. It only reads the bots; when it is away they trade on, and closed trades are written later."""

    url: pulumi.Output[str]
    """Base URL of /health and /stats for the tasks of the same host."""
    service: pulumi.Output[str]
    """Container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its task on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: BotMetricsArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("bot metrics", name, args, BotMetricsArgs, argument_mistakes)
        spec = TaskSpec(
            name=name,
            component="BotMetrics",
            image=image_at("bot-metrics"),
            environment={
                "BOT_METRICS_INTERVAL": str(args.get("interval") or 10),
                "BOT_METRICS_TRADES_DAYS": str(args.get("trades_days") or 30),
            },
            secrets={variable: SecretSource(value=args["secrets"][key]) for key, variable in SECRET_VARIABLES.items()},
            port=PORT,
            published_port=args.get("published_port"),
            cpu=args.get("cpu") or 256,
            memory=args.get("memory") or 512,
            health=HealthCheck(command=("python3", "-m", "botkit.health"), interval=10, timeout=5, start_period=60),
            stop_timeout=10,
            # Two copies would write the same points, and ask the bots twice.
            single_writer=True,
        )
        known = {**args["costs"], name: cost_on_host(spec, args["host"])}
        costs = pulumi.Output.from_input(known).apply(costs_json)
        spec = replace(spec, environment={**spec.environment, "BOT_METRICS_COSTS": costs})
        check_task(spec, args["host"])
        super().__init__("tradestack:index:BotMetrics", name, {}, opts)
        task = run_task(spec, args["host"], self)
        self.url = pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        self.service = task.service
        self.logs = task.logs
        self.monthly_cost = task.monthly_cost
        self.register_outputs({"url": self.url, "service": self.service, "logs": self.logs, "monthlyCost": self.monthly_cost})


def costs_json(costs: Mapping[str, float]) -> str:
    return json.dumps({task: round(usd, COST_DIGITS) for task, usd in costs.items()}, sort_keys=True)


def argument_mistakes(args: BotMetricsArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    secrets = args["secrets"]
    mistakes = [f"secrets.{key}: is missing" for key in SECRET_VARIABLES if secrets.get(key) in (None, "")]
    mistakes += [f"secrets.{key}: unknown; use {', '.join(SECRET_VARIABLES)}" for key in sorted(set(secrets) - set(SECRET_VARIABLES))]
    for task, usd in sorted(args["costs"].items()):
        if isinstance(usd, (int, float)) and not 0 <= usd < 1e9:
            mistakes.append(f"costs[{task}]={usd!r}: use an amount in USD, 0 or more")
    for key, most in (("interval", 3600), ("trades_days", 36_500)):
        value = args.get(key)
        if value is not None and not 1 <= value <= most:
            mistakes.append(f"{key}={value!r}: use 1 to {most}")
    return mistakes

"""Beancleaner: closes positions by rules, never one that is excluded: runs on a schedule, or a service where a rule has to be looked at always."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .beancleaner_limits import EARLY, limits, too_dense
from .beancleaner_rules import MOST_CHARACTERS, QUOTE, Rules, read_rules, rules_text, start_expressions, unquoted
from .broker_account import account_mistakes
from .hosts import HostArgs, check_job, check_task, name_on_host, run_task
from .image_folders import image_at
from .scheduled_job import ScheduledJob, ScheduledJobArgs
from .scheduled_job_checks import MOST_LATE
from .scheduled_job_tasks import job_schedule, run_spec, watch_spec
from .service_task import HEALTH_COMMAND, PORT, service_task
from .task import TaskSpec
from .task_environment import choice_mistakes, environment, number_mistakes, secret_mistakes, secret_sources
from .webhook_args import WebhookMode

PREFIX = "BEANCLEANER_"
REQUIRED_SECRETS: Mapping[str, str] = {
    "broker_key": "it comes from the broker's website",
    "broker_secret": "it comes from the broker's website",
    "redis_url": "its lists and what it has done are there",
}
TOLD = ("account", "mode", "live_account", "broker_url", "requests_per_minute", "deadline", "interval")
BOUNDS: Mapping[str, tuple[float, float, str]] = {
    "requests_per_minute": (10, 1_000_000, ""),
    "deadline": (10, 3600, " (seconds)"),
    "interval": (1, 3600, " (seconds)"),
}
LINE = re.compile(r"^line [0-9]+(, |: )")
DEADLINE = 240  # seconds, the image's own


class BeancleanerArgs(TypedDict):
    """Arguments of Beancleaner. What can cost money has no default."""

    host: HostArgs
    """Where it runs."""
    account: str
    """Name of the broker account, e.g. `paper`. Lower-case letters, digits, hyphens."""
    rules: Any
    """What to close, when, and what to keep: a mapping with keep and rules, or the same as YAML in a text (images/beancleaner says which)."""
    secrets: Mapping[str, pulumi.Input[str]]
    """broker_key, broker_secret, redis_url; as needed influx_url, to which it writes what it closed."""
    mode: NotRequired[WebhookMode]
    """Which of the broker's accounts is cleaned. Default paper; live needs live_account too."""
    live_account: NotRequired[str]
    """Number of the account that trades real money; it must be the one that the broker reports. Only with mode live."""
    broker_url: NotRequired[pulumi.Input[str]]
    """Base URL of the broker's trading API. Default: Alpaca's, by mode."""
    watch: NotRequired[bool]
    """Run all the time on Fargate too, as it does on Docker. Default: when a rule needs it, `when: always` or `trailing_percent`; with those
    it can't be false. Otherwise a run is started two minutes before each time of a rule, also of an early close."""
    requests_per_minute: NotRequired[int]
    """Calls of the broker's API that it may make; the webhook has its own share of the account's 200. Default: the image's, 150."""
    deadline: NotRequired[int]
    """Seconds within which everything must be closed, 10 to 3600. Default 240."""
    interval: NotRequired[int]
    """Seconds between two looks of the service, 1 to 3600. Default: the image's, 60."""
    alarms: NotRequired[bool]
    """Tell the host's alarm topic of runs that failed or were missed (fargate). Default true. As a service it ends with exit code 1 when
    something was not closed in time, and the host's alarm on crashed tasks tells: there it can't be false."""
    image: NotRequired[pulumi.Input[str]]
    """A published image. Default: built from the library's folder."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512."""
    architecture: NotRequired[str]
    """`arm64` or `amd64`. Default: the host's."""
    spot: NotRequired[bool]
    """Fargate Spot; an interruption takes the minutes before the close. Default false."""


class Beancleaner(pulumi.ComponentResource):
    """Closes positions. One copy at a time; killed, it goes on where it was, and sends no order twice."""

    url: pulumi.Output[str]
    """Base URL of /health for the tasks of the same host; empty on Fargate where it runs on a schedule."""
    service: pulumi.Output[str]
    """Container (docker), ECS service, or ARN of the state machine of its runs (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    runs: pulumi.Output[str]
    """Command that shows when it ran and how that ended; as a service its log."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: BeancleanerArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("beancleaner", name, args, BeancleanerArgs, argument_mistakes)
        host, rules = args["host"], read_rules(rules_text(args["rules"]))
        spec, job = (_service(name, args), None) if watches(args, rules) else (None, _job(args, rules))
        if job is None:
            check_task(spec, host)
        else:
            check_job(run_spec(name, job), watch_spec(name, job), job_schedule(job), host)
        self._listens = job is None or host.get("docker") is not None
        super().__init__("tradestack:index:Beancleaner", name, {}, opts)
        made = run_task(spec, host, self) if job is None else ScheduledJob(name, job, pulumi.ResourceOptions(parent=self))
        self.runs = made.logs if job is None else made.runs
        known = pulumi.Output.concat("http://", name_on_host(name, host), f":{PORT}")
        self.url = known if self._listens else pulumi.Output.from_input("")
        self.service = made.service
        self.logs = made.logs
        self.monthly_cost = made.monthly_cost
        self.register_outputs(
            {"url": self.url, "service": self.service, "logs": self.logs, "runs": self.runs, "monthlyCost": self.monthly_cost}
        )

    @property
    def listens(self) -> bool:
        """Whether there is a service that answers /health."""
        return self._listens


def watches(args: BeancleanerArgs, rules: Rules) -> bool:
    """Whether it is a service of its own on either host, and no scheduled run."""
    return bool(args.get("watch")) or bool(rules.watched)


def argument_mistakes(args: BeancleanerArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    mistakes = secret_mistakes(args["secrets"], REQUIRED_SECRETS, ("influx_url",)) + choice_mistakes(args, {"mode": WebhookMode})
    mistakes += [*account_mistakes(args), *number_mistakes(args, BOUNDS)]
    try:
        text = rules_text(args["rules"])
    except TypeError as wrong:
        return [*mistakes, f"rules: {wrong}"]
    if found := list(unquoted(args["rules"])):
        return [*mistakes, *(f"rules.{key}={value}: {QUOTE}" for key, value in found)]
    if len(text) > MOST_CHARACTERS:
        return [*mistakes, f"rules: {len(text)} characters; use {MOST_CHARACTERS} at most, AWS takes no more in a task definition"]
    rules = read_rules(text)
    # Of a mapping the lines are nobody's.
    mistakes += [f"rules: {one}" if isinstance(args["rules"], str) else f"rules.{LINE.sub('', one)}" for one in rules.mistakes]
    if rules.watched and args.get("watch") is False:
        mistakes.append(f"watch=False: {', '.join(rules.watched)} need a service that looks all the time; leave it out")
    on_schedule = not watches(args, rules) and args["host"].get("fargate") is not None
    if not mistakes and on_schedule and (dense := too_dense(rules, args.get("deadline") or DEADLINE)):
        mistakes.append(f"rules: {dense}")
    if watches(args, rules) and args.get("alarms") is False and args["host"].get("fargate") is not None:
        mistakes.append("alarms=False: as a service the host's alarm on crashed tasks tells of what was not closed; leave it out")
    return mistakes


def _told(args: BeancleanerArgs, **more: int) -> dict[str, pulumi.Input[str]]:
    own = {key.upper(): args.get(key) for key in TOLD}
    return environment(PREFIX, {**own, "RULES": rules_text(args["rules"]), "EARLY": EARLY, **more})


def _service(name: str, args: BeancleanerArgs) -> TaskSpec:
    """Looks again and again, on either host."""
    return service_task(
        name,
        "Beancleaner",
        args,
        build=partial(image_at, "beancleaner"),
        command=("watch",),
        environment=_told(args),
        secrets=secret_sources(PREFIX, args["secrets"]),
        spot=False,
    )


def _job(args: BeancleanerArgs, rules: Rules) -> ScheduledJobArgs:
    """Starts when a rule may be due; on Docker the same service as above."""
    image = {"image": "beancleaner"} if args.get("image") is None else {"image_reference": args["image"]}
    bounds = limits(rules, args.get("deadline") or DEADLINE)
    same = {key: args[key] for key in ("alarms", "cpu", "memory", "architecture") if args.get(key) is not None}
    return {
        "host": args["host"],
        "schedules": start_expressions(rules),
        "command": ["run"],
        "watch_command": ["watch"],
        "watch_health": list(HEALTH_COMMAND),
        "environment": _told(args, LOOK_BACK=bounds.look_back),
        "secrets": {variable: source.value for variable, source in secret_sources(PREFIX, args["secrets"]).items()},
        "start_within": min(bounds.start_within, MOST_LATE),
        "most_minutes": bounds.most_minutes,
        "expected_minutes": 3,
        "spot": bool(args.get("spot")),
        **image,
        **same,
    }

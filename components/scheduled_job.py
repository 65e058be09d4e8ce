"""ScheduledJob: a task at fixed times: on Fargate one run after the other, started by a schedule; on Docker the image's own `watch`."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .hosts import HostArgs, check_job, run_job
from .scheduled_job_checks import argument_mistakes
from .scheduled_job_tasks import job_schedule, run_spec, watch_spec


class ScheduledJobArgs(TypedDict):
    """Arguments of ScheduledJob. Times without a unit are minutes."""

    host: HostArgs
    """Where it runs."""
    schedules: Sequence[str]
    """When: EventBridge's `cron(minutes hours day-of-month month day-of-week year)`, e.g. `cron(58 15 ? * MON-FRI *)`, or `at(…)`."""
    watch_command: Sequence[str]
    """Arguments for the image's entry point on Docker: it goes on for ever and does at the same times what a run does."""
    image: NotRequired[str]
    """Folder in `images/` that it is built from. Exactly one of image and image_reference."""
    image_reference: NotRequired[pulumi.Input[str]]
    """A published image."""
    command: NotRequired[Sequence[str]]
    """Arguments for the image's entry point on Fargate: one run, exit code 0 when all is done. Default: the image's own."""
    watch_health: NotRequired[Sequence[str]]
    """Command in the container that says whether watch is well (docker). Default: none."""
    time_zone: NotRequired[str]
    """Of the schedules (fargate; on Docker watch has its own). Default America/New_York."""
    schedule_variable: NotRequired[str]
    """Environment variable that tells the image its schedules, a JSON list. Default: none, its watch knows them."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables, not secret."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables that are secret."""
    start_within: NotRequired[int]
    """No attempt begins later than this after the scheduled time, 1 to 120; the run is then told as missed or failed (fargate). Default 15."""
    most_minutes: NotRequired[int]
    """An attempt that takes longer is stopped, 1 to 240 (fargate). Default 15."""
    retries: NotRequired[int]
    """Attempts after one that was interrupted, got no capacity or failed, 0 to 5; exit code 78 (bad settings) is final (fargate). Default 2."""
    expected_minutes: NotRequired[int]
    """What a run usually takes; only monthly_cost depends on it. Default 5."""
    alarms: NotRequired[bool]
    """Tell the host's alarm topic of runs that failed or were missed (fargate). Default true."""
    enabled: NotRequired[bool]
    """False: no run, no container; everything else stays. Default true."""
    spot: NotRequired[bool]
    """Fargate Spot for the first attempt; later ones are on-demand. False: on-demand at once, for a minute that must not be lost. Default true."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512."""
    architecture: NotRequired[str]
    """`arm64` or `amd64`. Default: the host's."""
    stop_timeout: NotRequired[int]
    """Seconds from SIGTERM to SIGKILL. Default 120."""


class ScheduledJob(pulumi.ComponentResource):
    """A task on a schedule.

    What it gives on Fargate: a run begins at most once for a scheduled time and never beside another run; one that fails, is interrupted or
    gets no capacity is tried again, at most `retries` times and only within `start_within`; one that hangs is stopped; what is missed or has
    failed at last is told. A stack that is taken down, or an execution that is aborted by hand, leaves a running task to its end.
    What the image must give: a run that is begun again goes on where the one before was killed, without doing anything twice; exit code 0
    only when all is done, another one when it is interrupted; 78 when its settings can't be used; `watch` does the same at the same times.
    """

    service: pulumi.Output[str]
    """Container (docker) or ARN of the state machine that runs it (fargate)."""
    logs: pulumi.Output[str]
    """Command that shows the log of its runs."""
    runs: pulumi.Output[str]
    """Command that shows when its runs began and how they ended (fargate: of 90 days)."""
    start: pulumi.Output[str]
    """Command that starts a run now; empty on Docker."""
    schedule_group: pulumi.Output[str]
    """Name of the group of its schedules; empty on Docker."""
    dead_letter_url: pulumi.Output[str]
    """Queue of runs that could not be started; empty on Docker."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its runs on Fargate (us-east-1), each `expected_minutes` long; on Docker what the same would cost there."""

    def __init__(self, name: str, args: ScheduledJobArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("scheduled job", name, args, ScheduledJobArgs, argument_mistakes)
        run, watch, schedule = run_spec(name, args), watch_spec(name, args), job_schedule(args)
        check_job(run, watch, schedule, args["host"])
        super().__init__("tradestack:index:ScheduledJob", name, {}, opts)
        job = run_job(run, watch, schedule, args["host"], self)
        self.service = job.service
        self.logs = job.logs
        self.runs = job.runs
        self.start = job.start
        self.schedule_group = job.schedule_group
        self.dead_letter_url = job.dead_letter_url
        self.monthly_cost = job.monthly_cost
        self.register_outputs(
            {
                "service": self.service,
                "logs": self.logs,
                "runs": self.runs,
                "start": self.start,
                "scheduleGroup": self.schedule_group,
                "deadLetterUrl": self.dead_letter_url,
                "monthlyCost": self.monthly_cost,
            }
        )

"""A scheduled task on Docker: the image's own `watch`, which knows the schedule, as one container that goes on for ever."""

from dataclasses import replace

import pulumi

from ..job_schedule import JobSchedule
from ..task import TaskSpec
from . import RunningJob, cost_of_job
from .args import DockerHostArgs
from .docker import HOST
from .docker import refuse as refuse_task
from .docker import run as run_task


def run_job(run: TaskSpec, watch: TaskSpec, schedule: JobSchedule, host: DockerHostArgs, parent: pulumi.Resource) -> RunningJob:
    """Run `watch`, which `refuse_job` has passed. `run` is the other host's; its cost is told here too."""
    running = run_task(_container(watch, schedule), host, parent)
    nothing = pulumi.Output.from_input("")
    return RunningJob(
        host=HOST,
        service=running.service,
        logs=running.logs,
        runs=running.logs,
        start=nothing,
        schedule_group=nothing,
        dead_letter_url=nothing,
        image=running.image,
        monthly_cost=cost_of_job(run, schedule, {"docker": host}),
    )


def refuse_job(run: TaskSpec, watch: TaskSpec, schedule: JobSchedule, host: DockerHostArgs) -> None:
    """Raise InvalidArgument for what is wrong with the host, UnsupportedByHost for the first field whose value Docker can't honour."""
    refuse_task(_container(watch, schedule), host)


def _container(watch: TaskSpec, schedule: JobSchedule) -> TaskSpec:
    # Two would do everything twice.
    return replace(watch, single_writer=True, desired_count=1 if schedule.enabled else 0)

"""JobSchedule: when a task runs, how long it may take and how often it is tried, as plain data that a component hands to a host."""

from collections.abc import Sequence
from dataclasses import dataclass

from .schedule_times import read, runs_in_30_days
from .task import TaskSpec
from .task_cost import monthly_cost, prices_of_30_days

TIME_ZONE = "America/New_York"
HOURS_IN_30_DAYS = 720
# Exit code of settings that can't be used (EX_CONFIG of sysexits.h): the next attempt would read the same.
FINAL_EXIT_CODES = (78,)
# Between two looks at a run's task on Fargate: a run that is interrupted begins again after so many seconds, and each look is three steps of a
# state machine.
POLL_SECONDS = 10
TRANSITIONS_A_MINUTE = 3 * 60 // POLL_SECONDS


@dataclass(frozen=True, kw_only=True)
class JobSchedule:
    """Times in minutes. Frozen: a host reads it and changes nothing."""

    expressions: Sequence[str]
    """What schedule_times.read takes; each starts a run."""
    time_zone: str = TIME_ZONE
    start_within: int = 15
    """No attempt begins later than this after the scheduled time."""
    most_minutes: int = 15
    """An attempt that takes longer is stopped, and has failed."""
    retries: int = 2
    """Attempts after the first."""
    expected_minutes: int = 5
    """What an attempt usually takes; only the cost depends on it."""
    alarms: bool = True
    enabled: bool = True


def job_cost(spec: TaskSpec, schedule: JobSchedule, public_address: bool = False) -> float:
    """USD for 30 days of the scheduled runs of `spec` on Fargate, each `expected_minutes` long and none of them repeated: the tasks, and the
    steps of the state machine that looks after them. Source of the prices: `prices.toml`."""
    if not schedule.enabled:
        return 0.0
    minutes = schedule.expected_minutes * sum(runs_in_30_days(read(expression)) for expression in schedule.expressions)
    steps = minutes * TRANSITIONS_A_MINUTE / 1000 * prices_of_30_days()["states_transition_thousand"]
    return minutes / 60 / HOURS_IN_30_DAYS * monthly_cost(spec, public_address=public_address) + steps

"""A scheduled job on AWS seen from outside: how its last run ended, by the state machine that runs it."""

from typing import Any

# Words of Step Functions -> ours.
WORDS = {
    "RUNNING": "a run since {at}",
    "SUCCEEDED": "scheduled, last run ended well",
    "FAILED": "the last run failed",
    "TIMED_OUT": "the last run failed",
    "ABORTED": "the last run was aborted",
}


def is_job(arn: str) -> bool:
    """Whether it is a state machine and no service."""
    return arn.startswith("arn:") and arn.split(":")[2] == "states"


def job_state(states: Any, arn: str) -> str:
    """State of a job in a few words; `states` is a client of Step Functions. Raises what boto3 raises."""
    try:
        machine = states.describe_state_machine(stateMachineArn=arn)
    except states.exceptions.StateMachineDoesNotExist:
        return "gone"
    if machine["status"] != "ACTIVE":
        return "stopping"
    runs = states.list_executions(stateMachineArn=arn, maxResults=1)["executions"]
    if not runs:
        return "scheduled, no run yet"
    at = f"{runs[0]['startDate']:%Y-%m-%d %H:%M} UTC"
    said = WORDS[runs[0]["status"]].format(at=at) if runs[0]["status"] in WORDS else runs[0]["status"].lower()
    return said if at in said else f"{said} ({at})"

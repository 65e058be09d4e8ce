"""The states of a scheduled run (Amazon States Language, JSONata): its turn, its attempts, its end; everything is bounded.

Why a state machine, and not Scheduler's own RunTask: a run whose task gets no capacity, is interrupted or fails is started again, a bounded
number of times and only within its time, and one that hangs is stopped; neither Scheduler nor ECS does that for a task without a service.
- One run at a time: an execution waits while an older one runs, and an execution ends only after its task has.
- One task an attempt, however often AWS delivers or repeats a call: the client token is the scheduled time and the attempt's number, and ECS
  answers a token that it knows with the task that it has (API reference, "Ensuring idempotency"; valid for an hour after the task).
It asks ECS again and again in place of the `.sync` integration: that one needs an EventBridge rule which would stay in the account.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ..job_schedule import FINAL_EXIT_CODES, POLL_SECONDS, JobSchedule
from ..task import TaskSpec
from .fargate_service import PLATFORM_VERSION

# A stopped task has its stop timeout (120 s at most), and its network is taken down after that.
STOP_MINUTES = 5
# What RunTask has begun DescribeTasks may not see yet (API reference of RunTask, "eventual consistency": wait for up to five minutes).
UNSEEN_MILLISECONDS = 300_000
# Before the first look for others: whoever began in the same second has begun by then, and is listed. Without it one whose ARN comes first
# would go on beside one that found nobody.
OTHERS_SECONDS = 2
# Where the run is reported already; every other way in which an execution ends badly is told by an EventBridge rule.
TOLD = "RunFailed"
# AWS's own errors and throttling, for about a minute. The client token makes a repeated RunTask harmless.
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 6, "MaxDelaySeconds": 30}]
NOW = "$toMillis($states.context.State.EnteredTime)"


@dataclass(frozen=True, kw_only=True)
class KnownJob:
    """What Pulumi learns only while it runs. All plain values."""

    stack: str
    partition: str
    """`aws`, `aws-cn` or `aws-us-gov`."""
    cluster_arn: str
    task_definition_arn: str
    subnets: Sequence[str]
    security_group: str
    public_address: bool
    logs: str
    """Command that shows the task's log."""
    topic_arn: Optional[str] = None


def definition(spec: TaskSpec, schedule: JobSchedule, known: KnownJob) -> str:
    """JSON text of the state machine of `spec`."""
    within, most = schedule.start_within * 60_000, schedule.most_minutes * 60_000
    service, attempts = f"arn:{known.partition}:states::", schedule.retries + 1
    states = {
        "Prepare": {
            "Type": "Pass",
            "Assign": {
                # Started by hand: its time is now.
                "scheduled": _jsonata("$exists($states.input.scheduled) ? $states.input.scheduled : $states.context.Execution.StartTime"),
                "began": _jsonata(_second_of("$states.context.Execution.StartTime")),
                "attempt": 1,
            },
            "Next": "WaitForOthers",
        },
        "WaitForOthers": _wait("LookForOthers", OTHERS_SECONDS),
        "LookForOthers": _call(
            f"{service}:aws-sdk:sfn:listExecutions",
            {"StateMachineArn": _jsonata("$states.context.StateMachine.Id"), "StatusFilter": "RUNNING"},
            {"others": _jsonata(_OLDER)},
            "IsItsTurn",
        ),
        "IsItsTurn": {
            "Type": "Choice",
            "Choices": [
                _choice(
                    f"{NOW} - $toMillis($scheduled) > {within}",
                    "Failed",
                    f"'it is more than {schedule.start_within} minutes late, and was not begun' & "
                    "($others > 0 ? '; an earlier run has not ended yet' : '')",
                ),
                _choice("$others = 0", "Start"),
            ],
            "Default": "WaitForTurn",
        },
        "WaitForTurn": _wait("LookForOthers"),
        "Start": _call(f"{service}:aws-sdk:ecs:runTask", _run_task(spec, known), _STARTED, "IsStarted"),
        "IsStarted": {"Type": "Choice", "Choices": [_choice("$task = ''", "WhatNext")], "Default": "WaitForEnd"},
        "WaitForEnd": _wait("Look"),
        "Look": _call(
            f"{service}:aws-sdk:ecs:describeTasks",
            {"Cluster": known.cluster_arn, "Tasks": [_jsonata("$task")]},
            {name: _jsonata(text.replace("CONTAINER", spec.name)) for name, text in _SEEN.items()},
            "HasEnded",
        ),
        "HasEnded": {
            "Type": "Choice",
            "Choices": [
                _choice("$status = 'STOPPED'", "WhatNext"),
                _choice(
                    f"$status = 'MISSING' and {NOW} - $started > {UNSEEN_MILLISECONDS}",
                    "Failed",
                    "'ECS does not know its task: what became of it is not known'",
                ),
                _choice(f"$not($stopping) and {NOW} - $started > {most}", "Stop"),
                _choice(f"{NOW} - $started > {most + STOP_MINUTES * 60_000}", "Failed", "'its task was stopped and does not end'"),
            ],
            "Default": "WaitForEnd",
        },
        "Stop": _call(
            f"{service}:aws-sdk:ecs:stopTask",
            {"Cluster": known.cluster_arn, "Task": _jsonata("$task"), "Reason": f"It took more than {schedule.most_minutes} minutes"},
            {"stopping": True},
            "WaitForEnd",
        ),
        "WhatNext": {
            "Type": "Choice",
            "Choices": [
                _choice("$code = 0 and $stop_code = 'EssentialContainerExited' and $not($stopping)", "Done"),
                _choice(f"$code in {list(FINAL_EXIT_CODES)}", "Failed", "'exit code ' & $code & ': its settings can not be used'"),
                _choice("$stop_code = 'UserInitiated' and $not($stopping)", "Failed", "'somebody stopped its task: ' & $reason"),
                _choice(f"$attempt >= {attempts}", "Failed", _OUTCOME),
                _choice(f"{NOW} - $toMillis($scheduled) > {within}", "Failed", f"{_OUTCOME} & '; it is too late for another attempt'"),
            ],
            "Default": "Again",
        },
        "Again": {**_wait("Start"), "Assign": {"attempt": _jsonata("$attempt + 1")}},
        "Done": {
            "Type": "Succeed",
            "Output": {"scheduled": _jsonata("$scheduled"), "attempts": _jsonata("$attempt"), "task": _jsonata("$task")},
        },
        **_failed(spec, known),
    }
    machine = {
        "Comment": f"A scheduled run of {spec.name}",
        "QueryLanguage": "JSONata",
        # Beyond every bound above: an execution that goes on for longer is a mistake in here.
        "TimeoutSeconds": (schedule.start_within + schedule.most_minutes + STOP_MINUTES + 15) * 60,
        "StartAt": "Prepare",
        "States": states,
    }
    return json.dumps(machine, sort_keys=True, separators=(",", ":"))


def _second_of(time: str) -> str:
    """ListExecutions may tell a time without the milliseconds that the execution's own has: of two each would take the other for the older."""
    return f"$floor($toMillis({time}) / 1000)"


# Executions that began earlier than this one; of those that began within one second, the ones whose ARN comes before.
_OLDER = (
    f"$count($states.result.Executions[ExecutionArn != $states.context.Execution.Id and ({_second_of('StartDate')} < $began or "
    f"({_second_of('StartDate')} = $began and ExecutionArn < $states.context.Execution.Id))])"
)
_STARTED = {
    "task": "{% $exists($states.result.Tasks[0]) ? $states.result.Tasks[0].TaskArn : '' %}",
    "started": f"{{% {NOW} %}}",
    "stopping": False,
    "code": -1,
    "stop_code": "{% $exists($states.result.Tasks[0]) ? '' : 'NotPlaced' %}",
    "reason": "{% $exists($states.result.Failures[0].Reason) ? $states.result.Failures[0].Reason : '' %}",
}
_SEEN = {
    "status": "$exists($states.result.Tasks[0]) ? $states.result.Tasks[0].LastStatus : 'MISSING'",
    "code": "($own := $states.result.Tasks[0].Containers[Name = 'CONTAINER']; $exists($own.ExitCode) ? $own.ExitCode : -1)",
    "stop_code": "$exists($states.result.Tasks[0].StopCode) ? $states.result.Tasks[0].StopCode : ''",
    "reason": "$exists($states.result.Tasks[0].StoppedReason) ? $states.result.Tasks[0].StoppedReason : ''",
}
_OUTCOME = "'attempt ' & $attempt & ' ended with ' & ($code = -1 ? 'no exit code' : 'exit code ' & $code) & ' (' & $stop_code & ': ' & $reason & ')'"


def _jsonata(text: str) -> str:
    return f"{{% {text} %}}"


def _choice(condition: str, following: str, why: Optional[str] = None) -> dict[str, Any]:
    return {"Condition": _jsonata(condition), "Next": following, **({"Assign": {"why": _jsonata(why)}} if why else {})}


def _wait(following: str, seconds: int = POLL_SECONDS) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds, "Next": following}


def _call(resource: str, arguments: Mapping[str, Any], assign: Mapping[str, Any], following: str) -> dict[str, Any]:
    refused = "'AWS refused ' & $states.context.State.Name & ': ' & $states.errorOutput.Error & ': ' & $states.errorOutput.Cause"
    return {
        "Type": "Task",
        "Resource": resource,
        "Arguments": arguments,
        "Assign": assign,
        "Retry": RETRY,
        "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"why": _jsonata(refused)}, "Next": "Failed"}],
        "Next": following,
    }


def _run_task(spec: TaskSpec, known: KnownJob) -> dict[str, Any]:
    # Of another job on the same cluster it would be a conflict; 64 characters are allowed.
    job = hashlib.sha256(known.task_definition_arn.rpartition(":")[0].encode()).hexdigest()[:12]
    # Spot for the first attempt only: an interruption and missing capacity are what the second one is for.
    capacity = _jsonata("$attempt = 1 ? 'FARGATE_SPOT' : 'FARGATE'") if spec.spot else "FARGATE"
    return {
        "Cluster": known.cluster_arn,
        "TaskDefinition": known.task_definition_arn,
        "CapacityProviderStrategy": [{"CapacityProvider": capacity, "Weight": 1, "Base": 0}],
        "PlatformVersion": PLATFORM_VERSION,
        "NetworkConfiguration": {
            "AwsvpcConfiguration": {
                "Subnets": list(known.subnets),
                "SecurityGroups": [known.security_group],
                "AssignPublicIp": "ENABLED" if known.public_address else "DISABLED",
            }
        },
        "PropagateTags": "TASK_DEFINITION",
        "StartedBy": spec.name,
        "ClientToken": _jsonata(f"'{job}-' & $scheduled & '-' & $attempt"),
    }


def _failed(spec: TaskSpec, known: KnownJob) -> dict[str, Any]:
    """The end of a run that failed: told first, if there is somebody to tell."""
    if known.topic_arn is None:
        return {"Failed": {"Type": "Fail", "Error": TOLD, "Cause": _jsonata("$why")}}
    title = f"{spec.name} ({known.stack})"
    # In JSONata's own quotes; a command has single ones.
    start, advice = (
        json.dumps(f"{title}: the run of "),
        json.dumps(f". Look at its log ({known.logs}); if it still helps, start it again: "),
    )
    again = "'aws stepfunctions start-execution --state-machine-arn ' & $states.context.StateMachine.Id"
    message = f"{start} & $scheduled & ' failed: ' & $why & {advice} & {again}"
    return {
        "Failed": {
            "Type": "Task",
            "Resource": f"arn:{known.partition}:states:::sns:publish",
            "Arguments": {"TopicArn": known.topic_arn, "Subject": f"{title}: a run failed"[:100], "Message": _jsonata(message)},
            "Retry": RETRY,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "NotTold"}],
            "Next": "Told",
        },
        "Told": {"Type": "Fail", "Error": TOLD, "Cause": _jsonata("$why")},
        "NotTold": {"Type": "Fail", "Error": "NotTold", "Cause": _jsonata("$why")},
    }

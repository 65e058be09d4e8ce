"""A world for a scheduled run's state machine: its states are interpreted in virtual time, beside an ECS, an SNS and a Step Functions of plain data.

Only what the states use (JSONata; Pass, Task, Choice, Wait, Succeed, Fail), as strictly as AWS: an expression without a value is an error.
"""

import heapq
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Optional

from jsonata import Jsonata

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:job-run"
START = datetime(2026, 11, 24, 20, 58, tzinfo=UTC).timestamp()
STEP = 0.05  # seconds that a state takes


class Refused(Exception):
    """AWS answers an error; the call had no effect unless the test says so."""


@dataclass
class Plan:
    """What becomes of one task."""

    after: Optional[float] = 60
    """Seconds until it stops by itself; None: never."""
    code: Optional[int] = 0
    stop_code: str = "EssentialContainerExited"
    placed: bool = True
    unseen: float = 0
    """Seconds from RunTask in which DescribeTasks does not know it."""
    stop_takes: float = 30
    """Seconds from StopTask to STOPPED."""


@dataclass
class Task:
    arn: str
    request: Mapping[str, Any]
    began: float
    plan: Plan
    ends: Optional[float]
    reason: str = "Essential container in task exited"
    stopped_by: Optional[str] = None

    def alive(self, now: float) -> bool:
        return self.ends is None or now < self.ends


@dataclass
class Execution:
    arn: str
    began: float
    status: str = "RUNNING"
    output: Any = None
    error: str = ""
    cause: str = ""
    ended: float = 0
    events: int = 0
    """In its history."""


@dataclass
class World:
    """`plans`: what becomes of each task, in order; the last goes on for all that follow. `faults(action, n)`: raise Refused before the nth call
    of an action, or return True to lose its answer."""

    plans: list[Plan] = field(default_factory=lambda: [Plan()])
    faults: Callable[[str, int], bool] = lambda action, n: False
    now: float = START
    tasks: list[Task] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    whole_seconds: bool = False
    """ListExecutions tells no milliseconds."""
    last_first: bool = False
    """The ARN of an execution comes before those of all that began earlier."""
    executions: list[Execution] = field(default_factory=list)
    _calls: dict[str, int] = field(default_factory=dict)
    _tokens: dict[str, Any] = field(default_factory=dict)

    def call(self, resource: str, arguments: Mapping[str, Any]) -> Any:
        action = resource.rpartition(":")[2]
        self._calls[action] = self._calls.get(action, 0) + 1
        lost = self.faults(action, self._calls[action])
        answer = getattr(self, f"_{action}")(**arguments)
        if lost:
            raise Refused("the answer was lost")
        return answer

    def _listExecutions(self, StateMachineArn: str, StatusFilter: str) -> Any:
        assert StateMachineArn == MACHINE
        running = [one for one in self.executions if one.status == StatusFilter]
        began = {one.arn: iso(one.began // 1 if self.whole_seconds else one.began) for one in running}
        return {"Executions": [{"ExecutionArn": one.arn, "StartDate": began[one.arn], "Status": one.status} for one in running]}

    def _runTask(self, **request: Any) -> Any:
        token = request["ClientToken"]
        assert len(token) <= 64 and all(33 <= ord(letter) <= 126 for letter in token)
        if token in self._tokens:
            known, answer = self._tokens[token]
            if known != request:
                raise Refused("ConflictException")
            return answer
        plan = self.plans[min(len(self._tokens), len(self.plans) - 1)]
        if plan.placed:
            task = Task(f"arn:task/{len(self.tasks) + 1}", request, self.now, plan, None if plan.after is None else self.now + plan.after)
            self.tasks.append(task)
            answer = {"Tasks": [self._seen(task)], "Failures": []}
        else:
            answer = {"Tasks": [], "Failures": [{"Reason": "Capacity is unavailable at this time."}]}
        self._tokens[token] = request, answer
        return answer

    def _describeTasks(self, Cluster: str, Tasks: list[str]) -> Any:
        asked = [task for task in self.tasks if task.arn in Tasks and self.now - task.began >= task.plan.unseen]
        found = [task for task in asked if task.alive(self.now) or self.now - task.ends < 3600]
        return {"Tasks": [self._seen(task) for task in found], "Failures": [] if found else [{"Reason": "MISSING"}]}

    def _stopTask(self, Cluster: str, Task: str, Reason: str) -> Any:
        self.stop(Task, Reason)
        return {}

    def stop(self, arn: str, reason: str, code: str = "UserInitiated") -> None:
        (task,) = (one for one in self.tasks if one.arn == arn)
        if task.alive(self.now):
            task.ends, task.reason, task.stopped_by = self.now + task.plan.stop_takes, reason, code

    def _publish(self, TopicArn: str, Subject: str, Message: str) -> Any:
        assert len(Subject) <= 100
        self.told.append(Message)
        return {"MessageId": "1"}

    def _seen(self, task: Task) -> dict[str, Any]:
        own: dict[str, Any] = {"Name": "bot", "LastStatus": "RUNNING"}
        seen: dict[str, Any] = {"TaskArn": task.arn, "LastStatus": "RUNNING", "Containers": [{"Name": "log-router", "ExitCode": 0}, own]}
        if not task.alive(self.now):
            seen |= {"LastStatus": "STOPPED", "StopCode": task.stopped_by or task.plan.stop_code, "StoppedReason": task.reason}
            own |= {} if task.plan.code is None else {"ExitCode": task.plan.code}
        return seen

    def run(self, machine: Mapping[str, Any], starts: Mapping[float, Any], at: Mapping[float, Callable[[], None]]) -> None:
        """Start an execution for each input, so many seconds after START; do what stands in `at`; go on until all have ended."""
        count = itertools.count()
        queue: list[tuple[float, int, Any]] = []
        for seconds, given in starts.items():
            for one in given if isinstance(given, list) else [given]:
                heapq.heappush(queue, (START + seconds, next(count), one))
        for seconds, act in at.items():
            heapq.heappush(queue, (START + seconds, next(count), act))
        while queue:
            self.now, _, what = heapq.heappop(queue)
            if callable(what):
                what()
                continue
            if isinstance(what, dict):
                number = 999 - len(self.executions) if self.last_first else len(self.executions)
                execution = Execution(f"{MACHINE.replace('stateMachine', 'execution')}:{number:03}", self.now)
                self.executions.append(execution)
                what = _steps(self, machine, execution, what)
            pause = next(what, None)
            if pause is not None:
                heapq.heappush(queue, (self.now + pause, next(count), what))


def _steps(world: World, machine: Mapping[str, Any], execution: Execution, given: Any) -> Iterator[float]:
    """One execution; yields the seconds that pass until its next step."""
    name, variables, data = machine["StartAt"], {}, given
    while True:
        yield STEP
        if world.now - execution.began > machine["TimeoutSeconds"]:
            execution.status, execution.ended = "TIMED_OUT", world.now
            return
        state = machine["States"][name]
        execution.events += 5 if state["Type"] == "Task" else 2  # entered and exited; scheduled, started, succeeded
        context = {
            "Execution": {"Id": execution.arn, "StartTime": iso(execution.began)},
            "State": {"Name": name, "EnteredTime": iso(world.now)},
            "StateMachine": {"Id": MACHINE},
        }
        scope = {"context": context, "input": data}
        chosen = state
        match state["Type"]:
            case "Wait":
                yield state["Seconds"]
            case "Choice":
                following = {"Next": state["Default"]}
                chosen = next((rule for rule in state["Choices"] if value(rule["Condition"], scope, variables) is True), following)
            case "Succeed":
                execution.status, execution.ended = "SUCCEEDED", world.now
                execution.output = value(state["Output"], scope, variables)
                return
            case "Fail":
                execution.status, execution.ended = "FAILED", world.now
                execution.error, execution.cause = state["Error"], value(state["Cause"], scope, variables)
                return
            case "Task":
                retry = state["Retry"][0]
                for attempt in range(retry["MaxAttempts"] + 1):
                    try:
                        arguments = value(state["Arguments"], scope, variables)
                        scope["result"] = world.call(state["Resource"], arguments)
                        break
                    except Refused as error:
                        scope["errorOutput"] = {"Error": "Refused", "Cause": str(error)}
                        yield min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"])
                else:
                    chosen = state["Catch"][0]
        variables = {**variables, **value(chosen.get("Assign", {}), scope, variables)}
        data = scope.get("result", data)
        name = chosen["Next"]


def value(given: Any, states: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
    """`given` with every expression in it evaluated."""
    if isinstance(given, dict):
        return {key: value(item, states, variables) for key, item in given.items()}
    if isinstance(given, list):
        return [value(item, states, variables) for item in given]
    if not isinstance(given, str) or not given.startswith("{%"):
        return given
    expression = parsed(given.removeprefix("{%").removesuffix("%}").strip())
    frame = expression.create_frame()
    for name, known in {**variables, "states": states}.items():
        frame.bind(name, known)
    found = expression.evaluate(None, frame)
    assert found is not None, f"{given}: no value, which fails the execution"
    return found


@cache
def parsed(text: str) -> Jsonata:
    return Jsonata(text)


def iso(seconds: float) -> str:
    """As AWS writes it: without milliseconds when there are none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00").removesuffix(".000") + "Z"


def scheduled(seconds: float = 0) -> dict[str, str]:
    """Input of the run of that time, as Scheduler gives it."""
    return {
        "scheduled": datetime.fromtimestamp(START + seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "schedule": "arn",
    }

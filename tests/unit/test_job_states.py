"""The states of a scheduled run, executed: again when it was interrupted, never two at once, never without end, and never silently lost."""

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.model import Shape
from botocore.session import get_session
from botocore.validate import ParamValidator

from components.hosts.fargate_job_states import TOLD, KnownJob, definition
from components.hosts.fargate_schedule_alarms import ended_badly
from components.hosts.fargate_schedule_iam import run_policy, turn_policy
from components.job_schedule import JobSchedule
from components.scheduled_job_checks import MOST_LATE, MOST_MINUTES
from tests.unit.fargate_case import HOST, task
from tests.unit.iam_lint import findings
from tests.unit.job_world import MACHINE, START, Execution, Plan, Refused, World, scheduled
from tests.unit.pulumi_mocks import ACCOUNT, REGION
from tests.unit.test_fargate_alarm import matches

SCHEDULE = JobSchedule(expressions=("cron(58 15 ? * MON-FRI *)",))
KNOWN = KnownJob(
    stack="test",
    partition="aws",
    cluster_arn=HOST["cluster_arn"],
    task_definition_arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/job:7",
    subnets=["subnet-a", "subnet-b"],
    security_group="sg-tasks",
    public_address=True,
    logs="logcli query '{service=\"bot\"}'",
    topic_arn=HOST["alarm_topic_arn"],
)
INTERRUPTED = Plan(after=30, code=0, stop_code="SpotInterruption")
FAILED, WRONG_SETTINGS, UNPLACED, HANGING = Plan(code=1), Plan(after=2, code=78), Plan(placed=False), Plan(after=None, code=137)

# What ListExecutions may tell of executions that began at nearly the same time.
LISTINGS = [{"whole_seconds": whole, "last_first": last} for whole in (False, True) for last in (False, True)]


def machine(spot: bool = True, known: KnownJob = KNOWN, **schedule: Any) -> dict[str, Any]:
    return json.loads(definition(task(spot=spot), replace(SCHEDULE, **schedule), known))


def run(
    *plans: Plan,
    starts: Mapping[float, Any] | None = None,
    at: Any = None,
    faults: Any = None,
    listing: Mapping[str, bool] = LISTINGS[0],
    **options: Any,
) -> World:
    world = World(list(plans) or [Plan()], **listing, **({"faults": faults} if faults else {}))
    acts = {seconds: (lambda act=act: act(world)) for seconds, act in (at or {}).items()}
    world.run(machine(**options), {1: scheduled()} if starts is None else starts, acts)
    return world


def only(world: World) -> Execution:
    (execution,) = world.executions
    return execution


def capacities(world: World) -> list[str]:
    return [one.request["CapacityProviderStrategy"][0]["CapacityProvider"] for one in world.tasks]


def most_at_once(world: World) -> int:
    return max(sum(one.began <= other.began and one.alive(other.began) for one in world.tasks) for other in world.tasks)


def test_a_run_that_ends_well() -> None:
    world = run()
    assert (only(world).status, world.told) == ("SUCCEEDED", [])
    assert only(world).output == {"scheduled": "2026-11-24T20:58:00Z", "attempts": 1, "task": world.tasks[0].arn}
    request = world.tasks[0].request
    assert request["NetworkConfiguration"]["AwsvpcConfiguration"] == {
        "Subnets": ["subnet-a", "subnet-b"],
        "SecurityGroups": ["sg-tasks"],
        "AssignPublicIp": "ENABLED",
    }
    assert (request["PropagateTags"], request["TaskDefinition"]) == ("TASK_DEFINITION", KNOWN.task_definition_arn)
    assert "EnableExecuteCommand" not in request


def test_an_interrupted_run_is_run_again_on_demand_whatever_its_exit_code() -> None:
    world = run(INTERRUPTED, Plan())
    assert (only(world).status, only(world).output["attempts"], world.told) == ("SUCCEEDED", 2, [])
    assert capacities(world) == ["FARGATE_SPOT", "FARGATE"]
    assert world.tasks[1].began - world.tasks[0].ends <= 30, "seconds count before the bell"


def test_a_run_without_capacity_is_run_on_demand() -> None:
    world = run(UNPLACED, Plan())
    assert (only(world).status, capacities(world), world.told) == ("SUCCEEDED", ["FARGATE"], [])


def test_without_spot_every_attempt_is_on_demand() -> None:
    assert capacities(run(FAILED, Plan(), spot=False)) == ["FARGATE", "FARGATE"]


@pytest.mark.parametrize("retries", [0, 1, 2, 5])
@pytest.mark.parametrize("plan", [FAILED, INTERRUPTED, Plan(after=5, code=None, stop_code="TaskFailedToStart")])
def test_a_run_that_always_fails_is_tried_so_often_and_no_more_and_told_once(plan: Plan, retries: int) -> None:
    world = run(plan, retries=retries)
    assert len(world.tasks) == retries + 1 and (only(world).status, only(world).error) == ("FAILED", TOLD)
    (message,) = world.told
    assert f"attempt {retries + 1} ended with" in message and plan.stop_code in message
    assert message.startswith("bot (test): the run of 2026-11-24T20:58:00Z failed: ") and KNOWN.logs in message
    assert message.endswith(f"start it again: aws stepfunctions start-execution --state-machine-arn {MACHINE}")


def test_settings_that_can_t_be_used_are_not_tried_again() -> None:
    world = run(WRONG_SETTINGS)
    assert len(world.tasks) == 1 and "exit code 78: its settings can not be used" in world.told[0]


def test_a_task_that_somebody_stopped_is_not_started_again() -> None:
    world = run(Plan(after=None, code=143), at={100: lambda world: world.stop(world.tasks[0].arn, "enough")})
    assert len(world.tasks) == 1 and "somebody stopped its task: enough" in world.told[0]


@pytest.mark.parametrize("code", [0, 137, None])
def test_a_run_that_hangs_is_stopped_and_has_failed_whatever_its_exit_code(code: int | None) -> None:
    world = run(Plan(after=None, code=code, stop_takes=120), most_minutes=20, start_within=15)
    assert len(world.tasks) == 1 and 1200 <= world.tasks[0].ends - 120 - world.tasks[0].began <= 1230
    assert "It took more than 20 minutes" in world.told[0] and "too late for another attempt" in world.told[0]


def test_a_run_that_hung_is_tried_again_while_there_is_time() -> None:
    world = run(HANGING, Plan(), most_minutes=4)
    assert (only(world).status, len(world.tasks), most_at_once(world)) == ("SUCCEEDED", 2, 1)


def test_a_task_that_does_not_end_is_told_and_nothing_is_started_beside_it() -> None:
    world = run(Plan(after=None, stop_takes=10**6), most_minutes=2)
    assert len(world.tasks) == 1 and "was stopped and does not end" in world.told[0]


def test_no_attempt_begins_too_late() -> None:
    world = run(Plan(after=400, code=1), retries=5)
    assert len(world.tasks) == 3 and all(one.began - START < 15 * 60 + 30 for one in world.tasks)
    assert "too late for another attempt" in world.told[0]


def test_a_run_that_comes_too_late_is_not_begun_and_told() -> None:
    world = run(starts={15 * 60 + 5: scheduled()})
    assert not world.tasks and "it is more than 15 minutes late, and was not begun. " in world.told[0]


@pytest.mark.parametrize("unseen", [1, 60, 290])
def test_a_task_that_ecs_does_not_show_yet_is_waited_for(unseen: float) -> None:
    world = run(Plan(after=400, unseen=unseen), starts={1: scheduled(), 61: scheduled(60)})
    assert [one.status for one in world.executions] == ["SUCCEEDED"] * 2 and (len(world.tasks), most_at_once(world)) == (2, 1)
    assert not world.told


def test_a_task_that_ecs_never_shows_is_told_and_nothing_is_started_beside_it() -> None:
    world = run(Plan(after=None, unseen=10**6))
    assert len(world.tasks) == 1 and "ECS does not know its task" in world.told[0]
    assert 300 <= only(world).ended - world.tasks[0].began <= 330


def test_started_by_hand_its_time_is_now() -> None:
    world = run(starts={5000: {}})
    assert (only(world).status, len(world.tasks)) == ("SUCCEEDED", 1)


@pytest.mark.parametrize("plans", [[Plan()], [INTERRUPTED, Plan()], [UNPLACED, FAILED, Plan()]])
@pytest.mark.parametrize("second", [1, 1.01, 5, 65, 200])
def test_a_time_that_is_delivered_twice_is_run_once(plans: list[Plan], second: float) -> None:
    once = run(*plans)
    twice = run(*plans, starts={1: [scheduled()], second + 0.001: [scheduled()]})
    assert len(twice.tasks) == len(once.tasks)
    assert [one.status for one in twice.executions] == ["SUCCEEDED"] * 2 and not twice.told


def test_two_schedules_at_one_time_are_one_run() -> None:
    world = run(starts={1: [scheduled(), {**scheduled(), "schedule": "other"}]})
    assert len(world.tasks) == 1 and not world.told


def test_a_run_waits_until_the_one_before_has_ended() -> None:
    world = run(Plan(after=300), starts={1: scheduled(), 61: scheduled(60), 121: scheduled(120)})
    assert [one.status for one in world.executions] == ["SUCCEEDED"] * 3 and most_at_once(world) == 1
    assert [one.began for one in world.tasks] == sorted(one.began for one in world.tasks) and len(world.tasks) == 3


@pytest.mark.parametrize("listing", LISTINGS, ids=str)
@pytest.mark.parametrize("seconds", [(1.1, 1.6, 1.95), (1.0, 1.0, 1.999), (1.95, 2.05, 2.5), (1.001, 1.002, 1.003)], ids=str)
def test_runs_that_begin_within_a_second_are_run_one_after_the_other(seconds: tuple[float, ...], listing: Mapping[str, bool]) -> None:
    """However precise the listed times are, and whichever ARN comes first."""
    starts: dict[float, list[dict]] = {}
    for number, second in enumerate(seconds):
        starts.setdefault(second, []).append(scheduled(-60 * number))
    world = run(Plan(after=200), starts=starts, listing=listing)
    assert [one.status for one in world.executions] == ["SUCCEEDED"] * 3 and not world.told
    assert (len(world.tasks), most_at_once(world)) == (3, 1)


def test_a_run_waits_for_a_task_that_is_being_interrupted() -> None:
    stop = {40: lambda world: world.stop(world.tasks[0].arn, "Your Spot Task was interrupted.", "SpotInterruption")}
    world = run(Plan(after=None, code=0, stop_takes=119), Plan(), starts={1: scheduled(), 61: scheduled(60)}, at=stop)
    assert [one.status for one in world.executions] == ["SUCCEEDED"] * 2 and (len(world.tasks), most_at_once(world)) == (3, 1)


def test_one_that_waited_too_long_is_missed_and_told() -> None:
    world = run(Plan(after=1500), starts={1: scheduled(), 61: scheduled(60)}, most_minutes=60)
    assert [one.status for one in world.executions] == ["SUCCEEDED", "FAILED"] and len(world.tasks) == 1
    assert "an earlier run has not ended yet" in world.told[0]


def test_an_answer_of_run_task_that_is_lost_starts_no_second_task() -> None:
    world = run(faults=lambda action, n: action == "runTask" and n <= 3)
    assert (only(world).status, len(world.tasks)) == ("SUCCEEDED", 1)


@pytest.mark.parametrize("action", ["listExecutions", "runTask", "describeTasks", "stopTask"])
def test_a_call_that_aws_refuses_for_ever_is_told_and_ends(action: str) -> None:
    def faults(called: str, n: int) -> bool:
        if called == action:
            raise Refused("no")
        return False

    world = run(HANGING, faults=faults)
    assert (only(world).status, only(world).error) == ("FAILED", TOLD) and len(world.tasks) <= 1
    assert "AWS refused" in world.told[0] and "Refused: no" in world.told[0]


def test_the_longest_run_that_is_allowed_fits_into_an_execution_s_history() -> None:
    """It waits for another as long as it may, is tried until it is too late, and hangs at last."""
    options = {"start_within": MOST_LATE, "most_minutes": MOST_MINUTES, "retries": 5}
    plans = [Plan(after=20 * 60), *[Plan(after=25 * 60, code=1)] * 3, HANGING]
    world = run(*plans, starts={1: scheduled(), 61: scheduled(60)}, **options)
    longest = max(world.executions, key=lambda one: one.events)
    assert longest.ended - longest.began > 60 * (MOST_MINUTES + 60), "the case is no longer the longest"
    assert longest.events * (MOST_LATE + MOST_MINUTES + 10) / ((longest.ended - longest.began) / 60) < 25_000


def event(execution: Execution) -> dict[str, Any]:
    detail = {"stateMachineArn": "machine", "status": execution.status, **({"error": execution.error} if execution.error else {})}
    return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}


def test_what_was_not_told_is_told_by_the_rule_and_nothing_else_is() -> None:
    def no_topic(called: str, n: int) -> bool:
        if called == "publish":
            raise Refused("no")
        return False

    pattern = ended_badly("machine")
    untold = only(run(WRONG_SETTINGS, faults=no_topic))
    assert untold.error == "NotTold" and "exit code 78" in untold.cause and matches(pattern, event(untold))
    assert not matches(pattern, event(only(run(WRONG_SETTINGS)))) and not matches(pattern, event(only(run())))
    for status, error in (("TIMED_OUT", ""), ("ABORTED", ""), ("FAILED", "States.Runtime"), ("FAILED", "")):
        ended = Execution("arn", 0, status=status, error=error)
        assert matches(pattern, event(ended)) and not matches(ended_badly("another"), event(ended))


def test_without_a_topic_it_fails_with_the_reason() -> None:
    world = run(WRONG_SETTINGS, known=replace(KNOWN, topic_arn=None))
    assert (only(world).error, world.told) == (TOLD, []) and "exit code 78" in only(world).cause


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_runs_stay_apart_and_end_and_none_is_lost_silently(seed: int) -> None:
    print("seed", seed)
    rng = random.Random(seed)
    kinds = [
        Plan(),
        Plan(after=rng.uniform(1, 900), unseen=rng.choice([0, 60])),
        FAILED,
        INTERRUPTED,
        UNPLACED,
        HANGING,
        Plan(after=3, code=None),
        WRONG_SETTINGS,
    ]
    retries = rng.randint(0, 5)
    starts: dict[float, list[dict]] = {}
    for number in range(rng.randint(1, 6)):
        time = 60 * rng.randint(0, 20)
        for _ in range(rng.choice([1, 1, 2])):
            starts.setdefault(time + rng.uniform(0, 5) + number / 1000, []).append(scheduled(time))

    def interrupt(world: World) -> None:
        for one in world.tasks:
            world.stop(one.arn, "Your Spot Task was interrupted.", "SpotInterruption")

    def faults(action: str, n: int) -> bool:
        if rng.random() < 0.05:
            raise Refused("throttled")
        return rng.random() < 0.05

    world = run(
        *(rng.choice(kinds) for _ in range(30)),
        starts=starts,
        faults=faults,
        at={rng.uniform(0, 2000): interrupt for _ in range(3)},
        retries=retries,
        most_minutes=rng.choice([2, 10, 30]),
        listing=rng.choice(LISTINGS),
    )
    assert all(one.status in ("SUCCEEDED", "FAILED") for one in world.executions), "it ended by its own bounds"
    assert len(world.told) >= sum(one.error == TOLD for one in world.executions), "an answer of SNS that is lost is told twice"
    tokens = [one.request["ClientToken"] for one in world.tasks]
    times = {token.rpartition("-")[0] for token in tokens}
    assert len(tokens) == len(set(tokens)) and all(sum(one.startswith(time) for one in tokens) <= retries + 1 for time in times)
    assert not world.tasks or most_at_once(world) == 1


SERVICES = {"sfn": ("stepfunctions", "states"), "ecs": ("ecs", "ecs"), "sns": ("sns", "sns")}


def calls() -> list[tuple[str, str, dict[str, Any]]]:
    """(service, operation, arguments) of every state that calls AWS, expressions in place of what they give."""
    found = []
    for state in machine()["States"].values():
        if state["Type"] == "Task":
            service, action = state["Resource"].split(":")[-2:]
            found.append((service, action[0].upper() + action[1:], state["Arguments"]))
    return found


def as_on_the_wire(value: Any, shape: Shape) -> Any:
    """Arguments as AWS's API has them: Step Functions begins every name with a capital letter."""
    if shape.type_name == "structure":
        names = {name[0].upper() + name[1:]: name for name in shape.members}
        return {names[key]: as_on_the_wire(item, shape.members[names[key]]) for key, item in value.items()}
    return [as_on_the_wire(item, shape.member) for item in value] if shape.type_name == "list" else value


def test_every_call_is_one_of_aws_s_api_with_its_arguments() -> None:
    assert {action for _, action, _ in calls()} == {"ListExecutions", "RunTask", "DescribeTasks", "StopTask", "Publish"}
    for service, action, arguments in calls():
        shape = get_session().get_service_model(SERVICES[service][0]).operation_model(action).input_shape
        problems = ParamValidator().validate(as_on_the_wire(arguments, shape), shape)
        assert not problems.has_errors(), problems.generate_report()


def test_what_the_states_read_is_what_aws_answers() -> None:
    """The answers of this file's world have no name that AWS's don't have."""
    world = run(UNPLACED, FAILED, Plan())
    answers = {
        ("ecs", "DescribeTasks"): world._describeTasks("c", [one.arn for one in world.tasks]),
        ("ecs", "RunTask"): {"Tasks": [], "Failures": [{"Reason": "x"}]},
        ("stepfunctions", "ListExecutions"): world._listExecutions(MACHINE, "FAILED"),
    }
    for (service, action), answer in answers.items():
        as_on_the_wire(answer, get_session().get_service_model(service).operation_model(action).output_shape)


def test_the_role_may_do_each_call_and_nothing_that_is_not_called() -> None:
    documents = [
        run_policy(KNOWN.cluster_arn, KNOWN.task_definition_arn, ["arn:aws:iam::123456789012:role/a"], KNOWN.topic_arn),
        turn_policy(MACHINE),
    ]
    allowed = {action for text in documents for one in json.loads(text)["Statement"] for action in one["Action"]}
    needed = {f"{SERVICES[service][1]}:{action}" for service, action, _ in calls()}
    # Beside the calls: the task's roles are handed on, and its tags.
    assert allowed == needed | {"iam:PassRole", "ecs:TagResource"}
    assert [found for text in documents for found in findings(text)] == []

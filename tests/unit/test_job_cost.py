"""What scheduled runs cost by `make cost`: as often as they fire, as long as they are assumed to last, and what a component says of itself."""

from typing import Any

import pytest

from components.job_schedule import JobSchedule, job_cost
from tests.unit.cost_plans import Plan, job
from tests.unit.fargate_case import task
from tools.cost import prices, table
from tools.cost.estimate import estimate
from tools.cost.plan import from_preview
from tools.cost.resources import bill

PRICES = prices.load()
WEEKDAYS = "cron(58 15 ? * MON-FRI *)"
RUNS = 30 * 5 / 7


def report(plan: Plan, *assume: str) -> dict[str, Any]:
    return estimate(bill(from_preview(plan.json())), prices.assuming(PRICES, assume), "dev")


def row(*assume: str, **options: Any) -> dict[str, Any]:
    plan = Plan()
    job(plan, "cleaner", **options)
    result = report(plan, *assume)
    assert result["notPriced"] == {}
    (found,) = result["rows"]
    return found


def test_a_run_is_paid_for_the_minutes_that_it_lasts() -> None:
    found = row()
    hours = RUNS * 5 / 60
    assert found["vcpu"] == pytest.approx(hours * 0.25 * PRICES.usd["fargate_arm_spot_vcpu_hour"], rel=0.001)
    assert found["address"] == pytest.approx(hours * 0.005, rel=0.001)
    assert (found["tasks"], found["capacity"], round(found["runs"], 1)) == (0, "spot", 21.4)
    assert row("run_minutes=10")["vcpu"] == pytest.approx(2 * found["vcpu"])


@pytest.mark.parametrize("public", [True, False])
def test_the_component_says_the_same(public: bool) -> None:
    plan = Plan()
    job(plan, "cleaner", public=public, schedules=(WEEKDAYS, "cron(58 12 ? * MON-FRI *)"))
    own = [one.usd(PRICES) for one in bill(from_preview(plan.json())).items if one.assumption == "run_minutes"]
    schedule = JobSchedule(expressions=(WEEKDAYS, "cron(58 12 ? * MON-FRI *)"))
    assert sum(own) == pytest.approx(job_cost(task(), schedule, public_address=public))


def test_what_is_not_known_yet_counts_at_the_dearer_price() -> None:
    unknown, known = row(known=False, spot=True, public=False), row(known=True, spot=False, public=True)
    assert unknown == {**known, "name": unknown["name"]} and known["capacity"] == "on-demand"
    assert row(spot=True)["vcpu"] < known["vcpu"] and row(public=False)["address"] == 0


def test_a_job_that_is_switched_off_has_no_runs() -> None:
    found = row(enabled=False)
    assert (found["runs"], found["vcpu"], found["memory"], found["capacity"]) == (0, 0, 0, "none")
    assert found["secrets"] == pytest.approx(0.40), "its secret is kept"


def test_the_table_says_how_many_runs() -> None:
    plan = Plan()
    job(plan, "cleaner")
    assert "21 runs of 0.25 vCPU 0.5 GB arm64 spot" in table.text(report(plan))


def test_a_task_definition_that_nothing_runs_is_named() -> None:
    plan = Plan()
    plan.add("aws:ecs/taskDefinition:TaskDefinition", "lost", {"cpu": "256", "memory": "512"})
    assert report(plan)["notPriced"] == {"task definition lost (nothing runs it)": 1}

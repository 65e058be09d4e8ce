"""Scaling: bounds, what it follows, and a deployment that doesn't undo it."""

import pytest

from components.hosts import fargate_service
from components.task import Scaling
from tests.unit.fargate_case import run, task

SCALED = task(desired_count=2, scaling=Scaling(max_count=5, cpu_percent=70))


def test_tasks_follow_their_cpu_between_the_bounds() -> None:
    declared = run(SCALED)
    target = declared.one("aws:appautoscaling/target:Target").inputs
    service = declared.one("aws:ecs/service:Service")
    assert target["resourceId"] == f"service/bots/{service.outputs['name']}"
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 5)
    policy = declared.one("aws:appautoscaling/policy:Policy").inputs
    for key in ("resourceId", "scalableDimension", "serviceNamespace"):
        assert policy[key] == target[key]
    tracking = policy["targetTrackingScalingPolicyConfiguration"]
    assert tracking["predefinedMetricSpecification"] == {"predefinedMetricType": "ECSServiceAverageCPUUtilization"}
    assert tracking["targetValue"] == 70 and tracking["scaleOutCooldown"] < tracking["scaleInCooldown"]


@pytest.mark.parametrize(("spec", "ignored"), [(SCALED, ["desiredCount"]), (task(desired_count=2), None)])
def test_a_deployment_leaves_the_number_of_tasks_to_the_scaling(monkeypatch: pytest.MonkeyPatch, spec, ignored) -> None:
    """Mocks see no resource options, so the option is caught on its way."""
    real, seen = fargate_service.aws.ecs.Service, []
    monkeypatch.setattr(fargate_service.aws.ecs, "Service", lambda *args, opts, **rest: seen.append(opts) or real(*args, opts=opts, **rest))
    run(spec)
    assert seen[0].ignore_changes == ignored


def test_no_scaling_unless_asked_for() -> None:
    assert not {one for one in run().types() if "appautoscaling" in one}

"""What a plan costs: the published figures to the cent, nothing billable left out, the project's price targets."""

import json
from typing import Any

import pytest

from tests.unit import cost_plans
from tests.unit.cost_plans import Plan, bot, cluster, nat_gateway, nat_instance, webhook
from tools.cost import prices, table
from tools.cost.__main__ import main
from tools.cost.estimate import estimate
from tools.cost.plan import from_preview
from tools.cost.resources import bill

PRICES = prices.load()


def report(plan: Plan, *assume: str) -> dict[str, Any]:
    return estimate(bill(from_preview(plan.json())), prices.assuming(PRICES, assume), "dev")


def only_row(plan: Plan, *assume: str) -> dict[str, Any]:
    (row,) = report(plan, *assume)["rows"]
    return row


def fixed(result: dict[str, Any]) -> dict[str, float]:
    return {one["what"]: round(one["usd"], 2) for one in result["fixed"]}


@pytest.mark.parametrize(
    ("cpu", "memory", "spot", "expected"),
    [(256, 512, True, 2.67), (2048, 4096, True, 21.33), (256, 512, False, 8.89), (2048, 4096, False, 71.09)],
)
def test_x86_tasks_cost_what_was_published(cpu: int, memory: int, spot: bool, expected: float) -> None:
    plan = Plan()
    bot(plan, "a", cpu=cpu, memory=memory, spot=spot, arm=False)
    row = only_row(plan)
    assert round(row["vcpu"] + row["memory"], 2) == expected


def test_published_figures_beside_the_task() -> None:
    plan = Plan()
    bot(plan, "a", ephemeral=120, arm=False)
    row = only_row(plan, "storage_gb=1")
    assert round(row["address"], 2) == 3.60
    assert round(row["storage"] - 100 * 0.000111 * 720, 2) == 0.30  # 20 of the 120 GB are free; then one GB of EFS
    assert round(PRICES.month("load_balancer_hour")) == 16
    assert round(PRICES.month("nat_gateway_hour")) == 32
    assert round(report(plan)["ownServer"], 4) == 5.6032


def test_arm_on_demand_is_a_fifth_cheaper_and_arm_spot_never_dearer_than_x86() -> None:
    plan = Plan()
    bot(plan, "a", spot=False)
    row = only_row(plan)
    assert round(row["vcpu"] + row["memory"], 2) == round((0.25 * 0.03238 + 0.5 * 0.00356) * 720, 2)
    for unit in ("vcpu_hour", "gb_hour"):
        assert PRICES.usd[f"fargate_arm_spot_{unit}"] <= PRICES.usd[f"fargate_x86_spot_{unit}"] < PRICES.usd[f"fargate_arm_{unit}"]


@pytest.mark.parametrize(
    ("count", "strategies", "spot", "on_demand"),
    [
        (1, [{"capacityProvider": "FARGATE_SPOT", "weight": 1}], 1, 0),
        (1, [{"capacityProvider": "FARGATE", "base": 1, "weight": 0}, {"capacityProvider": "FARGATE_SPOT", "weight": 1}], 0, 1),
        (4, [{"capacityProvider": "FARGATE", "base": 1, "weight": 1}, {"capacityProvider": "FARGATE_SPOT", "weight": 2}], 2, 2),
        (3, [{"capacityProvider": "FARGATE", "weight": 1}, {"capacityProvider": "FARGATE_SPOT", "weight": 1}], 1, 2),
        (0, [{"capacityProvider": "FARGATE_SPOT", "weight": 1}], 0, 0),
    ],
)
def test_capacity_is_shared_as_ecs_shares_it_and_the_rest_is_on_demand(count: int, strategies: list, spot: int, on_demand: int) -> None:
    plan = Plan()
    bot(plan, "a", count=count, provider=strategies)
    (task,) = bill(from_preview(plan.json())).tasks
    assert (task.spot, task.on_demand) == (spot, on_demand)


def test_every_task_of_a_service_is_paid_for() -> None:
    one, three = Plan(), Plan()
    bot(one, "a")
    bot(three, "a", count=3)
    for column in ("vcpu", "memory", "address", "logs"):
        assert only_row(three)[column] == pytest.approx(3 * only_row(one)[column])


def test_a_task_behind_nat_has_no_address_and_an_unknown_answer_counts_as_one() -> None:
    plan = Plan()
    for name, public in (("private", False), ("public", True), ("unknown", cost_plans.UNKNOWN)):
        bot(plan, name, public=public)
    assert [round(row["address"], 2) for row in report(plan)["rows"]] == [0, 3.60, 3.60]


def test_storage_follows_the_file_system_in_the_plan() -> None:
    def storage(**options: Any) -> float:
        plan = Plan()
        cluster(plan, **options)
        bot(plan, "a")
        return round(only_row(plan, "storage_gb=1", "backup_gb=2", "efs_read_gb=3", "efs_write_gb=4")["storage"], 4)

    assert storage(backup=False) == 0.30
    assert storage() == round(0.30 + 2 * 0.05, 4)
    assert storage(backup=False, throughput="elastic") == round(0.30 + 3 * 0.03 + 4 * 0.06, 4)


def test_logs_are_paid_when_they_come_and_as_long_as_they_stay() -> None:
    def logs(retention: int) -> float:
        plan = Plan()
        cluster(plan, retention=retention)
        bot(plan, "a")
        return round(only_row(plan, "logs_mb_a_day=100")["logs"], 4)

    assert logs(7) == round(3 * 0.50 + 0.7 * 0.03, 4)
    assert logs(90) == round(3 * 0.50 + 9 * 0.03, 4)
    assert logs(0) == round(3 * 0.50 + 36.5 * 0.03, 4)  # kept for ever: a year is counted


def test_a_log_that_goes_elsewhere_costs_nothing_at_cloudwatch() -> None:
    plan = Plan()
    bot(plan, "a")
    definition = next(step["newState"] for step in plan.steps if step["newState"]["type"].endswith("TaskDefinition"))
    definition["inputs"]["containerDefinitions"] = json.dumps([{"name": "a", "logConfiguration": {"logDriver": "awsfirelens"}}])
    assert only_row(plan)["logs"] == 0


def test_the_nat_instance_is_machine_disk_and_address() -> None:
    plan = Plan()
    nat_instance(plan, disk=8)
    assert fixed(report(plan)) == {"EC2 instance t4g.nano": 3.02, "instance's disk": 0.64, "public IPv4 address": 3.60}
    plan = Plan()
    nat_instance(plan, disk=None)
    assert fixed(report(plan, "nat_disk_gb=2"))["instance's disk"] == 0.16


def test_an_elastic_address_of_the_instance_is_not_counted_twice() -> None:
    plan = Plan()
    network = nat_instance(plan)
    plan.add("aws:ec2/eip:Eip", "network-nat", {}, network)
    assert fixed(report(plan))["public IPv4 address"] == 3.60


def test_an_instance_type_without_a_price_is_named() -> None:
    plan = Plan()
    nat_instance(plan, type_="x9.huge")
    assert report(plan)["notPriced"] == {"EC2 instance x9.huge": 1}


def test_nat_gateways_cost_by_hour_address_and_traffic() -> None:
    plan = Plan()
    nat_gateway(plan, 2)
    bot(plan, "a", public=False)
    assert fixed(report(plan)) == {"NAT gateway": 64.80, "public IPv4 address": 7.20}
    assert only_row(plan, "traffic_in_gb=10", "traffic_out_gb=0")["other"] == pytest.approx(0.45)


def test_fixed_parts_of_a_cluster() -> None:
    plan = Plan()
    parent = cluster(plan)
    plan.add("aws:cloudwatch/metricAlarm:MetricAlarm", "cluster-alarm", {}, parent)
    plan.add("aws:lb/loadBalancer:LoadBalancer", "hook", {"internal": False, "subnets": ["a", "b"]}, parent)
    result = fixed(report(plan, "image_gb=2"))
    assert result == {"private DNS zone (Cloud Map)": 0.50, "image repository": 0.20, "alarm": 0.10, "load balancer": 16.20,
                      "public IPv4 address": 7.20}  # fmt: skip


def test_what_a_webhook_service_adds() -> None:
    def row(ingress: str, *assume: str, **options: Any) -> dict[str, Any]:
        plan = Plan()
        webhook(plan, "hook", ingress, **options)
        result = only_row(plan, "traffic_out_gb=0", *assume)
        assert result["component"] == "WebhookService" and result["tasks"] == 2
        return result

    plain = row("none")
    assert round(plain["vcpu"] + plain["memory"], 2) == 5.33 and round(plain["secrets"], 2) == 2 * 0.40
    assert round(plain["other"], 2) == 2 * 0.10 + 2 * 0.2 * 0.50  # two alarms, two queues
    million = row("http-api", "api_calls_million=1")
    assert round(million["total"] - plain["total"], 2) == 1.00
    balanced = row("alb")
    assert round(balanced["other"] - plain["other"], 2) == 16.20 and round(balanced["address"] - plain["address"], 2) == 2 * 3.60
    assert round(row("none", accept_max=3)["other"] - plain["other"], 2) == 0.20


def test_a_webhook_service_is_no_bot() -> None:
    plan, with_hook = Plan(), Plan()
    for one in (plan, with_hook):
        cluster(one)
        bot(one, "a")
    webhook(with_hook, "hook", "alb")
    assert report(with_hook)["bots"] == 1
    assert report(with_hook)["perBot"] == pytest.approx(report(plan)["perBot"])
    assert report(with_hook)["total"] > report(plan)["total"] + 20


def test_an_api_with_a_socket_is_named_and_not_priced_as_http() -> None:
    plan = Plan()
    plan.add("aws:apigatewayv2/api:Api", "chat", {"protocolType": "WEBSOCKET"})
    assert report(plan)["total"] == 0 and any("WEBSOCKET" in what for what in report(plan)["byUse"])


@pytest.mark.parametrize(
    "type_", ["aws:rds/instance:Instance", "aws:ec2/volume:Volume", "cloudflare:index/record:Record", "aws:new/thing:Thing"]
)
def test_what_the_estimator_does_not_know_is_named(type_: str) -> None:
    plan = Plan()
    bot(plan, "a")
    plan.add(type_, "one")
    plan.add(type_, "two")
    result = report(plan)
    assert result["notPriced"] == {type_: 2}
    assert f"Not priced: {type_} × 2" in table.text(result)


def test_what_is_billed_by_use_is_named_and_container_insights_is_not_hidden() -> None:
    plan = Plan()
    parent = cluster(plan)
    plan.add("aws:ecs/cluster:Cluster", "other", {"settings": [{"name": "containerInsights", "value": "enabled"}]}, parent)
    result = report(plan)
    assert any("SNS" in what for what in result["byUse"])
    assert any("Container Insights" in what for what in result["notPriced"])


def test_a_task_definition_that_no_service_runs_is_named() -> None:
    plan = Plan()
    plan.add("aws:ecs/taskDefinition:TaskDefinition", "nightly", {"cpu": "256", "memory": "512"})
    assert any("nightly" in what for what in report(plan)["notPriced"])


def test_the_rows_and_the_fixed_costs_are_the_total() -> None:
    plan = Plan()
    nat_instance(plan)
    cluster(plan)
    for name in ("a", "b"):
        bot(plan, name, public=False)
    items = bill(from_preview(plan.json())).items
    result = report(plan)
    assert result["total"] == pytest.approx(sum(item.usd(PRICES) for item in items))
    assert result["perBot"] == pytest.approx(result["total"] / 2)


def test_resources_that_go_are_not_paid_and_those_that_stay_are() -> None:
    plan = Plan()
    plan.add("aws:ec2/eip:Eip", "old", op="delete")
    plan.add("aws:ec2/eip:Eip", "kept", op="same")
    plan.add("aws:ec2/eip:Eip", "changed", op="replace")
    plan.add("aws:ec2/eip:Eip", "changed", op="create-replacement")
    assert round(report(plan)["total"], 2) == 7.20


@pytest.mark.parametrize(("tasks", "expected"), [(1, "public"), (2, "public"), (3, "nat-instance"), (50, "nat-instance")])
def test_cheapest_egress_for_the_number_of_tasks(tasks: int, expected: str) -> None:
    plan = Plan()
    for index in range(tasks):
        bot(plan, f"b{index}")
    egress = report(plan)["egress"]
    assert (egress["configured"], egress["tasks"], egress["cheapest"]) == ("public", tasks, expected)
    assert egress["usd"]["public"] == pytest.approx(3.60 * tasks)
    assert egress["changes"] == [{"from": 1, "egress": "public"}, {"from": 3, "egress": "nat-instance"}]


def test_a_smaller_disk_makes_the_nat_instance_cheapest_from_two_tasks_on() -> None:
    plan = Plan()
    nat_instance(plan, disk=2)
    bot(plan, "a", public=False)
    egress = report(plan)["egress"]
    assert egress["configured"] == "nat-instance"
    assert egress["changes"] == [{"from": 1, "egress": "public"}, {"from": 2, "egress": "nat-instance"}]


def test_egress_of_a_stack_behind_gateways_counts_its_gateways() -> None:
    plan = Plan()
    nat_gateway(plan, 2)
    bot(plan, "a", public=False)
    egress = report(plan)["egress"]
    assert (egress["configured"], egress["cheapest"]) == ("nat-gateway", "public")
    assert egress["usd"]["nat-gateway"] == pytest.approx(2 * 36.00 + 2.2 * 0.045)


def test_the_default_bot_costs_at_most_three_dollars_with_its_storage() -> None:
    plan = Plan()
    cluster(plan)
    bot(plan, "a")
    row = only_row(plan)
    assert row["vcpu"] + row["memory"] + row["storage"] <= 3.00


def test_ten_bots_in_one_stack_cost_at_most_four_dollars_each() -> None:
    plan = Plan()
    nat_instance(plan)
    cluster(plan)
    for index in range(10):
        bot(plan, f"b{index}", public=False)
    result = report(plan)
    assert result["notPriced"] == {}
    assert result["perBot"] <= 4.00


def test_another_region_is_refused_by_name_of_the_file() -> None:
    with pytest.raises(prices.CostError, match=r"aws:region=eu-west-1: prices\.toml has prices of us-east-1 only"):
        prices.check_region(PRICES, "eu-west-1")


@pytest.mark.parametrize("text", ["nonsense=1", "storage_gb=-1", "storage_gb=much", "storage_gb=nan", "storage_gb"])
def test_a_wrong_assumption_is_refused(text: str) -> None:
    with pytest.raises(prices.CostError, match=text.split("=")[0]):
        prices.assuming(PRICES, [text])


def test_a_price_without_a_source_is_refused(tmp_path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('date = 2026-01-01\nregion = "r"\nhours = 720\n[prices]\nthing_hour = { usd = 1 }\n[assumptions]\n')
    with pytest.raises(prices.CostError, match=r"prices\.thing_hour: give usd \(a number\) and source"):
        prices.load(file)


def test_every_assumption_is_printed_with_its_reason_and_a_given_one_replaces_it(tmp_path, capsys) -> None:
    plan = Plan()
    cluster(plan)
    bot(plan, "sample")
    file = tmp_path / "plan.json"
    file.write_text(cost_plans.text(plan))
    assert main(["--stack", "dev", "--plan", str(file), "--assume", "storage_gb=7"]) == 0
    shown = capsys.readouterr().out
    assert all(key in shown for key in PRICES.assumptions)
    assert "given on the command line" in shown
    assert main(["--stack", "dev", "--plan", str(file), "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["rows"][0]["name"] == "sample"
    assert f"total {data['total']:.2f}" not in shown  # 7 GB are more than what is assumed


def test_the_table_shows_every_amount_once_in_aligned_columns(tmp_path, capsys) -> None:
    plan = Plan()
    bot(plan, "a-bot-with-a-long-name")
    bot(plan, "b")
    lines = table.text(report(plan)).splitlines()
    head, first, second = lines[2:5]
    assert head.endswith("total")
    assert len(head) == len(first) == len(second)


@pytest.mark.parametrize(("stack", "said"), [("local", "costs nothing on AWS"), ("nowhere", "no Pulumi.nowhere.yaml")])
def test_a_stack_that_has_no_price_is_refused_in_one_sentence(stack: str, said: str, capsys) -> None:
    assert main(["--stack", stack]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1

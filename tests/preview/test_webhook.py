"""A webhook service on AWS, each way in, on a network and cluster of its own: previewed by the real engine, and up on synthetic resources."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.webhook_tasks import TRADINGVIEW_IPS
from tests.pulumi_engine import Project, project
from tools.cost import prices
from tools.cost.estimate import estimate
from tools.cost.plan import from_preview
from tools.cost.resources import bill

pytestmark = pytest.mark.engine

SECRETS = {"signing_key": "hunter2-" + "s" * 32, "broker_key": "hunter2-key", "broker_secret": "hunter2-secret"}
PROGRAM = """
    import pulumi
    from components import BotCluster, Network, WebhookService, tag_resources

    tag_resources("trial", "test")
    secrets = pulumi.Config()
    network = Network("network", {"zones": 2, "egress": "public"})
    cluster = BotCluster("cluster", {
        "vpc_id": network.vpc_id, "vpc_cidr": network.cidr, "subnet_ids": network.task_subnet_ids, "zones": 2,
        "assign_public_ip": network.assign_public_ip,
    })
    way_in = WAY_IN
    if "alb" in way_in:
        way_in["alb"]["public_subnet_ids"] = network.public_subnet_ids
    hook = WebhookService("webhook", {
        "host": cluster.host,
        "account": "paper",
        "limits": {"account": {"order_notional": 1000, "notional_per_day": 5000, "orders_per_day": 50, "loss_per_day": 200}},
        "secrets": {key: secrets.require_secret(key) for key in ("signing_key", "broker_key", "broker_secret")},
        "accept_max": 4,
        **way_in,
    })
    for name in ("url", "private_url", "ingress_dns_name", "queue_url", "service"):
        pulumi.export(name, getattr(hook, name))
"""
WAYS: dict[str, dict[str, Any]] = {
    "none": {},
    "http-api": {"ingress": "http-api", "authentication": ["signature", "source-ip"]},
    "alb": {
        "ingress": "alb",
        "authentication": ["signature", "client-certificate", "source-ip"],
        "alb": {
            "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/mine",
            "trust_store_arn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/mine/0123456789abcdef",
        },
        "protect": True,
    },
}
URLS = {
    "none": "http://webhook.tradestack.internal:8000",
    "http-api": "https://[0-9a-f]{10}.execute-api.us-east-1.amazonaws.com",
    "alb": r"https://webhook-alb-[0-9a-f]{7}-[0-9a-f]{9}\.us-east-1\.elb\.amazonaws\.com",
}


@pytest.fixture(scope="module", params=list(WAYS))
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, offline: dict[str, str]
) -> Iterator[tuple[str, Project]]:
    """(way in, project that is up). Tests look and change nothing."""
    text = PROGRAM.replace("WAY_IN", repr(WAYS[request.param]))
    environment = {"TRADESTACK_OFFLINE_SYNTHETIC": "1", **offline}
    folder = tmp_path_factory.mktemp("webhook") / request.param
    with project(folder, text, config={"aws:region": "us-east-1"}, secrets=SECRETS, environment=environment) as made:
        made.preview()
        made.up()
        yield request.param, made
        made.pulumi("state", "unprotect", "--all", "--yes")


def of_type(made: Project, type_: str) -> list[dict[str, Any]]:
    return [one for one in made.state() if one["type"] == type_]


def test_second_preview_is_empty(stack: tuple[str, Project]) -> None:
    _, made = stack
    assert made.preview("--expect-no-changes").changes == {}
    assert made.refresh().changes == {}


def test_the_url_that_alerts_are_sent_to(stack: tuple[str, Project]) -> None:
    way, made = stack
    assert re.fullmatch(URLS[way], made.outputs()["url"])
    assert made.outputs()["queue_url"].endswith(".fifo")
    assert bool(made.outputs()["ingress_dns_name"]) == (way == "alb")


def test_the_only_way_in_from_the_internet_is_https_for_tradingview(stack: tuple[str, Project]) -> None:
    way, made = stack
    rules = [rule for group in of_type(made, "aws:ec2/securityGroup:SecurityGroup") for rule in group["inputs"].get("ingress", [])]
    rules += [one["inputs"] for one in of_type(made, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")]
    rules += [one["inputs"] for one in of_type(made, "aws:ec2/securityGroupRule:SecurityGroupRule")]
    by_address = [rule for rule in rules if {"cidrBlocks", "cidrIpv4", "cidrIpv6", "ipv6CidrBlocks", "prefixListIds"} & set(rule)]
    assert rules and len(by_address) == (1 if way == "alb" else 0)
    for rule in by_address:
        assert rule["cidrBlocks"] == [f"{address}/32" for address in TRADINGVIEW_IPS]
        assert (rule["protocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 443, 443)


def test_no_secret_is_in_a_task_definition_or_in_plain_state(stack: tuple[str, Project]) -> None:
    _, made = stack
    assert "hunter2" not in json.dumps(made.state())
    definitions = [json.loads(one["outputs"]["containerDefinitions"]) for one in of_type(made, "aws:ecs/taskDefinition:TaskDefinition")]
    named = sorted(secret["name"] for (container,) in definitions for secret in container["secrets"])
    assert named == ["SLANGER_BROKER_KEY", "SLANGER_BROKER_SECRET", "SLANGER_SIGNING_KEY"]
    plain = {variable["name"] for (container,) in definitions for variable in container["environment"]}
    assert not plain & set(named)


def test_one_image_for_both_tasks(stack: tuple[str, Project]) -> None:
    _, made = stack
    (image,) = of_type(made, "docker:index/image:Image")
    definitions = [json.loads(one["outputs"]["containerDefinitions"]) for one in of_type(made, "aws:ecs/taskDefinition:TaskDefinition")]
    assert {container["image"] for (container,) in definitions} == {image["outputs"]["repoDigest"]}


def test_its_plan_is_priced_whole(stack: tuple[str, Project]) -> None:
    way, made = stack
    plan = json.loads(made.pulumi("preview", "--json", "--show-sames").stdout)
    priced = bill(from_preview(plan))
    report = estimate(priced, prices.load(), "test")
    assert report["notPriced"] == {}
    (row,) = report["rows"]
    assert (row["component"], row["tasks"], row["capacity"]) == ("WebhookService", 2, "spot+on-demand")
    extra = {item.label for item in priced.items if item.label in ("load balancer", "HTTP API's calls")}
    assert extra == {"none": set(), "http-api": {"HTTP API's calls"}, "alb": {"load balancer"}}[way]


def test_what_prod_protects_refuses_to_be_deleted(stack: tuple[str, Project]) -> None:
    way, made = stack
    protected = {one["type"] for one in made.state() if one.get("protect")}
    assert protected == ({"aws:sqs/queue:Queue", "aws:lb/loadBalancer:LoadBalancer"} if way == "alb" else set())


def test_a_wrong_combination_is_one_sentence_and_creates_nothing(tmp_path: Path) -> None:
    wrong = PROGRAM.replace("WAY_IN", repr({"authentication": ["client-certificate"], "ingress": "http-api"}))
    with project(tmp_path / "trial", wrong, config={"aws:region": "us-east-1"}, secrets=SECRETS) as made:
        result = made.preview(fails=True)
    assert "webhook service 'webhook': authentication=client-certificate: nobody verifies one" in result.error
    assert "Traceback" not in result.output and "hunter2" not in result.output
    assert not {step.type for step in result.steps if step.type == "tradestack:index:WebhookService" or "sqs" in step.type}

"""Ways in from the internet on Fargate: what is let through, by whom, and nothing else."""

import json
from typing import Any

import pytest

from components.hosts import fargate_service
from components.hosts.fargate_load_balancer import IDLE_SECONDS
from tests.unit.fargate_case import HOST, HTTP_API, LOAD_BALANCER, run, task
from tests.unit.pulumi_mocks import Run

WAYS = {"http-api": {"http_api": HTTP_API}, "alb": {"load_balancer": LOAD_BALANCER}}
GROUP = "aws:ec2/securityGroup:SecurityGroup"


def behind(way: str, **changes: Any) -> Run:
    return run(task(port=8000, **WAYS[way], **changes))


def service(declared: Run) -> dict[str, Any]:
    return declared.one("aws:ecs/service:Service").inputs


@pytest.mark.parametrize("way", WAYS)
def test_the_task_is_open_to_its_proxy_and_the_host_s_tasks_and_the_proxy_to_the_task(way: str) -> None:
    declared = behind(way)
    proxy, port = declared.one(GROUP, "bot-proxy"), declared.one(GROUP, "bot-port")
    assert [one["securityGroups"] for one in port.inputs["ingress"]] == [["sg-tasks"], [proxy.id]]
    assert all((one["fromPort"], one["toPort"]) == (8000, 8000) and "cidrBlocks" not in one for one in port.inputs["ingress"])
    assert service(declared)["networkConfiguration"]["securityGroups"] == ["sg-tasks", port.id]
    out = declared.one("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule").inputs
    assert (out["securityGroupId"], out["referencedSecurityGroupId"]) == (proxy.id, port.id)
    assert (out["ipProtocol"], out["fromPort"], out["toPort"]) == ("tcp", 8000, 8000) and "cidrIpv4" not in out
    assert "egress" not in proxy.inputs


def test_an_http_api_opens_nothing() -> None:
    assert "ingress" not in behind("http-api").one(GROUP, "bot-proxy").inputs


def test_a_load_balancer_opens_https_to_the_given_addresses() -> None:
    (rule,) = behind("alb").one(GROUP, "bot-proxy").inputs["ingress"]
    assert rule["cidrBlocks"] == ["192.0.2.1/32", "198.51.100.0/24"]
    assert (rule["protocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 443, 443)


def test_the_api_passes_on_posts_to_the_named_paths_only() -> None:
    declared = behind("http-api")
    assert declared.one("aws:apigatewayv2/api:Api").inputs["protocolType"] == "HTTP"
    integration = declared.one("aws:apigatewayv2/integration:Integration")
    routes = [route.inputs for route in declared.all("aws:apigatewayv2/route:Route")]
    assert {route["routeKey"] for route in routes} == {"POST /a", "POST /b/c"}
    assert {route["target"] for route in routes} == {f"integrations/{integration.id}"}


def test_the_api_finds_the_task_by_its_name_and_port() -> None:
    declared = behind("http-api")
    name = declared.one("aws:servicediscovery/service:Service")
    assert [record["type"] for record in name.inputs["dnsConfig"]["dnsRecords"]] == ["SRV", "A"]
    assert service(declared)["serviceRegistries"] == {"registryArn": name.outputs["arn"], "port": 8000}
    integration = declared.one("aws:apigatewayv2/integration:Integration").inputs
    link = declared.one("aws:apigatewayv2/vpcLink:VpcLink")
    assert (integration["connectionType"], integration["connectionId"]) == ("VPC_LINK", link.id)
    assert integration["integrationUri"] == name.outputs["arn"]
    assert link.inputs["subnetIds"] == HOST["subnet_ids"]
    assert link.inputs["securityGroupIds"] == [declared.one(GROUP, "bot-proxy").id]


def test_the_caller_s_address_overwrites_what_the_caller_wrote() -> None:
    parameters = behind("http-api").one("aws:apigatewayv2/integration:Integration").inputs["requestParameters"]
    assert parameters == {"overwrite:header.x-caller": "$context.identity.sourceIp"}


def test_the_api_s_log_has_neither_headers_nor_bodies() -> None:
    stage = behind("http-api").one("aws:apigatewayv2/stage:Stage").inputs
    assert stage["accessLogSettings"]["destinationArn"] == HOST["log_group_arn"]
    logged = set(json.loads(stage["accessLogSettings"]["format"]).values())
    assert logged <= {
        f"$context.{name}"
        for name in ("requestTimeEpoch", "requestId", "identity.sourceIp", "routeKey", "status", "dataProcessed", "responseLatency",
                     "integrationErrorMessage")
    }  # fmt: skip
    assert (stage["name"], stage["autoDeploy"]) == ("$default", True), "another stage's name would be part of the path"
    assert stage["defaultRouteSettings"] == {"throttlingRateLimit": 100, "throttlingBurstLimit": 1000}


def test_the_load_balancer_speaks_https_only() -> None:
    declared = behind("alb")
    listener = declared.one("aws:lb/listener:Listener").inputs
    assert (listener["port"], listener["protocol"], listener["sslPolicy"]) == (443, "HTTPS", "ELBSecurityPolicy-TLS13-1-2-2021-06")
    assert "mutualAuthentication" not in listener
    (action,) = listener["defaultActions"]
    assert (action["type"], action["fixedResponse"]["statusCode"]) == ("fixed-response", "404")
    balancer = declared.one("aws:lb/loadBalancer:LoadBalancer").inputs
    assert (balancer["dropInvalidHeaderFields"], balancer["xffHeaderProcessingMode"]) == (True, "append")
    assert (balancer["internal"], balancer["loadBalancerType"]) == (False, "application")
    assert balancer["enableDeletionProtection"] is False and balancer["idleTimeout"] == IDLE_SECONDS


def test_the_load_balancer_passes_on_posts_to_the_named_paths_only() -> None:
    declared = behind("alb")
    group = declared.one("aws:lb/targetGroup:TargetGroup")
    rules = sorted((rule.inputs for rule in declared.all("aws:lb/listenerRule:ListenerRule")), key=lambda rule: rule["priority"])
    assert [rule["conditions"] for rule in rules] == [
        [{"httpRequestMethod": {"values": ["POST"]}}, {"pathPattern": {"values": ["/a", "/b", "/c", "/d"]}}],
        [{"httpRequestMethod": {"values": ["POST"]}}, {"pathPattern": {"values": ["/e"]}}],
    ], "five values a rule are all that AWS takes"
    assert all(rule["actions"] == [{"type": "forward", "targetGroupArn": group.outputs["arn"]}] for rule in rules)


def test_the_service_joins_the_target_group() -> None:
    declared = behind("alb")
    group = declared.one("aws:lb/targetGroup:TargetGroup")
    assert (group.inputs["targetType"], group.inputs["protocol"], group.inputs["port"]) == ("ip", "HTTP", 8000)
    assert group.inputs["healthCheck"]["path"] == "/ready" and group.inputs["deregistrationDelay"] == 10
    assert service(declared)["loadBalancers"] == [{"targetGroupArn": group.outputs["arn"], "containerName": "bot", "containerPort": 8000}]
    assert service(declared)["healthCheckGracePeriodSeconds"] == 60
    assert service(declared)["serviceRegistries"].keys() == {"registryArn"}


def test_ecs_hears_of_the_target_group_when_a_listener_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mocks see no resource options, so the option is caught on its way."""
    real, seen = fargate_service.aws.ecs.Service, []
    monkeypatch.setattr(fargate_service.aws.ecs, "Service", lambda *args, opts, **rest: seen.append(opts) or real(*args, opts=opts, **rest))
    behind("alb")
    assert [type(one).__name__ for one in seen[0].depends_on] == ["ListenerRule", "ListenerRule"]


def test_urls() -> None:
    assert behind("http-api").result["public_url"] == "https://bot-api.execute-api.eu-west-1.amazonaws.com"
    assert behind("alb").result["public_url"] == "https://bot-alb-1a2b3c4-5.eu-west-1.elb.amazonaws.com"
    assert run(task(port=8000)).result["public_url"] is None


@pytest.mark.parametrize("way", WAYS)
def test_the_range_of_the_proxies_must_be_known(way: str) -> None:
    with pytest.raises(ValueError, match="host.fargate.vpc_cidr is missing: task 'bot'") as refused:
        run(task(port=8000, **WAYS[way]), without=("vpc_cidr",))
    assert refused.value.declared.types() <= {"test:index:Parent"}
    assert run(task(port=8000), without=("vpc_cidr",)).result


def test_one_way_in_is_enough() -> None:
    with pytest.raises(ValueError, match="http_api='given': there is a load_balancer too; keep one of them"):
        run(task(port=8000, http_api=HTTP_API, load_balancer=LOAD_BALANCER))

"""WebhookService on Fargate: queues of its own, roles, alarms, and what its ways in tell the accepting tasks."""

import json
from typing import Any

import pytest

from components import BotCluster, Network, WebhookService
from components.webhook_queue import queue_arn
from components.webhook_tasks import PATHS, TRADINGVIEW_IPS
from tests.unit.iam_lint import findings
from tests.unit.pulumi_mocks import ACCOUNT, REGION, Run, deploy, is_secret
from tests.unit.webhook_case import ALB, FARGATE, SECRETS, SHARED, run, task, variables

QUEUE, ALARM = "aws:sqs/queue:Queue", "aws:cloudwatch/metricAlarm:MetricAlarm"
OWN = {
    "url": "https://sqs.eu-west-1.amazonaws.com/123456789012/mine.fifo",
    "dead_letter_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/mine-dead.fifo",
}
TRUST_STORE = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:truststore/tv/1"


def statements(declared: Run, name: str) -> list[dict[str, Any]]:
    return json.loads(declared.one("aws:iam/rolePolicy:RolePolicy", f"{name}-task-role-use").inputs["policy"])["Statement"]


def test_both_queues_keep_order_are_encrypted_and_forget_late() -> None:
    declared = run(FARGATE)
    alerts, dead = declared.one(QUEUE, "webhook-alerts"), declared.one(QUEUE, "webhook-dead-letters")
    for queue in (alerts, dead):
        given = queue.inputs
        assert given["fifoQueue"] is given["sqsManagedSseEnabled"] is True
        assert (given["deduplicationScope"], given["fifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")
        assert given["visibilityTimeoutSeconds"] == 60
    assert (alerts.inputs["messageRetentionSeconds"], dead.inputs["messageRetentionSeconds"]) == (345_600, 1_209_600)
    assert json.loads(alerts.inputs["redrivePolicy"]) == {"deadLetterTargetArn": dead.outputs["arn"], "maxReceiveCount": 20}
    allow = declared.one("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy").inputs
    assert allow["queueUrl"] == dead.outputs["url"]
    assert json.loads(allow["redriveAllowPolicy"]) == {"redrivePermission": "byQueue", "sourceQueueArns": [alerts.outputs["arn"]]}


def test_only_tls_gets_through_to_the_queues() -> None:
    declared = run(FARGATE)
    policies = {one.inputs["queueUrl"]: one.inputs["policy"] for one in declared.all("aws:sqs/queuePolicy:QueuePolicy")}
    for queue in declared.all(QUEUE):
        (statement,) = json.loads(policies[queue.outputs["url"]])["Statement"]
        assert statement == {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": queue.outputs["arn"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        assert findings(policies[queue.outputs["url"]]) == []


def test_each_role_may_do_its_own_and_no_more() -> None:
    declared = run(FARGATE)
    alerts, dead = (declared.one(QUEUE, name).outputs["arn"] for name in ("webhook-alerts", "webhook-dead-letters"))
    assert statements(declared, "webhook") == [
        {"Effect": "Allow", "Action": ["sqs:GetQueueAttributes", "sqs:SendMessage"], "Resource": [alerts]}
    ]
    assert statements(declared, "webhook-worker") == [
        {
            "Effect": "Allow",
            "Action": [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            "Resource": [alerts, dead],
        }
    ]


@pytest.mark.parametrize("execute", [True, False])
def test_every_document_passes_the_lint(execute: bool) -> None:
    declared = run(FARGATE, execute_command=execute)
    documents = [one.inputs["policy"] for one in declared.all("aws:iam/rolePolicy:RolePolicy")]
    documents += [role.inputs["assumeRolePolicy"] for role in declared.all("aws:iam/role:Role")]
    assert len(documents) == 8
    assert [found for document in documents for found in findings(document)] == []


def test_the_roles_are_told_where_the_queues_are_and_no_local_credentials() -> None:
    declared = run(FARGATE)
    for name in ("webhook", "webhook-worker"):
        told = variables(declared, name)
        assert told["SLANGER_QUEUE_URL"] == declared.one(QUEUE, "webhook-alerts").outputs["url"]
        assert told["SLANGER_DEAD_LETTER_URL"] == declared.one(QUEUE, "webhook-dead-letters").outputs["url"]
        assert {key: value for key, value in told.items() if key.startswith("AWS_")} == {"AWS_REGION": REGION}
        assert "SLANGER_QUEUE_ENDPOINT" not in told


def test_secrets_are_references_and_each_role_has_its_own() -> None:
    declared = run(FARGATE)
    named = {name: {one["name"] for one in task(declared, name)["secrets"]} for name in ("webhook", "webhook-worker")}
    assert named == {"webhook": {"SLANGER_SIGNING_KEY"}, "webhook-worker": {"SLANGER_BROKER_KEY", "SLANGER_BROKER_SECRET"}}
    stored = {version.name: version.inputs["secretString"] for version in declared.all("aws:secretsmanager/secretVersion:SecretVersion")}
    assert all(is_secret(text) for text in stored.values()) and SECRETS["signing_key"] not in str(stored["webhook-worker-secret-version"])
    rest = [one.inputs for one in declared.resources if one.type != "aws:secretsmanager/secretVersion:SecretVersion"]
    assert "hush" not in json.dumps(rest, default=str)


def test_a_secret_of_your_own_is_read_key_by_key() -> None:
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:webhook-AbCdEf"
    declared = run(FARGATE, secrets=None, secret_arn=arn, secret_keys=["previous_signing_key", "redis_url"])
    references = {one["name"]: one["valueFrom"] for name in ("webhook", "webhook-worker") for one in task(declared, name)["secrets"]}
    assert references == {
        "SLANGER_SIGNING_KEY": f"{arn}:signing_key::",
        "SLANGER_PREVIOUS_SIGNING_KEY": f"{arn}:previous_signing_key::",
        "SLANGER_BROKER_KEY": f"{arn}:broker_key::",
        "SLANGER_BROKER_SECRET": f"{arn}:broker_secret::",
        "SLANGER_REDIS_URL": f"{arn}:redis_url::",
    }


def test_one_executes_and_any_number_accepts() -> None:
    declared = run(FARGATE, accept_min=2, accept_max=5, spot=False)
    accept, execute = (declared.one("aws:ecs/service:Service", f"{name}-service").inputs for name in ("webhook", "webhook-worker"))
    assert (accept["desiredCount"], accept["deploymentMaximumPercent"]) == (2, 200)
    assert (execute["desiredCount"], execute["deploymentMinimumHealthyPercent"], execute["deploymentMaximumPercent"]) == (1, 0, 100)
    assert accept["capacityProviderStrategies"][0]["capacityProvider"] == "FARGATE"
    assert execute["capacityProviderStrategies"][0]["capacityProvider"] == "FARGATE_SPOT"
    target = declared.one("aws:appautoscaling/target:Target").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 5)
    assert "aws:appautoscaling/target:Target" not in run(FARGATE).types()


@pytest.mark.parametrize(("given", "provider"), [({}, "FARGATE"), ({"accept_min": 2}, "FARGATE_SPOT"), ({"spot": True}, "FARGATE_SPOT")])
def test_a_single_accepting_task_is_interrupted_only_if_somebody_says_so(given: dict, provider: str) -> None:
    accept = run(FARGATE, **given).one("aws:ecs/service:Service", "webhook-service").inputs
    assert accept["capacityProviderStrategies"][0]["capacityProvider"] == provider


def test_dead_letters_and_old_alerts_raise_an_alarm() -> None:
    declared = run(FARGATE, oldest_alert_alarm=300)
    dead, oldest = (declared.one(ALARM, f"webhook-{name}").inputs for name in ("dead-letters", "oldest-alert"))
    name_of = {queue.name: queue.outputs["url"].rpartition("/")[2] for queue in declared.all(QUEUE)}
    assert (dead["metricName"], dead["threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)
    assert dead["dimensions"] == {"QueueName": name_of["webhook-dead-letters"]}
    assert (oldest["metricName"], oldest["threshold"]) == ("ApproximateAgeOfOldestMessage", 300)
    assert oldest["dimensions"] == {"QueueName": name_of["webhook-alerts"]}
    for alarm in (dead, oldest):
        assert (alarm["namespace"], alarm["statistic"], alarm["comparisonOperator"]) == ("AWS/SQS", "Maximum", "GreaterThanThreshold")
        assert alarm["alarmActions"] == [FARGATE["host"]["fargate"]["alarm_topic_arn"]] and alarm["treatMissingData"] == "notBreaching"
    assert {rule.name for rule in declared.all("aws:cloudwatch/eventRule:EventRule")} == {"webhook-crash", "webhook-worker-crash"}


def test_two_minutes_are_the_default_and_no_topic_is_no_alarm() -> None:
    assert run(FARGATE).one(ALARM, "webhook-oldest-alert").inputs["threshold"] == 120
    host = {key: value for key, value in FARGATE["host"]["fargate"].items() if key != "alarm_topic_arn"}
    assert run(FARGATE, host={"fargate": host}).all(ALARM) == []


def test_queues_of_your_own() -> None:
    declared = run(FARGATE, queue=OWN)
    assert declared.all(QUEUE) == [] and declared.result["queue_url"] == OWN["url"]
    assert statements(declared, "webhook")[0]["Resource"] == [f"arn:aws:sqs:eu-west-1:{ACCOUNT}:mine.fifo"]
    assert declared.one(ALARM, "webhook-dead-letters").inputs["dimensions"] == {"QueueName": "mine-dead.fifo"}


@pytest.mark.parametrize(
    ("url", "arn"),
    [
        ("https://sqs.us-gov-west-1.amazonaws.com/123456789012/a.fifo", "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:a.fifo"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/a-b_c.fifo", "arn:aws-cn:sqs:cn-north-1:123456789012:a-b_c.fifo"),
    ],
)
def test_a_queue_s_arn_follows_from_its_url(url: str, arn: str) -> None:
    assert queue_arn(url) == arn


@pytest.mark.parametrize("url", ["http://sqs.eu-west-1.amazonaws.com/123456789012/a.fifo", "https://example.com/a.fifo", "a.fifo", ""])
def test_what_is_no_queue_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the URL of an SQS FIFO queue"):
        queue_arn(url)


def test_without_an_ingress_only_the_private_network_reaches_it() -> None:
    declared = run(FARGATE)
    assert not {one for one in declared.types() if one.startswith(("aws:lb/", "aws:apigatewayv2/"))}
    assert declared.result["url"] == declared.result["private_url"] == "http://webhook.tradestack.internal:8000"
    assert not {"SLANGER_TRUSTED_PROXIES", "SLANGER_SOURCE_IP_HEADER"} & set(variables(declared, "webhook"))


def test_behind_an_http_api() -> None:
    declared = run(FARGATE, ingress="http-api", authentication=["signature", "source-ip"])
    told = variables(declared, "webhook")
    assert told["SLANGER_SOURCE_IP_HEADER"] == "x-tradestack-source-ip" and told["SLANGER_TRUSTED_PROXIES"] == "10.0.0.0/16"
    assert told["SLANGER_AUTHENTICATION"] == "signature,source-ip"
    mapped = declared.one("aws:apigatewayv2/integration:Integration").inputs["requestParameters"]
    assert mapped == {"overwrite:header.x-tradestack-source-ip": "$context.identity.sourceIp"}
    keys = {route.inputs["routeKey"] for route in declared.all("aws:apigatewayv2/route:Route")}
    assert keys == {f"POST /{name}" for name in
                    ("market", "notional", "limit", "stop_limit", "bracket", "trailing", "reverse", "aristocrats", "control")}  # fmt: skip
    assert declared.result["url"].startswith("https://webhook-api.execute-api.") and declared.result["ingress_dns_name"] == ""


def test_behind_a_load_balancer() -> None:
    alb = {**ALB, "domain_name": "hooks.example.com", "trust_store_arn": TRUST_STORE}
    declared = run(FARGATE, ingress="alb", alb=alb, authentication=["signature", "client-certificate", "source-ip"])
    told = variables(declared, "webhook")
    assert told["SLANGER_TRUSTED_PROXIES"] == "10.0.0.0/16"
    assert "SLANGER_SOURCE_IP_HEADER" not in told, "the image's own default: the right-most address of x-forwarded-for"
    assert declared.result["url"] == "https://hooks.example.com"
    assert declared.result["ingress_dns_name"] == "webhook-alb-1a2b3c4-5.eu-west-1.elb.amazonaws.com"
    listener = declared.one("aws:lb/listener:Listener").inputs
    assert listener["mutualAuthentication"] == {"mode": "verify", "trustStoreArn": TRUST_STORE}
    paths = [value for rule in declared.all("aws:lb/listenerRule:ListenerRule") for one in rule.inputs["conditions"]
             for value in one.get("pathPattern", {}).get("values", [])]  # fmt: skip
    assert sorted(paths) == sorted(PATHS)
    (rule,) = declared.one("aws:ec2/securityGroup:SecurityGroup", "webhook-proxy").inputs["ingress"]
    assert rule["cidrBlocks"] == [f"{address}/32" for address in TRADINGVIEW_IPS]


def test_everybody_may_connect_only_when_asked_for() -> None:
    declared = run(FARGATE, ingress="alb", alb=ALB, source_ips=["0.0.0.0/0"])
    (rule,) = declared.one("aws:ec2/securityGroup:SecurityGroup", "webhook-proxy").inputs["ingress"]
    assert "SLANGER_SOURCE_IPS" not in variables(declared, "webhook"), "the service refuses a list that lets everybody pass"
    assert rule["cidrBlocks"] == ["0.0.0.0/0"]


def test_on_a_network_and_cluster_of_the_same_program() -> None:
    def program() -> Any:
        network = Network("net", {"zones": 2, "egress": "nat-instance"})
        placement = {"vpc_id": network.vpc_id, "vpc_cidr": network.cidr, "subnet_ids": network.task_subnet_ids, "zones": 2}
        host = BotCluster("cluster", placement).host
        alb = {**ALB, "public_subnet_ids": network.public_subnet_ids}
        return WebhookService("webhook", {**SHARED, "host": host, "ingress": "alb", "alb": alb}).url

    declared = deploy(program)
    assert declared.one("aws:lb/loadBalancer:LoadBalancer").inputs["subnets"] == ["subnet-public-1", "subnet-public-2"]
    assert variables(declared, "webhook")["SLANGER_TRUSTED_PROXIES"] == "10.0.0.0/16"


def test_protect_reaches_queues_and_load_balancer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mocks see no resource options, so they are caught on their way."""
    from components import webhook_queue
    from components.hosts import fargate_load_balancer

    seen: dict[str, list[Any]] = {}
    for owner, kind in ((webhook_queue.aws.sqs, "Queue"), (fargate_load_balancer.aws.lb, "LoadBalancer")):
        real = getattr(owner, kind)
        monkeypatch.setattr(
            owner, kind, lambda *a, _real=real, _kind=kind, **k: seen.setdefault(_kind, []).append(k["opts"].protect) or _real(*a, **k)
        )
    run(FARGATE, ingress="alb", alb=ALB, protect=True)
    assert seen == {"Queue": [True, True], "LoadBalancer": [True]}
    seen.clear()
    run(FARGATE, ingress="alb", alb=ALB)
    assert seen == {"Queue": [None, None], "LoadBalancer": [None]}

"""WebhookService: what its two tasks are told on Docker, and what it refuses before anything is created."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.unit.pulumi_mocks import is_secret
from tests.unit.webhook_case import ALB, CONTAINER, DOCKER, FARGATE, LIMITS, QUEUE, SECRETS, container, environments, refused, run

SHARED = {
    "SLANGER_ACCOUNT": "paper",
    "SLANGER_QUEUE_URL": QUEUE["url"],
    "SLANGER_DEAD_LETTER_URL": QUEUE["dead_letter_url"],
    "SLANGER_QUEUE_ENDPOINT": QUEUE["endpoint"],
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
}


def test_what_the_roles_are_told() -> None:
    accept, execute = environments(run(DOCKER))
    assert accept == {**SHARED, "SLANGER_SIGNING_KEY": SECRETS["signing_key"], "SLANGER_AUTHENTICATION": "signature"}
    assert execute == {
        **SHARED,
        "SLANGER_BROKER_KEY": "hush-k",
        "SLANGER_BROKER_SECRET": "hush-b",
        "SLANGER_MODE": "paper",
        "SLANGER_LIMITS": '{"account":{"loss_per_day":200,"notional_per_day":5000,"order_notional":1000,"orders_per_day":50}}',
    }


def test_every_option_reaches_its_role() -> None:
    limits = {**LIMITS, "symbol": {"position_notional": 500.5}, "allow_short": True, "symbols": ["AAPL"]}
    secrets = {**SECRETS, "previous_signing_key": "o" * 32, "redis_url": "redis://r", "influx_url": "http://i"}
    accept, execute = environments(
        run(
            DOCKER, limits=limits, secrets=secrets, mode="live", live_account="PA1", authentication=["signature", "source-ip"],
            trusted_proxies=["10.1.0.0/16", "10.2.0.1"], source_ips=["192.0.2.1"], client_certificate_name="Me", replay_window=60,
            revoked_alerts=["old", "older"], max_delay=30, defaults={"notional": 10}, aristocrats=["KO", "PG"], requests_per_minute=1000,
            broker_url=pulumi.Output.from_input("http://paper:8000"), data_url="http://data:8000",
        )
    )  # fmt: skip
    assert {key: value for key, value in accept.items() if key not in SHARED} == {
        "SLANGER_SIGNING_KEY": SECRETS["signing_key"],
        "SLANGER_PREVIOUS_SIGNING_KEY": "o" * 32,
        "SLANGER_AUTHENTICATION": "signature,source-ip",
        "SLANGER_TRUSTED_PROXIES": "10.1.0.0/16,10.2.0.1",
        "SLANGER_SOURCE_IPS": "192.0.2.1",
        "SLANGER_CLIENT_CERTIFICATE_NAME": "Me",
        "SLANGER_REPLAY_WINDOW": "60",
        "SLANGER_REVOKED_ALERTS": "old,older",
    }
    assert json.loads(execute["SLANGER_LIMITS"]) == limits
    assert {key: value for key, value in execute.items() if key not in {*SHARED, "SLANGER_LIMITS"}} == {
        "SLANGER_BROKER_KEY": "hush-k",
        "SLANGER_BROKER_SECRET": "hush-b",
        "SLANGER_REDIS_URL": "redis://r",
        "SLANGER_INFLUX_URL": "http://i",
        "SLANGER_MODE": "live",
        "SLANGER_LIVE_ACCOUNT": "PA1",
        "SLANGER_BROKER_URL": "http://paper:8000",
        "SLANGER_DATA_URL": "http://data:8000",
        "SLANGER_DEFAULTS": '{"notional":10}',
        "SLANGER_REQUESTS_PER_MINUTE": "1000",
        "SLANGER_MAX_DELAY": "30",
        "SLANGER_ARISTOCRATS": '["KO","PG"]',
    }


def test_the_text_of_the_limits_does_not_depend_on_their_order() -> None:
    reversed_limits = {"account": dict(reversed(list(LIMITS["account"].items())))}
    assert environments(run(DOCKER, limits=reversed_limits))[1] == environments(run(DOCKER))[1]


def test_one_accepts_one_executes() -> None:
    declared = run(DOCKER, published_port=18090)
    accept, execute = container(declared, "webhook"), container(declared, "webhook-worker")
    assert (accept["command"], execute["command"]) == (["accept"], ["execute"])
    assert accept["healthcheck"]["tests"] == ["CMD", "python3", "-m", "slanger.health"]
    assert accept["ports"] == [{"internal": 8000, "external": 18090, "ip": "127.0.0.1", "protocol": "tcp"}]
    assert "ports" not in execute and execute["networksAdvanced"][0]["aliases"] == ["webhook-worker"]
    assert {one["image"] for one in (accept, execute)} == {"example.org/slanger:1"}


def test_outputs() -> None:
    outside, inside = run(DOCKER, published_port=18090).result, run(DOCKER).result
    assert (outside["url"], outside["private_url"]) == ("http://127.0.0.1:18090", "http://webhook:8000")
    assert inside["url"] == inside["private_url"]
    assert (inside["queue_url"], inside["dead_letter_url"]) == (QUEUE["url"], QUEUE["dead_letter_url"])
    assert inside["image_reference"] == "example.org/slanger:1"
    assert (inside["service"], inside["worker_service"]) != ("", "") and inside["service"] != inside["worker_service"]
    assert inside["ingress_dns_name"] == ""


def test_the_image_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "slanger"
    folder.mkdir()
    (folder / "Dockerfile").write_text("ARG BASE_IMAGE=python:3\nFROM ${BASE_IMAGE}\n")
    monkeypatch.setattr("components.image_folders.image_folder", lambda name: str(tmp_path / name))
    declared = run(DOCKER, image=None)
    built = declared.one("docker:index/image:Image")
    assert {one.inputs["image"] for one in declared.all(CONTAINER)} == {built.inputs["imageName"]}


def test_secrets_are_secret_and_each_role_has_its_own() -> None:
    declared = run(DOCKER)
    for name, foreign in (("webhook", "hush-k"), ("webhook-worker", SECRETS["signing_key"])):
        envs = container(declared, name)["envs"]
        assert is_secret(envs) and foreign not in str(envs)
    assert "hush" not in json.dumps([{**one.inputs, "envs": None} for one in declared.resources], default=str)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"account": "My Account"}, "account='My Account': use 1 to 32 lower-case letters"),
        ({"mode": "real"}, "mode='real': use paper, live"),
        ({"mode": "live"}, "real money needs both, mode=live and live_account"),
        ({"live_account": "PA1"}, "real money needs both, mode=live and live_account"),
        ({"limits": {}}, "limits.account: is missing"),
        ({"limits": {"acount": {}, **LIMITS}}, "limits.acount: no such argument; did you mean account?"),
        ({"limits": {"account": {"order_notional": 1}}}, "limits.account.loss_per_day: is missing; without it nothing bounds the account"),
        ({"limits": {**LIMITS, "symbol": {"order_notional": 0}}}, "limits.symbol.order_notional=0: use a number above 0"),
        ({"limits": {**LIMITS, "alert": {"orders_per_day": True}}}, "limits.alert.orders_per_day=True: use a number above 0"),
        ({"limits": {**LIMITS, "alert": {"loss_per_day": float("inf")}}}, "limits.alert.loss_per_day=inf: use a number above 0"),
        ({"limits": {**LIMITS, "alert": {"orders": 1}}}, "limits.alert.orders: no such argument; did you mean orders_per_day?"),
        ({"limits": {**LIMITS, "price_deviation_percent": 101}}, "limits.price_deviation_percent=101: use a number above 0, at most 100"),
        ({"limits": {**LIMITS, "symbols": []}}, "limits.symbols=[]: nothing could be traded"),
        ({"defaults": {"risk": -1}}, "defaults.risk=-1: use a number above 0"),
        ({"defaults": {"size": 1}}, "defaults.size: no such argument"),
        ({"secrets": None}, "secrets: give exactly one of secrets and secret_arn"),
        ({"secrets": {**SECRETS, "broker_key": ""}}, "secrets.broker_key: is missing; it comes from the broker's website"),
        ({"secrets": {**SECRETS, "signing_key": "hush"}}, "secrets.signing_key: is shorter than 32 characters"),
        ({"secrets": {**SECRETS, "brokerkey": "x"}}, "secrets.brokerkey: unknown; use signing_key"),
        ({"secrets": None, "secret_arn": "arn:aws:secretsmanager:x"}, "Docker can't read Secrets Manager"),
        ({"queue": None}, "queue: is missing; Docker has no SQS"),
        ({"queue": {"url": "http://x/q"}}, "queue.dead_letter_url: is missing"),
        ({"queue": {**QUEUE, "endpoint": None}}, "queue.endpoint: is missing; Docker has no SQS"),
        ({"max_delay": 0}, "max_delay=0: use 1 to 36000 (seconds)"),
        ({"replay_window": 301}, "replay_window=301: use 1 to 300 (seconds)"),
        ({"trusted_proxies": ["0.0.0.0/0"]}, "trusted_proxies=0.0.0.0/0: everybody could forge an address; name the proxy"),
        ({"requests_per_minute": 9}, "requests_per_minute=9: use 10 or more"),
        ({"accept_min": 3, "accept_max": 2}, "accept_max=2: use accept_min (3) or more"),
        ({"accept_max": 2}, "the docker host can't honour scaling="),
        ({"accept_min": 2, "published_port": 8000}, "one port leads to one container"),
        ({"revoked_alerts": ["a,b"]}, "revoked_alerts='a,b': use 1 to 32 lower-case letters"),
        ({"source_ips": ["2001:db8::1"]}, "source_ips='2001:db8::1': use an IPv4 address or CIDR"),
        ({"trusted_proxies": ["10.0.0.1/8"]}, "trusted_proxies='10.0.0.1/8': use an IPv4 address or CIDR"),
        ({"memory": 256}, "memory=256: with cpu=256 use one of 512"),
        ({"ingress": "http-api"}, "the docker host can't honour http_api='given': this machine is not reached from the internet"),
        ({"ingress": "alb", "alb": ALB}, "the docker host can't honour load_balancer='given'"),
    ],
)
def test_refused(changes: dict[str, Any], sentence: str) -> None:
    message = refused(DOCKER, **changes)
    assert sentence in message and "hush" not in message and "\n" not in message


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"authentication": []}, "authentication=[]: give at least one, each once"),
        ({"authentication": ["signature", "signature"]}, "give at least one, each once"),
        ({"authentication": ["password"]}, "authentication='password': use signature, client-certificate, source-ip"),
        (
            {"authentication": ["source-ip"]},
            "authentication=source-ip: nobody trusted says where a request comes from; use ingress http-api or alb, or trusted_proxies",
        ),
        (
            {"authentication": ["source-ip"], "ingress": "http-api", "source_ips": ["0.0.0.0/0"]},
            "authentication=source-ip: source_ips lets every address pass; name those that may call",
        ),
        *[
            (
                {"authentication": ["signature", "client-certificate"], **way},
                "authentication=client-certificate: nobody verifies one; use ingress alb with alb.trust_store_arn, or trusted_proxies",
            )
            for way in ({}, {"ingress": "http-api"}, {"ingress": "alb", "alb": ALB})
        ],
        ({"ingress": "alb"}, "ingress='alb' and alb: the load balancer needs both"),
        ({"alb": ALB}, "ingress='none' and alb: the load balancer needs both"),
        (
            {"ingress": "alb", "alb": {**ALB, "public_subnet_ids": ["subnet-x"]}},
            "alb.public_subnet_ids=['subnet-x']: AWS wants subnets in two",
        ),
        ({"ingress": "alb", "alb": {**ALB, "certificate": "x"}}, "alb.certificate: no such argument; did you mean certificate_arn?"),
        (
            {"ingress": "http-api", "trusted_proxies": ["10.0.0.0/8"]},
            "trusted_proxies: ingress='http-api' knows its own proxy; leave it out",
        ),
        ({"ingress": "vpn"}, "ingress='vpn': use none, http-api, alb"),
        ({"queue": QUEUE}, "queue.endpoint: AWS has its own; leave it out"),
        (
            {"queue": {"url": "https://sqs.us-east-1.amazonaws.com/123456789012/alerts", "dead_letter_url": "x"}},
            "queue.url='https://sqs.us-east-1.amazonaws.com/123456789012/alerts': use the URL of an SQS FIFO queue",
        ),
        ({"published_port": 8000}, "Fargate publishes nothing"),
        ({"oldest_alert_alarm": 10}, "oldest_alert_alarm=10: use 60 to 345600 (seconds)"),
    ],
)
def test_what_the_way_in_can_t_back_is_refused(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(FARGATE, **changes)


def test_a_name_that_aws_has_no_room_for_is_refused() -> None:
    assert "with ingress alb use 20 characters at most" in refused(FARGATE, "a" * 21, ingress="alb", alb=ALB)
    assert "name='aaaaaaaaaaaaaaaaaaaaaaaaaa-worker'" in refused(FARGATE, "a" * 26)


@pytest.mark.parametrize(
    "host", [{}, {"docker": {}}, {"fargate": {}}, {"fargate": {"cluster_arn": "x"}}, {"docker": {"network": "n"}, "fargate": {}}]
)
def test_a_bad_host_is_refused(host: dict[str, Any]) -> None:
    queue = QUEUE if "docker" in host else None
    for ingress in (None, "http-api"):
        assert "host" in refused(DOCKER, host=host, queue=queue, ingress=ingress)


def test_every_mistake_at_once() -> None:
    message = refused(DOCKER, account="A", limits={}, queue=None)
    assert all(text in message for text in ("account='A'", "limits.account: is missing", "queue: is missing"))

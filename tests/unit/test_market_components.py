"""Purrstream, Earnyearn and FinnhubReplay on both hosts: what each is told, what is secret, that there are never two, what is refused."""

import json
from typing import Any

import pulumi
import pytest

import components
from components.task import InvalidArgument
from components.task_cost import monthly_cost
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy, is_secret

DOCKER = {"docker": {"network": "private"}}
FARGATE = {"fargate": fargate_case.HOST}
BROKER = {"broker_key": "hush-k", "broker_secret": "hush-s", "redis_url": "redis://:hush-r@redis:6379/0"}
INFLUX = {"influx_url": "http://w:hush-i@db:8086/write?db=d"}
SIGNING = "hush-" + "s" * 32
GOOD: dict[str, dict[str, Any]] = {
    "Purrstream": {"account": "paper", "secrets": {**BROKER, **INFLUX, "history_url": "http://h:hush-h@qdb:9000"}, "image": "x:1"},
    "Earnyearn": {
        "account": "paper",
        "purrstream_url": "http://purrstream:8000",
        "webhook_url": "http://webhook:8000",
        "notional": 1000,
        "trail_percent": 0.5,
        "secrets": {"finnhub_key": "hush-f", "redis_url": BROKER["redis_url"], "signing_key": SIGNING, **INFLUX},
        "image": "x:1",
    },
    "FinnhubReplay": {"secrets": {"key": "hush-key"}, "image": "x:1"},
}
# What is told openly: of the least that may be given, and of everything.
LEAST: dict[str, dict[str, str]] = {
    "Purrstream": {"PURRSTREAM_ACCOUNT": "paper"},
    "Earnyearn": {
        "EARNYEARN_ACCOUNT": "paper",
        "EARNYEARN_PURRSTREAM_URL": "http://purrstream:8000",
        "EARNYEARN_WEBHOOK_URL": "http://webhook:8000",
        "EARNYEARN_NOTIONAL": "1000",
        "EARNYEARN_TRAIL_PERCENT": "0.5",
    },
    "FinnhubReplay": {"FINNHUB_REPLAY_TEST_API": "off"},
}
MORE: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "Purrstream": (
        {
            "mode": "live", "live_account": "123", "broker_url": "https://b", "data_url": "https://d", "stream_url": "wss://s", "feed": "sip",
            "symbols": ["AAPL", "BTC/USD"], "news": True, "requests_per_minute": 60,
        },
        {
            "PURRSTREAM_MODE": "live", "PURRSTREAM_LIVE_ACCOUNT": "123", "PURRSTREAM_BROKER_URL": "https://b", "PURRSTREAM_DATA_URL": "https://d",
            "PURRSTREAM_STREAM_URL": "wss://s", "PURRSTREAM_FEED": "sip", "PURRSTREAM_SYMBOLS": "AAPL,BTC/USD", "PURRSTREAM_NEWS": "on",
            "PURRSTREAM_REQUESTS_PER_MINUTE": "60",
        },
    ),
    "Earnyearn": (
        {
            "finnhub_url": "http://finnhub-replay:8000", "side": "both", "signals": "rsi", "recommendation": "any", "days": 3, "cooldown": 10,
            "min_eps_estimate": 0.5, "min_revenue_estimate": 1e9, "most_symbols": 20, "fresh": 60, "list": "mine",
            "minutes_before_close": 5,
        },
        {
            "EARNYEARN_FINNHUB_URL": "http://finnhub-replay:8000", "EARNYEARN_SIDE": "both", "EARNYEARN_SIGNALS": "rsi",
            "EARNYEARN_RECOMMENDATION": "any", "EARNYEARN_DAYS": "3", "EARNYEARN_COOLDOWN": "10", "EARNYEARN_MIN_EPS_ESTIMATE": "0.5",
            "EARNYEARN_MIN_REVENUE_ESTIMATE": "1000000000", "EARNYEARN_MOST_SYMBOLS": "20", "EARNYEARN_FRESH": "60", "EARNYEARN_LIST": "mine",
            "EARNYEARN_MINUTES_BEFORE_CLOSE": "5",
        },
    ),
    "FinnhubReplay": ({"test_api": True}, {"FINNHUB_REPLAY_TEST_API": "on"}),
}  # fmt: skip
PREFIXES = {"Purrstream": "PURRSTREAM_", "Earnyearn": "EARNYEARN_", "FinnhubReplay": "FINNHUB_REPLAY_"}
every = pytest.mark.parametrize("kind", GOOD)


def made(kind: str, host: dict[str, Any], **changes: Any) -> Run:
    """`changes` replace arguments; None leaves one out."""

    def program() -> dict[str, Any]:
        args = {key: value for key, value in {**GOOD[kind], **changes}.items() if value is not None}
        # As other components give them.
        args |= {key: pulumi.Output.from_input(value) for key, value in args.items() if key.endswith("_url")}
        args["secrets"] = {key: pulumi.Output.secret(value) if value else value for key, value in args["secrets"].items()}
        component = getattr(components, kind)
        one = component("mine", {"host": host, **args})
        return {key: getattr(one, key) for key in component.__annotations__}

    return deploy(program)


def on_docker(kind: str, **changes: Any) -> dict[str, str]:
    envs = made(kind, DOCKER, **changes).one("docker:index/container:Container").inputs["envs"]
    assert is_secret(envs), "its credentials are in plain text"
    return dict(one.split("=", 1) for one in envs["value"])


@every
@pytest.mark.parametrize("more", [False, True], ids=["least", "everything"])
def test_what_it_is_told_on_docker(kind: str, more: bool) -> None:
    changes, told = MORE[kind] if more else ({}, {})
    hidden = {f"{PREFIXES[kind]}{key.upper()}": value for key, value in GOOD[kind]["secrets"].items()}
    assert on_docker(kind, **changes) == {**LEAST[kind], **told, **hidden}


@every
def test_its_container(kind: str) -> None:
    run = made(kind, DOCKER, published_port=18090)
    container = run.one("docker:index/container:Container").inputs
    assert [(port["ip"], port["external"], port["internal"]) for port in container["ports"]] == [("127.0.0.1", 18090, 8000)]
    assert container["healthcheck"]["tests"] == ["CMD", "python3", "-m", "botkit.health"]
    assert container["readOnly"] and not run.all("docker:index/volume:Volume")
    assert run.result["url"] == "http://mine:8000"
    assert made(kind, DOCKER).one("docker:index/container:Container").inputs.get("ports") is None, "published without being asked"


@every
def test_on_fargate(kind: str) -> None:
    run = made(kind, FARGATE)
    (container,) = json.loads(run.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    assert {one["name"] for one in container["secrets"]} == {f"{PREFIXES[kind]}{key.upper()}" for key in GOOD[kind]["secrets"]}
    assert {one["name"]: one["value"] for one in container["environment"]} == LEAST[kind]
    assert "hush" not in json.dumps(container)
    assert not [one for one in run.resources if one.type.startswith(("aws:lb/", "aws:apigatewayv2/", "aws:efs/"))]
    policies = json.dumps([one.inputs for one in run.all("aws:iam/rolePolicy:RolePolicy")], default=str)
    assert "sqs" not in policies and "elasticfilesystem" not in policies
    if kind != "FinnhubReplay":
        service = run.one("aws:ecs/service:Service").inputs
        assert (service["desiredCount"], service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (1, 0, 100)


@every
@pytest.mark.parametrize("host", [DOCKER, FARGATE], ids=["docker", "fargate"])
def test_what_it_costs(kind: str, host: dict[str, Any]) -> None:
    assert made(kind, host).result["monthly_cost"] == pytest.approx(monthly_cost(fargate_case.task()))


def test_an_empty_secret_that_it_can_do_without_is_left_out() -> None:
    assert "PURRSTREAM_HISTORY_URL" not in on_docker("Purrstream", secrets={**BROKER, "history_url": ""})


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("Purrstream", {"secrets": {"broker_key": "hush"}}, "secrets.broker_secret: is missing; it comes from the broker's website"),
        ("Purrstream", {"secrets": {**BROKER, "signing_key": "hush"}}, "secrets.signing_key: unknown; use broker_key"),
        ("Purrstream", {"account": "My Account"}, "account='My Account': use 1 to 32"),
        ("Purrstream", {"mode": "live"}, "mode and live_account: real money needs both"),
        ("Purrstream", {"live_account": "123"}, "mode and live_account: real money needs both"),
        ("Purrstream", {"mode": "real"}, "mode='real': use paper, live"),
        ("Purrstream", {"feed": "all"}, "feed='all': use iex, sip"),
        ("Purrstream", {"symbols": ["aapl"]}, "symbols: 'aapl': use a share such as AAPL"),
        ("Purrstream", {"requests_per_minute": 1}, "requests_per_minute=1: use 10 to"),
        ("Purrstream", {"cpu": 300}, "cpu=300"),
        ("Earnyearn", {"notional": None}, "notional: is missing"),
        ("Earnyearn", {"trail_percent": None}, "trail_percent: is missing"),
        ("Earnyearn", {"notional": 0}, "notional=0: use 1 to 1000000 (USD)"),
        ("Earnyearn", {"notional": float("nan")}, "notional=nan: use 1 to 1000000 (USD)"),
        ("Earnyearn", {"trail_percent": 90}, "trail_percent=90: use 0.01 to 50 (percent)"),
        ("Earnyearn", {"notional": 100.00001}, "notional=100.00001: use 4 digits behind the point at most"),
        ("Earnyearn", {"list": "My List"}, "list='My List': use 1 to 64 lower-case"),
        ("Earnyearn", {"side": "long"}, "side='long': use buy, sell, both"),
        ("Earnyearn", {"signals": "ema"}, "signals='ema': use macd, rsi, both"),
        ("Earnyearn", {"recommendation": "hold"}, "recommendation='hold': use buy, any"),
        ("Earnyearn", {"cooldown": -1}, "cooldown=-1: use 0 to 1440 (minutes)"),
        ("Earnyearn", {"secrets": {"finnhub_key": "hush"}}, "secrets.signing_key: is missing; the webhook's own"),
        ("Earnyearn", {"secrets": {**GOOD["Earnyearn"]["secrets"], "broker_key": "hush"}}, "secrets.broker_key: unknown"),
        ("FinnhubReplay", {"secrets": {}}, "secrets.key: is missing; make it up"),
        ("FinnhubReplay", {"secrets": {"key": "hush", "token": "hush"}}, "secrets.token: unknown; use key"),
        ("FinnhubReplay", {"test_apy": True}, "test_apy: no such argument; did you mean test_api?"),
    ],
)
def test_mistakes_are_refused_before_anything_is_declared(kind: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        made(kind, DOCKER, **changes)
    assert message in str(refused.value) and "hush" not in str(refused.value)
    assert not refused.value.declared.resources


def test_a_short_signing_key_is_refused_when_it_is_known() -> None:
    with pytest.raises(InvalidArgument) as refused:
        deploy(
            lambda: components.Earnyearn(
                "mine", {"host": DOCKER, **GOOD["Earnyearn"], "secrets": {**GOOD["Earnyearn"]["secrets"], "signing_key": "hush"}}
            )
        )
    assert "secrets.signing_key: is shorter than 32 characters" in str(refused.value) and "hush" not in str(refused.value)

"""The data services' part of a stack's configuration: mistakes with their keys, what is made up, never a secret's value."""

import copy
from typing import Any

import pytest

from components.timeseries_checks import URL_SCHEMES, argument_mistakes
from settings import ConfigurationError, parse
from settings_data import RESERVED_NAMES, data_placeholders, made_up_data_secrets, made_up_grafana_secrets

PASSWORDS = {key: f"hush{key}0123456789" for key in ("redisPassword", "influxAdminPassword", "influxWritePassword", "influxReadPassword")}
BOT = {
    "name": "sample",
    "strategy": "BreakoutStrategy",
    "pairs": ["ETH/USDT"],
    "stakeCurrency": "USDT",
    "stakeAmount": 50,
    "maxOpenTrades": 2,
    "secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:bot-AbCdEf",
}
AWS: dict[str, Any] = {"host": "fargate", "bots": [BOT], "data": {}, "board": {}, "secrets": {"data": PASSWORDS}}
LOCAL: dict[str, Any] = {
    "host": "docker",
    "bots": [{key: value for key, value in BOT.items() if key != "secretArn"}],
    "data": {"logRouterPort": 18224},
    "board": {"publishedPort": 18080},
    "secrets": {
        "data": PASSWORDS,
        "sample": {"apiUsername": "u", "apiPassword": "hush" * 8, "jwtSecretKey": "hush" * 8, "wsToken": "hush" * 8},
    },
}


def mistakes(base: dict[str, Any], change: Any) -> str:
    raw = copy.deepcopy(base)
    change(raw)
    with pytest.raises(ConfigurationError) as error:
        parse(raw, "dev")
    return str(error.value)


def data(**changes: Any) -> Any:
    return lambda raw: raw["data"].update(changes)


def secrets(**changes: Any) -> Any:
    return lambda raw: raw["secrets"]["data"].update(changes)


@pytest.mark.parametrize("base", [LOCAL, AWS])
def test_an_empty_block_is_all_containers(base: dict[str, Any]) -> None:
    settings = parse(copy.deepcopy(base), "dev")
    given = settings.data.arguments(settings.secrets["data"])
    assert set(given["secrets"]) == {"redis_password", "influx_admin_password", "influx_write_password", "influx_read_password"}
    assert set(given) - {"secrets"} == ({"log_router_port"} if base is LOCAL else set())
    assert "hush" not in repr(settings)
    assert settings.board.arguments() == ({"published_port": 18080} if base is LOCAL else {})


def test_keys_arrive_as_the_component_has_them() -> None:
    raw = copy.deepcopy(LOCAL)
    raw["data"] = {"redis": {"maxMemoryMb": 300}, "loki": {"retentionDays": 7, "publishedPort": 13100}, "history": {}, "protect": True}
    raw["secrets"]["data"]["historyPassword"] = "hush" * 5
    given = parse(raw, "dev").data.arguments(raw["secrets"]["data"])
    assert given["redis"] == {"max_memory_mb": 300} and given["loki"] == {"retention_days": 7, "published_port": 13100}
    assert given["history"] == {} and given["protect"] is True and "history_password" in given["secrets"]


def test_without_the_block_nothing_is_needed() -> None:
    raw = {key: value for key, value in copy.deepcopy(AWS).items() if key in ("host", "bots")}
    assert parse(raw, "dev").data is None


@pytest.mark.parametrize(
    ("base", "change", "expected"),
    [
        (LOCAL, lambda raw: raw.pop("data"), "tradestack:board: there is no tradestack:data that it would show; add it ({} will do)"),
        (LOCAL, lambda raw: raw.update(grafana={}), "secrets.grafana.adminPassword: is missing; run `make secrets STACK=dev`"),
        (LOCAL, lambda raw: raw["secrets"]["data"].pop("redisPassword"), "secrets.data.redisPassword: is missing; run `make secrets STACK=dev`"),
        (LOCAL, data(redis={"kind": "managed"}), "tradestack:data.redis.kind='managed': Docker has no managed services"),
        (LOCAL, data(redis={"kind": "cloud"}), "tradestack:data.redis.kind='cloud'"),
        (LOCAL, data(redis={"maxMemoryMb": 5}), "tradestack:data.redis.maxMemoryMb=5: use 16 to"),
        (LOCAL, data(redis={"memry": 5}), "tradestack:data.redis.memry=5: unknown key"),
        (LOCAL, data(loki={"retentionDays": 0}), "tradestack:data.loki.retentionDays=0: use 1 to"),
        (LOCAL, data(loki={"chunks": "s3"}), "tradestack:data.loki.chunks='s3': Docker has no S3"),
        (LOCAL, data(history={}), "secrets.data.historyPassword: is missing; run `make secrets STACK=dev`"),
        (LOCAL, data(history={"engine": "marketstore"}), "tradestack:data.history.image: is missing; marketstore has no image here"),
        (LOCAL, data(logRouterPort=18080), "publishedPort=18080 is claimed 2 times"),
        (LOCAL, data(influxdb={"kind": "external"}), "secrets.data.influxWriteUrl: is missing; run `pulumi config set --secret --path"),
        (LOCAL, data(influxdb={"kind": "external"}), "secrets.data.influxAdminPassword: no store as it is configured uses it; remove it"),
        (LOCAL, secrets(redisPassword="hush"), "tradestack:secrets.data.redisPassword: use 16 to 200 printable characters"),
        (LOCAL, secrets(token="hush"), "tradestack:secrets.data.token: unknown; use redisPassword, redisUrl"),
        (LOCAL, secrets(lokiUrl="https://me:hush@l.example.org"), "tradestack:secrets.data.lokiUrl: no store as it is configured uses it"),
        (AWS, data(logRouterPort=18224), "tradestack:data.logRouterPort=18224: only Docker's log driver needs it"),
        (AWS, data(influxdb={"publishedPort": 18086}), "data.influxdb: publishedPort=18086: Fargate publishes nothing"),
        (AWS, lambda raw: raw["board"].update(publishedPort=18080), "tradestack:board: publishedPort=18080: Fargate publishes nothing"),
        (AWS, data(redis={"kind": "managed", "memory": 512}), "tradestack:data.redis.memory: only with redis.kind=container"),
        (
            AWS,
            lambda raw: (data(redis={"kind": "managed"})(raw), secrets(redisPassword="hush_hush_hush_hush")(raw)),
            "tradestack:secrets.data.redisPassword: ElastiCache takes 16 to 128 letters, digits",
        ),
        (
            AWS,
            lambda raw: (data(loki={"kind": "external"})(raw), secrets(lokiUrl="ftp://me:hush@l")(raw)),
            "tradestack:secrets.data.lokiUrl: use http:// or https://",
        ),
        (
            LOCAL,
            lambda raw: (
                data(influxdb={"kind": "external"})(raw),
                secrets(influxWriteUrl="https://hush@i.example.org/write", influxReadUrl="https://me:hush@i.example.org/query?db=b")(raw),
            ),
            "tradestack:secrets.data.influxWriteUrl: use …/api/v2/write?org=ORG&bucket=BUCKET&precision=ns or …/write?db=DATABASE",
        ),
    ],
)  # fmt: skip
def test_one_mistake(base: dict[str, Any], change: Any, expected: str) -> None:
    message = mistakes(base, change)
    assert expected in message
    assert "hush" not in message


@pytest.mark.parametrize("name", RESERVED_NAMES)
def test_a_bot_can_not_have_the_name_of_a_task_of_the_data_services(name: str) -> None:
    assert f"name={name!r}: a task of the data services has this name" in mistakes(LOCAL, lambda raw: raw["bots"][0].update(name=name))


def polled(base: dict[str, Any], count: int) -> dict[str, Any]:
    """`count` bots whose credentials are in the configuration, beside the one of `base`."""
    raw = copy.deepcopy(base)
    for number in range(count):
        name = f"polled-{number}"
        raw["bots"].append({**{key: value for key, value in BOT.items() if key != "secretArn"}, "name": name})
        raw["secrets"][name] = {"apiUsername": "u", "apiPassword": "hush" * 8, "jwtSecretKey": "hush" * 8, "wsToken": "hush" * 8}
    return raw


def test_more_bots_than_the_pollers_secret_takes_are_refused_on_fargate() -> None:
    message = mistakes(polled(AWS, 291), lambda raw: None)
    assert "tradestack:bots: 291 without secretArn: the poller's one secret holds the credentials of at most 290" in message
    assert "give secretArn to the others" in message and "hush" not in message


@pytest.mark.parametrize(
    "raw", [polled(AWS, 290), polled(LOCAL, 360), {key: value for key, value in polled(AWS, 291).items() if key not in ("data", "board")}]
)
def test_as_many_bots_as_fit_and_more_where_no_secret_holds_them(raw: dict[str, Any]) -> None:
    if "data" not in raw:
        del raw["secrets"]["data"]
    assert len(parse(copy.deepcopy(raw), "dev").bots) > 290


def test_all_mistakes_at_once() -> None:
    message = mistakes(LOCAL, data(redis={"maxMemoryMb": 5}, loki={"retentionDays": 0}, history={}))
    assert all(part in message for part in ("maxMemoryMb", "retentionDays", "historyPassword"))


@pytest.mark.parametrize(
    ("block", "keys"),
    [
        ({}, set(PASSWORDS)),
        ({"history": {}}, {*PASSWORDS, "historyPassword"}),
        ({"history": {"engine": "marketstore"}}, set(PASSWORDS)),
        ({"redis": {"kind": "external"}, "influxdb": {"kind": "managed"}}, {"influxAdminPassword"}),
        ({"redis": {"kind": "external"}, "influxdb": {"kind": "external"}, "loki": {"kind": "external"}}, set()),
        ({"redis": "nonsense", "loki": None}, set(PASSWORDS)),
    ],
)
def test_what_make_secrets_makes_up(block: dict[str, Any], keys: set[str]) -> None:
    assert set(made_up_data_secrets(block)) == keys
    assert made_up_grafana_secrets({}) == ("adminPassword",)


@pytest.mark.parametrize(
    "block",
    [
        {"history": {}},
        {"redis": {"kind": "managed"}, "influxdb": {"kind": "managed"}},
        {store: {"kind": "external"} for store in ("redis", "influxdb", "loki", "history")},
    ],
)
def test_placeholders_pass_every_check(block: dict[str, Any]) -> None:
    import re

    from pydantic.alias_generators import to_snake

    made = {to_snake(key): value for key, value in data_placeholders(block, "placeholder-in-the-place-of-a-secret").items()}
    assert argument_mistakes({**block, "host": {"fargate": {}}, "secrets": made}) == []
    assert all(re.search("placeholderintheplaceofasecret", value) for value in made.values())
    assert {key for key in made if key in URL_SCHEMES} == ({*URL_SCHEMES} if "loki" in block else set())

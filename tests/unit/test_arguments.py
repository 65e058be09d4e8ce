"""Arguments of every component: a missing or misspelt key is refused by name, before the component registers itself."""

from typing import Any

import pytest

import components
from components.task import InvalidArgument
from tests.unit.pulumi_mocks import deploy
from tests.unit.webhook_case import LIMITS, QUEUE, SECRETS

HOST = {"docker": {"network": "private"}}
BOT = {
    "host": HOST,
    "strategy": "BreakoutStrategy",
    "pairs": ["ETH/BTC"],
    "stake_currency": "BTC",
    "stake_amount": 1.0,
    "max_open_trades": 1,
    "secrets": {"api_username": "user", "api_password": "p", "jwt_secret_key": "j", "ws_token": "w"},
}
INFLUX = "http://reader:password@db:8086/query?db=tradestack"
STORE_SECRETS = ("redis_password", "influx_admin_password", "influx_write_password", "influx_read_password")
BROKER = {"broker_key": "k", "broker_secret": "s"}
RULES = {"keep": {"symbols": []}, "rules": [{"name": "bell", "close": "all", "when": {"minutes_before_close": 2}}]}
GOOD: dict[str, dict[str, Any]] = {
    "FreqtradeBot": BOT,
    "BotImage": {"host": HOST},
    "ExchangeReplay": {"host": HOST},
    "LocalCluster": {},
    "Network": {"zones": 1, "egress": "public"},
    "LocalQueue": {"host": HOST, "queues": ["alerts"]},
    "AlpacaPaper": {"host": HOST, "secrets": {"key": "k", "secret": "s"}},
    "WebhookService": {"host": HOST, "account": "paper", "limits": LIMITS, "secrets": SECRETS, "image": "x:1", "queue": QUEUE},
    "BotMetrics": {"host": HOST, "secrets": {"influx_url": "http://w:p@db:8086/write?db=d", "bots": "[]"}, "costs": {}},
    "Board": {"host": HOST, "secrets": {"bots": "[]"}},
    "Grafana": {"host": HOST, "secrets": {"influx_url": INFLUX, "loki_url": "http://loki:3100", "admin_password": "x" * 16}},
    "TimeseriesStack": {"host": HOST, "secrets": {key: f"{key.replace('_', '')}0123456789" for key in STORE_SECRETS}},
    "Purrstream": {"host": HOST, "account": "paper", "secrets": {**BROKER, "redis_url": "redis://r:6379/0"}, "image": "x:1"},
    "Earnyearn": {
        "host": HOST,
        "account": "paper",
        "purrstream_url": "http://purrstream:8000",
        "webhook_url": "http://webhook:8000",
        "notional": 1000,
        "trail_percent": 0.5,
        "secrets": {"finnhub_key": "f", "redis_url": "redis://r:6379/0", "signing_key": "s" * 32},
        "image": "x:1",
    },
    "FinnhubReplay": {"host": HOST, "secrets": {"key": "k"}},
    "Beancleaner": {"host": HOST, "account": "paper", "rules": RULES, "secrets": {**BROKER, "redis_url": "redis://r:6379/0"}},
    "StrategyService": {"host": HOST, "image": "x:1", "prefix": "MINE"},
    "ScheduledJob": {"host": HOST, "image": "beancleaner", "schedules": ["cron(58 15 ? * MON-FRI *)"], "watch_command": ["watch"]},
    "BotCluster": {"vpc_id": "vpc-1", "subnet_ids": ["subnet-1"]},
}


def refused(component: str, args: dict[str, Any]) -> str:
    with pytest.raises(InvalidArgument) as error:
        deploy(lambda: getattr(components, component)("x", args))
    assert error.value.declared.resources == [], "refused only after something was registered"
    return str(error.value)


def test_every_component_is_here() -> None:
    import pulumi

    found = {name for name in components.__all__ if isinstance(getattr(components, name), type)}
    assert set(GOOD) == {name for name in found if issubclass(getattr(components, name), pulumi.ComponentResource)}


@pytest.mark.parametrize("component", GOOD)
def test_misspelt_key(component: str) -> None:
    assert "no_such_key: no such argument" in refused(component, {**GOOD[component], "no_such_key": 1})


@pytest.mark.parametrize(("component", "key"), [(name, key) for name, args in GOOD.items() for key in args if key != "secrets"])
def test_missing_key(component: str, key: str) -> None:
    args = {name: value for name, value in GOOD[component].items() if name != key}
    declared = getattr(components, f"{component}Args")
    if key in declared.__required_keys__:
        assert f"{key}: is missing" in refused(component, args)


def test_a_close_name_is_proposed() -> None:
    assert "dryrun: no such argument; did you mean dry_run?" in refused("FreqtradeBot", {**BOT, "dryrun": False})


@pytest.mark.parametrize(
    "host", [{}, {"docker": {}}, {"docker": {"network": "n", "netwrk": "n"}}, {"fargate": {}}, {"fargate": {"cluster": "x"}}]
)
def test_bad_host_is_refused_before_the_bot_is_there(host: dict[str, Any]) -> None:
    assert "host" in refused("FreqtradeBot", {**BOT, "host": host})

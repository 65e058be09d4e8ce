"""Shares of the calls that Alpaca allows an account in a minute: defaults that fit, and a warning for values that don't."""

import copy
from typing import Any

import pytest

from components import beancleaner, purrstream
from components.webhook_checks import LEAST
from settings import parse
from settings_budget import PER_MINUTE, SHARES, budget, budget_warnings
from tests.unit.test_settings_market import ALONE, AWS, LOCAL, by_arn, told

OWN = {"brokerKey": "hush-own", "brokerSecret": "hush-own"}
NAMES = ("webhook", "beancleaner", "purrstream")


def changed(base: dict[str, Any], change: Any = None, **values: int) -> dict[str, Any]:
    """`values`: block -> its requestsPerMinute."""
    raw = copy.deepcopy(base)
    for name, value in values.items():
        raw[name]["requestsPerMinute"] = value
    if change:
        change(raw)
    return raw


def shares(raw: dict[str, Any]) -> list[Any]:
    """requests_per_minute of webhook, beancleaner and purrstream; None: the image's default, or no such block."""
    settings = parse(raw, "dev")
    return [budget(settings, name).get("requests_per_minute") if getattr(settings, name) else None for name in NAMES]


def warnings(raw: dict[str, Any]) -> list[str]:
    return budget_warnings(parse(raw, "dev"))


def with_arn(raw: dict[str, Any]) -> None:
    by_arn(raw)
    raw["secrets"] |= {"purrstream": OWN, "beancleaner": OWN}
    raw["secrets"]["earnyearn"]["signingKey"] = "hush" * 10


def only(*names: str) -> Any:
    return lambda raw: [raw.pop(name, None) for name in (*NAMES, "earnyearn") if name not in names]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (AWS, [110, 60, 30]),
        (changed(AWS, only("webhook", "purrstream")), [110, None, 30]),
        (changed(AWS, lambda raw: (only("webhook")(raw), raw["secrets"].pop("earnyearn"))), [None, None, None]),
        (changed(AWS, beancleaner=80), [110, 80, 30]),
        (changed(AWS, webhook=1000), [1000, 60, 30]),
        # A key of its own is another account's.
        (changed(AWS, lambda raw: raw["secrets"].update(purrstream=OWN)), [110, 60, None]),
        (changed(AWS, lambda raw: raw["secrets"].update(purrstream=OWN, beancleaner=OWN)), [None, 60, 30]),
        (changed(AWS, lambda raw: raw["secrets"].update(purrstream={**OWN, "brokerKey": "hush-key"})), [110, 60, 30]),
        # The webhook's can't be read, and theirs is of its account.
        (changed(AWS, with_arn), [110, 60, 30]),
        (ALONE, [None, None, None]),
        (changed(ALONE, lambda raw: raw["secrets"].update(purrstream=OWN, beancleaner=OWN)), [None, 60, 30]),
        # The paper broker counts as it is told.
        (LOCAL, [None, None, None]),
        (changed(LOCAL, webhook=500), [500, None, None]),
    ],
)
def test_shares(raw: dict[str, Any], expected: list[Any]) -> None:
    if "earnyearn" not in raw:
        raw["secrets"].pop("earnyearn", None)
    assert shares(raw) == expected


def test_the_defaults_fit_and_every_component_takes_them() -> None:
    assert sum(SHARES.values()) <= PER_MINUTE
    assert SHARES["webhook"] >= LEAST["requests_per_minute"]
    for name, component in (("beancleaner", beancleaner), ("purrstream", purrstream)):
        args = {"account": "paper", "secrets": {"broker_key": "k", "broker_secret": "s", "redis_url": "r"}, "host": {"docker": {}}}
        args |= {"rules": AWS["beancleaner"]["rules"]} if name == "beancleaner" else {}
        assert component.argument_mistakes({**args, "requests_per_minute": SHARES[name]}) == []
        assert component.argument_mistakes({**args, "requests_per_minute": 9}) != []


def test_what_the_components_are_given() -> None:
    assert [told(AWS, name)["requests_per_minute"] for name in ("beancleaner", "purrstream")] == [60, 30]
    settings = parse(changed(AWS), "dev")
    assert settings.webhook.arguments(settings)["requests_per_minute"] == 110
    assert told(changed(AWS, purrstream=50), "purrstream")["requests_per_minute"] == 50
    assert "requests_per_minute" not in told(LOCAL, "beancleaner")


@pytest.mark.parametrize(
    "raw", [AWS, ALONE, LOCAL, changed(AWS, webhook=100, beancleaner=70), changed(LOCAL, beancleaner=3000), changed(AWS, with_arn)]
)
def test_nothing_to_warn_of(raw: dict[str, Any]) -> None:
    assert warnings(raw) == []


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (changed(AWS, webhook=200, beancleaner=150, purrstream=100), "webhook 200 + beancleaner 150 + purrstream 100 = 450 calls a minute"),
        (changed(AWS, beancleaner=61), "webhook 110 + beancleaner 61 + purrstream 30 = 201 calls a minute"),
        (changed(AWS, with_arn, webhook=200), "webhook 200 + beancleaner 60 + purrstream 30 = 290 calls a minute"),
        (changed(ALONE, beancleaner=201), "tradestack:beancleaner.requestsPerMinute: beancleaner 201 = 201 calls a minute"),
    ],
)
def test_more_than_alpaca_allows_is_told(raw: dict[str, Any], words: str) -> None:
    (warning,) = warnings(raw)
    assert words in warning and "Alpaca allows 200" in warning and "hush" not in warning

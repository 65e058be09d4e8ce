"""The settings: what has to be given, every mistake at once, no secret in a message."""

from datetime import timedelta

import pytest
from botkit.settings import BadSettings
from earnyearn.settings import NAMES, read_settings

GOOD = {
    "EARNYEARN_ACCOUNT": "paper",
    "EARNYEARN_FINNHUB_KEY": "hush-hush",
    "EARNYEARN_REDIS_URL": "redis://:hush@data-redis:6379/0",
    "EARNYEARN_SIGNING_KEY": "hush" * 10,
    "EARNYEARN_PURRSTREAM_URL": "http://purrstream:8000",
    "EARNYEARN_WEBHOOK_URL": "http://webhook:8000/",
    "EARNYEARN_NOTIONAL": "1000",
    "EARNYEARN_TRAIL_PERCENT": "0.5",
}


def test_what_is_usual():
    settings = read_settings({**GOOD, "PATH": "x"})
    assert settings.finnhub_url == "https://finnhub.io" and settings.webhook_url == "http://webhook:8000" and settings.influx_url == ""
    assert settings.rules.signals == "macd" and settings.rules.sides == ("buy",) and settings.rules.cooldown == timedelta(minutes=25)
    assert settings.rules.before_close == timedelta(minutes=15) and settings.fresh == timedelta(seconds=120)
    assert settings.filters.least_revenue == 250e6 and settings.filters.needs_buy and settings.list_name == "earnings_list"
    assert "hush" not in repr(settings)


def test_nothing_that_costs_money_has_a_default():
    with pytest.raises(BadSettings) as refused:
        read_settings({})
    missing = [name for name in NAMES if f"{name} is not set" in str(refused.value)]
    assert sorted(missing) == sorted(GOOD)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NOTIONAL", "0"), ("NOTIONAL", "-5"), ("NOTIONAL", "1e3"), ("NOTIONAL", "2000000"), ("NOTIONAL", "1,000"), ("NOTIONAL", ""),
        ("TRAIL_PERCENT", "0"), ("TRAIL_PERCENT", "51"), ("TRAIL_PERCENT", "1%"),
        ("SIGNALS", "MACD"), ("SIDE", "long"), ("RECOMMENDATION", "yes"), ("COOLDOWN", "-1"), ("FRESH", "0"), ("FRESH", "1.5"), ("DAYS", "31"),
        ("MIN_EPS_ESTIMATE", "nan"), ("MIN_REVENUE_ESTIMATE", "250M"), ("MOST_SYMBOLS", "0"), ("LIST", "beancleaner:paper"), ("LIST", "Earnings"),
        ("MINUTES_BEFORE_CLOSE", "381"), ("ACCOUNT", "Paper"), ("PORT", "0"),
        ("WEBHOOK_URL", "http://webhook:8000/trailing"), ("WEBHOOK_URL", "http://example.com"), ("PURRSTREAM_URL", "purrstream:8000"),
        ("FINNHUB_URL", "http://finnhub.io"), ("FINNHUB_URL", "https://key@finnhub.io"), ("NOTIONL", "5"),
        ("SIGNING_KEY", "hush"), ("REDIS_URL", "hush"), ("INFLUX_URL", "hush"), ("FINNHUB_KEY", "hush hush"), ("FINNHUB_KEY", "hush\nhush"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(name, value):
    with pytest.raises(BadSettings) as refused:
        read_settings({**GOOD, f"EARNYEARN_{name}": value})
    assert f"EARNYEARN_{name}" in str(refused.value) and "use " in str(refused.value) and "hush" not in str(refused.value)


def test_all_mistakes_at_once():
    with pytest.raises(BadSettings) as refused:
        read_settings({**GOOD, "EARNYEARN_SIDE": "up", "EARNYEARN_NOTIONAL": "free", "EARNYEARN_FINNHUB_KEY": ""})
    assert all(name in str(refused.value) for name in ("SIDE", "NOTIONAL", "FINNHUB_KEY"))

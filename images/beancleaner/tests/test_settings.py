"""The settings: defaults, real money, and that all mistakes are told at once without a secret."""

import subprocess
import sys
from pathlib import Path

import pytest
from beancleaner.settings import read_settings
from botkit.alpaca_settings import wrong_account
from botkit.settings import BadSettings

IMAGE = Path(__file__).resolve().parents[1]
RULES = "keep: {symbols: []}\nrules: [{name: a, close: all, when: always}]"
GOOD = {
    "BEANCLEANER_ACCOUNT": "paper",
    "BEANCLEANER_BROKER_KEY": "hush-key",
    "BEANCLEANER_BROKER_SECRET": "hush-secret",
    "BEANCLEANER_RULES": RULES,
}
LIVE = {"BEANCLEANER_MODE": "live", "BEANCLEANER_LIVE_ACCOUNT": "123456789"}


def refusal(environment, watch=False):
    with pytest.raises(BadSettings) as refused:
        read_settings(environment, watch)
    return str(refused.value)


def test_paper_is_the_default():
    settings = read_settings(GOOD, watch=False)
    assert (settings.broker.mode, settings.broker.address.trading_url) == ("paper", "https://paper-api.alpaca.markets")
    assert (settings.deadline, settings.interval, settings.early, settings.broker.requests_per_minute) == (240, 60, 120, 150)
    assert settings.look_back == 1800
    assert wrong_account(settings.broker, "whatever") == ""
    assert "hush" not in repr(settings)


def test_real_money_needs_the_mode_and_the_number():
    settings = read_settings({**GOOD, **LIVE}, watch=False)
    assert settings.broker.address.trading_url == "https://api.alpaca.markets"
    assert wrong_account(settings.broker, "123456789") == ""
    assert "BEANCLEANER_LIVE_ACCOUNT=123456789: the broker's account is 987" in wrong_account(settings.broker, "987")
    assert "BEANCLEANER_LIVE_ACCOUNT is not set" in refusal({**GOOD, "BEANCLEANER_MODE": "live"})
    assert "BEANCLEANER_MODE is not live" in refusal({**GOOD, "BEANCLEANER_LIVE_ACCOUNT": "1"})
    assert "real money" in refusal({**GOOD, "BEANCLEANER_BROKER_URL": "https://api.alpaca.markets./"})


@pytest.mark.parametrize("url", ["http://paper-api.alpaca.markets", "http://8.8.8.8", "ftp://x", "https://u:p@x"])
def test_credentials_go_to_no_open_line(url):
    assert "BEANCLEANER_BROKER_URL" in refusal({**GOOD, "BEANCLEANER_BROKER_URL": url})


def test_redis_is_needed_for_lists_highs_and_watching():
    lists = {**GOOD, "BEANCLEANER_RULES": RULES.replace("symbols: []", "lists: [long]")}
    trail = {**GOOD, "BEANCLEANER_RULES": RULES.replace("close: all", "close: {trailing_percent: 5}")}
    assert "the rules keep long" in refusal(lists)
    assert "trailing_percent" in refusal(trail)
    assert "watch" in refusal(GOOD, watch=True)
    for environment in (lists, trail):
        assert read_settings({**environment, "BEANCLEANER_REDIS_URL": "redis://x:6379/0"}, watch=True).redis_url


def test_all_mistakes_at_once_and_no_secret():
    sentence = refusal(
        {
            "BEANCLEANER_ACCOUNT": "a b",
            "BEANCLEANER_BROKER_KEY": "hush key",
            "BEANCLEANER_REDIS_URL": "http://:hush@x",
            "BEANCLEANER_INFLUX_URL": "influx:hush",
            "BEANCLEANER_DEADLINE": "5",
            "BEANCLEANER_RULES": "rules:\n - {name: a, close: {class: x}, when: always}",
            "BEANCLEANER_TYPO": "1",
        }
    )
    for name in ("ACCOUNT", "BROKER_KEY", "BROKER_SECRET", "REDIS_URL", "INFLUX_URL", "DEADLINE", "RULES: line 1, keep", "TYPO"):
        assert f"BEANCLEANER_{name}" in sentence
    assert "line 2, rules[0].close.class='x'" in sentence and "hush" not in sentence


@pytest.mark.parametrize("module", ["rule_text", "schedule"])
def test_rules_are_read_without_what_the_image_shares(module):
    """The stack's program reads them before anything is created, with nothing but this package on its path."""
    code = f"import sys, beancleaner.{module}; print(*(name for name in sys.modules if name.startswith(('botkit', 'aiohttp', 'redis'))))"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(IMAGE)}, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr

"""The worker's settings: what is refused, with which words; and real money only where two settings and the broker agree."""

import json

import pytest
from botkit.alpaca_settings import wrong_account
from botkit.settings import BadSettings
from execute_world import SCOPE, settings_of, wait_for
from slanger.execute.settings import read_settings

GOOD = {
    "AWS_REGION": "us-east-1",
    "SLANGER_ACCOUNT": "paper",
    "SLANGER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/alerts.fifo",
    "SLANGER_DEAD_LETTER_URL": "https://sqs.us-east-1.amazonaws.com/1/dead.fifo",
    "SLANGER_BROKER_KEY": "key",
    "SLANGER_BROKER_SECRET": "secret-of-the-broker",
    "SLANGER_LIMITS": json.dumps({"account": SCOPE}),
}
LIVE = {"SLANGER_MODE": "live", "SLANGER_LIVE_ACCOUNT": "123456789"}


def mistakes(**more):
    with pytest.raises(BadSettings) as refused:
        read_settings({**GOOD, **more})
    assert "secret-of-the-broker" not in str(refused.value)
    return str(refused.value)


def test_paper_is_the_default():
    settings = read_settings(GOOD)
    assert settings.broker.mode == "paper"
    assert settings.broker.address.trading_url == "https://paper-api.alpaca.markets"
    assert settings.broker.requests_per_minute == 200
    assert settings.max_delay == 900
    assert "secret-of-the-broker" not in repr(settings)


def test_live_needs_two_settings():
    assert read_settings({**GOOD, **LIVE}).broker.address.trading_url == "https://api.alpaca.markets"
    assert mistakes(SLANGER_MODE="live") == "SLANGER_LIVE_ACCOUNT is not set: use the number of the account that may trade real money"
    assert "set both to trade real money, or neither" in mistakes(SLANGER_LIVE_ACCOUNT="123456789")
    assert mistakes(SLANGER_MODE="Live").startswith("SLANGER_MODE='Live': use paper or live")
    assert "is real money" in mistakes(SLANGER_BROKER_URL="https://api.alpaca.markets")


@pytest.mark.parametrize("name", ["SLANGER_BROKER_URL", "SLANGER_DATA_URL"])
def test_credentials_go_to_no_open_line(name):
    assert f"{name}=http://8.8.8.8: use https" in mistakes(**{name: "http://8.8.8.8"})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SLANGER_LIMITS", "{", "SLANGER_LIMITS is not JSON"),
        ("SLANGER_LIMITS", "{}", "SLANGER_LIMITS.account is missing"),
        ("SLANGER_DEFAULTS", '{"risk": 0}', "SLANGER_DEFAULTS.risk='0'"),
        ("SLANGER_MAX_DELAY", "0", "use a whole number from 1 to"),
        ("SLANGER_REQUESTS_PER_MINUTE", "9", "use a whole number from 10 to"),
        ("SLANGER_ARISTOCRATS", '"KO"', "use a JSON list of symbols"),
        ("SLANGER_ARISTOCRATS", '["KO", "?"]', "use a JSON list of symbols"),
        ("SLANGER_BROKER_URL", "paper-api.alpaca.markets", "use a URL"),
        ("SLANGER_BROKER_URL", "https://user:word@host", "use a URL"),
        ("SLANGER_LIMIT", "1", "SLANGER_LIMIT is not a setting"),
        ("SLANGER_SIGNING_KEY", "x" * 32, "SLANGER_SIGNING_KEY is not a setting"),
    ],
)
def test_mistakes_are_told(name, value, words):
    assert words in mistakes(**{name: value})


def test_every_mistake_is_told_at_once():
    told = mistakes(SLANGER_LIMITS="{", SLANGER_MODE="x", SLANGER_MAX_DELAY="x")
    assert all(name in told for name in ("SLANGER_LIMITS", "SLANGER_MODE", "SLANGER_MAX_DELAY"))


def test_the_brokers_account_must_be_the_live_one():
    live = read_settings({**GOOD, **LIVE}).broker
    assert wrong_account(live, "123456789") == ""
    assert "the broker's account is 987654321" in wrong_account(live, "987654321")
    assert wrong_account(read_settings(GOOD).broker, "anything") == ""


def test_a_worker_with_another_live_account_ends_before_it_trades(run, queue, paper):
    queue.alert("AAPL", qty=1)
    worker = run(queue, paper, ready=False, SLANGER_MODE="live", SLANGER_LIVE_ACCOUNT="123456789")
    assert worker.popen.wait(timeout=60) == 78
    assert worker.lines(level="error")[-1]["message"].startswith("SLANGER_LIVE_ACCOUNT=123456789: the broker's account is PA3LOCAL0001")
    assert not paper.orders()
    assert (queue.left(), queue.left(queue.dead_url)) == (1, 0)


def test_a_worker_with_the_brokers_own_account_trades(run, queue, paper):
    number = paper.ask("GET", "/v2/account")["account_number"]
    run(queue, paper, SLANGER_MODE="live", SLANGER_LIVE_ACCOUNT=number)
    key = queue.alert("AAPL", qty=1)
    queue.wait_empty()
    wait_for(lambda: paper.of(key))


def test_a_worker_with_bad_settings_ends_with_one_sentence(run, queue, paper):
    worker = run(queue, paper, ready=False, SLANGER_LIMITS="{}")
    assert worker.popen.wait(timeout=60) == 78
    (line,) = worker.lines()
    assert line["message"] == "SLANGER_LIMITS.account is missing: set it"


def test_the_switch_knows_the_live_account_too(command, queue, paper):
    settings = settings_of(queue, paper, **LIVE)
    code, text = command(settings, "switch", "kill")
    assert code == 78 and "make the setting and the credentials agree" in text
    assert not paper.ask("GET", "/v2/account/configurations")["suspend_trade"]

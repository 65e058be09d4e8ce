"""A broker's settings under a service's prefix: what is refused, with which words; real money only where two settings and the broker agree."""

import pytest
from botkit.alpaca_settings import broker_names, read_broker, read_url, wrong_account
from botkit.settings import BadSettings, Reader

GOOD = {"FEED_BROKER_KEY": "hush-key", "FEED_BROKER_SECRET": "hush-secret"}
LIVE = {"FEED_MODE": "live", "FEED_LIVE_ACCOUNT": "123456789"}


def read(environment, *, data=True, **defaults):
    reader = Reader(environment, "FEED_", broker_names("FEED_", data=data))
    settings = read_broker(reader, "FEED_", data=data, **defaults)
    reader.finish()
    return settings


def mistakes(**more):
    with pytest.raises(BadSettings) as refused:
        read({**GOOD, **more})
    assert "hush" not in str(refused.value)
    return str(refused.value)


def test_paper_is_the_default():
    settings = read(GOOD)
    assert (settings.mode, settings.live_account, settings.requests_per_minute) == ("paper", "", 200)
    assert settings.address.trading_url == "https://paper-api.alpaca.markets"
    assert settings.address.data_url == "https://data.alpaca.markets"
    assert "hush" not in repr(settings)


def test_without_market_data_its_address_is_no_setting():
    assert read(GOOD, data=False, per_minute=50).requests_per_minute == 50
    assert read(GOOD, data=False).address.data_url == ""
    with pytest.raises(BadSettings, match="FEED_DATA_URL is not a setting"):
        read({**GOOD, "FEED_DATA_URL": "https://data.alpaca.markets"}, data=False)


def test_live_needs_two_settings():
    assert read({**GOOD, **LIVE}).address.trading_url == "https://api.alpaca.markets"
    assert mistakes(FEED_MODE="live") == "FEED_LIVE_ACCOUNT is not set: use the number of the account that may trade real money"
    assert "set both to trade real money, or neither" in mistakes(FEED_LIVE_ACCOUNT="123456789")
    assert mistakes(FEED_MODE="Live") == "FEED_MODE='Live': use paper or live"


@pytest.mark.parametrize(
    "url", ["https://api.alpaca.markets", "https://API.alpaca.markets/", "https://api.alpaca.markets.:443", "https://api.alpaca.markets/v2"]
)
def test_paper_never_talks_to_the_live_broker(url):
    assert "is real money" in mistakes(FEED_BROKER_URL=url)


@pytest.mark.parametrize(
    "url", ["http://alpaca-paper:8000", "http://127.0.0.1:8000", "http://10.0.3.7", "http://broker.tradestack.internal"]
)
def test_plain_http_is_for_private_addresses(url):
    settings = read({**GOOD, "FEED_BROKER_URL": f"{url}/", "FEED_DATA_URL": url})
    assert (settings.address.trading_url, settings.address.data_url) == (url, url)


@pytest.mark.parametrize("url", ["http://paper-api.alpaca.markets", "http://8.8.8.8:8000", "http://localhost.example.com"])
def test_plain_http_to_a_public_address_is_refused(url):
    assert "use https" in mistakes(FEED_BROKER_URL=url)
    assert "use https" in mistakes(FEED_DATA_URL=url)


@pytest.mark.parametrize("url", ["paper-api.alpaca.markets", "ftp://x", "https://user:word@host", ""])
def test_what_is_no_url_is_refused(url):
    assert "use a URL such as https://" in mistakes(FEED_BROKER_URL=url)


def test_a_streams_address():
    def stream(url):
        reader = Reader({"FEED_STREAM_URL": url}, "FEED_", ("FEED_STREAM_URL",))
        found = read_url(reader, "FEED_STREAM_URL", "wss://stream.data.alpaca.markets", "ws")
        reader.finish()
        return found

    assert stream("wss://stream.data.alpaca.markets/") == "wss://stream.data.alpaca.markets"
    assert stream("ws://alpaca-paper:8000") == "ws://alpaca-paper:8000"
    for url, words in [("ws://stream.data.alpaca.markets", "use wss"), ("https://x", "use a URL such as wss://")]:
        with pytest.raises(BadSettings, match=words):
            stream(url)


def test_every_mistake_is_told_at_once():
    with pytest.raises(BadSettings) as refused:
        read({"FEED_BROKER_KEY": "hush key", "FEED_REQUESTS_PER_MINUTE": "9", "FEED_MODE": "x"})
    assert "hush" not in str(refused.value)
    for words in ("FEED_BROKER_KEY (secret, 8 characters)", "FEED_BROKER_SECRET is not set", "from 10 to", "use paper or live"):
        assert words in str(refused.value)
    assert "FEED_BROKER_URL" not in str(refused.value)


def test_the_brokers_account_must_be_the_live_one():
    live = read({**GOOD, **LIVE})
    assert wrong_account(live, "123456789") == ""
    assert wrong_account(live, "987").startswith("FEED_LIVE_ACCOUNT=123456789: the broker's account is 987; make the setting")
    assert wrong_account(read(GOOD), "anything") == ""

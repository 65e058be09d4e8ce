"""Settings that can't be used: each refused with its name, its value unless it is secret, and the fix."""

import ipaddress

import pytest
from botkit.settings import BadSettings
from slanger.accept.settings import read_settings

GOOD_KEY = "use a random key of at least 32 characters without spaces"
GOOD = {
    "SLANGER_ACCOUNT": "paper",
    "SLANGER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/alerts.fifo",
    "SLANGER_DEAD_LETTER_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters.fifo",
    "SLANGER_SIGNING_KEY": "k" * 40,
    "AWS_REGION": "us-east-1",
    "PATH": "/usr/bin",
}


def test_what_is_not_said_is_safe():
    settings = read_settings(GOOD)
    assert (settings.host, settings.port, settings.ways, settings.replay_window) == ("127.0.0.1", 8000, {"signature"}, 300)
    assert settings.trusted_proxies == () and settings.revoked == set() and settings.queue.endpoint is None
    assert settings.signing_keys == ("k" * 40,) and "k" * 40 not in repr(settings)
    assert settings.source_ips == tuple(map(ipaddress.ip_network, ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")))


@pytest.mark.parametrize(
    "settings, messages",
    [
        ({"SLANGER_SIGNING_KEY": None}, [f"SLANGER_SIGNING_KEY is not set: {GOOD_KEY}"]),
        ({"SLANGER_SIGNING_KEY": ""}, [f"SLANGER_SIGNING_KEY (secret, 0 characters): {GOOD_KEY}"]),
        ({"SLANGER_SIGNING_KEY": "s3cret"}, [f"SLANGER_SIGNING_KEY (secret, 6 characters): {GOOD_KEY}"]),
        ({"SLANGER_SIGNING_KEY": "s3cret " + "x" * 40}, ["SLANGER_SIGNING_KEY (secret, 47 characters)"]),
        ({"SLANGER_PREVIOUS_SIGNING_KEY": ""}, [f"SLANGER_PREVIOUS_SIGNING_KEY (secret, 0 characters): {GOOD_KEY}, or leave it out"]),
        ({"SLANGER_AUTHENTICATION": ""}, ["SLANGER_AUTHENTICATION='': use one or more of signature, client-certificate, source-ip"]),
        ({"SLANGER_AUTHENTICATION": "signature,ip"}, ["SLANGER_AUTHENTICATION='signature,ip': use one or more of"]),
        ({"SLANGER_AUTHENTICATION": "client-certificate"}, ["SLANGER_AUTHENTICATION has client-certificate: set SLANGER_TRUSTED_PROXIES"]),
        ({"SLANGER_AUTHENTICATION": "source-ip", "SLANGER_SOURCE_IPS": ""}, ["SLANGER_SOURCE_IPS is empty: name the addresses"]),
        ({"SLANGER_TRUSTED_PROXIES": "0.0.0.0/0"}, ["SLANGER_TRUSTED_PROXIES='0.0.0.0/0': that is everybody; name those whom you trust"]),
        (
            {"SLANGER_TRUSTED_PROXIES": "10.0.0.1/8, proxy"},
            ["SLANGER_TRUSTED_PROXIES='10.0.0.1/8': use IP", "SLANGER_TRUSTED_PROXIES='proxy'"],
        ),
        ({"SLANGER_REPLAY_WINDOW": "301"}, ["SLANGER_REPLAY_WINDOW=301: use a whole number from 1 to 300"]),
        ({"SLANGER_REVOKED_ALERTS": "macd-5m,My alert"}, ["SLANGER_REVOKED_ALERTS='My alert': use 1 to 32 of a-z"]),
        ({"SLANGER_SOURCE_IP_HEADER": "x y"}, ["SLANGER_SOURCE_IP_HEADER='x y': use the name of an HTTP header"]),
        ({"SLANGER_QUEUE_ENDPOINT": "queue:9324"}, ["SLANGER_QUEUE_ENDPOINT='queue:9324': use the local queue's URL"]),
        ({"SLANGER_QUEUE_URL": "http://queue/alerts"}, ["SLANGER_QUEUE_URL='http://queue/alerts': use the URL of a FIFO queue"]),
        ({"AWS_REGION": None}, ["AWS_REGION is not set: use the queue's region, such as us-east-1"]),
        (
            {"SLANGER_ACOUNT": "x", "SLANGER_ACCOUNT": "My account", "SLANGER_PORT": "0", "SLANGER_LIMITS": "{}"},
            [
                "SLANGER_ACOUNT is not a setting: use SLANGER_ACCOUNT, ",
                "SLANGER_LIMITS is not a setting",
                "SLANGER_ACCOUNT='My account': use 1 to 32 of a-z",
                "SLANGER_PORT=0: use a whole number from 1 to 65535",
            ],
        ),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_bad_settings_are_refused_with_every_mistake_and_no_secret(settings, messages):
    given = {name: value for name, value in {**GOOD, **settings}.items() if value is not None}
    with pytest.raises(BadSettings) as refused:
        read_settings(given)
    said = str(refused.value)
    assert all(message in said for message in messages), said
    assert "s3cret" not in said

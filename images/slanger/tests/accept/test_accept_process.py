"""The service as a process: refusals at start, health, ports, and what the image's command line says."""

import json
import subprocess
import sys
import time

import pytest

GOOD_KEY = "use a random key of at least 32 characters without spaces"


def refusal(one):
    """The one log line of a service that ended by itself with exit code 2."""
    assert one.process.popen.wait(timeout=60) == 2
    lines = one.process.log.read_text().splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])["message"]


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
def test_bad_settings_are_refused_in_one_line_that_names_them_all_and_no_secret(run_accept, settings, messages):
    said = refusal(run_accept(**settings))
    assert all(message in said for message in messages), said
    assert "s3cret" not in said


def test_a_port_in_use_is_refused_in_one_line(run_accept):
    first = run_accept().wait_until_ready()
    said = refusal(run_accept(SLANGER_PORT=str(first.port)))
    assert said == f"SLANGER_HOST=127.0.0.1 SLANGER_PORT={first.port}: can't listen there (Address already in use); choose a free port"


def test_the_health_command_tells_whether_the_service_answers(run_accept):
    one = run_accept().wait_until_ready()

    def health():
        command = [sys.executable, "-m", "slanger.health", "accept"]
        return subprocess.run(command, check=False, env=one.process.environment, capture_output=True, text=True, timeout=60)

    assert health().returncode == 0
    assert one.process.terminate() == 0
    dead = health()
    assert dead.returncode == 1 and "no answer from the service" in dead.stdout


def test_sigterm_ends_it_with_idle_clients_connected(run_accept):
    one = run_accept().wait_until_ready()
    one.session.get(f"{one.url}/health", timeout=10)
    started = time.monotonic()
    assert one.process.terminate() == 0 and time.monotonic() - started < 8
    lines = one.process.lines()
    assert [line["message"] for line in lines] == ["accepting", "stopped"]
    assert lines[0]["authentication"] == ["signature"] and lines[0]["level"] == "INFO" and lines[0]["time"]


@pytest.mark.parametrize(
    "arguments, words", [([], "no command: use"), (["exec"], "'exec' is not a command: use"), (["accept", "--port"], "not an option")]
)
def test_the_command_line_is_refused_in_plain_words(accept, arguments, words):
    command = [sys.executable, "-m", "slanger", *arguments]
    done = subprocess.run(command, check=False, env=accept.process.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and words in done.stdout and done.stderr == ""


def test_accept_imports_nothing_of_the_broker_side(accept):
    code = (
        "import sys, slanger.__main__, slanger.accept.serve; "
        "print(*(name for name in sys.modules if name.split('.')[0] in ('alpaca', 'pandas', 'redis', 'numpy') or "
        "name.startswith(('slanger.execute', 'slanger.generator'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env=accept.process.environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == ""

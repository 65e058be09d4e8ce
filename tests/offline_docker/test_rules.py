"""The plugin's rules without any engine: durations, what counts as equal, and Docker's errors as sentences."""

import pytest
import requests
from docker.errors import APIError

from tools.offline import docker_config, docker_engine
from tools.offline.wire import Secret


@pytest.mark.parametrize(
    "text, expected", [("30s", 30 * 10**9), ("1m30s", 90 * 10**9), ("500ms", 5 * 10**8), ("1.5h", 5400 * 10**9), ("0", 0)]
)
def test_durations(text, expected):
    assert docker_config.nanoseconds(text) == expected


@pytest.mark.parametrize("text", ["", "30", "30 s", "s", "1d"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="not a duration"):
        docker_config.nanoseconds(text)


@pytest.mark.parametrize(
    "name, one, other",
    [
        ("envs", ["A=1", "B=2"], ["B=2", "A=1"]),
        ("restart", None, "no"),
        ("readOnly", None, False),
        ("mustRun", None, True),
        ("memory", 0, None),
        ("labels", [], None),
        ("ports", [{"internal": 80}], [{"internal": 80.0, "ip": "0.0.0.0", "protocol": "tcp"}]),
        ("healthcheck", {"tests": ["a"], "interval": "60s"}, {"tests": ["a"], "interval": "1m"}),
        ("networksAdvanced", [{"name": "n", "aliases": ["a", "b"]}], [{"name": "n", "aliases": ["b", "a"]}]),
    ],
)
def test_equal_values(name, one, other):
    assert docker_config.canonical(name, one) == docker_config.canonical(name, other)


@pytest.mark.parametrize(
    "name, one, other",
    [
        ("command", ["a", "b"], ["b", "a"]),
        ("mustRun", None, False),
        ("removeVolumes", True, False),
        ("ports", [{"internal": 80}], [{"internal": 81}]),
        ("envs", ["A=1"], ["A=2"]),
        ("stopTimeout", None, 0),
        ("entrypoints", ["a"], None),
        ("init", None, True),
    ],
)
def test_different_values(name, one, other):
    assert docker_config.canonical(name, one) != docker_config.canonical(name, other)


def api_error(text):
    response = requests.Response()
    response.status_code = 500
    return APIError("500 Server Error", response=response, explanation=text)


@pytest.mark.parametrize(
    "text",
    [
        "driver failed programming external connectivity on endpoint x (ab12): "
        "Error starting userland proxy: listen tcp4 127.0.0.1:8080: bind: address already in use",
        "driver failed programming external connectivity on endpoint x (ab12): Bind for 127.0.0.1:8080 failed: port is already allocated",
        "failed to set up container networking: driver failed programming external connectivity on endpoint x: "
        "failed to bind host port for "
        "127.0.0.1:8080:172.17.0.2:80/tcp: address already in use",
        "failed to bind host port 127.0.0.1:8080/tcp: address already in use",
    ],
)
def test_a_port_in_use_is_recognised_in_every_engines_words(text):
    assert docker_engine.sentence(api_error(text)).startswith("host port 8080 on 127.0.0.1 is already in use: stop what uses it")


def test_other_errors():
    assert "is full" in docker_engine.sentence(api_error("write /x: no space left on device"))
    assert "is full" in docker_engine.sentence(OSError(28, "No space left on device"))
    assert docker_engine.sentence(api_error("no such thing")) == "no such thing"
    assert "usermod -aG docker" in docker_engine.sentence(requests.exceptions.ConnectionError("Permission denied"))


def test_secrets_are_taken_out_of_a_text():
    inputs = {"envs": [Secret("KEY=hunter22"), "A=visible"], "args": Secret({"T": "token-12", "N": "sample"})}
    assert docker_engine.redact("hunter22 visible token-12 sample KEY=hunter22", inputs) == "[secret] visible [secret] sample [secret]"

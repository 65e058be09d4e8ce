"""Settings, refusals, and the collector's lines in our form: no container needed."""

import base64
import json

import pytest
from log_router.logs import translated
from log_router.settings import BadSettings, collector_arguments, collector_environment, read_settings


def settings(tmp_path, **changes):
    given = {"LOG_ROUTER_LOKI_URL": "http://data-loki:3100", "LOG_ROUTER_STATE": str(tmp_path)}
    return read_settings({**given, **{f"LOG_ROUTER_{name}": value for name, value in changes.items()}})


@pytest.mark.parametrize(
    ("url", "endpoint", "user"),
    [
        ("http://data-loki:3100", "http://data-loki:3100/otlp", None),
        ("https://logs.example.com/tenant/", "https://logs.example.com/tenant/otlp", None),
        ("https://u:p%40ss@logs.example.com", "https://logs.example.com/otlp", "u:p@ss"),
        ("http://[::1]:3100", "http://[::1]:3100/otlp", None),
    ],
)
def test_loki_s_url_becomes_endpoint_and_header(tmp_path, url, endpoint, user):
    known = settings(tmp_path, LOKI_URL=url)
    assert known.endpoint == endpoint
    assert known.authorization == (f"Basic {base64.b64encode(user.encode()).decode()}" if user else "")


def test_the_password_is_on_no_command_line(tmp_path):
    known = settings(tmp_path, LOKI_URL="https://u:hunter2@loki")
    arguments = " ".join(collector_arguments(known, tmp_path / "collector.yaml"))
    assert "hunter2" not in arguments and known.authorization not in arguments and "Authorization" in arguments
    assert collector_environment(known)["LOKI_AUTHORIZATION"] == known.authorization
    assert "Authorization" not in " ".join(collector_arguments(settings(tmp_path), tmp_path / "collector.yaml"))


def test_all_mistakes_at_once_and_no_url_in_them(tmp_path):
    with pytest.raises(BadSettings) as refused:
        settings(tmp_path, LOKI_URL="ftp://u:hunter2@x", QUEUE_MB="0", MEMORY_MIB="lots", STATE="/nowhere", LOKI="x")
    said = str(refused.value)
    assert all(
        name in said for name in ("LOG_ROUTER_LOKI_URL: use", "_QUEUE_MB='0'", "_MEMORY_MIB='lots'", "_STATE='/nowhere'", "_LOKI is not")
    )
    assert "hunter2" not in said


def test_memory_follows_the_containers(tmp_path):
    given = {"LOG_ROUTER_LOKI_URL": "http://loki:3100", "LOG_ROUTER_STATE": str(tmp_path), "CONTAINER_MEMORY_MIB": "1000"}
    assert read_settings(given).memory_mib == 600
    assert read_settings({**given, "LOG_ROUTER_MEMORY_MIB": "200"}).memory_mib == 200
    with pytest.raises(BadSettings, match="CONTAINER_MEMORY_MIB='0'"):
        read_settings({**given, "CONTAINER_MEMORY_MIB": "0"})


@pytest.mark.parametrize("url", ["", "loki:3100", "http://", "http://loki:port", "http://loki?x=1", "http://u:${env:HOME}@loki"])
def test_an_unusable_url_is_refused(tmp_path, url):
    with pytest.raises(BadSettings, match="LOG_ROUTER_LOKI_URL: use"):
        settings(tmp_path, LOKI_URL=url)


@pytest.mark.parametrize(
    ("said", "level", "message"),
    [
        ('{"level":"warn","ts":"2026-01-01T00:00:00.000Z","msg":"full","caller":"x.go:1","resource":{}}', "warning", "full"),
        ('{"level":"fatal","ts":"2026-01-01T00:00:00.000Z","msg":"m","error":"e"}', "critical", "m"),
        ("panic: oh no", "error", "panic: oh no"),
        ("[1]", "error", "[1]"),
        ('{"half": ', "error", '{"half": '),
    ],
)
def test_the_collector_s_lines_have_our_form(said, level, message):
    line = json.loads(translated(said))
    assert (line["level"], line["message"], line["service"]) == (level, message, "log-router") and line["time"]
    assert not {"msg", "ts", "caller", "resource"} & set(line)

"""What can be checked of the image without Grafana: its provisioning files, its settings, and how it starts."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

IMAGE = Path(__file__).resolve().parents[1]
DOCKERFILE = (IMAGE / "Dockerfile").read_text()
SETTINGS = dict(re.findall(r"^(?:ENV|   ) (\w+)=(\S+)", DOCKERFILE, re.MULTILINE))
SOURCES = yaml.safe_load((IMAGE / "provisioning" / "datasources" / "tradestack.yaml").read_text())
DASHBOARDS = yaml.safe_load((IMAGE / "provisioning" / "dashboards" / "tradestack.yaml").read_text())
ENVIRONMENT = {
    "GF_SECURITY_ADMIN_PASSWORD": "hush-admin",
    "GRAFANA_INFLUX_URL": "http://data-influxdb:8086",
    "GRAFANA_INFLUX_DATABASE": "tradestack",
    "GRAFANA_INFLUX_USER": "reader",
    "GRAFANA_INFLUX_PASSWORD": "hush-influx",
    "GRAFANA_LOKI_URL": "http://data-loki:3100",
    "GRAFANA_LOKI_BASIC_AUTH": "false",
    "GRAFANA_LOKI_USER": "none",
    "GRAFANA_LOKI_PASSWORD": "none",
}


def test_data_sources_have_only_keys_that_grafana_knows() -> None:
    """https://grafana.com/docs/grafana/v12.2/administration/provisioning/#data-sources"""
    assert SOURCES.keys() <= {"apiVersion", "datasources", "deleteDatasources", "prune"} and SOURCES["apiVersion"] == 1
    known = {
        "name", "uid", "type", "access", "url", "user", "database", "basicAuth", "basicAuthUser", "withCredentials", "isDefault",
        "jsonData", "secureJsonData", "editable", "orgId", "version",
    }  # fmt: skip
    for one in SOURCES["datasources"]:
        assert one.keys() <= known and one["access"] == "proxy" and one["editable"] is False
    influx, loki = SOURCES["datasources"]
    assert influx["jsonData"].keys() <= {"dbName", "httpMode", "timeInterval", "version"} and influx["secureJsonData"].keys() == {
        "password"
    }
    assert influx["jsonData"]["httpMode"] == "GET", "a reader's queries go by GET"
    assert (loki["jsonData"]["httpHeaderName1"], loki["secureJsonData"]["httpHeaderValue1"]) == ("X-Scope-OrgID", "tradestack")
    assert [one.get("isDefault") for one in (influx, loki)] == [True, None]


def test_dashboards_come_from_the_image_alone() -> None:
    """https://grafana.com/docs/grafana/v12.2/administration/provisioning/#dashboards"""
    (provider,) = DASHBOARDS["providers"]
    known = {
        "name", "orgId", "folder", "folderUid", "type", "disableDeletion", "updateIntervalSeconds", "allowUiUpdates", "options",
    }  # fmt: skip
    assert provider.keys() <= known and provider["options"] == {"path": "/etc/grafana/dashboards"}
    assert (provider["disableDeletion"], provider["allowUiUpdates"]) == (True, False)
    assert "COPY dashboards /etc/grafana/dashboards" in DOCKERFILE
    home = Path(SETTINGS["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home.parent == Path("/etc/grafana/dashboards") and (IMAGE / "dashboards" / home.name).is_file()


def test_all_that_the_files_take_from_the_environment_is_asked_for_at_start() -> None:
    used = set(re.findall(r"^[^#]*?\$(GRAFANA_\w+)$", (IMAGE / "provisioning/datasources/tradestack.yaml").read_text(), re.MULTILINE))
    asked = set(re.findall(r"\bG(?:F|RAFANA)_[A-Z_]+\b", re.search(r"for name in (.*?); do", (IMAGE / "start.sh").read_text(), re.S)[1]))
    assert used | {"GF_SECURITY_ADMIN_PASSWORD"} == asked == set(ENVIRONMENT)


def test_nobody_gets_in_and_it_calls_nobody() -> None:
    """https://grafana.com/docs/grafana/v12.2/setup-grafana/configure-grafana/"""
    off = (
        "GF_AUTH_ANONYMOUS_ENABLED", "GF_USERS_ALLOW_SIGN_UP", "GF_USERS_ALLOW_ORG_CREATE", "GF_ANALYTICS_REPORTING_ENABLED",
        "GF_ANALYTICS_CHECK_FOR_UPDATES", "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "GF_NEWS_NEWS_FEED_ENABLED",
        "GF_SNAPSHOTS_EXTERNAL_ENABLED", "GF_PLUGINS_PLUGIN_ADMIN_ENABLED",
    )  # fmt: skip
    assert {SETTINGS[name] for name in off} == {"false"}
    assert SETTINGS["GF_SECURITY_DISABLE_GRAVATAR"] == SETTINGS["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert "PASSWORD" not in DOCKERFILE and "admin" not in "".join(SETTINGS.values())


def test_it_runs_as_1000_and_writes_only_to_its_volume() -> None:
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1] == "1000:1000"
    for name in ("GF_PATHS_DATA", "GF_PATHS_PLUGINS", "TMPDIR"):
        assert Path(SETTINGS[name]).is_relative_to("/var/lib/grafana")
    assert SETTINGS["GF_LOG_MODE"] == "console"


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen]]:
    made: list[subprocess.Popen] = []
    yield made
    for one in made:
        if one.poll() is None:
            os.killpg(one.pid, signal.SIGKILL)
        one.communicate()


def start(volume: Path, *command: str, **changes: str | None) -> subprocess.Popen:
    values = {**ENVIRONMENT, "PATH": os.environ["PATH"], "GF_PATHS_DATA": str(volume), "TMPDIR": str(volume / "tmp"), **changes}
    environment = {key: value for key, value in values.items() if value is not None}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([IMAGE / "start.sh", *command], env=environment, start_new_session=True, **pipes)


def refusal(volume: Path, **changes: str | None) -> tuple[int, str]:
    process = start(volume, "echo", "started", **changes)
    said, _ = process.communicate(timeout=30)
    line = json.loads(said)
    assert line["level"] == "critical" and line["service"] == "grafana" and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["time"])
    assert "hush" not in said
    return process.returncode, line["message"]


def test_it_becomes_grafana(tmp_path) -> None:
    process = start(tmp_path, "sh", "-c", "echo $$; pwd -P >/dev/null; test -d $TMPDIR && echo $GRAFANA_INFLUX_USER")
    said, _ = process.communicate(timeout=30)
    assert said.split() == [str(process.pid), "reader"], "SIGTERM must reach Grafana itself"


def test_what_is_missing_is_named(tmp_path) -> None:
    code, message = refusal(tmp_path, GRAFANA_INFLUX_PASSWORD=None, GF_SECURITY_ADMIN_PASSWORD="")
    assert code == 78
    assert message.startswith("missing: GF_SECURITY_ADMIN_PASSWORD GRAFANA_INFLUX_PASSWORD. Set them")


def test_a_volume_that_is_not_there_is_refused(tmp_path) -> None:
    code, message = refusal(tmp_path / "nowhere")
    assert code == 78 and "can not be written: give a volume that belongs to uid" in message


def test_a_second_copy_is_refused_until_the_first_has_ended(tmp_path, started) -> None:
    first = start(tmp_path, "sh", "-c", "echo running; exec sleep 1000")
    started.append(first)
    assert first.stdout.readline() == "running\n"
    code, message = refusal(tmp_path)
    assert code == 75 and message.startswith(f"another Grafana uses {tmp_path}: stop it first")
    first.kill()
    first.wait(timeout=30)
    again = start(tmp_path, "echo", "started")
    assert again.communicate(timeout=30)[0] == "started\n"

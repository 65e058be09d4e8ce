"""Every mistake at once, by variable and bot; no message shows a password or a URL with credentials."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from bot_metrics.settings import read_settings
from botkit.settings import BadSettings

BOT = {"name": "sample", "url": "http://sample:8080", "username": "user", "password": "hush-bot"}
GIVEN = {
    "BOT_METRICS_INFLUX_URL": "http://writer:hush-influx@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns",
    "BOT_METRICS_BOTS": json.dumps([BOT]),
}


def test_what_is_given_and_what_is_not() -> None:
    settings = read_settings(GIVEN)
    (bot,) = settings.bots
    assert (bot.name, bot.url, bot.username, bot.password) == ("sample", "http://sample:8080", "user", "hush-bot")
    assert (settings.interval, settings.trades_days, settings.costs, settings.port) == (10, 30, {}, 8000)
    assert "hush" not in repr(settings) and "user" not in repr(bot)
    more = {"BOT_METRICS_COSTS": '{"sample": 2.67, "data-loki": 3}', "BOT_METRICS_INTERVAL": "5", "BOT_METRICS_TRADES_DAYS": "90"}
    settings = read_settings({**GIVEN, **more})
    assert (settings.interval, settings.trades_days, settings.costs) == (5, 90, {"sample": 2.67, "data-loki": 3})


def test_a_stack_without_bots_has_costs() -> None:
    settings = read_settings({**GIVEN, "BOT_METRICS_BOTS": "[]"})
    assert settings.bots == ()


def bots(*changed: dict[str, Any]) -> str:
    return json.dumps([{**BOT, **change} for change in changed])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"BOT_METRICS_BOTS": "{}"}, "BOT_METRICS_BOTS (secret, 2 characters): use a JSON list"),
        ({"BOT_METRICS_BOTS": "{hush"}, "BOT_METRICS_BOTS (secret, 5 characters): use a JSON list"),
        ({"BOT_METRICS_BOTS": "[" * 100_000}, "BOT_METRICS_BOTS (secret, 100000 characters)"),
        ({"BOT_METRICS_BOTS": json.dumps(["hush"])}, "BOT_METRICS_BOTS[0]: give name, url, username, password"),
        ({"BOT_METRICS_BOTS": bots({}, {"name": "b", "token": "hush"})}, "BOT_METRICS_BOTS[1]: give name, url"),
        ({"BOT_METRICS_BOTS": bots({"password": ""})}, "BOT_METRICS_BOTS[0]: give name"),
        ({"BOT_METRICS_BOTS": bots({"password": 7})}, "BOT_METRICS_BOTS[0]: give name"),
        ({"BOT_METRICS_BOTS": bots({"name": "a b"})}, "BOT_METRICS_BOTS[0].name='a b'"),
        (
            {"BOT_METRICS_BOTS": bots({"url": "http://user:hush@sample:8080"})},
            "BOT_METRICS_BOTS[0].url of bot 'sample': use http://HOST:PORT",
        ),
        ({"BOT_METRICS_BOTS": bots({"url": "http://sample:8080/api/v1"})}, "BOT_METRICS_BOTS[0].url of bot 'sample'"),
        ({"BOT_METRICS_BOTS": bots({"url": "http://sample:port"})}, "BOT_METRICS_BOTS[0].url of bot 'sample'"),
        ({"BOT_METRICS_BOTS": bots({"url": "sample:8080"})}, "BOT_METRICS_BOTS[0].url of bot 'sample'"),
        ({"BOT_METRICS_BOTS": bots({}, {})}, "'sample' is there twice"),
        ({"BOT_METRICS_COSTS": "[]"}, "BOT_METRICS_COSTS='[]': use a JSON object"),
        ({"BOT_METRICS_COSTS": '{"sample": "2"}'}, "BOT_METRICS_COSTS: 'sample': '2' is no amount"),
        ({"BOT_METRICS_COSTS": '{"sample": NaN}'}, "BOT_METRICS_COSTS: 'sample': nan is no amount"),
        ({"BOT_METRICS_INTERVAL": "0"}, "BOT_METRICS_INTERVAL=0: use a whole number from 1 to 3600"),
        ({"BOT_METRICS_INFLUX_URL": "hush"}, "BOT_METRICS_INFLUX_URL (secret, 4 characters): use the URL"),
        ({"BOT_METRICS_INTERVALL": "5"}, "BOT_METRICS_INTERVALL is not a setting"),
    ],
)
def test_a_mistake_is_named_with_its_fix(change: dict[str, str], named: str) -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings({**GIVEN, **change})
    assert named in str(refused.value)
    assert "hush" not in str(refused.value)


def test_all_mistakes_at_once() -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings({"BOT_METRICS_INTERVAL": "x", "BOT_METRICS_COSTS": "7"})
    for name in ("BOT_METRICS_INFLUX_URL is not set", "BOT_METRICS_BOTS is not set", "BOT_METRICS_INTERVAL='x'", "BOT_METRICS_COSTS='7'"):
        assert name in str(refused.value)


@pytest.mark.parametrize(
    ("path", "fix"),
    [("/query?db=tradestack", "use a URL that takes line protocol"), ("/write?db=tradestack&precision=s", "use ns, or leave it out")],
)
def test_a_url_that_takes_no_points_is_one_sentence_and_exit_code_78(path: str, fix: str) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("BOT_METRICS_")}
    given = {**own, **GIVEN, "BOT_METRICS_INFLUX_URL": f"http://writer:hush-influx@data-influxdb:8086{path}"}
    given["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, "-m", "bot_metrics"], env=given, capture_output=True, text=True, timeout=60, check=False)
    (line,) = done.stdout.splitlines()
    said = json.loads(line)
    assert (done.returncode, said["level"]) == (78, "error")
    assert said["message"].startswith("BOT_METRICS_INFLUX_URL (secret, ") and fix in said["message"]
    assert "hush" not in done.stdout + done.stderr

"""Settings: every mistake at once, each with its fix and none with a credential; a board that can't use them ends with exit code 78."""

import base64
import json
import subprocess
import sys

import pytest
from board.fetch import address
from board.influx import Influx
from board.settings import read_settings
from board_world import environment
from botkit.settings import BadSettings

BOT = {"name": "sample", "url": "http://sample:8080", "username": "user", "password": "hush-bot"}


def bots(*changes):
    return {"BOARD_BOTS": json.dumps([BOT | change for change in changes])}


def test_all_of_them():
    found = read_settings(
        {
            "BOARD_REDIS_URL": "redis://:hush%2Fred@redis:6379/0",
            "BOARD_INFLUX_URL": "http://reader:hush-influx@influx:8086/query?db=x",
            "BOARD_LOKI_URL": "http://loki:3100",
            "BOARD_ACCOUNTS": "paper, live",
            **bots({}),
            "BOARD_SERVICES": '[{"name": "webhook", "url": "http://webhook:8000/health"}]',
            "BOARD_HOSTS": "board.internal, board",
        }
    )
    assert (found.accounts, found.hosts, found.services[0].name) == (("paper", "live"), ("board.internal", "board"), "webhook")
    assert set(found.secrets) == {"hush-influx", "hush%2Fred", "hush/red", "hush-bot"}
    assert "hush" not in repr(found)


@pytest.mark.parametrize("url", ["https://hush%2Ftoken@influx/query?db=x", "https://:hush%2Ftoken@influx/query?db=x"])
def test_a_token_alone_is_a_secret_and_sent_as_one(url):
    assert set(read_settings({"BOARD_INFLUX_URL": url}).secrets) == {"hush%2Ftoken", "hush/token"}
    assert Influx(None, url, None)._where == ("https://influx/query?db=x", {"Authorization": "Token hush/token"})


def test_a_user_beside_a_password_is_no_secret():
    url = "https://reader:hush-influx@influx/query?db=x"
    assert read_settings({"BOARD_INFLUX_URL": url}).secrets == ("hush-influx",)
    basic = base64.b64encode(b"reader:hush-influx").decode()
    assert Influx(None, url, None)._where == ("https://influx/query?db=x", {"Authorization": f"Basic {basic}"})
    assert address("http://loki:3100") == ("http://loki:3100", {})


def test_a_stack_without_stores_and_bots_has_a_board():
    found = read_settings({})
    assert (found.influx_url, found.bots, found.host, found.port) == ("", (), "127.0.0.1", 8000)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"BOARD_REDIS_URL": "redis://:hush@redis"}, "BOARD_ACCOUNTS is not set"),
        ({"BOARD_INFLUX_URL": "influx:8086 hush"}, "BOARD_INFLUX_URL (secret, 16 characters): use a URL such as"),
        ({"BOARD_BOTS": "{hush"}, "BOARD_BOTS: is no JSON list"),
        (bots({"name": "a b"}), "BOARD_BOTS[0].name='a b'"),
        (bots({"url": "http://user:hush@sample:8080"}), "BOARD_BOTS[0].url of 'sample'"),
        (bots({"key": "hush"}), "BOARD_BOTS[0]: give name, password, url, username"),
        (bots({}, {}), "BOARD_BOTS: 'sample' is there twice"),
        ({"BOARD_SERVICES": '[{"name": "redis", "url": "redis://:hush@redis"}]'}, "BOARD_SERVICES[0].url of 'redis'"),
        ({"BOARD_SERVICES": '[{"name": "odd", "url": "tcp://odd:70000"}]'}, "BOARD_SERVICES[0].url of 'odd': use a port from 1 to 65535"),
        (
            {"BOARD_SERVICES": '[{"name": "odd", "url": "http://odd:0/health"}]'},
            "BOARD_SERVICES[0].url of 'odd': use a port from 1 to 65535",
        ),
        (bots({"url": "http://sample:99999"}), "BOARD_BOTS[0].url of 'sample': use a port from 1 to 65535"),
        ({"BOARD_LOKI_URL": "http://loki:99999"}, "BOARD_LOKI_URL: use a URL such as"),
        ({"BOARD_HOSTS": "board:8000"}, "BOARD_HOSTS='board:8000'"),
        ({"BOARD_PORT": "99999"}, "BOARD_PORT=99999"),
        ({"BOARD_TITEL": "x"}, "BOARD_TITEL is not a setting"),
    ],
)
def test_a_mistake_names_the_variable_and_the_fix(given, message):
    with pytest.raises(BadSettings) as refused:
        read_settings(given)
    assert message in str(refused.value) and "hush" not in str(refused.value)


def test_the_process_says_so_once_and_ends_with_78():
    done = subprocess.run(
        [sys.executable, "-m", "board"], env=environment(bots="{hush", port="x"), capture_output=True, text=True, timeout=60, check=False
    )
    (line,) = done.stdout.splitlines()
    said = json.loads(line)
    assert done.returncode == 78 and said["level"] == "error" and "BOARD_PORT='x'" in said["message"] and "BOARD_BOTS" in said["message"]
    assert "hush" not in done.stdout + done.stderr

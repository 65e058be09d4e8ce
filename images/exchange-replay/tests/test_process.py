"""The server as a process: start, stop, refusals, health, and that two of them agree."""

import json
import subprocess
import sys
import time

import pytest
import requests
from exchange_replay.settings import DEFAULT_EPOCH


def refusal(process):
    """The one log line of a server that ended by itself with exit code 2."""
    assert process.popen.wait(timeout=60) == 2
    lines = process.log.read_text().splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])["message"]


def history(server, end):
    """Klines up to `end` (ms), as the server's own text."""
    queries = [
        {"symbol": symbol, "interval": interval, "endTime": end, "limit": 1000}
        for symbol in ("ADABTC", "XLMBTC")
        for interval in ("1m", "1h", "1d")
    ]
    return [requests.get(f"{server.url}/klines", params=query, timeout=30).text for query in queries]


def test_a_restarted_server_and_a_second_one_tell_the_same_history(run, server):
    first, second = run(REPLAY_SPEED="5"), run(REPLAY_SPEED="5")
    first.wait_until_ready()
    second.wait_until_ready()
    # Candles of a day ago and older are closed in all intervals.
    end = int(time.time() * 1000) // 86_400_000 * 86_400_000 - 1
    before = history(first, end)
    assert history(second, end) == before and all(json.loads(text) for text in before)
    first.terminate()
    third = run(REPLAY_SPEED="5")
    third.wait_until_ready()
    assert history(third, end) == before
    # So does one with the default epoch, whenever it is asked: the time of the start plays no part.
    server.now = end + 1
    assert history(server, end) == before


def test_another_epoch_or_speed_is_another_history(run):
    base, moved, slow = run(REPLAY_SPEED="5"), run(REPLAY_SPEED="5", REPLAY_EPOCH=str(DEFAULT_EPOCH + 60)), run()
    end = int(time.time() * 1000) // 86_400_000 * 86_400_000 - 1
    for process in (base, moved, slow):
        process.wait_until_ready()

    def recent(process, symbol="ETHBTC"):
        query = {"symbol": symbol, "interval": "1h", "endTime": end, "limit": 5}
        return requests.get(f"{process.url}/klines", params=query, timeout=30).text

    assert len({recent(process) for process in (base, moved, slow)}) == 3


def test_sigterm_ends_it_at_once_with_exit_code_0_even_with_a_client_connected(run):
    process = run()
    process.wait_until_ready()
    with requests.Session() as session:
        session.get(f"{process.url}/time", timeout=30)
        started = time.monotonic()
        assert process.terminate() == 0
        assert time.monotonic() - started < 10
    lines = [json.loads(line) for line in process.log.read_text().splitlines()]
    assert [line["message"] for line in lines] == ["replaying", "stopped"]
    assert {(line["service"], line["level"], line["time"][-6:]) for line in lines} == {("exchange-replay", "info", "+00:00")}
    assert lines[0]["filled"] == {"ADABTC": 40} and lines[0]["interval"] == "5m" and lines[0]["loop_hours"] == 480


def test_the_health_command_tells_whether_the_server_answers(run):
    process = run()
    process.wait_until_ready()

    def health():
        command = [sys.executable, "-m", "exchange_replay.health"]
        return subprocess.run(command, check=False, env=process.environment, capture_output=True, text=True, timeout=60)

    assert health().returncode == 0
    process.terminate()
    dead = health()
    assert dead.returncode == 1 and "no answer from the server" in dead.stdout


@pytest.mark.parametrize(
    "settings, messages",
    [
        ({"REPLAY_SPEED": "4"}, ["REPLAY_SPEED=4: 5m candles can be shown at speed 1 (as 5m), 5 (as 1m); use one of these"]),
        (
            {"REPLAY_SPEED": "fast", "REPLAY_PORT": "0", "REPLAY_SPED": "5"},
            [
                "REPLAY_SPED is not a setting: use REPLAY_DATA, ",
                "REPLAY_SPEED='fast': use a whole number from 1",
                "REPLAY_PORT='0': use a whole",
            ],
        ),
        ({"REPLAY_EPOCH": str(DEFAULT_EPOCH + 7)}, [f"REPLAY_EPOCH={DEFAULT_EPOCH + 7}: no 5m candle opens", f"such as {DEFAULT_EPOCH}"]),
        ({"REPLAY_DATA": "/nowhere"}, ["/nowhere is not a folder; set REPLAY_DATA"]),
    ],
)
def test_bad_settings_are_refused_in_one_line_that_names_them_all(run, settings, messages):
    said = refusal(run(**settings))
    assert all(message in said for message in messages)


def test_a_bad_file_is_refused_in_one_line(run, write):
    folder = write("ETH_BTC-5m.csv", "300000,2,1,1,3,10")
    assert refusal(run(REPLAY_DATA=str(folder))).startswith("ETH_BTC-5m.csv line 2: high=1 is below open, low or close; correct the row")


def test_a_port_in_use_is_refused_in_one_line(run):
    first = run()
    first.wait_until_ready()
    second = run(REPLAY_PORT=str(first.port))
    assert second.popen.wait(timeout=60) == 2
    last = json.loads(second.log.read_text().splitlines()[-1])["message"]
    assert f"REPLAY_PORT={first.port}: can't listen there" in last and last.endswith("choose a free port")

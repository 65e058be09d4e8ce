"""QuestDB in its container: bars in, bars of any interval out; kept over SIGKILL, one server a volume, a clean end, no way in without the password."""

import signal
import socket
import time

import pytest
import requests
from history import lines

from images.supervisor.tests.containers import wait_for

from .conftest import ENVIRONMENT, MEMORY, PASSWORD, ask, read, store, url, write
from .market import MINUTE, UNITS, minutes, resample

pytestmark = pytest.mark.docker

# A Sunday, so that weeks have an edge.
START = 1_767_225_600_000 + 3 * UNITS["d"]
NUMBER = 10_000
END = START + NUMBER * MINUTE


def near(found, expected):
    assert [bar[:5] for bar in found] == [bar[:5] for bar in expected]
    assert [bar.volume for bar in found] == pytest.approx([bar.volume for bar in expected])


def test_ten_thousand_bars_are_read_at_any_interval_and_written_twice_are_there_once(shared):
    given = minutes(START, NUMBER)
    for _ in range(2):
        store(shared, "BTC/USDT", "1m", given)
        store(shared, "ETH/USDT", "1m", minutes(START, 100, seed=2))
        wait_for("all are there", lambda: len(read(shared, "BTC/USDT", START, END, "1m")) >= len(given))
    assert read(shared, "BTC/USDT", START, END, "1m") == given
    for interval in ("5m", "15m", "1h", "4h", "1d", "1w"):
        near(read(shared, "BTC/USDT", START, END, interval), resample(given, interval))
    from_, until = START + UNITS["d"], START + 2 * UNITS["d"]
    near(read(shared, "BTC/USDT", from_, until, "1h"), resample([bar for bar in given if from_ <= bar.time < until], "1h"))
    assert read(shared, "nothing", START, END, "1h") == []


def test_a_bar_that_is_written_again_replaces_the_first(shared):
    (bar,) = minutes(START, 1, seed=3)
    store(shared, "AGAIN", "1m", [bar])
    changed = bar._replace(close=bar.close + 1)
    store(shared, "AGAIN", "1m", [changed])
    wait_for("replaced", lambda: read(shared, "AGAIN", START, END, "1m") == [changed])
    store(shared, "AGAIN", "1h", [bar])
    wait_for("beside it", lambda: read(shared, "AGAIN", START, END, "1h", "1h") == [bar])
    assert read(shared, "AGAIN", START, END, "1m") == [changed]


def test_symbols_with_every_sign_come_back(shared):
    symbol = "".join(chr(code) for code in range(33, 97))
    given = minutes(START, 3, seed=4)
    store(shared, symbol, "1m", given)
    wait_for("there", lambda: read(shared, symbol, START, END, "1m") == given)


def test_nothing_without_the_password(shared):
    body = lines("X", "1m", minutes(START, 1))
    assert requests.post(f"{url(shared)}/write", data=body, timeout=30).status_code == 401
    assert write(shared, body, "wrong-password-123").status_code == 401
    assert ask(shared, "SELECT 1", "wrong-password-123").status_code == 401
    for path in ("exec?query=SELECT%201", "exp?query=SELECT%201", "imp"):
        assert requests.get(f"{url(shared)}/{path}", timeout=30).status_code == 401
    assert requests.get(f"{url(shared, 9003)}/status", timeout=30).status_code == 200


def test_a_mistyped_name_is_an_error_and_makes_nothing(shared):
    answer = write(shared, f"barz,symbol=A,interval=1m open=1 {START}")
    assert answer.status_code == 400 and "barz" in answer.text
    answer = write(shared, f"bars,symbol=A,interval=1m opne=1 {START}")
    assert answer.status_code == 400 and "opne" in answer.text
    assert ask(shared, "SELECT table_name FROM tables()").json()["dataset"] == [["bars"]]


def test_only_the_two_http_ports_answer(shared):
    address = next(iter(shared.container.attrs["NetworkSettings"]["Networks"].values()))["IPAddress"]
    for port in (8812, 9009):
        with pytest.raises(OSError):
            socket.create_connection((address, port), 3)


def test_everything_acknowledged_is_there_after_sigkill(place):
    server = place.make(ENVIRONMENT, memory=MEMORY).start()
    given = minutes(START, 3000)
    for first in range(0, len(given), 500):
        store(server, "KILLED", "1m", given[first : first + 500])
    server.kill()
    server.start()
    wait_for("all are there", lambda: read(server, "KILLED", START, END, "1m") == given)
    assert server.stop() == 0
    said = server.lines()
    assert {line["service"] for line in said} == {"questdb"} and said[-1]["message"] == "stopped"
    assert PASSWORD not in server.text()
    server.start()
    assert read(server, "KILLED", START, END, "1m") == given


def test_retention_follows_the_settings(place):
    server = place.make(ENVIRONMENT, memory=MEMORY).start()
    now = int(time.time() * 1000) // MINUTE * MINUTE
    old, new = minutes(now - 40 * UNITS["d"], 10), minutes(now - 20 * MINUTE, 10)
    store(server, "TTL", "1m", old + new)
    wait_for("all are there", lambda: len(read(server, "TTL", 0, now, "1m")) == len(old + new))
    assert server.stop() == 0
    changed = place.make({**ENVIRONMENT, "HISTORY_RETENTION_DAYS": "14"}, volume=server.volume, memory=MEMORY).start()
    kept = "SELECT ttlValue, ttlUnit FROM tables() WHERE table_name = 'bars'"
    wait_for("it has changed", lambda: ask(changed, kept).json()["dataset"] == [[2, "WEEK"]])
    store(changed, "TTL", "1m", new)
    wait_for("the old ones are gone", lambda: read(changed, "TTL", 0, now, "1m") == new)


def test_a_second_server_on_the_volume_ends_with_one_sentence(place):
    first = place.make(ENVIRONMENT, memory=MEMORY).start()
    second = place.make(ENVIRONMENT, volume=first.volume, memory=MEMORY).start(ready=False)
    assert second.code() == 75
    assert "another server has this volume" in second.lines()[-1]["message"]
    assert first.healthy()


def test_bad_settings_are_refused_all_at_once(place):
    server = place.make({"HISTORY_RETENTION_DAYS": "1", "QDB_HTTP_USER": "x"}).start(ready=False)
    assert server.code() == 78
    (line,) = server.lines()
    for words in ("QDB_HTTP_USER is not a setting", "HISTORY_RETENTION_DAYS=1: use a whole number from 7", "HISTORY_PASSWORD is not set"):
        assert words in line["message"]


def test_the_password_follows_the_settings_and_the_health_command_wants_it(place):
    server = place.make(ENVIRONMENT, memory=MEMORY).start()
    commands = [" ".join(process) for process in server.container.top()["Processes"]]
    assert any("ServerMain" in command for command in commands) and not any(PASSWORD in command for command in commands)
    server.kill()
    other = place.make({**ENVIRONMENT, "HISTORY_PASSWORD": "another-password-123"}, volume=server.volume, memory=MEMORY).start()
    assert ask(other, "SELECT 1").status_code == 401
    wrong = other.container.exec_run(["python3", "-m", "questdb_store.health"], environment={"HISTORY_PASSWORD": "x"})
    assert wrong.exit_code == 1 and b"401" in wrong.output
    other.signal("java", signal.SIGSTOP)
    assert other.health() == (1, "no answer: timed out\n")


def test_a_copy_of_a_stopped_servers_volume_shows_the_same(place):
    server = place.make(ENVIRONMENT, memory=MEMORY).start()
    given = minutes(START, 2000)
    store(server, "COPIED", "1m", given)
    wait_for("all are there", lambda: read(server, "COPIED", START, END, "1m") == given)
    assert server.stop() == 0
    copy = place.make(ENVIRONMENT, volume=place.copy(server.volume), memory=MEMORY).start()
    assert read(copy, "COPIED", START, END, "1m") == given

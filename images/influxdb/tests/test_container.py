"""InfluxDB in its container: three users, retention, passwords that follow the settings; kept over SIGKILL, one server a volume, a clean end."""

import signal
import socket
import threading
import time

import docker
import pytest
import requests

from images.supervisor.tests.containers import wait_for

from .conftest import ADMIN, ENVIRONMENT, READER, WRITER, ask, rows, url, write

pytestmark = pytest.mark.docker

DAY = 86_400 * 10**9


def test_the_writer_writes_the_reader_reads_and_nobody_else_does_anything(shared):
    now = time.time_ns()
    assert write(shared, f'bot,bot=a profit=1.5,open_trades=2i,state="running" {now}').status_code == 204
    assert rows(shared, "SELECT profit, open_trades, state FROM bot") == [[rows(shared, "SELECT profit FROM bot")[0][0], 1.5, 2, "running"]]
    assert write(shared, "bot profit=1", READER, "reader").status_code == 403
    assert write(shared, "bot profit=1", "wrong-password-123").status_code == 401
    assert write(shared, "bot profit=1", bucket="other").status_code in (403, 404)
    assert ask(shared, "SELECT * FROM bot", "writer", WRITER).status_code == 403
    assert ask(shared, "DROP MEASUREMENT bot").status_code == 403
    assert ask(shared, "SELECT * FROM bot", "reader", "wrong-password-123").status_code == 401
    assert requests.post(f"{url(shared)}/query", data={"q": "SHOW DATABASES"}, timeout=20).status_code == 401
    for path in ("vars", "requests", "pprof/all"):
        assert requests.get(f"{url(shared)}/debug/{path}", timeout=20).status_code == 401
        assert requests.get(f"{url(shared)}/debug/{path}", auth=("reader", READER), timeout=20).status_code == 403
    assert dict(rows(shared, "SHOW USERS", user="admin", password=ADMIN)) == {"admin": True, "reader": False, "writer": False}


def test_flux_answers_the_reader(shared):
    write(shared, f"flux,bot=a profit=2 {time.time_ns()}")
    flux = 'from(bucket: "tradestack/autogen") |> range(start: -1h) |> filter(fn: (r) => r._measurement == "flux")'
    headers = {"Authorization": f"Token reader:{READER}", "Content-Type": "application/vnd.flux", "Accept": "application/csv"}
    answer = requests.post(f"{url(shared)}/api/v2/query", data=flux, headers=headers, timeout=30)
    assert answer.status_code == 200 and ",flux,a" in answer.text


def test_only_the_http_port_answers_from_outside(shared):
    address = shared.container.attrs["NetworkSettings"]["Networks"].popitem()[1]["IPAddress"]
    with pytest.raises(OSError):
        socket.create_connection((address, 8088), 3)


def test_retention_is_as_set_and_follows_a_change(place):
    server = place.make(ENVIRONMENT).start()
    policies = "SHOW RETENTION POLICIES ON tradestack"
    assert rows(server, policies) == [["autogen", "2160h0m0s", "24h0m0s", 1, True]]
    now = time.time_ns()
    assert write(server, f"bot,bot=a profit=1 {now - 30 * DAY}").status_code == 204
    beyond = write(server, f"bot,bot=a profit=1 {now - 91 * DAY}")
    assert beyond.status_code in (400, 422) and "beyond retention policy" in beyond.text
    assert server.stop() == 0
    for days, policy in (("365", "8760h0m0s"), ("1", "24h0m0s")):
        changed = place.make({**ENVIRONMENT, "INFLUXDB_RETENTION_DAYS": days}, volume=server.volume).start()
        assert rows(changed, policies)[0][1] == policy
        assert rows(changed, "SELECT profit FROM bot")[0][1] == 1
        changed.kill()


def test_passwords_follow_the_settings(place):
    first = place.make(ENVIRONMENT).start()
    write(first, f"bot,bot=a profit=1 {time.time_ns()}")
    first.kill()
    new = {f"INFLUXDB_{user}_PASSWORD": f"another-password-{user}" for user in ("ADMIN", "WRITE", "READ")}
    second = place.make({**ENVIRONMENT, **new}, volume=first.volume).start()
    assert write(second, "bot profit=1").status_code == 401
    assert ask(second, "SHOW USERS", "admin", ADMIN).status_code == 401
    assert write(second, f"bot,bot=a profit=2 {time.time_ns()}", "another-password-WRITE").status_code == 204
    answer = rows(second, "SELECT profit FROM bot", password="another-password-READ")
    assert [row[1] for row in answer] == [1, 2]
    assert not any(word in second.text() for word in (*new.values(), ADMIN, WRITER, READER))


def test_nobody_gets_in_while_it_is_set_up(place):
    server = place.make(ENVIRONMENT)
    answers = []
    ended = threading.Event()

    def try_to_get_in():
        while not ended.is_set():
            try:
                address = url(server)
                statement = {"q": "CREATE USER thief WITH PASSWORD 'thief-password-1' WITH ALL PRIVILEGES"}
                answers.append(requests.post(f"{address}/query", data=statement, timeout=2).status_code)
            except (requests.RequestException, docker.errors.APIError, KeyError, IndexError, TypeError):
                time.sleep(0.01)

    thief = threading.Thread(target=try_to_get_in, daemon=True)
    thief.start()
    try:
        server.start()
    finally:
        ended.set()
    thief.join()
    assert set(answers) <= {401}
    assert "thief" not in str(rows(server, "SHOW USERS", user="admin", password=ADMIN))


def test_everything_acknowledged_is_there_after_sigkill(place):
    server = place.make(ENVIRONMENT).start()
    now = time.time_ns()
    for number in range(50):
        assert write(server, "\n".join(f"bot,bot=b{n} profit={number} {now + number}" for n in range(20))).status_code == 204
    server.kill()
    server.start()
    assert rows(server, "SELECT count(profit) FROM bot")[0][1] == 1000
    assert server.stop() == 0
    said = server.lines()
    assert {line["service"] for line in said} == {"influxdb"} and said[-1]["message"] == "stopped"
    assert not any(word in server.text() for word in (ADMIN, WRITER, READER))


def test_a_second_server_on_the_volume_ends_with_one_sentence(place):
    first = place.make(ENVIRONMENT).start()
    second = place.make(ENVIRONMENT, volume=first.volume).start(ready=False)
    assert second.code() == 75
    assert "another server has this volume" in second.lines()[-1]["message"]
    assert first.healthy()


def test_bad_settings_are_refused_all_at_once(place):
    wrong = {
        "INFLUXDB_ADMIN_PASSWORD": "x",
        "INFLUXDB_RETENTION_DAYS": "0",
        "INFLUXDB_DATABASE": "a b",
        "INFLUXDB_HTTP_AUTH_ENABLED": "false",
    }
    server = place.make(wrong).start(ready=False)
    assert server.code() == 78
    (line,) = server.lines()
    for words in (
        "INFLUXDB_HTTP_AUTH_ENABLED is not a setting",
        "INFLUXDB_DATABASE='a b': use",
        "INFLUXDB_RETENTION_DAYS=0: use a whole number from 1",
        "INFLUXDB_ADMIN_PASSWORD (secret, 1 characters)",
        "INFLUXDB_WRITE_PASSWORD is not set",
        "INFLUXDB_READ_PASSWORD is not set",
    ):
        assert words in line["message"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_set_up_that_is_cut_off_anywhere_is_finished_at_the_next_start(place, end):
    server = place.make(ENVIRONMENT)
    for moment in range(12):
        begun = len(server.text())
        server.start(ready=False)
        wait_for("it begins", lambda begun=begun: "starting" in server.text()[begun:])
        time.sleep(moment * 0.04)  # a different moment each time
        if end == "kill":
            server.kill()
        else:
            assert server.stop() == 0
    server.start()
    assert write(server, f"bot,bot=a profit=1 {time.time_ns()}").status_code == 204
    assert rows(server, "SELECT profit FROM bot")[0][1] == 1
    assert dict(rows(server, "SHOW USERS", user="admin", password=ADMIN)) == {"admin": True, "reader": False, "writer": False}


def test_the_health_command_wants_an_answer(place):
    server = place.make(ENVIRONMENT).start()
    server.signal("influxd", signal.SIGSTOP)
    assert server.health() == (1, "no answer: timed out\n")
    server.signal("influxd", signal.SIGCONT)
    wait_for("healthy again", server.healthy)
    wrong = server.container.exec_run(["python3", "-m", "influxdb_store.health"], environment={"INFLUXDB_READ_PASSWORD": "x"})
    assert wrong.exit_code == 1 and b"401" in wrong.output


def test_a_copy_of_a_stopped_servers_volume_shows_the_same(place):
    server = place.make(ENVIRONMENT).start()
    now = time.time_ns()
    write(server, "\n".join(f"bot,bot=b{n % 7} profit={n} {now + n}" for n in range(500)))
    before = rows(server, "SELECT * FROM bot")
    assert server.stop() == 0 and len(before) == 500
    copy = place.make(ENVIRONMENT, volume=place.copy(server.volume)).start()
    assert rows(copy, "SELECT * FROM bot") == before

"""Redis in its container: nobody without the password, one server a volume, kept over SIGKILL, a clean end, no secret to be seen."""

import signal

import pytest
import redis

from images.supervisor.tests.containers import wait_for

from .conftest import ENVIRONMENT, PASSWORD, connect

pytestmark = pytest.mark.docker


def settled(client: redis.Redis) -> bool:
    """Has every answered change been handed to the operating system?"""
    return client.info("persistence")["aof_buffer_length"] == 0


def test_only_the_password_opens_it_and_nothing_shows_it(place):
    server = place.make(ENVIRONMENT).start()
    assert connect(server).ping()
    for wrong in ("", "another-password-0000"):
        with pytest.raises(redis.AuthenticationError):
            connect(server, wrong or None).get("x")
    assert server.stop() == 0
    inside = server.container.attrs["Config"]
    assert PASSWORD not in str(inside["Cmd"]) + str(inside["Entrypoint"]) + server.text()


def test_no_process_has_the_password_on_its_command_line(place):
    server = place.make(ENVIRONMENT).start()
    commands = [" ".join(process) for process in server.container.top()["Processes"]]
    assert any("redis-server" in command for command in commands) and not any(PASSWORD in command for command in commands)
    files = (
        "import pathlib, sys; print(any(sys.argv[1].encode() in f.read_bytes() for f in pathlib.Path('/data').rglob('*') if f.is_file()))"
    )
    assert server.run("python3", "-c", files, PASSWORD).strip() == "False"


@pytest.mark.parametrize(
    "command",
    ["CONFIG GET maxmemory", "CONFIG SET maxmemory 1", "DEBUG SLEEP 1", "FLUSHALL", "FLUSHDB", "SHUTDOWN", "KEYS *", "MONITOR", "SAVE",
     "ACL LIST", "MODULE LIST", "REPLICAOF 127.0.0.1 1", "CLIENT KILL TYPE normal", "CLIENT PAUSE 1000", "MIGRATE a 1 x 0 1"],
)  # fmt: skip
def test_what_could_stop_or_change_the_server_is_denied(shared, command):
    with pytest.raises(redis.ResponseError, match="no permissions|DEBUG command not allowed"):
        connect(shared).execute_command(*command.split())


def test_what_clients_use_is_allowed(shared):
    client = connect(shared)
    assert client.info("memory")["maxmemory"] == 64 << 20
    assert client.client_id() and client.client_setname("board")
    client.set("a", 1, ex=60)
    client.sadd("members", "x", "y")
    assert client.smembers("members") == {"x", "y"}
    assert set(client.scan_iter("*")) == {"a", "members"}
    client.xadd("stream", {"n": 1})
    with client.pipeline(transaction=True) as pipe:
        assert pipe.incr("a").expire("a", 5).execute() == [2, True]
    assert client.eval("return redis.call('GET', KEYS[1])", 1, "a") == "2"
    assert client.lock("lock", timeout=5).acquire(blocking=False)


def test_everything_acknowledged_is_there_after_sigkill(place):
    server = place.make(ENVIRONMENT).start()
    client = connect(server)
    for number in range(500):
        client.sadd("members", number)
    client.publish("channel", "x")
    wait_for("handed over", lambda: settled(client))
    server.kill()
    client = connect(server.start())
    assert client.smembers("members") == {str(number) for number in range(500)}


def test_sigterm_ends_it_with_0_and_the_last_words_in_the_log(place):
    server = place.make(ENVIRONMENT).start()
    connect(server).set("a", "kept")
    assert server.stop() == 0
    said = server.messages()
    assert "ready to exit" in said and said.endswith("stopped")
    assert {line["service"] for line in server.lines()} == {"redis"}
    assert connect(server.start()).get("a") == "kept"


def test_a_second_server_on_the_volume_ends_with_one_sentence(place):
    first = place.make(ENVIRONMENT).start()
    second = place.make(ENVIRONMENT, volume=first.volume).start(ready=False)
    assert second.code(60) == 75
    last = second.lines()[-1]
    assert last["level"] == "critical" and "another server has this volume" in last["message"]
    connect(first).set("a", 1)
    first.kill()
    assert connect(place.make(ENVIRONMENT, volume=first.volume).start()).get("a") == "1"


def test_a_second_server_waits_for_one_that_is_ending(place):
    first = place.make(ENVIRONMENT).start()
    second = place.make(ENVIRONMENT, volume=first.volume).start(ready=False)
    wait_for("the second waits", lambda: "starting" in second.text())
    first.kill()
    wait_for("it has the volume", second.healthy)


def test_bad_settings_are_refused_all_at_once(place):
    server = place.make({"REDIS_MAX_MEMORY_MB": "500", "REDIS_PASSWORD": "short secret", "REDIS_SAVE": ""}).start(ready=False)
    assert server.code() == 78
    (line,) = server.lines()
    assert "REDIS_MAX_MEMORY_MB=500: use a whole number from 16 to 384" in line["message"]
    assert "REDIS_PASSWORD (secret, 12 characters)" in line["message"] and "short secret" not in server.text()
    assert "REDIS_SAVE is not a setting" in line["message"]


def test_a_volume_that_cannot_be_written_is_one_sentence(place):
    server = place.make(ENVIRONMENT, volume=place.volume())
    place.as_root("touch /data/x && chown -R 0:0 /data", {server.volume: {"bind": "/data", "mode": "rw"}})
    assert server.start(ready=False).code() == 1
    assert "mount a volume there that uid 1000 may write" in server.lines()[-1]["message"]


def test_the_health_command_wants_the_password_and_an_answer(place):
    server = place.make(ENVIRONMENT).start()
    wrong = server.container.exec_run(["python3", "-m", "redis_store.health"], environment={"REDIS_PASSWORD": "x"})
    assert wrong.exit_code == 1 and b"WRONGPASS" in wrong.output
    server.signal("redis-server", signal.SIGSTOP)
    assert server.health() == (1, "no answer: timed out\n")


def test_a_copy_of_a_stopped_servers_volume_shows_the_same(place):
    server = place.make(ENVIRONMENT).start()
    client = connect(server)
    client.hset("state", mapping={"a": 1, "b": 2})
    client.set("expires", 1, ex=3600)
    assert server.stop() == 0
    copy = place.make(ENVIRONMENT, volume=place.copy(server.volume)).start()
    assert connect(copy).hgetall("state") == {"a": "1", "b": "2"}
    assert connect(copy).ttl("expires") > 3000

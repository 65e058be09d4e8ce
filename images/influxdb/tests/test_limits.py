"""Memory and disk have bounds: what is refused, in which words, and that it goes on afterwards."""

import secrets
import time

import pytest

from images.supervisor.tests.containers import wait_for

from .conftest import ENVIRONMENT, PLACE, rows, write

pytestmark = pytest.mark.docker

MEMORY = 256


def test_a_writer_that_makes_up_bots_is_refused_and_the_others_go_on(place):
    server = place.make(ENVIRONMENT, memory=MEMORY).start()
    now = time.time_ns()
    refused = []
    for batch in range(40):
        answer = write(server, "\n".join(f"bot,bot=a{batch},run={batch * 1000 + n} profit=1 {now}" for n in range(1000)))
        if answer.status_code != 204:
            refused.append(answer)
    assert refused and all(answer.status_code in (400, 422) for answer in refused)
    assert "max-values-per-tag limit exceeded" in refused[0].text
    for batch in range(40):
        answer = write(server, "\n".join(f"bot,x={n % 97},y={batch},z={n % 89} profit=1 {now}" for n in range(2000)))
    assert "max-series-per-database limit exceeded" in answer.text
    assert write(server, f"bot,bot=a0,run=0 profit=2 {now + 1}").status_code == 204
    assert server.memory() < MEMORY * 0.8 * 2**20
    server.kill()
    server.start()
    assert server.memory() < MEMORY * 0.8 * 2**20


def test_a_body_that_is_too_large_is_refused(shared):
    assert write(shared, "x" * 5_000_000).status_code == 413


def test_times_of_a_clock_that_jumped_are_taken_or_refused_in_words(shared):
    year = 365 * 86_400 * 10**9
    assert write(shared, f"clock,bot=a x=1 {time.time_ns() + 10 * year}").status_code == 204
    old = write(shared, f"clock,bot=a x=1 {time.time_ns() - 50 * year}")
    assert old.status_code in (400, 422) and "beyond retention policy" in old.text
    assert "unable to parse" in write(shared, "clock,bot=a x=1 123456789012345678901234").text
    assert shared.healthy()


def test_a_full_disk_is_an_error_for_the_writer_and_a_restart_serves_what_is_there(place):
    server = place.make(ENVIRONMENT, volume=place.volume("20m"), memory=MEMORY).start()
    now = time.time_ns()
    written = []

    def full():
        number = len(written)
        noise = "\n".join(f'bot,bot=b{n} text="{secrets.token_hex(150)}" {now + number * 1000 + n}' for n in range(1000))
        answer = write(server, noise)
        if answer.status_code == 204:
            written.append(number)
        # A tuple: a response that says error counts as false.
        return (answer,) if answer.status_code != 204 else None

    (refused,) = wait_for("the disk is full", full, 300)
    assert refused.status_code in (400, 500, 503) and "no space left" in refused.text, refused.text
    assert server.healthy()
    before = rows(server, "SELECT count(text) FROM bot")
    assert before[0][1] >= 1000 * len(written)
    server.kill()
    server.start()
    assert rows(server, "SELECT count(text) FROM bot")[0][1] >= 1000 * len(written)
    assert server.stop() == 0
    server.start()
    assert rows(server, "SELECT count(text) FROM bot")[0][1] >= 1000 * len(written)


def test_a_disk_that_has_room_again_is_written_to_after_one_start(place):
    server = place.make(ENVIRONMENT, volume=place.volume("20m"), memory=MEMORY).start()
    ballast = f"{PLACE[2]}/ballast"
    now = time.time_ns()
    assert write(server, f'bot,bot=a x=1,text="" {now}').status_code == 204
    server.run("sh", "-c", f"cat /dev/zero > {ballast} 2>/dev/null || true")

    # Of a series that is known: the log of writes fails, not the index.
    def full():
        noise = "\n".join(f'bot,bot=a text="{secrets.token_hex(150)}" {now + 1000 + n}' for n in range(1000))
        return "no space left" in write(server, noise).text

    wait_for("the disk is full", full, 120)
    server.run("rm", ballast)
    assert "no space left" in write(server, f"bot,bot=a x=2 {now + 1}").text, "it goes on by itself: the watch is needless"
    assert server.code(180) == 1
    assert "has room again" in server.messages()
    server.start()
    assert write(server, f"bot,bot=a x=2 {now + 1}").status_code == 204
    assert rows(server, "SELECT x FROM bot WHERE bot = 'a'")[-1][1] == 2


def test_many_points_in_many_shards_stay_within_the_memory(place):
    server = place.make(ENVIRONMENT, memory=MEMORY).start()
    day = 86_400 * 10**9
    now = time.time_ns()
    for back in range(60):
        for part in range(2):
            lines = "\n".join(
                f"bar,symbol=s{n % 20} close={n},volume={n * 3} {now - back * day - part * 10**10 - n * 10**6}" for n in range(3000)
            )
            assert write(server, lines).status_code == 204
    assert rows(server, "SELECT count(close) FROM bar")[0][1] == 60 * 6000
    assert len(rows(server, "SELECT mean(close) FROM bar WHERE time > now() - 61d GROUP BY time(1h) FILL(none)")) > 50
    assert server.healthy()

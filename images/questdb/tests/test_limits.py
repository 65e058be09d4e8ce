"""Memory and disk have bounds: much data in a small container, a full disk, a body that is too large; and it goes on afterwards."""

import pytest

from images.supervisor.tests.containers import wait_for

from .conftest import ENVIRONMENT, ask, lines, read, store, write
from .market import MINUTE, UNITS, minutes, resample
from .test_container import START, near

pytestmark = pytest.mark.docker

MEMORY = 512


def test_a_year_of_many_symbols_in_a_small_container(place):
    server = place.make(ENVIRONMENT, memory=MEMORY).start()
    given = minutes(START - 365 * UNITS["d"], 50_000)
    for symbol in range(10):
        store(server, f"S{symbol}", "1m", given)
    counted = "SELECT count() FROM bars"
    wait_for("all are there", lambda: ask(server, counted).json()["dataset"] == [[10 * len(given)]])
    end = given[-1].time + MINUTE
    for symbol in range(10):
        near(read(server, f"S{symbol}", given[0].time, end, "1h"), resample(given, "1h"))
    assert len(read(server, "S3", given[0].time, end, "1m")) == len(given)
    assert server.memory() < MEMORY << 20
    server.kill()
    server.start()
    assert ask(server, counted).json()["dataset"] == [[10 * len(given)]]


def test_a_large_body_is_taken_piece_by_piece(shared):
    given = minutes(START, 2000)
    before = shared.memory()
    assert write(shared, lines("LARGE", "1m", given) * 200).status_code == 204
    wait_for("all are there, once", lambda: read(shared, "LARGE", 0, START * 2, "1m") == given)
    assert shared.memory() < before + (100 << 20)


def test_a_full_disk_is_an_error_for_the_writer_and_a_restart_serves_what_is_there(place):
    server = place.make(ENVIRONMENT, volume=place.volume("100m"), memory=MEMORY).start()
    written = []

    def full():
        number = len(written)
        given = minutes(START + number * 7 * UNITS["d"], 2000, seed=number)
        answer = write(server, lines(f"S{number}", "1m", given))
        if answer.status_code != 204:
            return (answer,)  # a response that says error counts as false
        written.append((f"S{number}", given))
        return None

    (refused,) = wait_for("the disk is full", full, 300)
    assert refused.status_code == 500 and "No space left" in refused.text
    symbol, given = written[0]
    assert server.healthy() and read(server, symbol, 0, START * 2, "1m") == given
    for seed in range(100):
        write(server, lines("MORE", "1m", minutes(START, 2000, seed)))
    # To the last byte: QuestDB itself may leave some.
    server.run("sh", "-c", "dd if=/dev/zero of=/var/lib/questdb/ballast bs=4096 || true")
    server.kill()
    for _ in range(2):
        server.start()
        assert read(server, symbol, 0, START * 2, "1m") == given
        assert server.stop() == 0


def test_after_a_full_disk_it_goes_on_by_itself(place):
    server = place.make(ENVIRONMENT, volume=place.volume("100m"), memory=MEMORY).start()
    server.run("sh", "-c", "dd if=/dev/zero of=/var/lib/questdb/ballast bs=1M count=200 || truncate -s -300K /var/lib/questdb/ballast")
    given = minutes(START, 4000)

    def refused():
        return write(server, lines("LATER", "1m", given)).status_code != 204

    wait_for("it is refused", refused)
    server.run("rm", "/var/lib/questdb/ballast")
    wait_for("it is taken", lambda: write(server, lines("LATER", "1m", given)).status_code == 204)
    wait_for("it is shown", lambda: read(server, "LATER", 0, START * 2, "1m") == given)

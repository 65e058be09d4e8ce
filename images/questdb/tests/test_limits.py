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


def test_a_body_that_is_too_large_is_refused(shared):
    given = minutes(START, 1000)
    answer = write(shared, lines("LARGE", "1m", given) * 400)
    assert answer.status_code in (400, 413), answer.text
    assert shared.healthy() and read(shared, "LARGE", 0, START * 2, "1m") == []


def test_a_full_disk_is_an_error_for_the_writer_and_a_restart_serves_what_is_there(place):
    server = place.make(ENVIRONMENT, volume=place.volume("100m"), memory=MEMORY).start()
    written = []

    def full():
        number = len(written)
        given = minutes(START + number * 7 * UNITS["d"], 2000, seed=number)
        answer = write(server, lines(f"S{number}", "1m", given))
        if answer.status_code != 204:
            return answer
        written.append((f"S{number}", given))
        return None

    refused = wait_for("the disk is full", full)
    assert refused.status_code in (400, 500), refused.text
    assert server.healthy()
    symbol, given = written[0]
    assert read(server, symbol, 0, START * 2, "1m") == given
    assert server.stop() == 0
    server.start()
    assert read(server, symbol, 0, START * 2, "1m") == given

"""However many bots are in trouble and however often they are asked: one line a kind and minute."""

import logging

import pytest
from bot_metrics.troubles import NO_ANSWER, NO_NAME, REFUSED, Troubles


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    # Only ours: threads of other tests may still be talking.
    told = [record.getMessage() for record in caplog.records if record.name.startswith("bot_metrics")]
    caplog.clear()
    return told


def test_one_line_a_minute_for_all_bots_that_dns_does_not_know(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    troubles, told = Troubles(clock), []
    for second in range(121):
        clock.now = float(second)
        for number in range(200):
            troubles.note(f"bot-{number:03}", NO_NAME, f"http://bot-{number:03}:8080")
        troubles.tell()
        told += lines(caplog)
    assert len(told) == 3, "at 0, 60 and 120 s"
    assert "bot-000, bot-001" in told[0] and "and 180 more" in told[0] and "http://bot-000:8080" in told[0]
    assert "name" in told[0], "the fix"


def test_each_kind_has_a_line_of_its_own(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    troubles = Troubles(clock)
    troubles.note("a", NO_NAME, "http://a:8080")
    troubles.note("b", REFUSED, "http://b:8080: 401")
    troubles.tell()
    assert [(record.levelno, record.kind, record.bots) for record in caplog.records] == [
        (logging.WARNING, "no_dns_name", 1),
        (logging.ERROR, "wrong_password", 1),
    ]
    assert "api_password" in caplog.records[1].getMessage()


def test_a_bot_that_answers_again_is_told_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    troubles = Troubles(clock)
    troubles.note("a", NO_ANSWER, "http://a:8080: refused")
    troubles.tell()
    assert len(lines(caplog)) == 1
    troubles.fine("a")
    troubles.tell()
    assert lines(caplog) == ["bots that answer again: a"]
    clock.now = 100
    troubles.tell()
    assert lines(caplog) == []


def test_a_bot_that_comes_and_goes_makes_no_more_lines(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    troubles = Troubles(clock)
    for second in range(60):
        clock.now = float(second)
        troubles.note("a", NO_ANSWER, "refused") if second % 2 else troubles.fine("a")
        troubles.tell()
    assert len(lines(caplog)) == 2, "that it doesn't answer, and that it does again"

"""What `make chaos-alerts` counts: a lost, a doubled and a misplaced order are each seen."""

from types import SimpleNamespace

import pytest

from tools.chaos.alert_tally import tally
from tools.chaos.kill import kill_container

ACCEPTED = {"AAPL": ["a1", "a2", "a3"], "MSFT": ["m1"]}
ORDERS = [("AAPL", "macd-5-a1-enter"), ("MSFT", "macd-5-m1-enter"), ("AAPL", "macd-5-a2-enter"), ("AAPL", "macd-5-a3-enter")]


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        (ORDERS, (4, 4, 0, 0, 0)),
        (ORDERS[1:], (4, 3, 0, 1, 0)),
        ([*ORDERS, ORDERS[0]], (4, 3, 1, 0, 0)),
        ([ORDERS[1], ORDERS[2], ORDERS[0], ORDERS[3]], (4, 4, 0, 0, 1)),
        ([*ORDERS, ("AAPL", "macd-5-never-answered-enter")], (4, 4, 0, 0, 0)),
        ([*ORDERS, ("AAPL", "macd-5-unknown-enter"), ("AAPL", "macd-5-unknown-enter")], (4, 4, 1, 0, 0)),
        ([], (4, 0, 0, 4, 0)),
    ],
    ids=["good", "lost", "doubled", "misplaced", "ordered though unanswered", "unanswered, doubled", "all lost"],
)
def test_counts(orders: list[tuple[str, str]], expected: tuple[int, ...]) -> None:
    found = tally(5, ACCEPTED, orders)
    assert (found.accepted, found.ordered, found.duplicated, found.lost, found.out_of_order) == expected
    assert found.good == (expected[2:] == (0, 0, 0))
    assert found.line(7, 42).endswith("faults=7 seed=42")


@pytest.mark.parametrize(("sent", "good"), [(8, True), (9, False), (2000, False)])
def test_a_run_that_accepted_little_is_not_good(sent: int, good: bool) -> None:
    assert tally(sent, ACCEPTED, ORDERS).good is good
    assert not tally(sent, {}, []).good


def test_a_container_without_a_process_is_not_killed() -> None:
    """Docker says process 0, and a signal to that goes to our own process group."""
    stopped = SimpleNamespace(reload=lambda: None, attrs={"State": {"Pid": 0}}, name="queue")
    with pytest.raises(ProcessLookupError, match="queue is not running"):
        kill_container(stopped)

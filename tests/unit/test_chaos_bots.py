"""What chaos runs read while things move: a trade that closes between two questions is there, a killed container counts as back when it is."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import docker
import pytest
import requests

from tools.chaos import alerts, data_faults
from tools.chaos.bots import compare, known
from tools.chaos.data_faults import BotWatch, take_away
from tools.stack.bots import BotApi
from tools.stack.engine import StackError

CREDENTIALS = {"apiUsername": "trader", "apiPassword": "x"}


class Freqtrade:
    """`GET trades` has the closed trades alone, a page at a time; `GET status` the open ones. `between` runs after each question."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, trades: int, page: int = 500) -> None:
        self.trades = {number: trade(number) for number in range(1, trades + 1)}
        self.page, self.asked = page, 0
        self.between: Callable[[int], None] = lambda asked: None
        monkeypatch.setattr(BotApi, "get", lambda _, path, **parameters: self.get(path, **parameters))
        self.api = BotApi("http://127.0.0.1:1", CREDENTIALS)

    def close(self, number: int) -> None:
        self.trades[number] = trade(number, is_open=False)

    def get(self, path: str, limit: int = 0, offset: int = 0) -> Any:
        found = [one for one in self.trades.values() if one["is_open"] == (path == "status")]
        self.asked += 1
        self.between(self.asked)
        if path == "status":
            return found
        return {"trades": found[offset : offset + min(limit, self.page)], "total_trades": len(found)}


def trade(number: int, is_open: bool = True) -> dict[str, Any]:
    orders = [{"order_id": f"buy-{number}", "status": "closed"}]
    orders += [] if is_open else [{"order_id": f"sell-{number}", "status": "closed"}]
    return {"trade_id": number, "pair": "ETH/BTC", "open_timestamp": number, "is_open": is_open, "orders": orders}


def test_a_trade_that_closes_while_trades_are_read_is_there_and_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = Freqtrade(monkeypatch, trades=3)
    bot.close(1)
    before = bot.api.all_trades()
    bot.asked, bot.between = 0, lambda asked: bot.close(2) if asked == 1 else None
    after = bot.api.all_trades()
    assert [(one["trade_id"], one["is_open"]) for one in after] == [(1, False), (2, False), (3, True)]
    assert compare(known(before), known(after)) == (0, 0)


def test_a_trade_that_closes_between_two_pages_is_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = Freqtrade(monkeypatch, trades=6, page=2)
    for number in (2, 3, 4, 5):
        bot.close(number)
    # An older one than those on the first page: all others move on by one.
    bot.between = lambda asked: bot.close(1) if asked == 2 else None
    assert [one["trade_id"] for one in bot.api.all_trades()] == [1, 2, 3, 4, 5, 6]


def test_a_trade_that_is_gone_stays_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = Freqtrade(monkeypatch, trades=3)
    bot.close(1)
    before = known(bot.api.all_trades())
    del bot.trades[1], bot.trades[3]
    assert compare(before, known(bot.api.all_trades())) == (2, 0)


class Container:
    """What the engine says of it, one answer after the other; the last one stays."""

    def __init__(self, *states: dict[str, Any] | Exception, restarts: int = 0) -> None:
        self.states, self.attrs, self.labels = list(states), {"State": {}, "RestartCount": restarts}, {}
        self.reloads = 0

    @property
    def status(self) -> str:
        return self.attrs["State"]["Status"]

    def reload(self) -> None:
        self.reloads += 1
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        self.attrs["State"] = state


def state(started: str, health: str = "healthy") -> dict[str, Any]:
    return {"Status": "running", "Health": {"Status": health}, "StartedAt": started}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two looks."""
    clock = iter(range(10**6))
    monkeypatch.setattr(data_faults, "time", SimpleNamespace(sleep=lambda _: None, monotonic=lambda: next(clock), time=lambda: 1000.0))
    monkeypatch.setattr(data_faults, "kill_container", lambda _: None)


def test_a_killed_container_is_back_when_it_was_started_again(quick: None) -> None:
    busy = docker.errors.APIError("busy")
    # Docker takes a moment to notice the kill: until then it is healthy, as before.
    one = Container(state("first"), state("first"), state("first"), busy, state("second", "starting"), state("second"))
    take_away({"data-redis": one}, None, "kill")
    assert one.attrs["State"] == state("second")


def test_a_container_that_stays_away_is_named(quick: None) -> None:
    with pytest.raises(StackError, match="data-redis did not come back within 300 s after kill"):
        take_away({"data-redis": Container(state("first"))}, None, "kill")


class Watched:
    """A bot's API whose `health` gives the answers one after the other, and then ends the watch."""

    def __init__(self, stop: threading.Event, *answers: float | None | Exception) -> None:
        self.stop, self.answers = stop, list(answers)

    def get(self, path: str) -> dict[str, float | None]:
        answer = self.answers.pop(0)
        if not self.answers:
            self.stop.set()
        if isinstance(answer, Exception):
            raise answer
        return {"last_process_ts": answer}


@pytest.mark.parametrize(
    ("seconds", "answers", "stopped"),
    [
        (10.0, [990.0] * 9, set()),
        (10.0, [900.0] * 9, {"sample"}),
        (10.0, [None] * 9, {"sample"}),
        (10.0, [requests.ReadTimeout("slow")] * 9, {"sample"}),
        (10.0, [990.0] * 7 + [requests.ReadTimeout("slow")] * 3 + [990.0], set()),
        (25.0, [990.0, requests.ReadTimeout("slow"), requests.ReadTimeout("slow"), 990.0, 990.0], set()),
    ],
    ids=["loops", "stands still", "never looped", "silent", "silent for less", "two slow answers on a busy machine"],
)
def test_a_bot_that_stands_still_is_seen(monkeypatch: pytest.MonkeyPatch, seconds: float, answers: list[Any], stopped: set[str]) -> None:
    """`seconds`: between two looks at the clock."""
    clock = iter(number * seconds for number in range(10**6))
    monkeypatch.setattr(data_faults, "time", SimpleNamespace(monotonic=lambda: next(clock), time=lambda: 1000.0))
    stop = SimpleNamespace(over=False)
    stop.set = lambda: setattr(stop, "over", True)
    stop.wait = lambda _: stop.over
    watch = BotWatch({"sample": (Container(state("first")), Watched(stop, *answers))})
    watch.run(stop)
    assert watch.stopped == stopped


def test_a_busy_engine_is_no_bot_that_stopped_and_a_restart_is_one() -> None:
    watch = BotWatch({})
    one = Container(state("first"), requests.ReadTimeout("busy"), state("first"), {**state("first"), "Status": "restarting"})
    assert [watch._ended("sample", one) for _ in range(4)] == [False, False, False, True]
    one.attrs["RestartCount"], one.states = 1, [state("second")]
    assert watch._ended("sample", one)


class Queue:
    def __init__(self, *answers: tuple[int, bytes] | Exception) -> None:
        self.answers = list(answers)

    def exec_run(self, command: list[str]) -> tuple[int, bytes]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_queue_that_is_restarting_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**6))
    monkeypatch.setattr(alerts, "time", SimpleNamespace(sleep=lambda _: None, monotonic=lambda: next(clock)))
    restarting = docker.errors.APIError("container is restarting")
    assert alerts.queued(Queue(restarting, (1, b"refused"), (0, b"3\n")), "http://queue") == 3
    with pytest.raises(StackError, match="the queue does not answer: container is restarting"):
        alerts.queued(Queue(restarting), "http://queue")

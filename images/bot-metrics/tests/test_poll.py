"""A look at a bot, over HTTP: what is asked, what is written, and that no fault of one bot reaches another."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from bot_metrics import poll
from bot_metrics.points import Point
from bot_metrics.poll import BotPoller
from bot_metrics.troubles import Troubles
from botkit.freqtrade import Client
from fake_bots import PASSWORD, USER, FakeBot, listen

HOST = "127.0.0.1"


class Sink:
    def __init__(self) -> None:
        self.bots: list[Point] = []
        self.trades: list[Point] = []
        self.room = True

    def note(self, point: Point) -> None:
        self.bots.append(point)

    def note_trades(self, points: list[Point]) -> None:
        self.trades += points

    def has_room_for_trades(self) -> bool:
        return self.room

    def numbers(self) -> list[int]:
        return [point.fields["trade_id"] for point in self.trades]


class Seen(Troubles):
    def __init__(self) -> None:
        super().__init__(time.monotonic)
        self.kinds: dict[str, str] = {}

    def note(self, bot: str, kind: Any, detail: str) -> None:
        super().note(bot, kind, detail)
        self.kinds[bot] = f"{kind.name}: {detail}"

    def fine(self, bot: str) -> None:
        super().fine(bot)
        self.kinds.pop(bot, None)


class World:
    """One bot, its server and its poller."""

    def __init__(self, session: aiohttp.ClientSession, bot: FakeBot, port: int, **changes: Any) -> None:
        self.bot, self.sink, self.troubles = bot, Sink(), Seen()
        given = {"url": f"http://{HOST}:{port}", "username": USER, "password": PASSWORD, **changes}
        client = Client(**given, session=session)
        self.poller = BotPoller("sample", client, self.sink, self.troubles, asyncio.Semaphore(1), trades_days=30)

    async def look(self, seconds: float = poll.LOOK_SECONDS) -> dict[str, Any]:
        """Fields of the point that the look has written."""
        before = len(self.sink.bots)
        await self.poller.look(seconds)
        (point,) = self.sink.bots[before:]
        return dict(point.fields)


def with_bot(check: Callable[[World], Any], closed: int = 3, **changes: Any) -> None:
    async def main() -> None:
        bot = FakeBot(closed)
        runner, port = await listen({HOST: bot})
        try:
            async with aiohttp.ClientSession() as session:
                await asyncio.wait_for(check(World(session, bot, port, **changes)), 30)
        finally:
            await runner.cleanup()

    asyncio.run(main())


def test_a_look_asks_little_and_for_trades_only_when_they_changed() -> None:
    async def check(world: World) -> None:
        fields = await world.look()
        assert (fields["up"], fields["state"], fields["closed_trades"]) == (1, "running", 3)
        assert world.bot.asked == ["show_config", "trades", "status", "health", "balance", "trades", "profit"]
        assert world.sink.numbers() == [3, 2, 1]
        world.bot.asked.clear()
        again = await world.look()
        assert world.bot.asked == ["show_config", "trades", "status", "health", "balance"]
        assert again["profit"] == fields["profit"], "nothing has closed: it is still so"
        world.bot.close_trade()
        assert (await world.look())["closed_trades"] == 4
        assert 4 in world.sink.numbers()
        assert world.troubles.kinds == {} and world.poller.failures == 0

    with_bot(check)


def test_all_old_trades_are_read_after_a_start_a_page_a_look() -> None:
    async def check(world: World) -> None:
        for _ in range(10):
            await world.look()
            world.bot.close_trade()
        await world.look()
        assert set(world.sink.numbers()) == set(range(1, 271))

    with_bot(check, closed=260)


def test_trades_older_than_asked_are_left() -> None:
    async def check(world: World) -> None:
        day = 24 * 60
        world.bot.closed_ms = [moment - 29 * day * 60_000 - 30 * 60_000 for moment in world.bot.closed_ms]
        for _ in range(40):
            await world.look()
        oldest = time.time_ns() - 30 * day * 60 * 10**9
        assert world.sink.trades and all(point.time_ns >= oldest for point in world.sink.trades)
        assert len(set(world.sink.numbers())) == pytest.approx(day - 30, abs=5)
        asked = len(world.bot.asked)
        await world.look()
        assert len(world.bot.asked) - asked == 5, "it goes on to ask for what it leaves out"

    with_bot(check, closed=5000)


def test_trades_wait_at_the_bot_while_they_could_not_be_kept() -> None:
    async def check(world: World) -> None:
        world.sink.room = False
        assert (await world.look())["closed_trades"] == 3
        assert world.sink.trades == []
        world.sink.room = True
        await world.look()
        assert world.sink.numbers() == [3, 2, 1]

    with_bot(check)


def test_a_new_database_is_read_from_its_beginning() -> None:
    async def check(world: World) -> None:
        await world.look()
        world.bot.closed_ms.clear()
        assert (await world.look())["closed_trades"] == 0
        world.sink.trades.clear()
        world.bot.close_trade()
        world.bot.close_trade()
        await world.look()
        assert world.sink.numbers() == [2, 1]

    with_bot(check, closed=100)


UNREACHABLE = {"up": 0, "state": "unreachable"}


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_bot_that_hangs(fault: str) -> None:
    async def check(world: World) -> None:
        await world.look()
        world.bot.fault = fault
        assert await world.look() == UNREACHABLE, "what is not known is not repeated"
        assert world.troubles.kinds["sample"].startswith("no_answer: ") and "0.3 s" in world.troubles.kinds["sample"]
        world.bot.fault = ""
        assert (await world.look())["up"] == 1 and world.troubles.kinds == {}
        assert (world.poller.looks, world.poller.failures) == (3, 1)

    with_bot(check, seconds=0.3)


def test_a_bot_that_hangs_in_the_middle_is_told_as_far_as_it_answered() -> None:
    async def check(world: World) -> None:
        world.bot.fault = "health hang"
        fields = await world.look()
        assert fields["state"] == "running" and fields["open_trades"] == 2
        assert "loop_age" not in fields and "balance" not in fields
        assert world.bot.asked[-1] == "health", "it would have waited again"

    with_bot(check, seconds=0.3)


def test_a_look_ends_in_time_however_slowly_a_bot_answers() -> None:
    async def check(world: World) -> None:
        world.bot.fault = "status hang"
        started = time.monotonic()
        fields = await world.look(seconds=0.3)
        assert fields["closed_trades"] == 3 and "open_trades" not in fields
        assert time.monotonic() - started < 3
        assert world.troubles.kinds["sample"] == "no_answer: no whole answer within 0.3 s"

    with_bot(check)


@pytest.mark.parametrize(
    ("fault", "said"), [("garbage", "no JSON"), ("500", "HTTP 500"), ("huge", "more than 8388608 bytes"), ("odd", "show_config: no dict")]
)
def test_a_bot_that_answers_nonsense(fault: str, said: str) -> None:
    async def check(world: World) -> None:
        world.bot.fault = fault
        assert await world.look() == UNREACHABLE
        assert world.troubles.kinds["sample"].startswith("odd_answer: ") and said in world.troubles.kinds["sample"]

    with_bot(check)


@pytest.mark.parametrize(
    ("path", "lacking"),
    [("status", "open_trades"), ("balance", "balance"), ("health", "loop_age"), ("trades", "closed_trades"), ("profit", "profit")],
)
@pytest.mark.parametrize("fault", ["500", "odd", "garbage"])
def test_one_bad_answer_leaves_the_others(path: str, lacking: str, fault: str) -> None:
    async def check(world: World) -> None:
        world.bot.fault = f"{path} {fault}"
        fields = await world.look()
        assert fields["state"] == "running" and lacking not in fields
        assert len(fields) >= 7
        assert path in world.troubles.kinds["sample"]
        world.bot.fault = ""
        assert lacking in await world.look()
        assert world.sink.numbers() == [3, 2, 1]

    with_bot(check)


def test_a_wrong_password_is_named_by_bot_and_never_shown() -> None:
    async def check(world: World) -> None:
        assert await world.look() == UNREACHABLE
        assert world.troubles.kinds["sample"].startswith("wrong_password: ")
        assert "other-hush" not in repr(world.troubles.kinds) and "other-hush" not in repr(world.poller.__dict__)
        assert len(world.bot.asked) == 1

    with_bot(check, password="other-hush")


def test_a_port_where_nobody_listens_and_a_name_that_is_not_there() -> None:
    with socket.socket() as place:
        place.bind((HOST, 0))
        nobody = f"http://{HOST}:{place.getsockname()[1]}"

        async def check(world: World) -> None:
            assert await world.look() == UNREACHABLE
            assert world.troubles.kinds["sample"].startswith(f"no_answer: {nobody}")

        with_bot(check, url=nobody)

    async def check_name(world: World) -> None:
        assert await world.look() == UNREACHABLE
        assert world.troubles.kinds["sample"].startswith("no_dns_name: http://no-such-bot.invalid:8080")

    with_bot(check_name, url="http://no-such-bot.invalid:8080")


def test_a_fault_of_this_program_ends_neither_the_bot_nor_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(poll.PARTS, "health", lambda answer, now: 1 / 0)

    async def check(world: World) -> None:
        assert (await world.look())["up"] == 1
        assert world.troubles.kinds["sample"] == "fault: ZeroDivisionError: division by zero"

    with_bot(check)


@pytest.mark.parametrize(("now", "due"), [(100.0, 110.0), (103.0, 110.0), (110.0, 110.0), (110.1, 120.0), (137.0, 140.0), (99.0, 110.0)])
def test_looks_keep_their_rhythm_and_a_slow_one_skips_what_it_covers(now: float, due: float) -> None:
    assert poll.next_look(100.0, now, 10.0) == due

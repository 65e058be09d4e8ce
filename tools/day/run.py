"""Lives through one simulated trading day on a stack of this machine and reads what it left behind."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any

from tools.day.broker import AHEAD, PaperBroker
from tools.day.crosses import crosses
from tools.day.differences import differences
from tools.day.influx import Influx
from tools.day.records import Day
from tools.day.timetable import MORNING_SPEED, TradingDay, choose, phases
from tools.day.worker_log import passed
from tools.stack.alert import fired, send
from tools.stack.bots import container, container_state
from tools.stack.engine import StackError, outputs
from tools.stack.market import NEW_YORK, broker_of
from tools.stack.services import everything
from tools.stack.status import engine_client

CASH = 100_000
# What a person holds already: the first is on the list of holds and must be kept, the others must be closed before the bell.
HOLD, BOUGHT = "JNJ", {"JNJ": 10, "T": 40, "F": 60}
LIST = "dividend_aristocrats"
STATS = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8000/stats', timeout=10).read().decode())"
READY_SECONDS = 180.0
SETTLE_SECONDS = 120.0
NEEDED = ("alpaca-paper", "webhook", "webhook-worker", "purrstream", "earnyearn", "beancleaner", "data-redis", "data-influxdb")


@dataclass
class Stage:
    """A stack that is up, seen from outside."""

    known: dict[str, Any]
    """Its outputs."""
    containers: dict[str, Any]
    broker: PaperBroker
    influx: Influx
    account: str
    opened: float = field(default_factory=time.time)
    """Unix seconds."""


def open_stage(stack: str) -> Stage:
    """Raises StackError naming what the stack lacks."""
    known, engine = outputs(stack), engine_client(stack)
    containers = {name: container(engine, service) for name, service in everything(known).items()}
    missing = [name for name in NEEDED if containers.get(name) is None]
    if missing:
        raise StackError(
            f"stack {stack!r} runs no {', '.join(missing)}: a day needs them; compare its file with Pulumi.local.yaml, `make up`"
        )
    influx = Influx(containers["data-influxdb"], known["credentials"]["data"]["influxReadPassword"], known["data"]["influxDatabase"])
    return Stage(known, containers, PaperBroker(*broker_of(known, stack)), influx, known["webhook"]["account"])


def choose_day(stage: Stage, wanted: date | None) -> TradingDay:
    """The wanted day, or the next one that has not been lived through: signals of one day are the same each time. Raises StackError."""
    stage.broker.set_clock(hours="nyse")
    today = datetime.now(NEW_YORK).date()
    last = stage.influx.last_signal(stage.account)
    first = max(today, last.astimezone(NEW_YORK).date() + timedelta(days=1)) if last else today
    around = wanted or first
    day = choose(stage.broker.sessions(around - AHEAD, around + AHEAD), wanted, first)
    if day is None:
        raise StackError(f"DATE={wanted}: no trading day of the New York Stock Exchange; choose another, or leave it out")
    if wanted and last and wanted < first:
        raise StackError(f"DATE={wanted}: the stack has lived through it; the next one is {first}")
    return day


def live(stage: Stage, day: TradingDay, speed: float, tell: Callable[[str], None]) -> dict[str, Decimal]:
    """The whole day. Returns what was bought for it: symbol -> quantity."""
    broker = stage.broker
    broker.reset(CASH)
    keep(stage, [HOLD])
    tell(f"{day.day}: {LIST} holds {HOLD}")
    broker.set_clock(time=day.begins, speed=MORNING_SPEED, hours="nyse")
    earnings = wait_until(lambda: listed(stage, day), READY_SECONDS, "earnyearn has no list of earnings")
    tell(f"earnings list: {', '.join(earnings)}")
    if broker.now() < day.opens - timedelta(minutes=1):
        broker.set_clock(time=day.opens - timedelta(minutes=1))
    wait_for_clock(broker, day.opens)
    broker.set_clock(speed=1)
    buy(stage)
    seeded = wait_until(lambda: _bought(broker), READY_SECONDS, f"the orders for {', '.join(BOUGHT)} are not filled")
    tell("bought: " + ", ".join(f"{qty.normalize():f} {symbol}" for symbol, qty in sorted(seeded.items())))
    for phase in phases(day, speed):
        broker.set_clock(speed=phase.speed)
        wait_for_clock(broker, phase.until, lambda now: tell(told(stage, now)))
    broker.set_clock(speed=1)
    return seeded


def buy(stage: Stage) -> None:
    """The day's first positions, by alerts as a person's TradingView would send them."""
    hook, key = stage.known["webhook"], stage.known["credentials"]["webhook"]["signingKey"]
    for symbol, qty in BOUGHT.items():
        alert = fired("market", hook["url"], hook["account"], key, "buy", symbol, {"qty": str(qty), "name": "day"})
        wait_until(partial(_sent, *alert), READY_SECONDS, f"the webhook does not take the order for {symbol}")


def read(stage: Stage, day: TradingDay, seeded: dict[str, Decimal]) -> Day:
    """What the day left behind, once broker and InfluxDB agree or SETTLE_SECONDS are over."""
    deadline = time.monotonic() + SETTLE_SECONDS
    # The day's bars don't change any more.
    crossed = cache(partial(_crossed, stage, day))
    while True:
        found = _read(stage, day, seeded, crossed)
        if not differences(found) or time.monotonic() > deadline:
            return found
        time.sleep(2)


def _crossed(stage: Stage, day: TradingDay, symbols: frozenset[str]) -> set[tuple[str, str, int]]:
    return crosses(stage.broker.bars(sorted(symbols), day.anchor, day.closes), round(day.opens.timestamp() * 1000))


def _read(stage: Stage, day: TradingDay, seeded: dict[str, Decimal], crossed: Callable[[frozenset[str]], set[tuple[str, str, int]]]) -> Day:
    span = (day.begins, day.ends + timedelta(hours=1))
    signals = stage.influx.signals(stage.account, span)
    orders = stage.broker.orders()
    return Day(
        fills=stage.broker.fills(orders),
        written=stage.influx.fills(stage.account, span),
        orders=orders,
        positions=stage.broker.positions(),
        signals=signals,
        passed=stage.influx.passed(stage.account),
        logged=passed(stage.containers["webhook-worker"].logs(since=int(stage.opened)).decode(errors="replace").splitlines()),
        crosses=crossed(frozenset(one.symbol for one in signals) | frozenset(listed(stage, day))),
        sides=frozenset({"buy"}),
        closes=stage.influx.closes(stage.account, span),
        kept=frozenset({HOLD}),
        seeded=seeded,
    )


def told(stage: Stage, now: datetime) -> str:
    """One line of progress."""
    orders, positions = stage.broker.orders(), stage.broker.positions()
    return f"{now.astimezone(NEW_YORK):%H:%M} New York: {len(orders)} orders, {len(positions)} positions"


def listed(stage: Stage, day: TradingDay) -> list[str]:
    """Symbols that earnyearn trades on that day; none while it has no list of it, or can't say."""
    code, output = stage.containers["earnyearn"].exec_run(["python3", "-c", STATS])
    stats = json.loads(output) if code == 0 else {}
    return sorted(stats["symbols"]) if stats.get("day") == day.day.isoformat() else []


def keep(stage: Stage, symbols: Iterable[str]) -> None:
    """The list of what beancleaner keeps, by its own command. Raises StackError."""
    code, output = _lists(stage, "set", LIST, *symbols)
    if code != 0:
        raise StackError(f"the list {LIST} can't be set: {output.strip()}")


def kept(stage: Stage) -> list[str] | None:
    """What is on that list; None where there is none that can be read. Raises StackError where the rules know no such list."""
    _, output = _lists(stage)
    lines = dict(line.split(": ", 1) for line in output.splitlines() if ": " in line)
    if LIST not in lines:
        raise StackError(
            f"tradestack:beancleaner.rules keep no list {LIST!r}, which a day needs: compare with Pulumi.local.yaml, `make up`"
        )
    return symbols_on(lines[LIST])


def symbols_on(said: str) -> list[str] | None:
    """Of what `lists` says of one list, behind its name: `2: KO PG`, `0, an empty list: …`, `nothing is closed: …`."""
    number, _, symbols = said.partition(": ")
    if number.isdigit():
        return symbols.split()
    return [] if said.startswith("0,") else None


def _lists(stage: Stage, *words: str) -> tuple[int, str]:
    code, output = stage.containers["beancleaner"].exec_run(["python3", "-m", "beancleaner", "lists", *words])
    return code, output.decode()


def wait_until(done: Callable[[], Any], seconds: float, problem: str) -> Any:
    """What `done` returns once it is true. Raises StackError."""
    deadline = time.monotonic() + seconds
    while not (value := done()):
        if time.monotonic() > deadline:
            raise StackError(f"{problem} after {seconds:.0f} s: see `make status` and `make logs BOT=…`")
        time.sleep(0.5)
    return value


def wait_for_clock(broker: PaperBroker, until: datetime, each: Callable[[datetime], None] | None = None) -> None:
    """Until the broker's time; `each` is called with it about every half hour of its."""
    due = broker.now()
    while (now := broker.now()) < until:
        if each and now >= due:
            each(now)
            due = now + timedelta(minutes=30)
        time.sleep(0.5)


def not_running(containers: dict[str, Any], names: Iterable[str]) -> list[str]:
    """Those that are not healthy now."""
    for name in names:
        containers[name].reload()
    return [name for name in names if container_state(containers[name]) != "running"]


def _sent(url: str, body: dict[str, Any]) -> bool:
    try:
        return bool(send(url, body))
    except StackError:
        return False  # the same bytes again are the same alert


def _bought(broker: PaperBroker) -> dict[str, Decimal]:
    positions = broker.positions()
    return positions if set(BOUGHT) <= set(positions) else {}

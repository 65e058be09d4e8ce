"""`make chaos-data`: kill and stop Redis, InfluxDB, Loki, the log router and the poller while bots trade and alerts come in; count what is lost.

A stack of its own (`chaos`, beside the local one) with the same components and images; destroyed at the end. Points are numbered by a writer
of our own, the same that the services use; log lines are compared with what Docker itself kept of each container.
"""

import argparse
import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tools.chaos import alerts
from tools.chaos.alert_sender import Sent, send_all
from tools.chaos.alert_tally import tally
from tools.chaos.data_counts import DataTally, lost_lines
from tools.chaos.data_faults import BotWatch, plan, take_away
from tools.chaos.data_sources import LokiSource, closed_trades, numbers, trades_found
from tools.chaos.throwaway import add_options, throwaway_stack, with_free_ports
from tools.stack import local_config
from tools.stack.bots import PATIENT, BotApi, container
from tools.stack.engine import CHAOS, main, outputs, pulumi, with_config
from tools.stack.services import everything
from tools.stack.status import engine_client

from tools.stack import slanger_code  # isort: skip  # noqa: F401
from botkit.metrics import Writer

HURT = ("data-redis", "data-influxdb", "data-loki", "data-log-router", "bot-metrics")
READ_STORES = ("influxdb", "loki")
MEASUREMENT = "chaos"
POINTS_A_SECOND = 20
SETTLE_SECONDS = 240.0
# Docker's log driver waits 60 s at most between two tries.
STILL_SECONDS = 70.0


def wanted() -> dict[str, Any]:
    """The local stack's bots and data services, and a webhook whose limits the run never reaches; every port another one."""
    config = local_config.tracked()["config"]
    chaos = alerts.wanted()["config"]
    data = {"logRouterPort": None, **config["tradestack:data"]}
    for store in READ_STORES:
        data[store] = {"publishedPort": None, **(data.get(store) or {})}
    replay = {key: value for key, value in config["tradestack:exchangeReplay"].items() if key != "publishedPort"}
    bots = [{"publishedPort": None, **bot} for bot in config["tradestack:bots"]]
    own = with_free_ports({"tradestack:bots": bots, "tradestack:data": data})
    return {"config": {**chaos, **own, "tradestack:exchangeReplay": replay}}


class NumberedPoints:
    """Writes points 0, 1, 2, … for as long as the run takes."""

    def __init__(self, url: str) -> None:
        self.made = 0
        self.dropped = 0
        self._url = url
        self._stop = threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        """Until `stop`; then everything that waits is written, or given up after SETTLE_SECONDS."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        writer = Writer(self._url, "chaos")
        running = asyncio.create_task(writer.run())
        while not self._stop.is_set():
            writer.note(MEASUREMENT, {"source": "chaos"}, {"number": self.made})
            self.made += 1
            await asyncio.sleep(1 / POINTS_A_SECOND)
        await writer.close(SETTLE_SECONDS)
        running.cancel()
        self.dropped = writer.dropped


def published(one: Any) -> str:
    """The port of this machine that leads to the container's one published port."""
    ((binding,),) = one.attrs["HostConfig"]["PortBindings"].values()
    return binding["HostPort"]


def hurt(tallied: DataTally, containers: dict[str, Any], dice: random.Random, rounds: int | None) -> None:
    """The rounds, one after the other; None: all of them, a number: only the last ones."""
    for who, how in plan([name for name in HURT if name in containers], dice)[-(rounds or 0) :]:
        print(f"{how} {', '.join(who)}", flush=True)
        take_away({name: containers[name] for name in who}, dice, how)
        tallied.restarts += len(who)


def count_lines(tallied: DataTally, containers: dict[str, Any], loki: LokiSource, began: float, ended: float) -> None:
    """Compare each container's own lines with Loki's, until all are there or none has come for STILL_SECONDS."""
    deadline = time.monotonic() + STILL_SECONDS
    while True:
        before, tallied.lines, tallied.missing = tallied.missing, 0, {}
        for name, one in containers.items():
            if one.attrs["HostConfig"]["LogConfig"]["Type"] != "fluentd":
                continue  # the router and Loki themselves
            text = one.logs(since=began, until=ended).decode(errors="replace")
            written = [line for line in text.splitlines() if line.strip()]
            tallied.lines += len(written)
            if missing := lost_lines(written, loki.lines(name, began, time.time())):
                tallied.missing[name] = missing
        tallied.lines_lost = sum(tallied.missing.values())
        if tallied.missing != before:
            deadline = time.monotonic() + STILL_SECONDS
        if not tallied.lines_lost or time.monotonic() > deadline:
            return
        time.sleep(5)


def run(count: int, seed: int, rounds: int | None = None) -> DataTally:
    """Bring the stack up, hurt it while it works, let it settle, count."""
    local_config.write(CHAOS, wanted())
    pulumi(CHAOS, "up", "--yes", "--skip-preview", "--suppress-outputs", *with_config(CHAOS), show=True)
    known = outputs(CHAOS)
    engine = engine_client(CHAOS)
    containers = {name: container(engine, service) for name, service in everything(known).items()}
    broker_url = f"http://127.0.0.1:{published(containers['alpaca-paper'])}"
    alerts.paper(broker_url, "POST", "reset", json={"cash": str(alerts.PLENTY)})
    apis = {bot["name"]: BotApi(bot["apiUrl"], known["credentials"][bot["name"]], PATIENT) for bot in known["bots"]}
    bots = {name: (containers[name], api) for name, api in apis.items()}
    passwords, influx = known["credentials"]["data"], f"127.0.0.1:{published(containers['data-influxdb'])}"
    write_url = f"http://writer:{passwords['influxWritePassword']}@{influx}/api/v2/write?bucket=tradestack&precision=ns"
    read_url = f"http://reader:{passwords['influxReadPassword']}@{influx}/query?db=tradestack"
    loki = LokiSource(f"http://127.0.0.1:{published(containers['data-loki'])}")
    points, watch, sent, tallied = NumberedPoints(write_url), BotWatch(bots), Sent(), DataTally()
    began, stop, webhook = time.time(), threading.Event(), known["webhook"]
    with ThreadPoolExecutor(3) as pool:
        watching, writing = pool.submit(watch.run, stop), pool.submit(points.run)
        key = known["credentials"]["webhook"]["signingKey"]
        sending = pool.submit(send_in_rounds, webhook["url"], key, webhook["account"], count, seed, sent, stop)
        try:
            hurt(tallied, containers, random.Random(seed), rounds)
        finally:
            stop.set()
            points.stop()
        for one in (watching, sending, writing):
            one.result()
    ended = time.time()
    drained = alerts.wait_until_drained(containers["queue"], webhook["queueUrl"], broker_url)
    ordered = tally(sent.alerts, sent.accepted, drained)
    tallied.alerts, tallied.alerts_lost, tallied.alerts_doubled = sent.alerts, ordered.lost, ordered.duplicated
    tallied.bots_stopped, tallied.dropped = len(watch.stopped), points.dropped
    found = numbers(read_url, MEASUREMENT)
    trades = {(name, trade) for name, (_, api) in bots.items() for trade in closed_trades(api, ended)}
    missing_trades = trades - trades_found(read_url, trades, SETTLE_SECONDS)
    tallied.points = points.made + len(trades)
    tallied.points_lost = max(0, points.made - len(found) - points.dropped) + len(missing_trades)
    count_lines(tallied, containers, loki, began, ended)
    return tallied


def send_in_rounds(url: str, key: str, account: str, count: int, seed: int, sent: Sent, stop: threading.Event) -> None:
    """Alerts for as long as the run takes, `count` at a time with a breath between them."""
    number = 0
    while not stop.is_set():
        send_all(url, key, account, count, seed + number, sent)
        number += 1
        stop.wait(2)


def command() -> int:
    parser = argparse.ArgumentParser(prog="make chaos-data", description=__doc__)
    parser.add_argument("--alerts", type=int, default=16, help="alerts a round; rounds follow one another until the last fault is over")
    parser.add_argument("--rounds", type=int, default=None, help="only the last ones: in the last two all are away at once (default: all)")
    add_options(parser)
    options = parser.parse_args()
    with throwaway_stack(options) as seed:
        counted = run(options.alerts, seed, options.rounds)
    if counted.missing:
        print("lines missing in Loki: " + ", ".join(f"{number} of {name}" for name, number in sorted(counted.missing.items())))
    print(counted.line(seed))
    return 0 if counted.good else 1


if __name__ == "__main__":
    main(command)

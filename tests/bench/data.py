"""The data services under load: 200 bots' numbers every 10 s and 500 log lines a second for five minutes; what is lost, and what each takes.

The stack's own images and components, as `make up` brings them up, beside the local stack; the bots and their poller are processes.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import requests
from docker.types import LogConfig

from tests.bench.bot_metrics import BOTS, TRADES, fake_bots, poller
from tests.bench.service import ask, until
from tools.chaos import data as chaos
from tools.chaos.data_sources import TENANT, influx
from tools.stack import local_config
from tools.stack.bots import container
from tools.stack.down import destroy
from tools.stack.engine import CHAOS, exists, outputs, pulumi, with_config
from tools.stack.services import everything
from tools.stack.status import engine_client

SECONDS, WRITERS, LINES_A_SECOND = 300, 5, 500
# Tenths of a second, so that no burst is larger than a real service's; its own clock, so that a late start catches up.
PROGRAM = """
import json, sys, time
name, rate, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
begun, done = time.monotonic(), 0
while done < rate * seconds:
    for done in range(done, min(int((time.monotonic() - begun) * rate), rate * seconds)):
        print(json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": "info", "service": name, "number": done,
                          "message": "Pair ETH/BTC: no entry signal, spread 0.02 %, last candle 12 s ago"}), flush=True)
        done += 1
    time.sleep(0.1)
"""


def wanted() -> dict[str, Any]:
    """The data services, and a webhook that nobody calls."""
    config = chaos.wanted()["config"]
    return {"config": {key: value for key, value in config.items() if key not in ("tradestack:bots", "tradestack:exchangeReplay")}}


@contextmanager
def stack() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(the stack's outputs, name -> container)."""
    if exists(CHAOS):
        destroy(CHAOS)
    try:
        local_config.write(CHAOS, wanted())
        pulumi(CHAOS, "up", "--yes", "--skip-preview", "--suppress-outputs", *with_config(CHAOS))
        known, engine = outputs(CHAOS), engine_client(CHAOS)
        yield known, {name: container(engine, service) for name, service in everything(known).items()}
    finally:
        destroy(CHAOS)


@contextmanager
def writers(containers: dict[str, Any]) -> Iterator[list[Any]]:
    """Containers that write log lines to the stack's router, as the stack's own do."""
    pattern = containers["alpaca-paper"]
    options = pattern.attrs["HostConfig"]["LogConfig"]["Config"]
    made: list[Any] = []
    try:
        for number in range(WRITERS):
            name = f"bench-{number}"
            made.append(
                pattern.client.containers.run(
                    pattern.image.id,
                    entrypoint=["python3", "-c", PROGRAM, name, str(LINES_A_SECOND // WRITERS), str(SECONDS)],
                    labels={"tradestack.stack": CHAOS, "tradestack.task": name},
                    log_config=LogConfig(type="fluentd", config={**options, "tag": name}),
                    network_mode="none",
                    detach=True,
                )
            )
        yield made
    finally:
        for one in made:
            one.remove(force=True)


def lines_found(url: str) -> int:
    """Lines of the writers in Loki."""
    query = {"query": 'sum(count_over_time({service=~"bench-.+"}[2h]))', "time": time.time() + 60}
    answer = requests.get(f"{url}/loki/api/v1/query", params=query, headers={"X-Scope-OrgID": TENANT}, timeout=60)
    answer.raise_for_status()
    result = answer.json()["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def used(one: Any) -> tuple[float, float]:
    """(seconds of CPU since its start, MiB without the page cache)."""
    stats = one.stats(stream=False)
    kinds = stats["memory_stats"]["stats"]
    return stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, kinds.get("total_rss", kinds.get("anon", 0)) / (1 << 20)


def main() -> None:
    with ExitStack() as all_of_it:
        known, containers = all_of_it.enter_context(stack())
        passwords, address = known["credentials"]["data"], f"127.0.0.1:{chaos.published(containers['data-influxdb'])}"
        loki_url = f"http://127.0.0.1:{chaos.published(containers['data-loki'])}"
        write_url = f"http://writer:{passwords['influxWritePassword']}@{address}/api/v2/write?bucket=tradestack&precision=ns"
        read_url = f"http://reader:{passwords['influxReadPassword']}@{address}/query?db=tradestack"
        bots_url = all_of_it.enter_context(fake_bots())
        poller_url, _ = all_of_it.enter_context(poller(bots_url, write_url))
        watched = {name: one for name, one in containers.items() if name.startswith("data-")}
        before, begun = {name: used(one)[0] for name, one in watched.items()}, time.monotonic()
        for one in all_of_it.enter_context(writers(containers)):
            one.wait(timeout=SECONDS * 3)
        seconds = time.monotonic() - begun
        after = {name: used(one) for name, one in watched.items()}
        expected = LINES_A_SECOND * SECONDS
        until(lambda: lines_found(loki_url) >= expected, "every line is in Loki")
        until(lambda: ask(poller_url, "/stats")["points"]["waiting"] == 0, "no point waits")
        stats = ask(poller_url, "/stats")
        rows = influx(read_url, 'SELECT count("up") FROM "bot"')
        trades = influx(read_url, 'SELECT count("trade_id") FROM "bot_trade"')
    print(f"data services, {BOTS} bots every 10 s and {LINES_A_SECOND} log lines a second, {seconds:.0f} s:")
    print(f"  lines: {expected} written, all in Loki; points: {rows[0]['count']} of {stats['polls']} looks in InfluxDB, {stats['points']}")
    print(f"  old trades in InfluxDB: {trades[0]['count']} of {BOTS * TRADES} and those that closed meanwhile")
    for name, (cpu, mib) in after.items():
        print(f"  {name}: CPU {100 * (cpu - before[name]) / seconds:.1f} % of a core, memory {mib:.0f} MiB")


if __name__ == "__main__":
    main()

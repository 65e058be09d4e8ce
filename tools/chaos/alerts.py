"""`make chaos-alerts`: hurt a webhook's containers while alerts come in; every alert answered 2xx must be one order, in order per symbol.

A stack of its own (`chaos`, beside the local one) with the same components and images, high limits and no bot; destroyed at the end.
"""

import argparse
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
import requests

from tools.chaos.alert_faults import Chaos
from tools.chaos.alert_sender import Sent, send_all
from tools.chaos.alert_tally import AlertTally, tally
from tools.chaos.throwaway import add_options, throwaway_stack
from tools.stack import local_config
from tools.stack.bots import container
from tools.stack.engine import CHAOS, StackError, main, outputs, pulumi, with_config
from tools.stack.ports import free_port
from tools.stack.services import services
from tools.stack.status import engine_client

PLENTY = 10**9
STALLED = 180  # seconds without a change after which what is missing counts as lost
READY_DEADLINE = 120


def wanted() -> dict[str, Any]:
    """Pulumi.local.yaml's webhook and paper broker without bots, with limits that the run never reaches."""
    config = local_config.tracked()["config"]
    most = {"orderNotional": PLENTY, "notionalPerDay": PLENTY, "ordersPerDay": 100_000, "lossPerDay": PLENTY}
    paper = {**config["tradestack:alpacaPaper"], "testApi": True, "publishedPort": free_port(), "requestsPerMinute": 1_000_000}
    webhook = {
        **config["tradestack:webhook"],
        "publishedPort": free_port(),
        "requestsPerMinute": 1_000_000,
        "limits": {"account": most, "priceDeviationPercent": 100},
        "maxDelay": 3600,
    }
    return {"config": {"tradestack:host": "docker", "tradestack:alpacaPaper": paper, "tradestack:webhook": webhook}}


def paper(url: str, method: str, path: str, **options: Any) -> Any:
    """Ask the paper broker's test API, which may be restarting. Raises StackError after READY_DEADLINE."""
    deadline = time.monotonic() + READY_DEADLINE
    while True:
        try:
            answer = requests.request(method, f"{url}/_paper/{path}", timeout=30, **options)
            answer.raise_for_status()
            return answer.json()
        except (requests.RequestException, ValueError) as error:
            if time.monotonic() > deadline:
                raise StackError(f"the paper broker does not answer at {url}/_paper/{path}: {error}") from None
            time.sleep(0.2)


def orders(url: str) -> list[tuple[str, str]]:
    """(symbol as in the alert, client_order_id) of every order that the broker took, in its order of arrival."""
    return [(order["symbol"].replace("/", ""), order["client_order_id"]) for order in paper(url, "GET", "orders")]


def strike_until(stop: threading.Event, chaos: Chaos) -> None:
    """Faults with random pauses between them."""
    while not stop.wait(chaos.dice.uniform(0.2, 2.0)):
        chaos.strike()


def queued(queue: Any, url: str) -> int:
    """Messages that are neither deleted nor dead, those in flight too; asked inside the queue's container, which publishes no port and may
    still be restarting. Raises StackError after READY_DEADLINE."""
    program = (
        "import json, sys, urllib.request; names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible']; "
        "ask = urllib.request.Request('http://127.0.0.1:9324/', json.dumps({'QueueUrl': sys.argv[1], 'AttributeNames': names}).encode(), "
        "{'X-Amz-Target': 'AmazonSQS.GetQueueAttributes', 'Content-Type': 'application/x-amz-json-1.0'}); "
        "print(sum(map(int, json.load(urllib.request.urlopen(ask, timeout=10))['Attributes'].values())))"
    )
    deadline = time.monotonic() + READY_DEADLINE
    while True:
        try:
            code, output = queue.exec_run(["python3", "-c", program, url])
        except docker.errors.APIError as error:
            code, output = 1, str(error).encode()
        if code == 0:
            return int(output)
        if time.monotonic() > deadline:
            raise StackError(f"the queue does not answer: {output.decode().strip()}")
        time.sleep(0.5)


def wait_until_drained(queue: Any, queue_url: str, url: str) -> list[tuple[str, str]]:
    """All orders, once the queue is empty: what a killed worker had in its hands comes back after the visibility timeout, and a second order
    would come of it then. Or when nothing has changed for STALLED seconds."""
    left, changed = queued(queue, queue_url), time.monotonic()
    while left and time.monotonic() - changed < STALLED:
        time.sleep(1)
        now = queued(queue, queue_url)
        if now != left:
            left, changed = now, time.monotonic()
    return orders(url)


def run(alerts: int, seed: int) -> tuple[AlertTally, Chaos, Sent]:
    """Bring the stack up, send and hurt, heal, count."""
    local_config.write(CHAOS, wanted())
    pulumi(CHAOS, "up", "--yes", "--skip-preview", "--suppress-outputs", *with_config(CHAOS), show=True)
    known = outputs(CHAOS)
    engine = engine_client(CHAOS)
    containers = {name: container(engine, service) for name, service in services(known)}
    network = engine.networks.get(next(iter(containers["queue"].attrs["NetworkSettings"]["Networks"])))
    port = containers["alpaca-paper"].attrs["HostConfig"]["PortBindings"]["8000/tcp"][0]["HostPort"]
    broker_url = f"http://127.0.0.1:{port}"
    paper(broker_url, "POST", "reset", json={"cash": str(PLENTY)})
    chaos, sent, stop = Chaos(containers, network, broker_url, random.Random(seed)), Sent(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        striking = pool.submit(strike_until, stop, chaos)
        try:
            send_all(
                known["webhook"]["url"], known["credentials"]["webhook"]["signingKey"], known["webhook"]["account"], alerts, seed, sent
            )
        finally:
            stop.set()
            striking.exception()
            chaos.heal()
        striking.result()  # without faults there was no test
    drained = wait_until_drained(containers["queue"], known["webhook"]["queueUrl"], broker_url)
    return tally(sent.alerts, sent.accepted, drained), chaos, sent


def command() -> int:
    parser = argparse.ArgumentParser(prog="make chaos-alerts", description=__doc__)
    parser.add_argument("--alerts", type=int, default=2000)
    add_options(parser)
    options = parser.parse_args()
    with throwaway_stack(options) as seed:
        counted, chaos, sent = run(options.alerts, seed)
    print("answers: " + ", ".join(f"{number} × {answer}" for answer, number in Counter(sent.answers).most_common()))
    print("faults: " + ", ".join(f"{number} × {fault}" for fault, number in sorted(chaos.done.items())))
    print(counted.line(sum(chaos.done.values()), seed))
    return 0 if counted.good and chaos.done else 1


if __name__ == "__main__":
    main(command)

"""`make chaos-day`: a trading day on a stack of its own, while every service is interrupted again and again; the books must agree all the same.

The stack (`chaos`, beside the local one) has the local stack's components and images, no bots; destroyed at the end.
"""

import argparse
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tools.chaos.throwaway import add_options, throwaway_stack, with_free_ports
from tools.day.differences import differences, line, notes
from tools.day.interrupts import Interrupts
from tools.day.records import Day
from tools.day.run import choose_day, live, open_stage, read
from tools.day.timetable import real_seconds
from tools.stack import local_config
from tools.stack.engine import CHAOS, main, pulumi, with_config

HURT = ("purrstream", "earnyearn", "beancleaner", "webhook", "webhook-worker")
BLOCKS = ("webhook", "alpacaPaper", "data", "purrstream", "earnyearn", "beancleaner", "finnhubReplay")
EACH = 50
# A service needs a few seconds to come back before it is hurt again, and Docker waits longer after each crash of one that ran for less than 10 s.
SECONDS_EACH = 4.5


def wanted() -> dict[str, Any]:
    """The services of Pulumi.local.yaml, every port another one."""
    config = local_config.tracked()["config"]
    chosen = {f"tradestack:{block}": config[f"tradestack:{block}"] for block in BLOCKS}
    chosen["tradestack:data"] = {"logRouterPort": None, **chosen["tradestack:data"]}
    return {"config": {"tradestack:host": "docker", **with_free_ports(chosen)}}


def run(each: int, seed: int) -> tuple[Day, Interrupts]:
    """Bring the stack up, live through the day while it is hurt, read the books."""
    local_config.write(CHAOS, wanted())
    pulumi(CHAOS, "up", "--yes", "--skip-preview", "--suppress-outputs", *with_config(CHAOS), show=True)
    stage = open_stage(CHAOS)
    day = choose_day(stage, None)
    seconds = max(each * len(HURT) * SECONDS_EACH, 120)
    # So fast that the interrupts just fit into it.
    speed = min(90, int((day.closes - day.opens).total_seconds() / seconds))
    hurt = {name: stage.containers[name] for name in HURT}
    interrupts = Interrupts(hurt, each, random.Random(seed), min(seconds, real_seconds(day, speed) * 0.95))
    stop, begun = threading.Event(), threading.Event()

    def say(said: str) -> None:
        print(said, flush=True)
        if said.startswith("bought"):
            begun.set()

    def strike() -> None:
        begun.wait()
        if not stop.is_set():
            interrupts.run(stop, say)

    with ThreadPoolExecutor(1) as pool:
        striking = pool.submit(strike)
        try:
            seeded = live(stage, day, speed, say)
        finally:
            stop.set()
            begun.set()
        striking.result()  # without interrupts there was no test
    return read(stage, day, seeded), interrupts


def command() -> int:
    parser = argparse.ArgumentParser(prog="make chaos-day", description=__doc__)
    parser.add_argument("--each", type=int, default=EACH, help="interrupts of every service")
    add_options(parser)
    options = parser.parse_args()
    with throwaway_stack(options) as seed:
        seen, interrupts = run(options.each, seed)
    found = differences(seen)
    for one in found:
        print(f"difference: {one}")
    for one in notes(seen):
        print(f"note: {one}")
    print("interrupts: " + ", ".join(f"{number} × {name}" for name, number in sorted(interrupts.done.items())))
    print(f"{line(seen, found)} interrupts={sum(interrupts.done.values())} seed={seed}")
    return 0 if not found and len(interrupts.done) == len(HURT) else 1


if __name__ == "__main__":
    main(command)

"""Interrupts the services of a day at random: each as often as asked for, killed or stopped, while the day goes on."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import docker

from tools.chaos.kill import kill_container

# What a Spot interruption, a deploy and an out-of-memory kill do. SIGTERM is waited for as long as the service may take.
WAYS = ("kill", "kill", "stop")
STOP_SECONDS = 30


@dataclass
class Interrupts:
    """The whole plan, and what came of it."""

    containers: dict[str, Any]
    each: int
    """Interrupts of every service."""
    dice: random.Random
    seconds: float
    """Real seconds over which they are spread."""
    done: Counter[str] = field(default_factory=Counter)

    def run(self, stop: threading.Event, tell: Callable[[str], None] = lambda said: None) -> None:
        """Until all are done, or `stop`."""
        order = plan(self.containers, self.each, self.dice)
        began = time.monotonic()
        for number, (name, way) in enumerate(order):
            due = began + self.seconds * (number + self.dice.random()) / len(order)
            if stop.wait(max(0.0, due - time.monotonic())):
                return
            if interrupt(self.containers[name], way):
                self.done[name] += 1
            if (number + 1) % 25 == 0:
                tell(f"{number + 1} of {len(order)} interrupts")


def plan(names: Iterable[str], each: int, dice: random.Random) -> list[tuple[str, str]]:
    """(name, way), shuffled."""
    order = [(name, dice.choice(WAYS)) for name in sorted(names) for _ in range(each)]
    dice.shuffle(order)
    return order


def interrupt(container: Any, way: str) -> bool:
    """Whether there was something to interrupt: a service that is just restarting is left to it."""
    try:
        if way == "kill":
            kill_container(container)
        else:
            container.stop(timeout=STOP_SECONDS)
            container.start()
    except (ProcessLookupError, docker.errors.APIError):
        return False
    return True

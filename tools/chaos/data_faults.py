"""Takes the data services away: each killed, each stopped for a while, then all at once; and watches that no bot stops meanwhile."""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import docker
import requests

from tools.chaos.kill import kill_container
from tools.stack.bots import BotApi, container_state
from tools.stack.engine import StackError

BACK_SECONDS = 180.0
LONGEST_AWAY = 20.0
# A bot on the replay loops every few seconds; one that has not for this long was blocked.
LOOP_SECONDS = 60.0


def take_away(containers: dict[str, Any], dice: random.Random, how: str) -> None:
    """Kill these, or stop them for a random while; returns when all are healthy again. Raises StackError after BACK_SECONDS."""
    if how == "kill":
        for one in containers.values():
            kill_container(one)
    else:
        for one in containers.values():
            one.stop(timeout=30)
        time.sleep(dice.uniform(5, LONGEST_AWAY))  # how long they are away; nothing is waited for
        for one in containers.values():
            one.start()
    deadline = time.monotonic() + BACK_SECONDS
    while waiting := [name for name, one in containers.items() if _state(one) != "running"]:
        if time.monotonic() > deadline:
            raise StackError(f"{', '.join(waiting)} did not come back within {BACK_SECONDS:.0f} s after {how}")
        time.sleep(0.5)


def plan(names: list[str], dice: random.Random) -> list[tuple[tuple[str, ...], str]]:
    """(who, how) of a run: each one killed and each one stopped, in random order, then all at once in both ways."""
    single = [((name,), how) for name in names for how in ("kill", "stop")]
    dice.shuffle(single)
    return [*single, (tuple(names), "kill"), (tuple(names), "stop")]


def _state(one: Any) -> str:
    one.reload()
    return container_state(one)


@dataclass
class BotWatch:
    """Looks at the bots all the time: a restart, an end, or a loop that stands still is a stop."""

    bots: dict[str, tuple[Any, BotApi]]
    """Name -> container, API."""
    stopped: set[str] = field(default_factory=set)
    _restarts: dict[str, int] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        alive = dict.fromkeys(self.bots, time.monotonic())
        while not stop.wait(1):
            for name, (container, api) in self.bots.items():
                try:
                    container.reload()
                    restarts = container.attrs["RestartCount"]
                    if restarts != self._restarts.setdefault(name, restarts) or container.status != "running":
                        self.stopped.add(name)
                    if time.time() - api.get("health")["last_process_ts"] < LOOP_SECONDS:
                        alive[name] = time.monotonic()
                except (requests.RequestException, docker.errors.DockerException):
                    pass  # a slow machine; what counts is how long
                if time.monotonic() - alive[name] > LOOP_SECONDS:
                    self.stopped.add(name)

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

BACK_SECONDS = 300.0
LONGEST_AWAY = 20.0
# A bot on the replay loops every few seconds; one that has not for this long was blocked.
LOOP_SECONDS = 60.0
# On a busy machine one look may take longer than that; a bot is blocked when it was asked as often as this in vain.
LEAST_LOOKS = 3


def take_away(containers: dict[str, Any], dice: random.Random, how: str) -> None:
    """Kill these, or stop them for a random while; returns when all are healthy again. Raises StackError after BACK_SECONDS."""
    before = {name: _started(one) for name, one in containers.items()}
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
    while waiting := [name for name, one in containers.items() if not _back(one, before[name])]:
        if time.monotonic() > deadline:
            raise StackError(f"{', '.join(waiting)} did not come back within {BACK_SECONDS:.0f} s after {how}")
        time.sleep(0.5)


def plan(names: list[str], dice: random.Random) -> list[tuple[tuple[str, ...], str]]:
    """(who, how) of a run: each one killed and each one stopped, in random order, then all at once in both ways."""
    single = [((name,), how) for name in names for how in ("kill", "stop")]
    dice.shuffle(single)
    return [*single, (tuple(names), "kill"), (tuple(names), "stop")]


def _started(one: Any) -> str:
    one.reload()
    return one.attrs["State"]["StartedAt"]


def _back(one: Any, before: str) -> bool:
    """Healthy, and started after `before`: until Docker notices that a process was killed, its container is healthy still."""
    try:
        return _started(one) != before and container_state(one) == "running"
    except (requests.RequestException, docker.errors.DockerException):
        return False  # the engine is busy


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
        in_vain = dict.fromkeys(self.bots, 0)
        while not stop.wait(1):
            for name, (container, api) in self.bots.items():
                if self._ended(name, container):
                    self.stopped.add(name)
                if _loops(api):
                    alive[name], in_vain[name] = time.monotonic(), 0
                else:
                    in_vain[name] += 1
                if time.monotonic() - alive[name] > LOOP_SECONDS and in_vain[name] >= LEAST_LOOKS:
                    self.stopped.add(name)

    def _ended(self, name: str, container: Any) -> bool:
        try:
            container.reload()
        except (requests.RequestException, docker.errors.DockerException):
            return False  # the engine is busy, which tells nothing of the bot
        restarts = container.attrs["RestartCount"]
        return restarts != self._restarts.setdefault(name, restarts) or container.status != "running"


def _loops(api: BotApi) -> bool:
    try:
        return time.time() - (api.get("health")["last_process_ts"] or 0) < LOOP_SECONDS  # None until its first loop
    except requests.RequestException:
        return False  # a slow machine; what counts is how long

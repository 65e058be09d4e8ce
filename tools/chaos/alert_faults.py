"""Faults of a chaos run, at random from a seed: containers killed and frozen, the queue cut off, a broker that fails or loses its answers."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import docker
import requests

from tools.chaos.kill import kill_container

LONGEST_FREEZE = 4.0  # seconds: longer than TradingView waits, shorter than a message stays invisible
HEAL_SECONDS = 300  # a bound: the broker may just be restarting, on a busy machine


@dataclass
class Chaos:
    """The stack that is hurt."""

    containers: dict[str, Any]
    """webhook, webhook-worker, queue, alpaca-paper -> container."""
    network: Any
    broker_url: str
    """The paper broker's address on this machine, for its test API."""
    dice: random.Random
    done: dict[str, int] = field(default_factory=dict)
    """Fault -> how often."""

    def strike(self) -> None:
        """One fault, to its end. A container or broker that is down already is left alone."""
        name, act = self.dice.choice(self._faults())
        try:
            act()
            self.done[name] = self.done.get(name, 0) + 1
        except (docker.errors.DockerException, requests.RequestException, ProcessLookupError):
            pass  # it is restarting from the fault before

    def heal(self) -> None:
        """Nothing frozen, cut off or set to fail any more. Raises after HEAL_SECONDS without success."""
        for container in self.containers.values():
            container.reload()
            if container.status == "paused":
                container.unpause()
        deadline = time.monotonic() + HEAL_SECONDS
        while True:
            try:
                return requests.delete(f"{self.broker_url}/_paper/faults", timeout=5).raise_for_status()
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _faults(self) -> list[tuple[str, Callable[[], None]]]:
        faults: list[tuple[str, Callable[[], None]]] = [("cut off the queue", self._cut_off)]
        for name, container in self.containers.items():
            faults.append((f"kill {name}", lambda container=container: kill_container(container)))
            faults.append((f"freeze {name}", lambda container=container: self._freeze(container)))
        times = self.dice.randint(1, 10)
        faults.append(("lose answers", lambda: self._broker(action="close", when="after", method="POST", path="/v2/orders", times=times)))
        faults.append(("cut connections", lambda: self._broker(action="close", when="before", times=times)))
        status = self.dice.choice((500, 502, 503, 504))
        faults.append(("server errors", lambda: self._broker(action="error", status=status, times=times)))
        faults.append(
            ("error after the order", lambda: self._broker(action="error", when="after", status=status, path="/v2/orders", times=times))
        )
        faults.append(("slow answers", lambda: self._broker(action="latency", ms=self.dice.randint(100, 1500), times=times)))
        faults.append(("cut the stream", self._cut_stream))
        return faults

    def _freeze(self, container: Any) -> None:
        container.pause()
        try:
            time.sleep(self.dice.uniform(0.2, LONGEST_FREEZE))  # how long it stands still; nothing is waited for
        finally:
            container.unpause()

    def _cut_off(self) -> None:
        queue = self.containers["queue"]
        self.network.disconnect(queue, force=True)
        try:
            time.sleep(self.dice.uniform(0.2, LONGEST_FREEZE))  # how long nobody reaches it; nothing is waited for
        finally:
            self.network.connect(queue, aliases=["queue"])

    def _cut_stream(self) -> None:
        refused = self.dice.randint(0, 5)
        requests.post(f"{self.broker_url}/_paper/stream/disconnect", json={"refuse_seconds": refused}, timeout=5).raise_for_status()

    def _broker(self, **fault: Any) -> None:
        requests.post(f"{self.broker_url}/_paper/faults", json=fault, timeout=5).raise_for_status()

"""The first moments of a container: it must keep running, or become healthy; otherwise its last log lines say why."""

import time
from typing import Any

from docker.errors import APIError

from tools.offline import docker_engine as engine

SETTLE_SECONDS = 1.0
"""A container that ends sooner than this after its start has "exited at once"."""
LAST_LINES = 20
RESTARTS = 5
"""So often Docker may start a container again that is waited for: a bot ends when its exchange is not there yet, and that one starts beside it."""
EXIT_CONFIG = 78
"""sysexits.h: nothing but other settings will help."""


def settle(container: str, inputs: dict, client: Any) -> None:
    """Return when it runs (mustRun) or is healthy (wait). Raises Problem with its last log lines."""
    name, must_run = inputs["name"], inputs.get("mustRun") is not False
    if inputs.get("wait") is True:
        _become_healthy(container, name, must_run, inputs.get("waitTimeout") or 60, client)
    elif must_run:
        _keep_running(container, name, client)


def _keep_running(container: str, name: str, client: Any) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        found = client.inspect_container(container)
        if _ended(found["State"]) or found["RestartCount"]:
            raise _exited(container, name, found["State"]["ExitCode"], client)
        if time.monotonic() > deadline:
            return
        engine.wait(0.1)


def _become_healthy(container: str, name: str, must_run: bool, seconds: float, client: Any) -> None:
    deadline, code = time.monotonic() + seconds, 0
    while True:
        found = client.inspect_container(container)
        state, health = found["State"], found["State"].get("Health")
        if not (health and health["Status"] != "none"):
            raise engine.Problem(f"container {name!r} has wait set but no health check: give it one, or leave wait out")
        ended = _ended(state)
        code = state["ExitCode"] if ended else code
        if must_run and (ended and (code == EXIT_CONFIG or not state["Restarting"]) or found["RestartCount"] > RESTARTS):
            raise _exited(container, name, code, client)
        if not ended and health["Status"] == "healthy":
            return
        if not ended and health["Status"] == "unhealthy" or time.monotonic() > deadline:
            probe = (health["Log"] or [{}])[-1].get("Output", "").strip() or "no output"
            raise engine.Problem(
                f"container {name!r} did not become healthy within {seconds:g} s (waitTimeout); its health check said: {probe}; "
                f"{last_lines(container, client)}"
            )
        engine.wait(0.1)


def _ended(state: dict) -> bool:
    """Now, whether or not Docker starts it again in a moment."""
    return not state["Running"] or state["Restarting"]


def _exited(container: str, name: str, code: int, client: Any) -> engine.Problem:
    return engine.Problem(f"container {name!r} exited at once with code {code}; {last_lines(container, client)}")


def last_lines(container: str, client: Any) -> str:
    try:
        text = client.logs(container, tail=LAST_LINES).decode(errors="replace").strip()
    except APIError:
        # Log drivers such as fluentd can't be read back.
        return "its logs are where its log driver sends them"
    return f"its last log lines:\n{text}" if text else "it logged nothing"

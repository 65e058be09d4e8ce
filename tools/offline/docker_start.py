"""The first moments of a container: it must keep running, or become healthy; otherwise its last log lines say why."""

import time
from typing import Any

from docker.errors import APIError

from tools.offline import docker_engine as engine

SETTLE_SECONDS = 1.0
"""A container that ends sooner than this after its start has "exited at once"."""
LAST_LINES = 20


def settle(container: str, inputs: dict, client: Any) -> None:
    """Return when it runs (mustRun) or is healthy (wait). Raises Problem with its last log lines."""
    must_run, healthy = inputs.get("mustRun") is not False, inputs.get("wait") is True
    seconds = (inputs.get("waitTimeout") or 60) if healthy else SETTLE_SECONDS
    deadline = time.monotonic() + seconds
    while must_run or healthy:
        found = client.inspect_container(container)
        state, name = found["State"], inputs["name"]
        if must_run and (not state["Running"] or state["Restarting"] or found["RestartCount"]):
            raise engine.Problem(f"container {name!r} exited at once with code {state['ExitCode']}; {last_lines(container, client)}")
        health = state.get("Health")
        if healthy and not (health and health["Status"] != "none"):
            raise engine.Problem(f"container {name!r} has wait set but no health check: give it one, or leave wait out")
        if healthy and health["Status"] == "healthy":
            return
        if healthy and health["Status"] == "unhealthy" or healthy and time.monotonic() > deadline:
            probe = (health["Log"] or [{}])[-1].get("Output", "").strip() or "no output"
            raise engine.Problem(
                f"container {name!r} did not become healthy within {seconds:g} s (waitTimeout); its health check said: {probe}; "
                f"{last_lines(container, client)}"
            )
        if time.monotonic() > deadline:
            return
        engine.wait(0.1)


def last_lines(container: str, client: Any) -> str:
    try:
        text = client.logs(container, tail=LAST_LINES).decode(errors="replace").strip()
    except APIError:
        # Log drivers such as fluentd can't be read back.
        return "its logs are where its log driver sends them"
    return f"its last log lines:\n{text}" if text else "it logged nothing"

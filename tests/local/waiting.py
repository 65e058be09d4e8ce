"""Waiting for a condition with a deadline, while what is asked may be restarting."""

import time
from collections.abc import Callable
from typing import Any

import docker
import requests

DEADLINE = 300  # seconds; a bound for a loaded machine, not a target


def wait_for(what: str, probe: Callable[[], Any], deadline: float = DEADLINE) -> Any:
    """Wait until `probe` returns something true and return it; errors of a restarting bot, server or engine call count as not yet."""
    end, last = time.monotonic() + deadline, None
    while time.monotonic() < end:
        try:
            if found := probe():
                return found
        except (requests.RequestException, docker.errors.APIError, AssertionError) as error:
            last = error
        time.sleep(0.3)
    raise AssertionError(f"{what}: not within {deadline} s ({last})")

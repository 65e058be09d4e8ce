"""docker:index/volume:Volume for the offline docker plugin. Nothing of a volume can be changed in place."""

import time
from typing import Any

from docker.errors import APIError, NotFound

from tools.offline import docker_engine as engine

TOKEN = "docker:index/volume:Volume"
AUTONAME = True
NOT_IMPLEMENTED = {"cluster": "swarm volumes are not supported; leave it out"}
UPDATES: frozenset[str] = frozenset()
DELETE_BEFORE_REPLACE = False
DEFAULTS = {"driver": "local"}


def check(inputs: dict) -> list[tuple[str, str]]:
    """Mistakes beyond types: none."""
    return []


def create(inputs: dict, client: Any, report: Any) -> tuple[str, dict]:
    """Create it, or adopt one of the same name, as the real provider does: (id, computed outputs). The id is the name."""
    made = client.create_volume(
        inputs["name"],
        driver=inputs.get("driver"),
        driver_opts=inputs.get("driverOpts"),
        labels={label["label"]: label["value"] for label in inputs.get("labels") or []},
    )
    return made["Name"], _computed(made)


def read(resource_id: str, inputs: dict, client: Any) -> Any:
    """(no drift: nothing of it can change, computed outputs), or None when it is gone."""
    found = engine.inspect_or_none(client.inspect_volume, resource_id)
    return found and ({}, _computed(found))


def delete(resource_id: str, state: dict, client: Any) -> None:
    """Remove it with its data. Raises Problem naming the containers that still have it."""
    deadline = time.monotonic() + engine.REMOVAL_SECONDS
    while True:
        try:
            return client.remove_volume(resource_id)
        except NotFound:
            return None
        except APIError as error:
            if error.status_code != 409:
                raise
            if time.monotonic() > deadline:
                users = engine.users_of(client, {"volume": resource_id})
                raise engine.Problem(
                    f"the Docker volume {resource_id!r} is still used by {users or 'a container'}: remove that container, "
                    "then run the command again"
                ) from error
        engine.wait(0.25)


def _computed(found: dict) -> dict:
    return {"driver": found["Driver"], "mountpoint": found["Mountpoint"]}

"""docker:index/network:Network for the offline docker plugin. Nothing of a network can be changed in place."""

import time
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import IPAMConfig, IPAMPool

from tools.offline import docker_engine as engine

TOKEN = "docker:index/network:Network"
AUTONAME = True
NOT_IMPLEMENTED = {"ingress": "swarm networks are not supported; leave it out"}
UPDATES: frozenset[str] = frozenset()
DELETE_BEFORE_REPLACE = False
DEFAULTS = {"driver": "bridge", "checkDuplicate": True, "ipamDriver": "default"}


def check(inputs: dict) -> list[tuple[str, str]]:
    """Mistakes beyond types: none."""
    return []


def create(inputs: dict, client: Any, report: Any) -> tuple[str, dict]:
    """Create it: (id, computed outputs)."""
    pools = [
        IPAMPool(subnet=pool.get("subnet"), iprange=pool.get("ipRange"), gateway=pool.get("gateway"), aux_addresses=pool.get("auxAddress"))
        for pool in inputs.get("ipamConfigs") or []
    ]
    ipam = IPAMConfig(driver=inputs.get("ipamDriver") or "default", pool_configs=pools, options=inputs.get("ipamOptions"))
    try:
        made = client.create_network(
            inputs["name"],
            driver=inputs.get("driver"),
            options=inputs.get("options"),
            ipam=ipam,
            # Docker itself allows two networks of one name; a container then joins either.
            check_duplicate=True,
            internal=bool(inputs.get("internal")),
            attachable=bool(inputs.get("attachable")),
            labels={label["label"]: label["value"] for label in inputs.get("labels") or []},
            enable_ipv6=bool(inputs.get("ipv6")),
        )
    except APIError as error:
        if error.status_code == 409:
            raise engine.Problem(
                f"a Docker network named {inputs['name']!r} exists already: remove it (`docker network rm {inputs['name']}`), "
                "choose another name, or leave the name out"
            ) from error
        raise
    return made["Id"], _computed(client.inspect_network(made["Id"]))


def read(resource_id: str, inputs: dict, client: Any) -> Any:
    """(no drift: nothing of it can change, computed outputs), or None when it is gone."""
    found = engine.inspect_or_none(client.inspect_network, resource_id)
    return found and ({}, _computed(found))


def delete(resource_id: str, state: dict, client: Any) -> None:
    """Remove it. Raises Problem naming the containers that are still attached."""
    deadline = time.monotonic() + engine.REMOVAL_SECONDS
    while True:
        try:
            return client.remove_network(resource_id)
        except NotFound:
            return None
        except APIError as error:
            if "active endpoints" not in engine.explanation(error):
                raise
            if time.monotonic() > deadline:
                name = state.get("name", resource_id)
                users = engine.users_of(client, {"network": resource_id})
                raise engine.Problem(
                    f"the Docker network {name!r} is still used by {users or 'a container'}: disconnect or remove it, "
                    "then run the command again"
                ) from error
        engine.wait(0.25)


def _computed(found: dict) -> dict:
    pools = [
        {
            key: pool[docker_key]
            for key, docker_key in (("subnet", "Subnet"), ("gateway", "Gateway"), ("ipRange", "IPRange"))
            if pool.get(docker_key)
        }
        for pool in found["IPAM"]["Config"] or []
    ]
    return {
        "scope": found["Scope"],
        "driver": found["Driver"],
        "internal": found["Internal"],
        "ipamConfigs": pools,
        "options": found["Options"] or {},
    }

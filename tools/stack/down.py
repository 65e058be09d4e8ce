"""`make down`: destroy this machine's stacks, and check that nothing of them is left on the engine."""

import json
from typing import Any

import docker

from tools.stack.engine import CHAOS, LOCAL, StackError, config_file, exists, main, pulumi, with_config
from tools.stack.status import engine_client

# Pulumi type -> (kind, where the physical name is in its outputs)
OWNED = {
    "docker:index/container:Container": ("containers", "name"),
    "docker:index/network:Network": ("networks", "name"),
    "docker:index/volume:Volume": ("volumes", "name"),
    "docker:index/image:Image": ("images", "imageName"),
}


def owned(state: dict[str, Any]) -> list[tuple[str, str]]:
    """(kind, physical name) of everything on the engine that the exported state knows of."""
    resources = (state.get("deployment") or {}).get("resources") or []
    return [
        (OWNED[one["type"]][0], one["outputs"][OWNED[one["type"]][1]]) for one in resources if one["type"] in OWNED and one.get("outputs")
    ]


def remove_image(engine: docker.DockerClient, name: str) -> None:
    """Remove a bot's image. Pulumi leaves images behind; one that another stack's container uses stays."""
    try:
        if not engine.containers.list(all=True, filters={"ancestor": name}):
            engine.images.remove(name)
    except docker.errors.ImageNotFound:
        pass


def still_there(engine: docker.DockerClient, things: list[tuple[str, str]]) -> list[str]:
    """Names of containers, networks and volumes that outlived the destroy."""
    left = []
    for kind, name in things:
        if kind == "images":
            continue
        try:
            getattr(engine, kind).get(name)
            left.append(name)
        except docker.errors.NotFound:
            pass
    return left


def destroy(stack: str, show: bool = True) -> None:
    """Destroy a stack of this machine, and forget it. Raises StackError when something of it is left. show: what Pulumi says meanwhile."""
    engine = engine_client(stack)
    things = owned(json.loads(pulumi(stack, "stack", "export", "--stack", stack)))
    arguments = with_config(stack) if config_file(stack).exists() else ["--stack", stack]
    pulumi(stack, "destroy", "--yes", "--skip-preview", *arguments, show=show)
    # Not `destroy --remove`: it deletes Pulumi.local.yaml, the tracked file, along with the stack.
    pulumi(stack, "stack", "rm", "--yes", "--preserve-config", "--stack", stack)
    config_file(stack).unlink(missing_ok=True)
    for kind, name in things:
        if kind == "images":
            remove_image(engine, name)
    left = still_there(engine, things)
    if left:
        raise StackError(
            f"still there after destroy: {', '.join(left)}; `docker rm`, `docker network rm` or `docker volume rm` removes them"
        )


def command() -> None:
    up = [stack for stack in (CHAOS, LOCAL) if exists(stack)]
    for stack in up:
        destroy(stack)
    if LOCAL in up:
        print("the local stack is gone: no container, network, volume or bot image of it is left")
    else:
        print("the local stack is not up: nothing to destroy")


if __name__ == "__main__":
    main(command)

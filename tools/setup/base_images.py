"""Base images: the official ones, or stand-ins of the same layout built from packages where no registry answers."""

import json
import queue
import re
import threading
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound

from . import reach, recipes
from .engine import client
from .paths import CHECKOUT, STATE
from .progress import SetupError, Step

RESULT = STATE / "base-images.json"
REGISTRY = "image registry"
REGISTRY_LIMIT = 10.0
PULL_LIMIT = 1800.0
# A registry that answers like this is there, but has no such image for us.
REFUSALS = re.compile(r"not found|manifest unknown|denied|unauthorized|toomanyrequests|no matching manifest", re.IGNORECASE)
ARG_BASE_IMAGE = re.compile(r"^\s*ARG\s+[A-Z_]*BASE_IMAGE=[\"']?([^\s\"']+)", re.MULTILINE | re.IGNORECASE)


class Unreachable(str):
    """Why no registry answers; a plain str is why one image can't be had."""


@dataclass(frozen=True)
class Base:
    """An official image that images/*/Dockerfile build on, and the requirements.txt files of those that do."""

    official: str
    requirements: tuple[Path, ...] = ()


def collect(images: Path = CHECKOUT / "images", extra: Iterable[str] = ()) -> list[Base]:
    """Every default of `ARG BASE_IMAGE=` in the Dockerfiles, sorted; extra ones get the requirements of the same repository."""
    found: dict[str, list[Path]] = {}
    for dockerfile in sorted(images.glob("*/Dockerfile")):
        for official in ARG_BASE_IMAGE.findall(dockerfile.read_text()):
            requirements = dockerfile.parent / "requirements.txt"
            found.setdefault(official, []).extend([requirements] if requirements.is_file() else [])
    for official in extra:
        family = official.partition(":")[0]
        same = [path for name, paths in found.items() if name.partition(":")[0] == family for path in paths]
        found.setdefault(official, same)
    return [Base(official, tuple(dict.fromkeys(paths))) for official, paths in sorted(found.items())]


def choose(step: Step, host: str, extra: Iterable[str] = ()) -> dict[str, str]:
    """Make every base image available to the engine; returns official -> used, also written to RESULT. Raises SetupError."""
    engine = client(host, timeout=900)
    used: dict[str, str] = {}
    try:
        unreachable = Unreachable(why) if (why := reach.remembered(REGISTRY)) else None
        for base in collect(extra=extra):
            why = None if has(engine, base.official) else unreachable or pull(step, host, base.official)
            if isinstance(why, Unreachable) and unreachable is None:
                unreachable = why
                reach.remember(REGISTRY, why)
            used[base.official] = base.official if why is None else stand_in(step, engine, base, why)
    finally:
        engine.close()
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    temporary = RESULT.with_suffix(".tmp")
    temporary.write_text(json.dumps(used, indent=2) + "\n")
    temporary.replace(RESULT)
    lines = [official if official == image else f"{official} → stand-in {image}" for official, image in used.items()]
    step.done("; ".join(lines) + (f" (no registry answers: {unreachable})" if unreachable else "") if lines else "none needed")
    return used


def has(engine: docker.DockerClient, image: str) -> bool:
    """Is the image in the engine?"""
    try:
        engine.images.get(image)
    except ImageNotFound:
        return False
    return True


def pull(step: Step, host: str, image: str, limit: float = REGISTRY_LIMIT) -> str | None:
    """Pull an image. None when it worked; an Unreachable when the registry is silent for the first `limit` seconds; else why it refuses."""
    events: queue.Queue = queue.Queue()
    # A client and a thread of its own: the engine sends nothing, not even a header, while it waits for a registry.
    engine = client(host, timeout=PULL_LIMIT)

    def follow() -> None:
        try:
            name, _, tag = image.partition(":")
            for event in engine.api.pull(name, tag=tag or "latest", stream=True, decode=True):
                events.put(event)
            events.put(None)
        except (DockerException, OSError, ValueError) as error:
            events.put({"error": getattr(error, "explanation", None) or str(error)})

    threading.Thread(target=follow, daemon=True).start()
    try:
        event = events.get(timeout=limit)
    except queue.Empty:
        return Unreachable(f"no answer within {limit:.0f} s")
    with step.alive(f"pulling {image}") if event and "error" not in event else nullcontext():
        while event is not None and "error" not in event:
            try:
                event = events.get(timeout=PULL_LIMIT)
            except queue.Empty:
                return f"the pull of {image} stalled"
    if event is None:
        return None
    reason = str(event["error"])
    return reason if REFUSALS.search(reason) else Unreachable(reason)


def stand_in(step: Step, engine: docker.DockerClient, base: Base, why: str) -> str:
    """Name of the stand-in for an official image, built when the engine doesn't have it. Raises SetupError."""
    recipe = recipes.find(base.official, base.requirements)
    if recipe is None:
        raise SetupError(
            f"base images: {base.official} could not be pulled ({why}) and has no stand-in: "
            "load it into the engine (docker load) or set a registry mirror"
        )
    if not has(engine, recipe.image):
        if not isinstance(why, Unreachable):
            step.say(f"{base.official} can't be pulled: {why}")
        recipes.build(step, engine, recipe)
    return recipe.image

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

from . import reach, recipes, stand_ins
from .engine import client
from .paths import CHECKOUT, STATE
from .progress import SetupError, Step

RESULT = STATE / "base-images.json"
REGISTRY = "image registry"
REGISTRY_LIMIT = 10.0
PULL_LIMIT = 1800.0
# A registry that answers like this is there, but has no such image for us.
REFUSALS = re.compile(r"not found|manifest unknown|denied|unauthorized|toomanyrequests|no matching manifest", re.IGNORECASE)
SHARED = re.compile(r"^!([a-z0-9-]+)\s*$", re.MULTILINE)
ARG_BASE_IMAGE = re.compile(r"^\s*ARG\s+[A-Z_]*BASE_IMAGE=[\"']?([^\s\"']+)", re.MULTILINE | re.IGNORECASE)


class Unreachable(str):
    """Why no registry answers; a plain str is why one image can't be had."""


@dataclass(frozen=True)
class Base:
    """An official image that images/*/Dockerfile build on, and the lists of packages that are installed in those that do."""

    official: str
    requirements: tuple[Path, ...] = ()
    """requirements.txt files."""
    vendored: tuple[Path, ...] = ()
    """vendor.txt files: packages of which only files are taken, so without those that they need."""


def collect(images: Path = CHECKOUT / "images", extra: Iterable[str] = ()) -> list[Base]:
    """Every default of `ARG BASE_IMAGE=` and `ARG …_BASE_IMAGE=` in the Dockerfiles, sorted; extra ones get the lists of the same repository."""
    found: dict[str, list[Path]] = {}
    for dockerfile in sorted(images.glob("*/Dockerfile")):
        for official in ARG_BASE_IMAGE.findall(dockerfile.read_text()):
            found.setdefault(official, []).extend(package_lists(dockerfile))
    for official in extra:
        family = official.partition(":")[0]
        same = [path for name, paths in found.items() if name.partition(":")[0] == family for path in paths]
        found.setdefault(official, same)
    return [with_lists(official, paths) for official, paths in sorted(found.items())]


def package_lists(dockerfile: Path) -> list[Path]:
    """Lists of packages that the image's build can see: its own and those of the folders that it shares with other images."""
    ignore = dockerfile.with_name("Dockerfile.dockerignore")
    names = SHARED.findall(ignore.read_text()) if ignore.is_file() else []
    folders = dict.fromkeys([dockerfile.parent, *(dockerfile.parent.parent / name for name in names)])
    return [file for folder in folders for name in ("requirements.txt", "vendor.txt") if (file := folder / name).is_file()]


def with_lists(official: str, lists: Iterable[Path]) -> Base:
    by_name = {name: tuple(path for path in dict.fromkeys(lists) if path.name == name) for name in ("requirements.txt", "vendor.txt")}
    return Base(official, by_name["requirements.txt"], by_name["vendor.txt"])


def choose(step: Step, host: str, extra: Iterable[str] = ()) -> dict[str, str]:
    """Make every base image available to the engine; returns official -> used, also written to RESULT. Raises SetupError."""
    engine = client(host, timeout=900)
    used: dict[str, str] = {}
    missing: list[tuple[recipes.Recipe, str]] = []
    try:
        unreachable = Unreachable(why) if (why := reach.remembered(REGISTRY)) else None
        for base in collect(extra=extra):
            why = None if has(engine, base.official) else unreachable or pull(step, host, base.official)
            if isinstance(why, Unreachable) and unreachable is None:
                unreachable = why
                reach.remember(REGISTRY, why)
            if why is None:
                used[base.official] = base.official
            elif recipe := stand_in(step, base, why):
                missing.append((recipe, why))
        # Those that are built with Go last: until then the other lane's Go build may be over.
        for recipe, why in sorted(missing, key=lambda pair: pair[0].contents.server is not None):
            if not has(engine, recipe.image):
                if not isinstance(why, Unreachable):
                    step.say(f"{recipe.official} can't be pulled: {why}")
                stand_ins.build(step, engine, recipe)
            used[recipe.official] = recipe.image
    finally:
        engine.close()
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    temporary = RESULT.with_suffix(".tmp")
    temporary.write_text(json.dumps(used, indent=2, sort_keys=True) + "\n")
    temporary.replace(RESULT)
    lines = [official if official == image else f"{official} → stand-in {image}" for official, image in sorted(used.items())]
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


def stand_in(step: Step, base: Base, why: str) -> recipes.Recipe | None:
    """The stand-in's recipe for an official image that can't be had; None for one that set-up does without. Raises SetupError."""
    recipe = recipes.find(base.official, base.requirements, base.vendored)
    if recipe is None:
        problem = f"{base.official} could not be pulled ({why}) and has no stand-in"
        if base.official.partition(":")[0] not in recipes.OPTIONAL:
            raise SetupError(f"base images: {problem}: load it into the engine (docker load) or set a registry mirror")
        step.say(f"{problem}: left out, a stack that asks for it can't be built here")
    return recipe

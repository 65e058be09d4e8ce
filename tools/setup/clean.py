"""Take away what set-up and the local stack made: the checkout's state, the images, and on request the cache."""

import shutil
from pathlib import Path

from docker.errors import APIError, DockerException

from . import engine, home
from .paths import CACHE, STATE, VENV
from .progress import SetupError

IMAGE_PREFIXES = ("tradestack/", "tradestack-base/")
# By name, never the folder itself: TRADESTACK_CACHE may point to one that holds other things.
CACHED = (
    "venv-*",
    "venv.lock",
    "setup.lock",
    "pulumi",
    "pulumi-home",
    "base-images",
    "servers",
    "board-vendor",
    "go-*",
    "unreachable.json",
    ".tmp-*",
)


def clean(cache: bool, force: bool = False) -> list[str]:
    """Returns what was done, a line each. Raises SetupError while containers of tradestack exist, unless forced."""
    done = remove_images(force)
    if STATE.exists():
        shutil.rmtree(STATE)
        done.append(f"{STATE} removed")
    if cache:
        remove_cache(CACHE)
        VENV.unlink(missing_ok=True)
        done.append(f"{CACHE} emptied")
    return done


def remove_images(force: bool) -> list[str]:
    host = home.read().get("DOCKER_HOST")
    if engine.problem(host) is not None:
        return ["no Docker engine is running: its images were left alone"]
    docker = engine.client(host)
    try:
        containers = docker.containers.list(all=True, filters={"label": engine.LABEL})
        if containers and not force:
            names = ", ".join(sorted(container.name for container in containers)[:5])
            raise SetupError(f"clean: containers of tradestack still exist ({names}): run `make down` first, which needs the stack's state")
        tags = {tag for image in docker.images.list() for tag in image.tags if tag.startswith(IMAGE_PREFIXES)}
        # Images before the bases that they are built on.
        for tag in sorted(tags, key=lambda tag: tag.startswith("tradestack-base/")):
            docker.images.remove(tag, force=force)
        return [f"{len(tags)} images removed"]
    except (APIError, DockerException) as error:
        raise SetupError(f"clean: an image could not be removed: {error}") from None
    finally:
        docker.close()


def remove_cache(cache: Path) -> None:
    for pattern in CACHED:
        for path in cache.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                for folder in (path, *(child for child in path.rglob("*") if child.is_dir() and not child.is_symlink())):
                    folder.chmod(0o700)  # Go makes its module folders read-only.
                shutil.rmtree(path)
            else:
                path.unlink()

"""The local stack's own Pulumi home, file backend and passphrase, and the variables that select them; ~/.pulumi stays the user's."""

import os
import re
import secrets
from pathlib import Path

from .paths import STATE, VENV

ENV_FILE = STATE / "env"
# The user's own settings that would win over ours.
DROPPED = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN", "PULUMI_STACK")


def write(cli: Path | None, docker_host: str | None) -> None:
    """Make the folders and the env file. `cli`: folder to put on PATH; `docker_host`: engine address, None when it was not looked for."""
    for folder in (STATE / "pulumi-home", STATE / "state"):
        folder.mkdir(parents=True, exist_ok=True)
    passphrase = STATE / "passphrase"
    if not passphrase.exists():
        write_private(passphrase, secrets.token_urlsafe(32))
    if docker_host is None:
        docker_host = read(ENV_FILE).get("DOCKER_HOST")
    path = [str(VENV / "bin"), *([str(cli)] if cli else [])]
    values = {
        "PATH": f"{':'.join(path)}:$PATH",
        "PULUMI_HOME": str(STATE / "pulumi-home"),
        "PULUMI_BACKEND_URL": f"file://{STATE / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }
    if docker_host and docker_host != "unix:///var/run/docker.sock":
        values["DOCKER_HOST"] = docker_host
    write_private(ENV_FILE, "".join(f'{name}="{value}"\n' for name, value in values.items()))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, in one step."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)


def read(file: Path = ENV_FILE) -> dict[str, str]:
    """The env file's variables as they are written; empty when there is none."""
    if not file.is_file():
        return {}
    return dict(re.findall(r'^(\w+)="(.*)"$', file.read_text(), re.MULTILINE))


def environment(file: Path = ENV_FILE) -> dict[str, str]:
    """This process's variables with the local stack's own on top: what to run `pulumi` and the tests with.

    Raises FileNotFoundError when set-up has not run in this checkout.
    """
    values = read(file)
    if not values:
        raise FileNotFoundError(f"{file} is missing: run `make up` or `make test` first")
    merged = {name: value for name, value in os.environ.items() if name not in DROPPED}
    ours = values.pop("PATH").removesuffix(":$PATH").split(":")
    rest = [folder for folder in merged.get("PATH", "").split(":") if folder and folder not in ours]
    return merged | values | {"PATH": ":".join([*ours, *rest])}

"""Resource plugins: real ones where they can be had, else the small offline providers of tools/offline. A real one always wins."""

import os
import shlex
import shutil
from pathlib import Path

from . import reach, versions
from .paths import CACHE, CHECKOUT, STATE, VENV
from .progress import SetupError, Step

# The engine asks GitHub first, then Pulumi's own server.
SERVERS = ("https://github.com", "https://get.pulumi.com/releases/plugins")
OFFLINE = {"docker": "tools.offline.docker_plugin", "aws": "tools.offline.aws_plugin", "awsx": "tools.offline.awsx_plugin"}
MARK = "offline"  # File beside an offline plugin; real ones don't have it.
INSTALL_LIMIT = 900.0


def folder_name(name: str, version: str) -> str:
    return f"resource-{name}-v{version}"


def is_real(plugins: Path, name: str, version: str) -> bool:
    """Does this `plugins` folder hold the real plugin, completely?"""
    folder = plugins / folder_name(name, version)
    complete = not Path(f"{folder}.partial").exists() and not (folder / MARK).exists()
    return complete and (folder / f"pulumi-resource-{name}").is_file()


def offline_script(name: str, python: Path = VENV / "bin" / "python", checkout: Path = CHECKOUT) -> str:
    """Executable that stands in for the plugin `name`."""
    module = OFFLINE.get(name)
    if module is None:
        # The language host asks for every installed Pulumi package's plugin, even when the program has no such resource.
        return f"#!/bin/sh\necho 'the {name} plugin could not be downloaded and has no offline stand-in' >&2\nexit 1\n"
    path = f"{shlex.quote(str(checkout))}${{PYTHONPATH:+:$PYTHONPATH}}"
    return f'#!/bin/sh\nexport PYTHONPATH={path} PYTHONSAFEPATH=1\nexec {shlex.quote(str(python))} -m {module} "$@"\n'


def install(plugins: Path, name: str, version: str, source: Path | None) -> None:
    """Put a plugin into `plugins`: links to the files of the real one in `source`, or the offline one. Complete or absent at any time."""
    target = plugins / folder_name(name, version)
    # The engine skips a folder while its .partial file is there, and a link in place of the folder always.
    partial = Path(f"{target}.partial")
    plugins.mkdir(parents=True, exist_ok=True)
    partial.touch()
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    if source is not None:
        for file in (source / folder_name(name, version)).iterdir():
            (target / file.name).symlink_to(file)
    else:
        script = target / f"pulumi-resource-{name}"
        script.write_text(offline_script(name))
        script.chmod(0o755)
        (target / MARK).touch()
    partial.unlink()


def places() -> list[Path]:
    """`plugins` folders that may hold real ones already: the shared cache and the user's own."""
    users = os.environ.get("PULUMI_HOME")
    own = [Path(users)] if users and Path(users) != STATE / "pulumi-home" else []
    return [home / "plugins" for home in (CACHE / "pulumi-home", *own, Path.home() / ".pulumi")]


def choose(step: Step, cli: Path | None) -> dict[str, str]:
    """Fill the checkout's Pulumi home with every plugin that the SDKs ask for; returns name -> `real` or `offline`. Raises SetupError."""
    home = STATE / "pulumi-home" / "plugins"
    needed = versions.needed_plugins()
    chosen, why = {}, None
    for name, version in needed.items():
        if is_real(home, name, version):
            chosen[name] = "real"
            continue
        source = next((place for place in places() if is_real(place, name, version)), None)
        if source is None and why is None:
            why = download(step, cli, name, version)
            source = CACHE / "pulumi-home" / "plugins" if why is None else None
        expected = None if source else offline_script(name)
        current = home / folder_name(name, version) / f"pulumi-resource-{name}"
        if source or not current.is_file() or current.read_text(errors="replace") != expected:
            install(home, name, version, source)
        chosen[name] = "real" if source else "offline"
    kinds = {kind: [f"{name} {needed[name]}" for name in chosen if chosen[name] == kind] for kind in ("real", "offline")}
    step.done("; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names) + (f" ({why})" if why else ""))
    return chosen


def download(step: Step, cli: Path | None, name: str, version: str) -> str | None:
    """Install the real plugin into the shared cache; None when it worked, else why not."""
    reasons = [reach.why_not(server) for server in SERVERS]
    if all(reasons):
        return f"no plugin server answers: {reasons[-1]}"
    pulumi = str(cli / "pulumi") if cli else "pulumi"
    env = {**os.environ, "PULUMI_HOME": str(CACHE / "pulumi-home"), "PULUMI_SKIP_UPDATE_CHECK": "1"}
    try:
        command = [pulumi, "plugin", "install", "resource", name, f"v{version}"]
        step.run(f"downloading {name} {version}", command, timeout=INSTALL_LIMIT, env=env)
    except SetupError as error:
        for server in SERVERS:
            reach.remember(server, "a plugin could not be downloaded")
        return str(error)
    return None

"""Which names a new service or bot may have: every mistake is found before anything is written."""

import importlib.util
import keyword
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.task import NAME_PATTERN
from settings_section import PROJECT, SERVICES
from settings_services import TAKEN_NAMES

BOTS = "bots"
NAME_FIX = "use 1 to 32 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen, such as NAME=mine"


def package_of(name: str) -> str:
    """The Python package of a service."""
    return name.replace("-", "_")


def mistake(name: str, config: Mapping[str, Any]) -> str:
    """One sentence, or "" for a name that a new task of the stack may have. `config`: the stack's `tradestack:…` keys."""
    if not name:
        return f"NAME is missing: {NAME_FIX}"
    if not NAME_PATTERN.fullmatch(name):
        return f"NAME={name}: {NAME_FIX}"
    if name in TAKEN_NAMES:
        return f"NAME={name}: a task of the stack itself has this name; choose another"
    for key in (BOTS, SERVICES):
        if name in {one.get("name") for one in config.get(f"{PROJECT}:{key}") or [] if isinstance(one, dict)}:
            return f"NAME={name}: {PROJECT}:{key} has one of this name already; choose another, or change that one"
    return ""


def service_mistake(name: str, config: Mapping[str, Any], root: Path) -> str:
    """The same of a service, which is a folder in images/ and a Python package too."""
    if found := mistake(name, config):
        return found
    folder, package = root / "images" / name, package_of(name)
    if folder.exists() or folder.is_symlink():
        return f"NAME={name}: images/{name} is there already; choose another name"
    if keyword.iskeyword(package):
        return f"NAME={name}: is a word of Python's own, so no package can have this name; choose another"
    # Whoever imports the other one would get this.
    if package in sys.stdlib_module_names or importlib.util.find_spec(package) or list(root.glob(f"images/*/{package}/__init__.py")):
        return f"NAME={name}: there is a Python module {package} already; choose another name"
    return ""

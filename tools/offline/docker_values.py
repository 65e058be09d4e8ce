"""Values between the Pulumi engine's wire and Docker: types, equality, secrets."""

import hashlib
import secrets
from typing import Any

from tools.offline import docker_config
from tools.offline.sdk_types import Property, Type
from tools.offline.wire import UNKNOWN, Secret, bare, has_unknown


def random_hex(seed: bytes) -> str:
    """Seven hex digits for a made-up name; the same for the same seed of the engine's."""
    return hashlib.sha256(seed).hexdigest()[:7] if seed else secrets.token_hex(4)[:7]


def given_paths(value: Any, path: str = "") -> set[str]:
    """Every property that has a value other than false, without list indices: `mounts.volumeOptions.subpath`."""
    if isinstance(value, dict):
        return {found for key, item in value.items() for found in given_paths(item, f"{path}.{key}" if path else key)} | (
            {path} if value else set()
        )
    if isinstance(value, list):
        return {found for item in value for found in given_paths(item, path)} | ({path} if value else set())
    return {path} if value not in (None, False, "") else set()


def coerced(value: Any, kind: Type) -> Any:
    """A value that passed the check, in its property's own type: the SDK sends every number as a float."""
    if isinstance(value, Secret):
        return Secret(coerced(value.value, kind))
    if value is None or value is UNKNOWN:
        return value
    if isinstance(value, dict):
        known: dict[str, Property] = dict(kind.properties) if kind.kind == "object" else {}
        return {
            key: coerced(item, known[key].type if key in known else kind.item or kind) for key, item in value.items() if item is not None
        }
    if isinstance(value, list):
        return [coerced(item, kind.item or kind) for item in value]
    if kind.kind == "integer":
        return int(float(value))
    if kind.kind == "boolean":
        return value if isinstance(value, bool) else value == "true"
    if kind.kind == "string" and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(whole(value))
    return value


def whole(value: Any) -> Any:
    """Whole numbers as int: on the wire every number is a float, and Docker's requests hold no fractions."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def differs(name: str, old: Any, new: Any, defaults: dict) -> bool:
    """Whether a property's change means something to Docker; a value that isn't known yet always may."""
    return has_unknown(new) or docker_config.canonical(name, bare(old), defaults=defaults) != docker_config.canonical(
        name, bare(new), defaults=defaults
    )


def has_secret(value: Any) -> bool:
    """Whether anything in it is secret."""
    if isinstance(value, (dict, list)):
        return any(map(has_secret, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Secret)

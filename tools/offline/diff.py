"""What changed between two sets of inputs, property by property, as the engine shows it."""

import json
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from pulumi.runtime.proto.provider_pb2 import DiffResponse, PropertyDiff

from tools.offline.wire import bare

KINDS = {
    ("add", False): PropertyDiff.ADD,
    ("add", True): PropertyDiff.ADD_REPLACE,
    ("delete", False): PropertyDiff.DELETE,
    ("delete", True): PropertyDiff.DELETE_REPLACE,
    ("update", False): PropertyDiff.UPDATE,
    ("update", True): PropertyDiff.UPDATE_REPLACE,
}


def diff(
    olds: Mapping[str, Any], news: Mapping[str, Any], replacing: AbstractSet[str], json_properties: AbstractSet[str] = frozenset()
) -> DiffResponse:
    """Compare inputs. A change at or below a path in `replacing` needs a new resource; `json_properties` are equal when they parse to the same.

    Paths in `replacing` have dots between levels and no list indices.
    """
    changed: dict[str, str] = {}
    for name in sorted({*olds, *news}):
        # A property that only became secret, or no longer is one, is no change of the resource.
        old, new = bare(olds.get(name)), bare(news.get(name))
        if name.startswith("__") or old == new or (name in json_properties and _same_json(old, new)):
            continue
        changed.update(_changes(old, new, name))
    forced = {path for path in changed if _forces(re.sub(r"\[\d+\]", "", path), replacing)}
    top, replaces = (sorted({re.split(r"[.\[]", path)[0] for path in paths}) for paths in (changed, forced))
    return DiffResponse(
        changes=DiffResponse.DIFF_SOME if changed else DiffResponse.DIFF_NONE,
        diffs=top,
        replaces=replaces,
        hasDetailedDiff=True,
        detailedDiff={path: PropertyDiff(kind=KINDS[kind, path in forced], inputDiff=True) for path, kind in changed.items()},
    )


def _forces(path: str, replacing: AbstractSet[str]) -> bool:
    # A block that appears or goes takes what is inside it along.
    return any(
        path == pattern or path.startswith((f"{pattern}.", f"{pattern}[")) or pattern.startswith(f"{path}.") for pattern in replacing
    )


def _changes(old: Any, new: Any, path: str) -> Iterator[tuple[str, str]]:
    if old is None or new is None:
        yield path, "add" if old is None else "delete"
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                yield from _changes(old.get(key), new.get(key), f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key)}]")
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            left, right = (items[index] if index < len(items) else None for items in (old, new))
            if left != right:
                yield from _changes(left, right, f"{path}[{index}]")
    else:
        yield path, "update"


def _same_json(old: Any, new: Any) -> bool:
    try:
        return json.loads(old) == json.loads(new)
    except (TypeError, ValueError):
        return False

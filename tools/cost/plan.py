"""The planned resources in `pulumi preview --json`, as plain data with their owner: the component right below the stack."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# What the engine writes for a value that it learns only while it deploys.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
STACK = "pulumi:pulumi:Stack"
GONE = ("delete", "delete-replaced", "discard", "read-discard", "read", "remove-pending-replace")


@dataclass(frozen=True)
class Planned:
    """One resource as it will be."""

    type: str
    urn: str
    inputs: Mapping[str, Any]
    parent: str | None = None
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Property -> URNs of the resources that its value comes from."""

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]


def from_preview(preview: Mapping[str, Any]) -> list[Planned]:
    """What exists after the planned steps, each resource once. `preview`: the decoded JSON, with `--show-sames` for a stack that is up."""
    found = {}
    for step in preview.get("steps", []):
        state = step.get("newState")
        if state and step["op"] not in GONE and not state.get("external"):
            uses = {name: tuple(urns or ()) for name, urns in (state.get("propertyDependencies") or {}).items()}
            found[state["urn"]] = Planned(state["type"], state["urn"], state.get("inputs") or {}, state.get("parent"), uses)
    return list(found.values())


def owners(resources: Iterable[Planned]) -> dict[str, Planned]:
    """URN -> the resource's ancestor right below the stack (itself, if nothing is in between)."""
    known = {resource.urn: resource for resource in resources}
    result = {}
    for urn, resource in known.items():
        owner = resource
        while (above := known.get(owner.parent or "")) is not None and above.type != STACK:
            owner = above
        result[urn] = owner
    return result


def is_known(value: Any) -> bool:
    return value is not None and value != UNKNOWN


def number(value: Any, otherwise: float) -> float:
    """`value` as a number, `otherwise` when it is absent or not known yet."""
    return float(value) if is_known(value) else otherwise


def flag(value: Any) -> bool | None:
    """True, False, or None when it is absent or not known yet. AWS writes some flags as text."""
    return str(value).lower() == "true" if is_known(value) else None


def first(value: Any) -> Mapping[str, Any]:
    """The block itself, or the first of a list of blocks; empty when absent or not known yet."""
    if isinstance(value, list):
        value = value[0] if value else {}
    return value if isinstance(value, Mapping) else {}

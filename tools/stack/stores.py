"""The data stores of the local stack: which there are, their containers, and where each keeps its data."""

from typing import Any

from settings_section import DATA
from tools.stack.bots import container
from tools.stack.engine import LOCAL, StackError, outputs
from tools.stack.status import engine_client


def stores(known: dict[str, Any]) -> dict[str, str]:
    """Short name (`influxdb`) -> container of every store that has a volume; `known` are the stack's outputs."""
    block = known.get(DATA) or {}
    return {task.removeprefix(f"{DATA}-"): block["services"][task] for task in sorted(block.get("volumes") or {})}


def store_container(name: str, stack: str = LOCAL) -> Any:
    """A store's container. Raises StackError naming the stores that there are."""
    found = stores(outputs(stack))
    if name not in found:
        said = f"STORE={name!r}: no such store in the {stack} stack" if name else "STORE is missing: name a store"
        raise StackError(f"{said}; there are {', '.join(found) or 'none'}")
    there = container(engine_client(stack), found[name])
    if there is None:
        raise StackError(f"the container of {name!r} is gone: `make up` brings it back")
    return there


def data_folder(store: Any) -> str:
    """Where the container's one volume is mounted."""
    (mount,) = (one for one in store.attrs["Mounts"] if one["Type"] == "volume")
    return mount["Destination"]

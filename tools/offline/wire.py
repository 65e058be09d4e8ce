"""Plain Python values for what the Pulumi engine sends: dict, list, str, float, bool, None, plus Secret, UNKNOWN and opaque assets.

Straight from and to the protobuf structs, because going through `PropertyValue` objects costs more than everything else in a preview of
a thousand resources.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value
from pulumi.runtime import rpc

SIGNATURE = rpc._special_sig_key
SECRET = rpc._special_secret_sig
OUTPUT = rpc._special_output_value_sig
RESOURCE = rpc._special_resource_sig


class _Unknown:
    """A value that is not known before the deployment."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()


class Secret:
    """A value that must stay secret. Its repr doesn't show it, so that no message or log line can."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.value == other.value

    def __hash__(self) -> int:
        return hash(Secret)

    def __repr__(self) -> str:
        return "[secret]"


def decode(struct: Struct) -> dict[str, Any]:
    return {key: decode_value(value) for key, value in struct.fields.items()}


def decode_value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
    if kind == "struct_value":
        fields = decode(value.struct_value)
        signature = fields.get(SIGNATURE)
        if signature == SECRET:
            return Secret(fields.get("value"))
        if signature == OUTPUT:
            inner = fields.get("value", UNKNOWN)
            return Secret(inner) if fields.get("secret") else inner
        return fields
    if kind == "list_value":
        return [decode_value(item) for item in value.list_value.values]
    if kind == "number_value":
        return value.number_value
    return value.bool_value if kind == "bool_value" else None


def encode(values: Mapping[str, Any]) -> Struct:
    return Struct(fields={key: encode_value(value) for key, value in values.items()})


def encode_value(value: Any) -> Value:
    if isinstance(value, str):
        return Value(string_value=value)
    if value is None:
        return Value(null_value=0)  # type: ignore[arg-type]
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, (int, float)):
        return Value(number_value=value)
    if isinstance(value, Mapping):
        return Value(struct_value=encode(value))
    if isinstance(value, (list, tuple)):
        return Value(list_value=ListValue(values=[encode_value(item) for item in value]))
    if isinstance(value, Secret):
        return Value(struct_value=encode({SIGNATURE: SECRET, "value": value.value}))
    if value is UNKNOWN:
        return Value(string_value=rpc.UNKNOWN)
    raise TypeError(f"can't send a {type(value).__name__} to the Pulumi engine")


def bare(value: Any) -> Any:
    """The value without its secret wrappers, at every level. Never print what comes out."""
    if isinstance(value, Secret):
        return bare(value.value)
    if isinstance(value, Mapping):
        return {key: bare(item) for key, item in value.items()}
    return [bare(item) for item in value] if isinstance(value, list) else value


def has_unknown(value: Any) -> bool:
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, Mapping):
        return any(map(has_unknown, value.values()))
    return any(map(has_unknown, value)) if isinstance(value, list) else value is UNKNOWN


# The engine has one marker for each type of unknown value (sdk/go/common/resource/plugin/rpc.go).
_UNKNOWNS = frozenset(
    {
        rpc.UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)

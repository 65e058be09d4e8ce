"""A point as a line of InfluxDB's line protocol, so that whatever a tag or a field holds, it is one line and comes back as it was.

https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/; what a test against InfluxDB 1.8 gave, where that page is silent.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

INT64 = 2**63
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# A backslash before one of these, or at the end, would change what they mean, and can't be escaped itself.
_BEFORE_IN_VALUES = re.compile(r"\\+(?=[,= ]|\Z)")
_BEFORE_IN_NAMES = re.compile(r"\\+(?=[,= \"]|\Z)")
_KEY = re.compile(r"([,= ])")
_MEASUREMENT = re.compile(r"([, ])")
ESCAPED = r"\\\1"
# InfluxDB refuses a tag of this name, and loses a field of it without a word.
TIME = "time"
# Names and tags come again and again; each costs five passes over its text.
REMEMBERED = 2000


def line_of(measurement: str, tags: Mapping[str, Any], fields: Mapping[str, Any], time_ns: int) -> str:
    """One line without its end. int, float, bool and str are four types to InfluxDB: a field keeps the type of its first point.

    Left out: tags that are None or empty, fields that are None, NaN, infinite or beyond 64 bits, whatever is named `time`. Decimals become floats,
    other values text. Raises ValueError when no field is left, or the measurement's name or the time can't be written.
    """
    name = kept_name(measurement)
    if not name or name.startswith("#"):
        raise ValueError(f"{name or 'a point without a name'}: InfluxDB takes a line that begins so for a remark, or not at all")
    pairs = ((kept_name(key), _field(value)) for key, value in fields.items())
    written = ",".join(f"{_escape(key)}={value}" for key, value in pairs if key and key != TIME and value)
    if not written:
        raise ValueError(f"{name}: no field that can be written")
    # The lowest two and the highest are InfluxDB's own.
    if not -INT64 + 2 <= time_ns < INT64 - 1:
        raise ValueError(f"{measurement}: {time_ns} is no time in ns")
    tag_pairs = ((kept_name(key), kept_tag(str(value))) for key, value in sorted(tags.items()) if value is not None)
    tag_text = "".join(f",{_escape(key)}={_escape(value)}" for key, value in tag_pairs if key and key != TIME and value)
    return f"{_MEASUREMENT.sub(ESCAPED, name)}{tag_text} {written} {int(time_ns)}"


@lru_cache(REMEMBERED)
def kept_name(text: str) -> str:
    """What comes back of a measurement's or a key's name: as of a tag's value, and a backslash before a quote is a slash too."""
    return _without_control(_BEFORE_IN_NAMES, text)


@lru_cache(REMEMBERED)
def kept_tag(text: str) -> str:
    """What comes back of a tag's value: control characters are spaces, a backslash that would escape what follows is a slash."""
    return _without_control(_BEFORE_IN_VALUES, text)


def kept_text(text: str) -> str:
    """What comes back of a text field."""
    return text.encode("utf-8", "replace").decode()


def _without_control(unsafe: re.Pattern[str], text: str) -> str:
    return unsafe.sub(lambda found: "/" * len(found.group()), _CONTROL.sub(" ", kept_text(text)))


@lru_cache(REMEMBERED)
def _escape(text: str) -> str:
    return _KEY.sub(ESCAPED, text)


def _field(value: Any) -> str:
    """Empty for what can't be written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{int(value)}i" if -INT64 <= value < INT64 else ""
    if isinstance(value, (float, Decimal)):
        return repr(float(value)) if math.isfinite(value) else ""
    if value is None:
        return ""
    text = kept_text(str(value)).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'

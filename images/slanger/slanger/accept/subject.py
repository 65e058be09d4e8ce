"""The common name in a certificate's subject, as proxies write it: RFC 4514, and RFC 2253 before it."""

import re

COMMON_NAME = ("CN", "2.5.4.3")

# One attribute and what follows it: `,` begins the next name, `+` goes on with this one; RFC 2253 allows `;` and quotes too.
_ATTRIBUTE = re.compile(
    r"""\s*+(?P<type>[A-Za-z][A-Za-z0-9-]*+|[0-9]++(?:\.[0-9]++)*+)\s*+=\s*+
    (?:"(?P<quoted>(?:[^"\\]|\\.)*+)"\s*+|(?P<plain>(?:[^\\",;+]|\\.)*+))
    (?P<end>[,;+]|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\(.)", re.DOTALL)


def common_name(subject: str) -> str | None:
    """The one common name; None if there is none, more than one, or if the text is no subject."""
    found, position = [], 0
    while True:
        attribute = _ATTRIBUTE.match(subject, position)
        if attribute is None:
            return None
        if attribute["type"].upper() in COMMON_NAME:
            found.append(_value(attribute))
        position = attribute.end()
        if not attribute["end"]:
            return found[0] if len(found) == 1 else None


def _value(attribute: re.Match[str]) -> str | None:
    if attribute["quoted"] is not None:
        return _ESCAPES.sub(_unescaped, attribute["quoted"])
    # `#` begins a value in hexadecimal DER: no name that anybody chose.
    plain = attribute["plain"]
    return None if plain.startswith("#") else _ESCAPES.sub(_unescaped, plain.strip())


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1] is not None:
        return escape[1]
    return bytes.fromhex(escape[0].replace("\\", "")).decode("utf-8", "replace")

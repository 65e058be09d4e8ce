"""Query parameters, refused as Binance refuses them: HTTP 400 with its error code and message."""

import json
import re
from collections.abc import Collection, Mapping

SYMBOL = re.compile(r"[A-Z0-9\-_.]{1,20}")
WHOLE = re.compile(r"[0-9]{1,20}")


class BadRequest(ValueError):
    """A request that Binance would refuse."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def only(query: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse parameters that the endpoint does not read."""
    read = sum(name in known for name in query)
    if read != len(query):
        raise BadRequest(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(query)}'.")


def one_symbol(query: Mapping[str, str], known: Collection[str]) -> str:
    """The mandatory `symbol`."""
    text = query.get("symbol", "")
    if not text:
        raise BadRequest(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
    return _symbol(text, known)


def some_symbols(query: Mapping[str, str], known: Collection[str]) -> tuple[list[str], bool]:
    """The symbols asked for by `symbol`, by `symbols` (a JSON list) or by neither (all), and whether it was a single one."""
    if "symbol" in query and "symbols" in query:
        raise BadRequest(-1128, "Combination of optional parameters invalid.")
    if "symbol" in query:
        return [one_symbol(query, known)], True
    if "symbols" not in query:
        return list(known), False
    try:
        names = json.loads(query["symbols"])
    except (ValueError, RecursionError):  # the latter: thousands of brackets
        names = None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise BadRequest(-1135, "JSON sent for parameter 'symbols' is not valid")
    if len(set(names)) != len(names):
        raise BadRequest(-1151, "Symbol is present multiple times in the list.")
    return [_symbol(name, known) for name in names], False


def _symbol(text: str, known: Collection[str]) -> str:
    if not SYMBOL.fullmatch(text):
        raise BadRequest(-1100, "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'.")
    if text not in known:
        raise BadRequest(-1121, "Invalid symbol.")
    return text


def whole(query: Mapping[str, str], name: str) -> int | None:
    """A whole number of at least 0, or None if it was not sent."""
    text = query.get(name)
    if text is None:
        return None
    if not text:
        raise BadRequest(-1105, f"Parameter '{name}' was empty.")
    if not WHOLE.fullmatch(text):
        raise BadRequest(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    return int(text)


def limit(query: Mapping[str, str], default: int, most: int) -> int:
    """`limit`: as Binance does it, more than the most is the most."""
    value = whole(query, "limit")
    if value is None:
        return default
    if value == 0:
        raise BadRequest(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(value, most)

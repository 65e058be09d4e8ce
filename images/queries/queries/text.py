"""A query with its placeholders filled in. Whatever a value holds, it stays a value: nothing of it can become part of the query."""

from string import Template

from queries.files import Query

# Loki refuses more in one series, and no screen shows them.
MOST_POINTS = 11_000
MOST_CHARACTERS = 1000
LEVELS = ("debug", "info", "warning", "error", "critical")
# What other programs call them.
_SPELLED = {
    "debug": ("debug", "trace"),
    "info": ("info", "information", "notice"),
    "warning": ("warning", "warn"),
    "error": ("error", "err"),
    "critical": ("critical", "crit", "fatal", "alert", "emergency", "panic"),
}
_EVERYTHING = {"bot": ".*", "service": ".+", "symbol": ".+", "level": ".*", "search": ""}
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_- ")
_JSON_NAMES = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


class BadValue(ValueError):
    """A value is missing, unknown, or none that its placeholder takes. The message names it."""


def fill(query: Query, start_ms: int, end_ms: int, interval_s: int, **values: str) -> str:
    """InfluxQL or LogQL for the time from `start_ms` up to `end_ms` (Unix ms; without the end), one point every `interval_s` seconds.

    Exactly the query's own placeholders besides $time and $interval must be in `values`; an empty text means all.
    bot, service, symbol: the whole name. level: this level and worse ones. search: part of a log line, in upper or lower case, as a person reads it.
    Raises BadValue.
    """
    used = query.placeholders
    own = used - {"time", "interval"}
    mistakes = [f"{name}: is missing; give a text, empty for all" for name in sorted(own - values.keys())]
    mistakes += [
        f"{name}: this query has no such placeholder; it has {', '.join(sorted(own)) or 'none'}" for name in sorted(values.keys() - own)
    ]
    for name in sorted(own & values.keys()):
        if not isinstance(values[name], str) or len(values[name]) > MOST_CHARACTERS:
            mistakes.append(f"{name}: give a text of at most {MOST_CHARACTERS} characters")
    if values.get("level") and values["level"] not in LEVELS:
        mistakes.append(f"level={str(values['level'])[:20]!r}: use one of {', '.join(LEVELS)}, or nothing for all")
    if query.latest is not None and isinstance(end_ms, int):
        start_ms = max(0, end_ms - query.latest * 1000)
    if any(not isinstance(one, int) or isinstance(one, bool) for one in (start_ms, end_ms, interval_s)):
        mistakes.append("start_ms, end_ms and interval_s: give whole numbers")
    elif not 0 <= start_ms < end_ms < 2**63 // 10**6:
        mistakes.append(f"start_ms={start_ms}, end_ms={end_ms}: the start must be earlier than the end, both Unix times in ms")
    elif interval_s < 1:
        mistakes.append(f"interval_s={interval_s}: use 1 or more")
    elif "interval" in used and (end_ms - start_ms) / 1000 / interval_s > MOST_POINTS:
        least = -(-(end_ms - start_ms) // 1000 // MOST_POINTS)
        mistakes.append(f"interval_s={interval_s}: more than {MOST_POINTS} points a series; use {least} or more, or a shorter time")
    if mistakes:
        raise BadValue(f"{query.file}.{query.name}: " + "; ".join(mistakes))
    texts = {name: _pattern(name, text) for name, text in values.items()}
    return Template(query.query).substitute(texts, time=f"time >= {start_ms}ms AND time < {end_ms}ms", interval=f"{interval_s}s")


def _pattern(name: str, text: str) -> str:
    """A regular expression of both servers (Go's), made of letters, digits and what `_one` and the tables above write: none ends a literal."""
    if not text:
        return _EVERYTHING[name]
    if name == "level":
        return level_pattern(text)
    text = text.encode("utf-8", "replace").decode()
    return "".join(map(_as_json if name == "search" else _one, text))


def level_pattern(level: str) -> str:
    """A regular expression for `level` (one of LEVELS) and worse, as programs and Loki spell them."""
    return "(?i:" + "|".join(word for one in LEVELS[LEVELS.index(level) :] for word in _SPELLED[one]) + ")"


def _one(character: str) -> str:
    return character if character in _PLAIN else f"\\x{{{ord(character):x}}}"


def _as_json(character: str) -> str:
    """As it is, or as a JSON text writes it."""
    if character in _PLAIN:
        return character
    forms = [_one(character)]
    if character in ('"', "\\", "/"):
        forms = [_one("\\") + _one(character), *forms]
    if character in _JSON_NAMES:
        forms.append(_one("\\") + _JSON_NAMES[character])
    if not " " < character < "\x7f":
        units = character.encode("utf-16-be")
        forms.append("".join(f"{_one(chr(92))}u{units[place : place + 2].hex()}" for place in range(0, len(units), 2)))
    return forms[0] if len(forms) == 1 else f"(?:{'|'.join(forms)})"

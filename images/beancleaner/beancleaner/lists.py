"""`lists`: shows the lists that the rules keep, and changes one of them at once: nobody ever reads half of a change."""

from collections.abc import Iterable, Sequence

from beancleaner.decide import NOTHING, Unreadable, symbols_of
from beancleaner.memory import Memory
from beancleaner.names import BadName, key_of

ACTIONS = ("add", "remove", "set")
USE = "use lists, lists add NAME SYMBOL…, lists remove NAME SYMBOL… or lists set NAME [SYMBOL…]"


class BadChange(ValueError):
    """The sentence to end with; nothing was changed."""


async def show(memory: Memory, names: Iterable[str]) -> tuple[list[str], bool]:
    """A line for each list, and whether all can be read. Raises BusDown."""
    lines, good = [], True
    for name in names:
        members = await memory.bus.members(name)
        try:
            symbols_of(name, members)
            lines.append(_line(name, members))
        except Unreadable as bad:
            lines.append(f"{name}: nothing is closed: {bad}")
            good = False
    return lines or ["the rules name no list"], good


async def change(memory: Memory, names: Sequence[str], words: Sequence[str]) -> list[str]:
    """What was done, for people. `words`: such as add earnings_list AAPL T; `names`: the lists of the rules. Raises BadChange and BusDown."""
    if len(words) < 2 or words[0] not in ACTIONS or (len(words) == 2 and words[0] != "set"):
        raise BadChange(f"lists {' '.join(words)}: {USE}")
    action, name, *symbols = words
    if name not in names:
        raise BadChange(f"{name}: is no list of the rules; use {', '.join(names) or 'a rule with keep.lists first'}")
    try:
        given = {key_of(one): one.strip().upper().rpartition(":")[2] for one in symbols}
    except BadName as bad:
        raise BadChange(f"{name} is not changed: {bad}") from None
    said: list[str] = []

    def changed(members: frozenset[str]) -> frozenset[str]:
        after, said[:] = changed_list(action, name, members, given)
        return after

    after = await memory.change_list(name, changed)
    return [*said, _line(name, after)]


def changed_list(action: str, name: str, members: frozenset[str], given: dict[str, str]) -> tuple[frozenset[str], list[str]]:
    """The list after the change and what is said of it. `given`: key -> symbol. Raises BadChange."""
    before = {} if action == "set" or (action == "add" and not members) else _by_key(action, name, members)
    if action == "remove":
        after = {key: symbol for key, symbol in before.items() if key not in given}
        said = [f"{symbol}: {'removed' if key in before else 'was not on it'}" for key, symbol in sorted(given.items())]
    else:
        # Whoever wrote it first: two spellings of one instrument are one member.
        after = {**given, **before}
        said = [f"{symbol}: {'was on it' if key in before else 'added'}" for key, symbol in sorted(given.items())]
    return frozenset(after.values()) or frozenset((NOTHING,)), [] if action == "set" else said


def _by_key(action: str, name: str, members: frozenset[str]) -> dict[str, str]:
    try:
        symbols_of(name, members)
    except Unreadable as bad:
        # An empty list in place of one that is missing would let be closed what it was to keep.
        raise BadChange(f"{bad}; nothing to {action}, use lists set {name} with all its symbols") from None
    return {key_of(one): one for one in members if one != NOTHING}


def _line(name: str, members: Iterable[str]) -> str:
    symbols = sorted(set(members) - {NOTHING})
    return f"{name}: {len(symbols)}: {' '.join(symbols)}" if symbols else f"{name}: 0, an empty list: it keeps nothing"

"""What is wrong with which bots, told in one line a kind and minute, however many bots there are and however often they are asked."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from botkit.freqtrade import Fault

log = logging.getLogger(__name__)
QUIET_SECONDS = 60.0
# Names in one line; the rest is counted.
MOST_NAMES = 20


class Kind(NamedTuple):
    """A kind of trouble: its name, and a sentence that says the fix."""

    name: str
    level: int
    sentence: str


NO_NAME = Kind(
    "no_dns_name", logging.WARNING, "bots whose host names DNS does not know: is the bot deployed, is its name in secrets.bots right?"
)
NO_ANSWER = Kind("no_answer", logging.WARNING, "bots that do not answer")
REFUSED = Kind(
    "wrong_password",
    logging.ERROR,
    "bots that refuse username or password: set secrets.bots to the bot's own api_username and api_password",
)
ODD_ANSWER = Kind("odd_answer", logging.WARNING, "bots that answer with an error, or as freqtrade does not")
FAULT = Kind("fault", logging.ERROR, "bots whose answers this program can't handle: report it")
KINDS = (NO_NAME, NO_ANSWER, REFUSED, ODD_ANSWER, FAULT)
KIND_OF = {Fault.NO_NAME: NO_NAME, Fault.NO_ANSWER: NO_ANSWER, Fault.REFUSED: REFUSED, Fault.ODD_ANSWER: ODD_ANSWER}


class Troubles:
    """The newest trouble of each bot. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._now: dict[str, tuple[Kind, str]] = {}
        self._told: dict[str, str] = {}
        """Bot -> kind that a line has told of it."""
        self._told_at: dict[str, float] = {}

    def note(self, bot: str, kind: Kind, detail: str) -> None:
        """`detail`: what happened; shown for the first bot of a line. Never with credentials."""
        self._now[bot] = (kind, detail)

    def fine(self, bot: str) -> None:
        self._now.pop(bot, None)

    def tell(self) -> None:
        """Log what is due; call it every second or so."""
        for kind in KINDS:
            bots = sorted(bot for bot, (its, _) in self._now.items() if its is kind)
            if bots and self._due(kind.name):
                log.log(kind.level, "%s: %s (%s: %s)", kind.sentence, _names(bots), bots[0], self._now[bots[0]][1],
                        extra={"kind": kind.name, "bots": len(bots)})  # fmt: skip
                self._told |= dict.fromkeys(bots, kind.name)
        well = sorted(set(self._told) - set(self._now))
        if well and self._due("well"):
            log.info("bots that answer again: %s", _names(well), extra={"kind": "answers_again", "bots": len(well)})
            for bot in well:
                del self._told[bot]

    def _due(self, name: str) -> bool:
        now = self._clock()
        if now - self._told_at.get(name, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._told_at[name] = now
        return True


def _names(bots: list[str]) -> str:
    return ", ".join(bots[:MOST_NAMES]) + (f" and {len(bots) - MOST_NAMES} more" if len(bots) > MOST_NAMES else "")

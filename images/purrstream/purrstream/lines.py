"""What is known of one symbol's bars: until when they are told, the last ones, and those that wait for what was before them."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from botkit.market import Bar, later

# Of each symbol: half an hour, which answers whoever was away for less without asking the broker.
MOST_KEPT = 30
# While older ones are read. With more waiting the line begins again.
MOST_HELD = 600


@dataclass
class Line:
    symbol: str
    until: str = ""
    """All bars that start before it are told; "" when nothing is known."""
    live: bool = False
    """From `until` on every bar comes by the stream."""
    kept: deque[Bar] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    kept_from: str = ""
    """`kept` has all bars that start from here on."""
    held: list[Bar] = field(default_factory=list)

    def hear(self, bar: Bar) -> Bar | None:
        """From the stream: the bar to tell, if it is one."""
        if not self.live:
            self.held.append(bar)
            # The oldest are read by REST then.
            del self.held[:-MOST_HELD]
            return None
        return self._next(bar)

    def start(self, owed: str, until: str, read: Iterable[Bar]) -> list[Bar]:
        """`read`: all bars from `owed` on until before `until`; the stream brings those from there on. Gives the bars to tell."""
        if not self.kept_from or owed > self.until:
            self.kept.clear()
            self.kept_from = owed
        self.until = owed
        known = {bar.start: bar for bar in self.held}
        # What REST tells was settled later than what the stream told.
        known |= {bar.start: bar for bar in read}
        self.held, self.live = [], True
        told = [bar for start in sorted(known) if (bar := self._next(known[start]))]
        self.until = max(self.until, until)
        return told

    def lose(self) -> None:
        """The stream is gone: what was between is to be read."""
        self.live = False

    def forget(self, latest: str) -> None:
        """Another time has begun, in which no bar starts after `latest` yet."""
        self.until = self.kept_from = ""
        self.live = False
        self.kept.clear()
        self.held = [bar for bar in self.held if bar.start <= latest]

    def _next(self, bar: Bar) -> Bar | None:
        if bar.start < self.until:
            return None
        told = replace(bar, since=self.until)
        if len(self.kept) == MOST_KEPT:
            self.kept_from = later(self.kept[0].start)
        self.kept.append(told)
        self.until = later(bar.start)
        return told

"""How long things take to be seen where they should be: on a busy machine the best of several must keep to the promise, the rest to a bound."""

import time
from typing import Any

MOST_SECONDS = 60
"""Seconds that a single one may take on a machine that is busy with other things; the best of several must keep to the promise."""


class Arrivals:
    """When things were first seen where they should be, in seconds after they had happened."""

    def __init__(self, places: tuple[str, ...]) -> None:
        self.places = places
        self.happened: dict[Any, float] = {}
        """Thing -> Unix seconds."""
        self.seconds: dict[tuple[Any, str], float] = {}

    def see(self, place: str, things: set[Any]) -> None:
        for thing in things & set(self.happened):
            self.seconds.setdefault((thing, place), time.time() - self.happened[thing])

    def complete(self) -> list[Any]:
        # A list: threads may note more while this goes through them.
        return [thing for thing in list(self.happened) if all((thing, place) in self.seconds for place in self.places)]

    def late(self) -> list[tuple[Any, str]]:
        """What is not there although its longest time is over."""
        now = time.time()
        pairs = [(thing, place) for thing in list(self.happened) for place in self.places]
        return [one for one in pairs if one not in self.seconds and now - self.happened[one[0]] > MOST_SECONDS]

    def check(self, seconds: float) -> None:
        """Print them; in each place the best must be within `seconds`, every other one within MOST_SECONDS."""
        for place in self.places:
            found = [taken for (_, where), taken in self.seconds.items() if where == place]
            print(f"{place}: {', '.join(f'{one:.1f}' for one in found)} s")
            assert found and min(found) <= seconds and max(found) <= MOST_SECONDS, f"{place}: {found}"

"""What a service must have found in the bars that it was shown, and the wait until it has."""

from datetime import timedelta

from botkit.market import MINUTE
from botkit.market import Session as TradingDay
from earnyearn.session import session_at
from earnyearn.settings import read_settings
from earnyearn.strategy import State, step
from earnyearn_market import at, sessions
from earnyearn_world import WEDNESDAY, wait_for


def expected(world, symbols, day=WEDNESDAY, clock="16:00", **settings):
    """Signals that the bars have until then."""
    rules = read_settings(world.environment(**settings)).rules
    end = at(day, clock)
    session = session_at(end, [TradingDay(*one) for one in sessions(end.date() - timedelta(days=10), end.date())])
    found = []
    for symbol in symbols:
        state = State()
        for bar in (bar for start in (session.before_opens, session.opens) for bar in _bars(world, symbol, start, end)):
            found.append(step(state, rules, session, symbol, bar.begins, bar.close))
    return [one for one in found if one]


def _bars(world, symbol, opens, end):
    start = opens
    while start < min(end, opens + timedelta(minutes=390)):
        yield world.market.bar(symbol, start)
        start += MINUTE


def settled(world, run):
    """Waits until every bar has been read and every signal has an outcome."""
    last = f"{world.market.now - MINUTE:%Y-%m-%dT%H:%M:00Z}"

    def done():
        stats = run.get("/stats")
        return stats and stats["last_bar"] == last and not stats["signals"]["waiting"]

    wait_for(done, why=run.log)

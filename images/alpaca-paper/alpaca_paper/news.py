"""Stand-in headlines at fixed times of every weekday: made up here, and worded so that nobody takes them for news."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from .orders import EPOCH
from .sessions import DAY, NEW_YORK, SATURDAY

MICROSECOND = timedelta(microseconds=1)
# Time of day in New York, headline, summary. {} is the symbol that has its turn.
STORIES = (
    (time(8, 0), "Rehearsal: {} is mentioned before the bell", "A made-up story for bots that read early."),
    (time(9, 45), "Rehearsal: a parrot learns to say {}", "A made-up story. The parrot does not exist and holds no shares."),
    (time(11, 30), "Rehearsal: chess club names its new opening after {}", "A made-up story. Black is said to be better."),
    (time(13, 15), "Rehearsal: {} spelled in lights over a harbour that does not exist", "A made-up story. The harbour is closed."),
    (time(15, 5), "Rehearsal: weather in the made-up town of {} stays fine", "A made-up story for the last hour."),
    (time(18, 30), "Rehearsal: a long day ends for {}", "A made-up story after the close."),
)
SYMBOLS = ("AAPL", "MSFT", "KO", "TSLA", "JPM", "NVDA", "BTCUSD", "WMT", "T", "AMD", "SPY")


def of_day(day: date) -> list[dict]:
    """The articles of a day in the order of time, as Alpaca's JSON. None at the weekend."""
    if day.weekday() >= SATURDAY:
        return []
    return [_article(day, number) for number in range(len(STORIES))]


def _article(day: date, number: int) -> dict:
    at, headline, summary = STORIES[number]
    turn = day.toordinal() * len(STORIES) + number
    symbol = SYMBOLS[turn % len(SYMBOLS)]
    written = f"{_instant(day, at).astimezone(EPOCH.tzinfo):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "id": turn,
        "headline": headline.format(symbol),
        "summary": summary,
        "author": "alpaca-paper",
        "created_at": written,
        "updated_at": written,
        "url": f"https://news.invalid/{turn}",
        "content": f"<p>{summary}</p>",
        "symbols": [symbol],
        "source": "rehearsal",
    }


def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, NEW_YORK)


def time_of(article: dict) -> int:
    """Unix microseconds."""
    return (datetime.fromisoformat(article["created_at"]) - EPOCH) // MICROSECOND


def between(start: int, end: int, newest_first: bool = False) -> Iterator[dict]:
    """The articles from `start` to `end` (Unix microseconds, both included)."""
    first, last = ((EPOCH + timedelta(microseconds=at)).astimezone(NEW_YORK).date() for at in (start, max(start, end)))
    for number in range((last - first).days + 1):
        day = last - number * DAY if newest_first else first + number * DAY
        for article in reversed(of_day(day)) if newest_first else of_day(day):
            if start <= time_of(article) <= end:
                yield article

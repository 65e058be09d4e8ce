"""What is answered: the file's rows, dated from the first day that is asked for. Pure functions.

Formats: https://finnhub.io/docs/api/earnings-calendar and https://finnhub.io/docs/api/recommendation-trends.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

SATURDAY = 5
# Finnhub answers no more rows at once.
MOST_ROWS = 1500


class BadAnswers(ValueError):
    """The file can't be used. The message names it and the fix."""


@dataclass(frozen=True)
class Answers:
    earnings: list[dict[str, Any]]
    """Rows with `day`, `symbol`, `hour`, `epsEstimate`, `revenueEstimate`, perhaps `international`."""
    recommendations: dict[str, list[dict[str, Any]]]
    """Symbol -> ratings with `month`, the newest first."""


def read_answers(path: Path) -> Answers:
    """Raises BadAnswers."""
    try:
        tree = json.loads(path.read_text())
        answers = Answers(tree["earnings"], tree["recommendations"])
        calendar(answers, date(2024, 1, 1), date(2024, 12, 31), "", True)
        for symbol in answers.recommendations.keys():
            recommendations(answers, symbol, date(2024, 1, 1))
    except OSError as problem:
        raise BadAnswers(f"FINNHUB_REPLAY_ANSWERS={path}: {problem.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadAnswers(f"FINNHUB_REPLAY_ANSWERS={path}: give earnings and recommendations as data/README.md says ({problem!r})") from None
    return answers


def calendar(answers: Answers, first: date, last: date, symbol: str, international: bool) -> dict[str, Any]:
    """/calendar/earnings. `symbol`: "" for all."""
    rows = [
        _row(one, when)
        for one in answers.earnings
        if (when := weekdays_after(first, one["day"])) <= last
        and symbol in ("", one["symbol"])
        and (international or not one.get("international"))
    ]
    return {"earningsCalendar": rows[:MOST_ROWS]}


def recommendations(answers: Answers, symbol: str, today: date) -> list[dict[str, Any]]:
    """/stock/recommendation: a row a month, the newest first; an empty list for a symbol without ratings."""
    return [
        {
            **{key: one[key] for key in ("buy", "hold")},
            "period": months_before(today, one["month"]).isoformat(),
            **{key: one[key] for key in ("sell", "strongBuy", "strongSell")},
            "symbol": symbol,
        }
        for one in answers.recommendations.get(symbol, [])
    ]


def weekdays_after(first: date, count: int) -> date:
    """The first day itself for 0, whatever day it is."""
    day = first
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < SATURDAY
    return day


def months_before(today: date, count: int) -> date:
    """First day of a month."""
    months = today.year * 12 + today.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)


def _row(one: dict[str, Any], when: date) -> dict[str, Any]:
    # The quarter that ended last.
    reported = months_before(when, 3)
    return {
        "date": when.isoformat(),
        "epsActual": None,
        "epsEstimate": one["epsEstimate"],
        "hour": one["hour"],
        "quarter": (reported.month - 1) // 3 + 1,
        "revenueActual": None,
        "revenueEstimate": one["revenueEstimate"],
        "symbol": one["symbol"],
        "year": reported.year,
    }

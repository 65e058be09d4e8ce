"""Which symbols have earnings worth trading, and why each is in or out. Pure: from Finnhub's answers to decisions.

Formats: https://finnhub.io/docs/api/earnings-calendar and https://finnhub.io/docs/api/recommendation-trends.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

# Shares at an exchange of the USA: up to five letters, a class of shares behind a dot. Finnhub names other exchanges there (`HSBC.L`).
US_SYMBOL = re.compile(r"[A-Z]{1,5}(\.[AB])?")
# Nasdaq's fifth letters of foreign shares that are traded over the counter: F, and Y for receipts of them.
OVER_THE_COUNTER = re.compile(r"[A-Z]{4}[FY]")
TOLD = 40


class OddAnswer(ValueError):
    """Finnhub's answer is not as documented."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    days: int
    """Days after today whose earnings count too."""
    least_eps: float
    """USD a share."""
    least_revenue: float
    """USD."""
    needs_buy: bool
    """More than half of the analysts' newest ratings have to be buy or strong buy."""
    most_symbols: int
    """Those with the largest estimated revenue."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    symbol: str
    day: str
    """Of the report, YYYY-MM-DD; "" if it is not known."""
    eps: float | None = None
    revenue: float | None = None
    ratings: str = ""
    """Such as `35 of 46 buy`; "" while they are not known."""
    why_not: str = ""
    """"" for one that is in."""


def screened(answer: Any, filters: Filters, first: date, last: date) -> list[Choice]:
    """What the calendar alone decides, a symbol once: candidates with the largest revenue first, then the others. Raises OddAnswer."""
    rows = answer.get("earningsCalendar") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise OddAnswer("the earnings calendar has no list earningsCalendar")
    found: dict[str, Choice] = {}
    for choice in (_choice(row, filters, first, last) for row in rows):
        before = found.get(choice.symbol)
        # The same company is listed twice when its day is not certain: what counts is that one of its rows is in.
        if before is None or (before.why_not and not choice.why_not):
            found[choice.symbol] = choice
    if rows and set(found) == {""}:
        raise OddAnswer("no row of the earnings calendar is as documented")
    chosen = sorted((one for one in found.values() if not one.why_not), key=lambda one: (-one.revenue, one.symbol))
    return chosen + sorted((one for one in found.values() if one.why_not), key=lambda one: one.symbol)


def rated(choice: Choice, answer: Any) -> Choice:
    """The candidate after its ratings. An odd answer costs its symbol alone the place."""
    odd = replace(choice, ratings="?", why_not="ratings are not as Finnhub documents them")
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        return odd
    if not answer:
        return replace(choice, ratings="none", why_not="no analyst's ratings")
    newest = max(answer, key=lambda row: str(row.get("period")))
    counts = {name: newest.get(name) for name in ("strongBuy", "buy", "hold", "sell", "strongSell")}
    if not all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 10**6 for one in counts.values()):
        return odd
    total, buys = sum(counts.values()), counts["strongBuy"] + counts["buy"]
    told = replace(choice, ratings=f"{buys} of {total} buy")
    return told if 2 * buys > total else replace(told, why_not="not more than half of the ratings are buy")


def limited(choices: Iterable[Choice], filters: Filters) -> list[Choice]:
    """In order; what is beyond the limit is out."""
    found, places = [], filters.most_symbols
    for one in choices:
        if not one.why_not and places == 0:
            one = replace(one, why_not=f"{filters.most_symbols} symbols with larger revenue are in")
        places -= not one.why_not
        found.append(one)
    return found


def table_of(choices: Iterable[Choice]) -> str:
    """What a person reads: those that are in first."""
    head = ("symbol", "reports", "eps", "revenue", "ratings", "")
    rows = [head, *(_cells(one) for one in sorted(choices, key=lambda one: bool(one.why_not)))]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    right = (2, 3)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width) for place, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    )


def _cells(one: Choice) -> tuple[str, ...]:
    eps = "-" if one.eps is None else f"{one.eps:.2f}"
    revenue = "-" if one.revenue is None else f"{one.revenue / 1e6:,.0f} M"
    return one.symbol or "?", one.day or "-", eps, revenue, one.ratings or "-", f"out: {one.why_not}" if one.why_not else "in"


def _choice(row: Any, filters: Filters, first: date, last: date) -> Choice:
    symbol = row.get("symbol") if isinstance(row, dict) else None
    if not isinstance(symbol, str) or not 0 < len(symbol) <= TOLD or not symbol.isprintable():
        return Choice(symbol="", day="", why_not="a row without a symbol")
    day, eps, revenue = _day(row.get("date")), _number(row.get("epsEstimate")), _number(row.get("revenueEstimate"))
    why_not = _why_not(symbol, day, eps, revenue, filters, first, last)
    return Choice(symbol=symbol, day=day.isoformat() if day else "", eps=eps, revenue=revenue, why_not=why_not)


def _why_not(symbol: str, day: date | None, eps: float | None, revenue: float | None, filters: Filters, first: date, last: date) -> str:
    if not US_SYMBOL.fullmatch(symbol) or OVER_THE_COUNTER.fullmatch(symbol):
        return "not listed at an exchange of the USA"
    if day is None or not first <= day <= last:
        return f"reports outside of {first} to {last}"
    if eps is None or revenue is None:
        return "no estimate of " + " and ".join(name for name, one in (("EPS", eps), ("revenue", revenue)) if one is None)
    if eps < filters.least_eps:
        return f"EPS estimate below {filters.least_eps:g}"
    return f"revenue estimate below {filters.least_revenue / 1e6:,.0f} M" if revenue < filters.least_revenue else ""


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _number(value: Any) -> float | None:
    # A number in quotes is not Finnhub's: nobody knows what else is wrong with it.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None

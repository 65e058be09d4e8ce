"""The paper broker of a stack of this machine: its clock for the day, and its books afterwards."""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import requests

from tools.day.records import Fill, Order
from tools.stack.engine import StackError
from tools.stack.market import NEW_YORK

ANSWER_SECONDS = 120.0
PAGE = 100
BARS_PAGE = 10_000
AHEAD = timedelta(days=14)


class PaperBroker:
    """`url` without a path. Every question is asked again while the broker restarts; StackError after ANSWER_SECONDS."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(headers)

    def set_clock(self, **values: Any) -> None:
        """`time` (a datetime, or None for the wall clock), `speed`, `hours`."""
        jumps = "time" in values
        if isinstance(values.get("time"), datetime):
            values["time"] = values["time"].isoformat()
        self._ask("POST", "/_paper/clock", json=values)
        if jumps:
            # Whoever knows the market's time only from its last reading asks anew when its stream is cut.
            self._ask("POST", "/_paper/stream/disconnect", json={})

    def now(self) -> datetime:
        return datetime.fromisoformat(self._ask("GET", "/v2/clock")["timestamp"]).astimezone(UTC)

    def reset(self, cash: int) -> None:
        self._ask("POST", "/_paper/reset", json={"cash": str(cash)})

    def sessions(self, first: date, last: date) -> list[tuple[date, datetime, datetime]]:
        """(day, open, close) of the trading days between two days, both included."""
        rows = self._ask("GET", "/v2/calendar", params={"start": first.isoformat(), "end": last.isoformat()})
        return [(date.fromisoformat(row["date"]), _at(row["date"], row["open"]), _at(row["date"], row["close"])) for row in rows]

    def positions(self) -> dict[str, Decimal]:
        """Symbol -> signed quantity."""
        rows = self._ask("GET", "/v2/positions")
        return {row["symbol"]: abs(Decimal(row["qty"])) * (-1 if row["side"] == "short" else 1) for row in rows}

    def orders(self) -> list[Order]:
        """Every order ever taken, legs too."""
        return [
            Order(row["id"], row["client_order_id"], row["symbol"], row["side"], row["type"], row["status"])
            for row in self._ask("GET", "/_paper/orders")
        ]

    def fills(self, orders: Iterable[Order]) -> list[Fill]:
        """Every execution of the account."""
        names = {order.id: order.client_order_id for order in orders}
        return [
            Fill(
                row["id"],
                row["symbol"],
                "buy" if row["side"] == "buy" else "sell",
                Decimal(row["qty"]),
                Decimal(row["price"]),
                names.get(row["order_id"], ""),
            )
            for row in self._activities()
        ]

    def bars(self, symbols: Iterable[str], start: datetime, end: datetime) -> dict[str, list[tuple[int, float]]]:
        """Symbol -> (Unix ms of the minute's begin, close), in order."""
        found: dict[str, list[tuple[int, float]]] = {symbol: [] for symbol in symbols}
        asked = {"symbols": ",".join(found), "timeframe": "1Min", "limit": BARS_PAGE, "start": start.isoformat(), "end": end.isoformat()}
        token = None
        while found:
            body = self._ask("GET", "/v2/stocks/bars", params={**asked, **({"page_token": token} if token else {})})
            for symbol, rows in (body.get("bars") or {}).items():
                found[symbol] += [(round(datetime.fromisoformat(row["t"]).timestamp() * 1000), float(row["c"])) for row in rows]
            token = body.get("next_page_token")
            if not token:
                break
        return found

    def _activities(self) -> Iterator[dict[str, Any]]:
        token = None
        while True:
            asked = {"direction": "asc", "page_size": PAGE, **({"page_token": token} if token else {})}
            page = self._ask("GET", "/v2/account/activities/FILL", params=asked)
            yield from page
            if len(page) < PAGE:
                return
            token = page[-1]["id"]

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                answer = self._session.request(method, self._url + path, timeout=30, **options)
                if answer.status_code not in (429, 500, 502, 503, 504):
                    answer.raise_for_status()
                    return answer.json()
                problem: object = f"{answer.status_code} {answer.text[:200]}"
            except requests.HTTPError as refused:
                said = refused.response.text[:300]
                raise StackError(f"the paper broker refuses {method} {path}: {refused.response.status_code} {said}") from None
            except (requests.RequestException, ValueError) as error:
                problem = type(error).__name__
            if time.monotonic() > deadline:
                raise StackError(f"the paper broker does not answer {method} {path}: {problem}; `make status` shows its state")
            time.sleep(0.3)


def _at(day: str, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}:00").replace(tzinfo=NEW_YORK).astimezone(UTC)

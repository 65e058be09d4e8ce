"""The local stack's paper broker, seen from this machine: its orders as Alpaca's API gives them, and its test API."""

from dataclasses import dataclass
from typing import Any

import requests


@dataclass
class PaperBroker:
    """Raises requests.RequestException while it is restarting, and for a request that it refuses."""

    url: str
    credentials: dict[str, str]

    def ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"APCA-API-KEY-ID": self.credentials["brokerKey"], "APCA-API-SECRET-KEY": self.credentials["brokerSecret"]}
        answer = requests.request(method, self.url + path, headers=headers, timeout=60, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def orders_of(self, key: str) -> list[dict[str, Any]]:
        """Orders of one alert, oldest first, legs inside."""
        query = {"status": "all", "nested": "true", "limit": 500, "direction": "asc"}
        return [order for order in self.ask("GET", "/v2/orders", params=query) if f"-{key}-" in order["client_order_id"]]

    def positions(self) -> dict[str, float]:
        """Symbol -> quantity, negative when short."""
        return {one["symbol"]: float(one["qty"]) for one in self.ask("GET", "/v2/positions")}

    def reset(self, prices: dict[str, float], positions: dict[str, dict[str, float]] | None = None) -> None:
        """No orders, these positions, and prices that stand still. Cutting the stream makes the worker look at the account again."""
        self.ask("POST", "/_paper/reset", json={"positions": positions or {}})
        self.ask("POST", "/_paper/prices", json={"set": prices})
        self.ask("POST", "/_paper/stream/disconnect", json={})

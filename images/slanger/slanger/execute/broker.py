"""What the worker asks of the broker beyond single calls: orders page by page, the market's last price."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from botkit.alpaca import Client, Refused
from botkit.alpaca_budget import Priority

from slanger.symbols import is_crypto

PAGE = 500


class Broker(Client):
    """One account's trading API and the market's last trades. Every method raises Refused and Unavailable."""

    async def place(self, body: Mapping[str, Any], before: Callable[[], None]) -> dict:
        return await self.call("POST", "/v2/orders", body=body, before=before)

    async def order(self, order_id: str, priority: Priority = Priority.ORDER) -> dict | None:
        """None: the broker has no such order."""
        return await self.found(f"/v2/orders/{order_id}", priority)

    async def orders(self, priority: Priority, **params: str) -> list[dict]:
        """Every order that the parameters ask for, page by page; legs under their entry, as far as that is asked for."""
        found: dict[str, dict] = {}
        while True:
            query = {"limit": str(PAGE), "direction": "asc", "nested": "true", **params}
            page = await self.call("GET", "/v2/orders", priority, params=query)
            fresh = [order for order in page if order["id"] not in found]
            found.update((order["id"], order) for order in page)
            if len(page) < PAGE or not fresh:
                return list(found.values())
            params["after"] = page[-1]["submitted_at"]

    async def last_price(self, symbol: str) -> Decimal:
        """USD of the market's last trade."""
        if is_crypto(symbol):
            body = await self.call("GET", "/v1beta3/crypto/us/latest/trades", params={"symbols": symbol}, data=True)
            trade = body["trades"].get(symbol)
        else:
            trade = (await self.call("GET", f"/v2/stocks/{symbol}/trades/latest", data=True)).get("trade")
        if not trade:
            raise Refused(404, f"there is no last trade of {symbol}")
        return Decimal(str(trade["p"]))

"""A market without any server, that a test moves by hand."""

from decimal import Decimal

from alpaca_paper import desk, hours, reading
from alpaca_paper.assets import make_assets
from alpaca_paper.conditions import World
from alpaca_paper.ledger import Account, Ledger

NOW = 1_795_000_000_000_000


class Floor:
    """The books and a market that the test sets, without any server: send(), move(), step() and what the stream would tell."""

    def __init__(self, cash="100000"):
        self.assets = make_assets({})
        self.ledger = Ledger(Account(cash=Decimal(cash), last_equity=Decimal(cash), created=NOW))
        self.prices = {symbol: asset.start for symbol, asset in self.assets.items()} | {"AAPL": Decimal(100), "BTC/USD": Decimal(50_000)}
        self.set = {"now": NOW, "phase": "open", "session": "2026-11-24"}
        self.step()

    @property
    def world(self):
        shown = {"expires": NOW + 10**12, "expires_extended": NOW + 2 * 10**12, **self.set}
        return World(price=self.prices.__getitem__, **shown)

    def send(self, symbol="AAPL", side="buy", kind="market", tif=None, **fields):
        """The order's JSON as it was taken. Quantity 1 unless told."""
        if "qty" not in fields and "notional" not in fields:
            fields["qty"] = 1
        tif = tif or ("gtc" if "/" in symbol else "day")
        body = {"symbol": symbol, "side": side, "type": kind, "time_in_force": tif, **fields}
        return desk.submit(self.ledger, reading.read(body, self.assets), self.world)

    def order(self, taken):
        return self.ledger.orders[taken["id"]]

    def amend(self, taken, **fields):
        order = self.order(taken)
        return desk.amend(self.ledger, order, fields, self.assets[order.symbol], self.world)

    def cancel(self, taken):
        desk.cancel(self.ledger, self.order(taken), self.world)

    def move(self, symbol="AAPL", price=None, **world):
        if price is not None:
            self.prices[symbol] = Decimal(str(price))
        self.set |= world
        self.step()

    def later(self, milliseconds):
        self.move(now=self.set["now"] + milliseconds * 1000)

    def step(self):
        hours.step(self.ledger, self.world)

    def qty(self, symbol="AAPL"):
        position = self.ledger.positions.get(symbol)
        return position.qty if position else Decimal(0)

    def events(self):
        """(event, client order id or role) since the last call."""
        found, self.ledger.changes.events = self.ledger.changes.events, []
        return [(one["event"], one["order"]["client_order_id"]) for one in found]

"""What a person may say of an alert: one row a field, for the command line, the page and the error messages alike."""

from dataclasses import dataclass

from slanger.alert import NAME_FIX, Route

SERVER = "server"
"""As a value: the server's own default (SLANGER_DEFAULTS) applies. Said, never assumed, because it costs money."""
STRATEGY = "strategy"
"""As a value: TradingView's strategy decides when the alert fires."""
DEFAULT_EXPIRY = "90d"


@dataclass(frozen=True)
class Field:
    """A field: `fix` says what a good value is, and ends every error about it."""

    key: str
    label: str
    help: str
    fix: str
    unit: str = "text"
    """text | dollars | percent | shares | count | price (a price or a distance from it) | flag | choice"""
    choices: tuple[str, ...] = ()


ROUTES = tuple(route.value for route in Route)
# No commas: "1,5" is 1.50 to some and would be 15.
_DOLLARS = "use an amount in dollars above 0, such as 1000 or 99.50"
_PERCENT = "use a percentage above 0, up to 100, such as 1 or 0.5"
_PRICE = "use a price (187.50), a distance in percent (1%) or a distance in dollars ($2.50)"

FIELDS = (
    Field("name", "Name", "A name of its own for each alert: for limits, logs, and revoking it.", NAME_FIX),
    Field("account", "Account", "The account that the webhook serves (SLANGER_ACCOUNT).", NAME_FIX),
    Field("route", "Route", "What the alert orders.", f"use {', '.join(ROUTES)}", "choice", ROUTES),
    Field(
        "url",
        "Webhook URL",
        "Where the webhook is reached, without the route.",
        "use the webhook's https address without route, query or password; http only for this machine or a private address",
    ),
    Field(
        "action",
        "Action",
        "Who decides: TradingView's strategy, or this alert alone (buy or sell) for one on an indicator or a price.",
        "use strategy, buy or sell",
        "choice",
        (STRATEGY, "buy", "sell"),
    ),
    Field(
        "symbols",
        "Symbols",
        "The only symbols that it may trade, with commas between. Without them any that the server allows.",
        "use US shares such as AAPL or BRK.B, or crypto pairs such as BTCUSD, with commas between",
    ),
    Field(
        "expires",
        "Expires",
        "Days from now (90d) or a date (2027-02-01, UTC). The webhook refuses the alert from then on.",
        "use days from now such as 90d, or a date to come such as 2027-02-01; at most ten years",
    ),
    Field(
        "size",
        "Size",
        f"{SERVER}: the server's default. {STRATEGY}: the quantity that TradingView's strategy orders.",
        "give one size, or size=server for the server's default, or size=strategy for the strategy's own quantity",
        "choice",
        (SERVER, STRATEGY),
    ),
    Field("qty", "Quantity", "Shares or coins.", "use a quantity above 0, such as 10 or 0.25", "shares"),
    Field("notional", "Dollars", "Dollars to spend on each order.", _DOLLARS, "dollars"),
    Field("equity_percent", "Percent of equity", "Percent of the account's equity, in dollars.", _PERCENT, "percent"),
    Field("position_percent", "Percent of position", "Percent of the open position, in shares.", _PERCENT, "percent"),
    Field("risk", "Percent of cash", "Percent of the account's cash that an order spends.", _PERCENT, "percent"),
    Field("risk_to_stop", "Percent at risk", "Percent of equity that is lost when the stop-loss is hit.", _PERCENT, "percent"),
    Field("limit_price", "Limit price", "A price, or a distance from the alert's price to the better side: 1% or $2.50.", _PRICE, "price"),
    Field("wiggle", "Wiggle", "Percent by which the limit may be worse than the alert's price.", _PERCENT, "percent"),
    Field("stop_price", "Stop price", "Where the order is triggered: a price, or a distance beyond the alert's price.", _PRICE, "price"),
    Field("take_profit", "Take-profit", f"A price, a distance (1% or $2.50), or {SERVER} for the server's default.", _PRICE, "price"),
    Field("stop_loss", "Stop-loss", f"A price, a distance (1% or $2.50), or {SERVER} for the server's default.", _PRICE, "price"),
    Field("stop_limit", "Stop-loss limit", "Limit of the stop-loss order. Without it the stop-loss sells at any price.", _PRICE, "price"),
    Field("trail_percent", "Trail in percent", f"How far the stop trails, or {SERVER} for the server's default.", _PERCENT, "percent"),
    Field("trail_price", "Trail in dollars", "How far the stop trails, in dollars a share.", _DOLLARS, "dollars"),
    Field("order_notional", "Most an order", "The most that one order may cost.", _DOLLARS, "dollars"),
    Field("notional_per_day", "Most a day", "The most that its orders of one New York day may cost.", _DOLLARS, "dollars"),
    Field("position_notional", "Largest position", "The most that the position may be worth after an order.", _DOLLARS, "dollars"),
    Field("orders_per_day", "Orders a day", "The most orders in one New York day.", "use a whole number from 1 to 100000", "count"),
    Field("loss_per_day", "Largest loss a day", "After this loss in one New York day it opens nothing.", _DOLLARS, "dollars"),
    Field("time_in_force", "Time in force", "How long an order stays open.", "leave it out, or use one that the route takes", "choice"),
    Field("extended_hours", "Extended hours", "Trade before and after the session too.", "use true, or leave it out", "flag"),
    Field(
        "only_flat",
        "Only from flat",
        "Do nothing while there is a position in the symbol, or an open order.",
        "use true, or leave it out; not with sp",
        "flag",
    ),
    Field(
        "sp",
        "Smash or pass",
        "Decide by the open position: open on one side only, add at a loss, close at a profit.",
        "use true with side and profit, or leave all three out",
        "flag",
    ),
    Field(
        "side", "Opening side", "Smash or pass: the side that may open a position.", "use buy or sell, with sp", "choice", ("buy", "sell")
    ),
    Field("profit", "Closing profit", "Smash or pass: percent of profit from which the position is closed.", _PERCENT, "percent"),
    Field("comment", "Comment", "The orders' ids begin with it.", "use 1 to 40 of A-Z, a-z, 0-9, _ and the full stop"),
    Field(
        "test_price",
        "Price for the test",
        "Price near the market, for the curl line. Without one the worker takes the last trade.",
        _DOLLARS,
        "dollars",
    ),
)
BY_KEY = {field.key: field for field in FIELDS}

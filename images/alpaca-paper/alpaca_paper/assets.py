"""The assets that can be traded, with their rules and the prices they start at."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from .decimals import CENT, QTY_STEP

NAMESPACE = uuid.UUID("b0b6dd9d-8b9b-48a9-ba46-b9d54906e415")

# Crypto ticks and smallest orders as /v2/assets reports them (October 2026: about one dollar's worth of a coin).
CRYPTO = {
    "BTC/USD": ("97000", "1", "0.00001"),
    "ETH/USD": ("3400", "0.1", "0.0003"),
    "SOL/USD": ("240", "0.01", "0.004"),
    "LTC/USD": ("90", "0.005", "0.01"),
    "LINK/USD": ("15", "0.001", "0.07"),
    "AVAX/USD": ("35", "0.0005", "0.03"),
    "DOGE/USD": ("0.39", "0.00001", "3"),
}
STOCKS = {
    **{"AAPL": ("NASDAQ", "229"), "MSFT": ("NASDAQ", "417"), "AMZN": ("NASDAQ", "197"), "GOOGL": ("NASDAQ", "165")},
    **{"META": ("NASDAQ", "559"), "NVDA": ("NASDAQ", "142"), "TSLA": ("NASDAQ", "352"), "AMD": ("NASDAQ", "138")},
    **{"SPY": ("ARCA", "596"), "QQQ": ("NASDAQ", "506"), "IWM": ("ARCA", "239"), "DIA": ("ARCA", "443")},
    **{"KO": ("NYSE", "64"), "PEP": ("NASDAQ", "158"), "JNJ": ("NYSE", "155"), "PG": ("NYSE", "176"), "WMT": ("NYSE", "90")},
    **{"MCD": ("NYSE", "290"), "CAT": ("NYSE", "395"), "LOW": ("NYSE", "265"), "TGT": ("NYSE", "125"), "JPM": ("NYSE", "248")},
    **{"A": ("NYSE", "132"), "L": ("NYSE", "87"), "T": ("NYSE", "23"), "F": ("NYSE", "11"), "BRK.B": ("NYSE", "476")},
}
# One of each kind that is refused something: no fractions, no short sale, no trading at all, and one below a dollar.
SPECIAL = {"BRK.A": ("NYSE", "714000"), "GME": ("NYSE", "28"), "TWTR": ("NYSE", "53.7"), "SNDL": ("NASDAQ", "0.65")}


@dataclass(frozen=True)
class Asset:
    symbol: str
    asset_class: str
    """us_equity or crypto."""
    exchange: str
    start: Decimal
    """USD."""
    tradable: bool = True
    shortable: bool = False
    fractionable: bool = True
    price_step: Decimal | None = None
    """Smallest price increment of a coin; None for stocks, whose step depends on the price."""
    min_qty: Decimal = QTY_STEP

    @property
    def id(self) -> str:
        return str(uuid.uuid5(NAMESPACE, self.symbol))

    @property
    def is_crypto(self) -> bool:
        return self.asset_class == "crypto"

    def tick(self, price: Decimal) -> Decimal:
        """USD. Stocks: SEC rule 612, a cent from one dollar on and a hundredth of a cent below."""
        return self.price_step or (CENT if price >= 1 else Decimal("0.0001"))


def _crypto(symbol: str, start: str, price_step: str, min_qty: str) -> Asset:
    return Asset(symbol, "crypto", "CRYPTO", Decimal(start), price_step=Decimal(price_step), min_qty=Decimal(min_qty))


def _stock(symbol: str, exchange: str, start: str) -> Asset:
    return Asset(
        symbol,
        "us_equity",
        exchange,
        Decimal(start),
        tradable=symbol != "TWTR",
        shortable=symbol not in ("GME", "BRK.A", "TWTR"),
        fractionable=symbol != "BRK.A",
    )


def make_assets(prices: Mapping[str, Decimal]) -> dict[str, Asset]:
    """Symbol -> asset. `prices` (USD) sets start prices and adds symbols: with a slash crypto, otherwise a NASDAQ stock."""
    coins = {symbol: _crypto(symbol, *rest) for symbol, rest in CRYPTO.items()}
    stocks = {symbol: _stock(symbol, *rest) for symbol, rest in {**STOCKS, **SPECIAL}.items()}
    for symbol, price in prices.items():
        if "/" in symbol:
            _, step, smallest = CRYPTO.get(symbol, ("", "0.0001", "0.0001"))
            coins[symbol] = _crypto(symbol, str(price), step, smallest)
        else:
            exchange = stocks[symbol].exchange if symbol in stocks else "NASDAQ"
            stocks[symbol] = _stock(symbol, exchange, str(price))
    return {**stocks, **coins}


def find(assets: Mapping[str, Asset], name: str) -> Asset | None:
    """By symbol (BTC/USD, and BTCUSD as positions are called) or by id."""
    if name in assets:
        return assets[name]
    return next((asset for asset in assets.values() if name in (asset.id, asset.symbol.replace("/", ""))), None)


def to_json(asset: Asset) -> dict:
    """One entry of /v2/assets."""
    body = {
        "id": asset.id,
        "class": asset.asset_class,
        "exchange": asset.exchange,
        "symbol": asset.symbol,
        "name": f"{asset.symbol} (paper)",
        "status": "active" if asset.tradable else "inactive",
        "tradable": asset.tradable,
        "marginable": not asset.is_crypto,
        "maintenance_margin_requirement": 100 if asset.is_crypto else 30,
        "margin_requirement_long": "100" if asset.is_crypto else "30",
        "margin_requirement_short": "100" if asset.is_crypto else "30",
        "shortable": asset.shortable,
        "easy_to_borrow": asset.shortable,
        "fractionable": asset.fractionable,
        "attributes": [],
    }
    if asset.is_crypto:
        body |= {
            "min_order_size": str(asset.min_qty),
            "min_trade_increment": format(QTY_STEP, "f"),
            "price_increment": str(asset.price_step),
        }
    return body

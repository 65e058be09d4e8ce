"""The part of Alpaca's market data that is served here: latest trades of stocks and coins."""

from aiohttp import web

from . import bars
from .assets import Asset
from .broker import Broker, now
from .refusals import Refusal
from .web_parts import BROKER, answer

routes = web.RouteTableDef()


def _trade(broker: Broker, asset: Asset) -> dict:
    """A trade of now at the last price."""
    return bars.trade(broker.recording, asset, broker.conditions.history.get(asset.symbol, ()), now(broker))


def _several(request: web.Request, crypto: bool) -> web.Response:
    names = [name for name in request.query.get("symbols", "").split(",") if name]
    if not names:
        raise Refusal(400, None, "symbols is required")
    broker = request.app[BROKER]
    found = [broker.assets[name] for name in names if name in broker.assets]
    return answer({"trades": {asset.symbol: _trade(broker, asset) for asset in found if asset.is_crypto == crypto}})


@routes.get("/v2/stocks/trades/latest")
async def stocks(request: web.Request) -> web.Response:
    return _several(request, crypto=False)


@routes.get("/v1beta3/crypto/us/latest/trades")
async def coins(request: web.Request) -> web.Response:
    return _several(request, crypto=True)


@routes.get("/v2/stocks/{symbol}/trades/latest")
async def stock(request: web.Request) -> web.Response:
    broker, symbol = request.app[BROKER], request.match_info["symbol"]
    asset = broker.assets.get(symbol)
    if asset is None or asset.is_crypto:
        raise Refusal(404, None, f"no trade found for {symbol}")
    return answer({"symbol": symbol, "trade": _trade(broker, asset)})

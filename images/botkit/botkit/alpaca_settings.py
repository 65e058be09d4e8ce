"""The settings of a broker account under any service's prefix. Real money needs two settings that agree, and the account that they name."""

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from botkit.alpaca import Address
from botkit.settings import Reader

LIVE_HOST = "api.alpaca.markets"
TRADING_URLS = {"paper": "https://paper-api.alpaca.markets", "live": f"https://{LIVE_HOST}"}
DATA_URL = "https://data.alpaca.markets"
# Names that no public DNS resolves: a container's, and those set aside for private networks.
PRIVATE_NAME = re.compile(r"[^.]+|.+\.(internal|local|localhost|test)")
NAMES = ("MODE", "LIVE_ACCOUNT", "BROKER_URL", "BROKER_KEY", "BROKER_SECRET", "REQUESTS_PER_MINUTE")
DATA_NAME = "DATA_URL"


@dataclass(frozen=True, kw_only=True)
class BrokerSettings:
    """The broker account, and what may be asked of it."""

    prefix: str
    """Of the service's settings, such as SLANGER_."""
    address: Address = field(repr=False)
    mode: str
    """paper or live."""
    live_account: str
    """Number of the account that may trade real money; "" in paper mode."""
    requests_per_minute: int


def broker_names(prefix: str, *, data: bool = False) -> tuple[str, ...]:
    """Every variable that `read_broker` reads. `data`: the address of the market data too."""
    return tuple(prefix + name for name in (*NAMES, *((DATA_NAME,) if data else ())))


def read_broker(reader: Reader, prefix: str, *, per_minute: int = 200, data: bool = False) -> BrokerSettings:
    """`per_minute`: the calls of a service that does not say how many; Alpaca allows an account 200 from all services together."""
    mode = reader.text(f"{prefix}MODE", "use paper or live", "paper|live", "paper")
    live_account = ""
    if mode == "live":
        fix = "use the number of the account that may trade real money"
        live_account = reader.text(f"{prefix}LIVE_ACCOUNT", fix, r"[A-Za-z0-9]{1,40}")
    elif reader.given(f"{prefix}LIVE_ACCOUNT"):
        reader.mistake(f"{prefix}LIVE_ACCOUNT is set and {prefix}MODE is not live: set both to trade real money, or neither")
    trading = read_url(reader, f"{prefix}BROKER_URL", TRADING_URLS.get(mode, TRADING_URLS["paper"]))
    if mode != "live" and host_of(trading) == LIVE_HOST:
        reader.mistake(f"{prefix}BROKER_URL={trading}: is real money, which needs {prefix}MODE=live and {prefix}LIVE_ACCOUNT")
    return BrokerSettings(
        prefix=prefix,
        address=Address(
            trading_url=trading,
            data_url=read_url(reader, prefix + DATA_NAME, DATA_URL) if data else "",
            key=reader.secret(f"{prefix}BROKER_KEY", "use the broker's API key"),
            secret=reader.secret(f"{prefix}BROKER_SECRET", "use the broker's API secret"),
        ),
        mode=mode,
        live_account=live_account,
        requests_per_minute=reader.whole(f"{prefix}REQUESTS_PER_MINUTE", 10, 1_000_000, per_minute),
    )


def read_url(reader: Reader, name: str, default: str, scheme: str = "http") -> str:
    """An address that credentials are sent to: encrypted (https; wss for the scheme ws), or private. Without a slash at its end."""
    fix = f"use a URL such as {default}"
    url = reader.text(name, fix, rf"{scheme}s?://[^\s/?#@]+(/[^\s?#]*)?", default)
    if url.startswith(f"{scheme}:") and not _is_private(host_of(url)):
        reader.mistake(f"{name}={url}: use {scheme}s; plain {scheme} is for private addresses")
    return url.rstrip("/")


def wrong_account(settings: BrokerSettings, number: str) -> str:
    """The sentence to end with if the broker's account is not the one that may be traded; "" if it is."""
    if settings.mode != "live" or number == settings.live_account:
        return ""
    name = f"{settings.prefix}LIVE_ACCOUNT={settings.live_account}"
    return f"{name}: the broker's account is {number}; make the setting and the credentials agree"


def host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return bool(PRIVATE_NAME.fullmatch(host))

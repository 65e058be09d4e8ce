"""Where InfluxDB is written at, and who writes: the credentials leave the URL and never come back in a message."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

MOST_WORDS = 300


@dataclass(frozen=True)
class Address:
    url: str
    """Without credentials."""
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def without_secrets(self, words: str) -> str:
        """A server's words, fit for a log."""
        for secret in self.secrets:
            words = words.replace(secret, "…")
        words = " ".join(words.split())
        return words if len(words) <= MOST_WORDS else words[:MOST_WORDS] + "…"


def address_of(url: str) -> Address:
    """Of `/write` (InfluxDB 1: user and password) or `/api/v2/write` (1.8: both, as a token; 2: the token as user or password alone).

    Raises ValueError, without showing the URL.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        precision = parse_qs(parts.query).get("precision", [])
    except ValueError:
        usable, precision = False, []
    if not usable or not parts.path.endswith("/write"):
        raise ValueError("use a URL that takes line protocol, such as http://user:password@influxdb:8086/api/v2/write?bucket=trading")
    if precision not in ([], ["ns"], ["n"]):
        raise ValueError(f"precision={precision[0]} in the URL: points have nanoseconds; use ns, or leave it out")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    headers = {}
    if user or password:
        token = f"{user}:{password}" if user and password else user or password
        basic = b64encode(token.encode()).decode()
        # InfluxDB 1.8 can't read a token with a space in it.
        as_token = parts.path.endswith("/api/v2/write") and not (user and password and " " in token)
        headers["Authorization"] = f"Token {token}" if as_token else f"Basic {basic}"
    secret = password or user
    spellings = {secret, quote(secret, safe=""), parts.password or parts.username or ""} if secret else set()
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
    return Address(bare, headers, tuple(sorted(filter(None, spellings), key=len, reverse=True)))

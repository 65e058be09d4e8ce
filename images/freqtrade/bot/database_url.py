"""The database server that a bot may be given in FREQTRADE__DB_URL: which URLs are accepted, and how we and freqtrade connect.

Needs no driver, so that bad URLs are refused before anything is opened.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

SCHEMES = ("postgresql+psycopg", "postgresql")
FORM = "postgresql+psycopg://user:password@host:5432/database"
# What of libpq's settings the URL may say; the rest is below, because the lock relies on it.
OPTIONS = {"sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding"}
# A lost server is noticed within 11 s (an idle connection) or 5 s (a query under way). A standby takes locks too, but nobody else sees them.
CLIENT = {
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "5000",
    "target_session_attrs": "read-write",
    # The server's side of the same connection: a vanished bot's lock is free after 25 s, later than that bot has noticed and ended.
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=25000",
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A PostgreSQL database. str() is its address, without user and password."""

    user: str
    password: str = field(repr=False)
    host: str
    port: int
    database: str
    options: dict[str, str]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.database}"

    def settings(self, application: str) -> dict[str, str]:
        """libpq's connection settings but for user, password and address; `application` is the name that the server shows."""
        return {**self.options, **CLIENT, "application_name": application}

    def url(self, application: str) -> str:
        """SQLAlchemy's URL with all settings; holds the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            f"postgresql+psycopg://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{host}:{self.port}/{self.database}?"
            + urlencode(self.settings(application), quote_via=quote)
        )


def parse(text: str) -> Server:
    """The server that a URL names. Raises ValueError, a sentence that shows nothing of the URL but its scheme and its options' names."""
    scheme = text.partition("://")[0] if re.match(r"[\w+.-]{1,30}://", text) else ""
    if scheme not in SCHEMES:
        shown = f"{scheme}://…" if scheme else "a value without a scheme"
        raise ValueError(f"{shown} is no PostgreSQL URL; use {FORM}, or leave it out: the trades are then kept on the volume")
    try:
        parts = urlsplit(text)
        port = parts.port or 5432
        query = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
    except ValueError:
        parts, port, query = urlsplit(""), 0, []  # urllib's own message may hold a piece of the password
    database = parts.path.removeprefix("/")
    if not (parts.username and parts.password and parts.hostname and re.fullmatch(r"[\w.-]+", database)) or parts.fragment:
        raise ValueError(f"the URL must have the form {FORM}, special characters in user and password written as %XX")
    if wrong := sorted({name for name, _ in query} - OPTIONS):
        raise ValueError(f"the option {wrong[0]!r} can't be set in the URL; it may have {', '.join(sorted(OPTIONS))}")
    return Server(
        user=unquote(parts.username),
        password=unquote(parts.password),
        host=parts.hostname,
        port=port,
        database=database,
        options=dict(query),
    )

"""URLs of the data services, with credentials quoted as a URL wants them; and the parts of a URL that somebody else gave."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pulumi

DATABASE = "tradestack"
WRITER, READER, ADMIN = "writer", "reader", "admin"
WRITE_PATH = f"/api/v2/write?bucket={DATABASE}&precision=ns"
READ_PATH = f"/query?db={DATABASE}"
INFLUX_FIXES: Mapping[str, str] = {
    "influx_write_url": "use …/api/v2/write?org=ORG&bucket=BUCKET&precision=ns or …/write?db=DATABASE",
    "influx_read_url": "use …/query?db=DATABASE",
}


def secret_url(base: pulumi.Input[str], user: str, password: pulumi.Input[str], path: str = "") -> pulumi.Output[str]:
    """`base` (scheme://host:port) with user, password and path, as a Pulumi secret."""

    def joined(known: list[str]) -> str:
        scheme, _, place = known[0].partition("://")
        return f"{scheme}://{user}:{quote(known[1], safe='')}@{place}{path}"

    return pulumi.Output.secret(pulumi.Output.all(base, password).apply(joined))


def public_part(url: pulumi.Input[str], path: bool = False) -> pulumi.Output[str]:
    """Scheme, host and port of a secret URL, with its path if asked for: no secret, because what makes it one is left out."""
    return pulumi.Output.unsecret(pulumi.Output.from_input(url).apply(lambda known: without_credentials(known, path)))


def without_credentials(url: str, path: bool = False) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" + (parts.path.rstrip("/") if path else "")


def database_of(write_url: pulumi.Input[str]) -> pulumi.Output[str]:
    """The bucket or database that a write URL names."""

    def named(url: str) -> str:
        query = parse_qs(urlsplit(url).query)
        return (query.get("bucket") or query.get("db") or [DATABASE])[0].partition("/")[0]

    return pulumi.Output.unsecret(pulumi.Output.from_input(write_url).apply(named))


def url_mistake(url: Any, schemes: tuple[str, ...]) -> str:
    """What is wrong with a URL that is known already, without showing it: it has credentials; empty when nothing is."""
    if not isinstance(url, str):
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    return "" if usable else f"use {' or '.join(f'{scheme}://' for scheme in schemes)}[user:password@]host[:port]…"


def influx_mistake(key: str, url: Any) -> str:
    """What is wrong with the path or query of a URL that `url_mistake` takes, without showing it; empty for other keys than InfluxDB's two."""
    if key not in INFLUX_FIXES or not isinstance(url, str):
        return ""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if key == "influx_read_url":
        usable = parts.path.endswith("/query") and "db" in query
    else:
        usable = _names_a_place(parts.path, query) and set(query.get("precision", ["ns"])) <= {"n", "ns"}
    return "" if usable else INFLUX_FIXES[key]


def _names_a_place(path: str, query: Mapping[str, list[str]]) -> bool:
    if path.endswith("/api/v2/write"):
        return "bucket" in query
    return path.endswith("/write") and "db" in query

"""Which database servers a bot may be given, and how it connects to them."""

from urllib.parse import parse_qs, urlsplit

import pytest
from bot import database_url, settings
from bot.errors import Refused

GOOD = "postgresql://bot:p%40ss%2Fw%3Ard@db.internal:5433/trades?sslmode=verify-full"


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_both_schemes_are_the_same_server(scheme):
    server = database_url.parse(GOOD.replace("postgresql", scheme, 1))
    assert (server.user, server.password, server.host, server.port, server.database) == ("bot", "p@ss/w:rd", "db.internal", 5433, "trades")
    assert server.options == {"sslmode": "verify-full"}


@pytest.mark.parametrize("host, shown", [("db.internal", "db.internal:5432/trades"), ("[fd00::1]", "fd00::1:5432/trades")])
def test_freqtrades_url_leads_to_the_same_server(host, shown):
    server = database_url.parse(f"postgresql://bot:p%40ss%2Fw%3Ard@{host}/trades?sslmode=require")
    parts = urlsplit(server.url("bot's trades"))
    assert (parts.scheme, parts.netloc, parts.path) == ("postgresql+psycopg", f"bot:p%40ss%2Fw%3Ard@{host}:5432", "/trades")
    query = parse_qs(parts.query)
    assert query["sslmode"] == ["require"] and query["application_name"] == ["bot's trades"]
    assert int(query["connect_timeout"][0]) <= 10 and query["keepalives"] == ["1"] and query["target_session_attrs"] == ["read-write"]
    assert str(server) == shown


def test_the_password_is_not_shown():
    server = database_url.parse(GOOD)
    assert "p@ss" not in repr(server) and "p@ss" not in str(server) and "bot" not in str(server)


@pytest.mark.parametrize(
    "url, said",
    [
        ("sqlite:////freqtrade/user_data/other.sqlite", "sqlite://… is no PostgreSQL URL"),
        ("postgresql+psycopg2://bot:hush-hush@db/trades", "postgresql+psycopg2://… is no PostgreSQL URL"),
        ("mysql://bot:hush-hush@db/trades", "mysql://… is no PostgreSQL URL"),
        ("bot:hush-hush@db/trades", "a value without a scheme is no PostgreSQL URL"),
        ("", "a value without a scheme is no PostgreSQL URL"),
        ("postgresql://bot@db/trades", "must have the form"),
        ("postgresql://bot:hush-hush@db/", "must have the form"),
        ("postgresql:///trades?host=/tmp", "must have the form"),
        ("postgresql://bot:hush-hush/x@db:5432/trades", "special characters in user and password written as %XX"),
        ("postgresql://bot:hush-hush#x@db:5432/trades", "special characters"),
        ("postgresql://bot:hush-hush@db:port/trades", "must have the form"),
        ("postgresql://bot:hush-hush@[db/trades", "must have the form"),
        ("postgresql://bot:hush-hush@one:1,two:2/trades", "must have the form"),
        ("postgresql://bot:hush-hush@db/trades;drop", "must have the form"),
        ("postgresql://bot:hush-hush@db/trades?options=-csearch_path%3Dx", "the option 'options' can't be set"),
        ("postgresql://bot:hush-hush@db/trades?sslmode=require&keepalives=0", "the option 'keepalives' can't be set"),
    ],
)
def test_anything_else_is_refused_and_never_shown(environ, root, url, said):
    with pytest.raises(Refused) as caught:
        settings.load({**environ, "FREQTRADE__DB_URL": url}, root)
    message = str(caught.value)
    assert caught.value.code == 78 and "FREQTRADE__DB_URL: " in message and said in message and "hush" not in message


def test_settings_name_the_server(environ, root):
    assert settings.load(environ, root).server is None
    assert settings.load({**environ, "FREQTRADE__DB_URL": GOOD}, root).server == database_url.parse(GOOD)

"""Before the port is open to others: database, retention and users are as the settings say.

influxd lets anybody make an administrator as long as it has none, and nobody else can replace a password that is forgotten. So at each start it
first runs on the loopback address and an empty data folder (users and retention are not in there), to look, and, if something differs, once
more without authentication, to set it. Nothing is written when nothing differs: a full disk doesn't keep the server from starting.
"""

import functools
import http.client
import time
from collections.abc import Callable, Mapping

from supervisor.supervise import CannotStart, Supervisor

from . import client, server
from .client import Refused, WrongPassword, literal, name
from .settings import ADMIN, READER, WRITER, Settings

SECONDS = 120.0
POLICY = "autogen"
query = functools.partial(client.query, port=server.SET_UP_PORT, seconds=30.0)
GRANTS = {WRITER: "WRITE", READER: "READ"}


def set_up(supervisor: Supervisor, settings: Settings, environment: Mapping[str, str]) -> None:
    """Raises CannotStart."""
    differs = ["first start"]
    if (server.VOLUME / "meta" / "meta.db").exists():
        differs = _with_server(supervisor, environment, True, lambda: differences(settings))
    if differs and not supervisor.stopping:
        supervisor.log.say("info", "setting up", differs=differs)
        _with_server(supervisor, environment, False, lambda: apply(settings))


def _with_server(supervisor: Supervisor, environment: Mapping[str, str], authentication: bool, step: Callable[[], list[str]]) -> list[str]:
    """What `step` finds while a server runs that only this container reaches."""
    folder = server.VOLUME / "setup"
    overrides = {
        "INFLUXDB_DATA_DIR": str(folder / "data"),
        "INFLUXDB_DATA_WAL_DIR": str(folder / "wal"),
        # It would take the shards that aren't in this data folder for deleted.
        "INFLUXDB_RETENTION_ENABLED": "false",
        "INFLUXDB_SHARD_PRECREATION_ENABLED": "false",
        # Its start takes seconds.
        "INFLUXDB_HTTP_FLUX_ENABLED": "false",
        "INFLUXDB_LOGGING_LEVEL": "warn",
    }
    process = supervisor.start(
        server.plan(environment, overrides, address=f"127.0.0.1:{server.SET_UP_PORT}", authentication=authentication)
    )
    try:
        end = time.monotonic() + SECONDS
        while not _answers():
            if process.ended() or time.monotonic() > end:
                raise CannotStart("influxd doesn't answer while users and retention are set up; the lines before this one say why")
            time.sleep(0.05)
        return step()
    except (OSError, http.client.HTTPException, CannotStart, Refused) as problem:
        if supervisor.stopping:
            return []
        raise CannotStart(f"users and retention can't be set up: {problem}; is {server.VOLUME} full?") from None
    finally:
        process.terminate()
        process.wait()


def _answers() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", server.SET_UP_PORT, timeout=5)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 204
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def differences(settings: Settings) -> list[str]:
    """What is not as the settings say; asked with the passwords that should be good."""
    admin = {"user": ADMIN, "password": settings.passwords[ADMIN]}
    try:
        users = dict(query("SHOW USERS", **admin))
        if not users.get(ADMIN):
            return ["users"]
    except WrongPassword:
        return [f"password of {ADMIN}"]
    except Refused as refused:
        # No administrator, or not this one: a set-up may have been cut off.
        if str(refused).startswith("403"):
            return ["users"]
        raise
    found = []
    for user, privilege in GRANTS.items():
        try:
            query("SHOW DATABASES", user=user, password=settings.passwords[user])
        except WrongPassword:
            found.append(f"password of {user}")
            continue
        grants = {str(database): granted for database, granted in query(f"SHOW GRANTS FOR {name(user)}", **admin)}
        if grants.get(settings.database) != privilege or users.get(user):
            found.append(f"privileges of {user}")
    if _policy(settings, **admin) != _wanted(settings):
        found.append("retention")
    return found


def apply(settings: Settings) -> list[str]:
    """Make it so, without any password."""
    database, policy = name(settings.database), name(POLICY)
    terms = f"DURATION {settings.retention_days}d REPLICATION 1 SHARD DURATION {_shard_hours(settings.retention_days)}h"
    if [settings.database] not in query("SHOW DATABASES"):
        query(f"CREATE DATABASE {database} WITH {terms} NAME {policy}")
    elif _policy(settings) is None:
        query(f"CREATE RETENTION POLICY {policy} ON {database} {terms} DEFAULT")
    else:
        query(f"ALTER RETENTION POLICY {policy} ON {database} {terms} DEFAULT")
    known = dict(query("SHOW USERS"))
    for user, password in settings.passwords.items():
        if user in known:
            query(f"SET PASSWORD FOR {name(user)} = {literal(password)}")
        else:
            query(f"CREATE USER {name(user)} WITH PASSWORD {literal(password)}")
    query(f"GRANT ALL PRIVILEGES TO {name(ADMIN)}")
    for user, privilege in GRANTS.items():
        if known.get(user):
            query(f"REVOKE ALL PRIVILEGES FROM {name(user)}")
        query(f"GRANT {privilege} ON {database} TO {name(user)}")
    return []


def _policy(settings: Settings, **access: str) -> tuple[object, object, object] | None:
    """Duration, shard duration, and whether writes go there without being told."""
    try:
        rows = query(f"SHOW RETENTION POLICIES ON {name(settings.database)}", **access)
    except Refused as refused:
        if "database not found" in str(refused):
            return None
        raise
    return next(((duration, shard, default) for policy, duration, shard, _, default in rows if policy == POLICY), None)


def _wanted(settings: Settings) -> tuple[object, object, object]:
    return f"{settings.retention_days * 24}h0m0s", f"{_shard_hours(settings.retention_days)}h0m0s", True


def _shard_hours(days: int) -> int:
    """As influxd chooses when it isn't told: a shard is what is deleted at once."""
    return 1 if days < 2 else 24 if days <= 180 else 168

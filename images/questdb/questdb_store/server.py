"""How QuestDB is started, and its limits from the container's memory. Its configuration's keys are QDB_… in its environment."""

import os
from pathlib import Path

from supervisor.supervise import CannotStart

from . import reserve
from .settings import USER, Settings

JAVA = os.environ.get("QUESTDB_JAVA", "/opt/questdb/bin/java")
LOG_CONFIG = Path(__file__).parent.parent / "log.conf"
VOLUME = Path("/var/lib/questdb")
MIB = 1 << 20


def command(memory_mib: int) -> tuple[str, ...]:
    """Java's own part of the memory is a quarter; most of QuestDB's is outside of it (`configuration`) or the page cache."""
    return (
        JAVA,
        "-Xms32m",
        f"-Xmx{memory_mib // 4}m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:MaxMetaspaceSize=96m",
        "-XX:ReservedCodeCacheSize=48m",
        f"-XX:ErrorFile={VOLUME}/crash.log",
        # A native library is unpacked there and run.
        f"-Djava.io.tmpdir={VOLUME}/tmp",
        f"-Dout={LOG_CONFIG}",
        "-m",
        "io.questdb/io.questdb.ServerMain",
        "-d",
        str(VOLUME),
        "-f",
    )


def configuration(settings: Settings, memory_mib: int) -> dict[str, str]:
    """The environment that configures it."""
    return {
        "QDB_PACKAGE": "docker",
        "QDB_HTTP_USER": USER,
        "QDB_HTTP_PASSWORD": settings.password,
        "QDB_HTTP_BIND_TO": "0.0.0.0:9000",
        "QDB_HTTP_MIN_NET_BIND_TO": "0.0.0.0:9003",
        "QDB_HTTP_HEALTH_CHECK_AUTHENTICATION_REQUIRED": "false",
        "QDB_HTTP_PESSIMISTIC_HEALTH_CHECK_ENABLED": "true",
        "QDB_HTTP_SETTINGS_READONLY": "true",
        "QDB_PG_ENABLED": "false",
        "QDB_LINE_TCP_ENABLED": "false",
        "QDB_LINE_UDP_ENABLED": "false",
        "QDB_TELEMETRY_ENABLED": "false",
        "QDB_TELEMETRY_DISABLE_COMPLETELY": "true",
        "QDB_CONFIG_RELOAD_ENABLED": "false",
        # A mistyped name is an error for its writer, not a new table or column.
        "QDB_LINE_AUTO_CREATE_NEW_TABLES": "false",
        "QDB_LINE_AUTO_CREATE_NEW_COLUMNS": "false",
        "QDB_LINE_LOG_MESSAGE_ON_ERROR": "false",
        # An answered write is on the disk.
        "QDB_CAIRO_COMMIT_MODE": "sync",
        "QDB_QUERY_TIMEOUT": "60000",
        "QDB_SHARED_WORKER_COUNT": "2",
        "QDB_HTTP_NET_CONNECTION_LIMIT": "32",
        "QDB_HTTP_SEND_BUFFER_SIZE": str(MIB // 2),
        "QDB_HTTP_RECV_BUFFER_SIZE": str(MIB // 2),
        # 100,000 bars are about 10 MB.
        "QDB_LINE_HTTP_MAX_RECV_BUFFER_SIZE": str(16 * MIB),
        "QDB_CAIRO_WRITER_DATA_APPEND_PAGE_SIZE": str(MIB),
        "QDB_CAIRO_WRITER_DATA_INDEX_VALUE_APPEND_PAGE_SIZE": str(MIB),
        "QDB_CAIRO_O3_COLUMN_MEMORY_SIZE": str(MIB),
        "QDB_RAM_USAGE_LIMIT_BYTES": str(memory_mib * 45 // 100 * MIB),
    }


def make_folders() -> None:
    """Raises CannotStart."""
    try:
        reserve.give(VOLUME)
        (VOLUME / "tmp").mkdir(exist_ok=True)
        for left in (VOLUME / "tmp").iterdir():
            if left.is_file():
                left.unlink()
    except OSError as problem:
        raise CannotStart(f"{VOLUME}: {problem.strerror}; free some of its space, or give it a larger volume") from None

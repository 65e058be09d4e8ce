"""One writer a volume: tried with real processes on real SQLite files."""

import os
import signal
import sqlite3
import stat

import pytest
from bot import database
from bot.errors import EXIT_DISK, EXIT_LOCKED, Refused

HOLD = """
import sys, time
from pathlib import Path
from bot import database
held = database.hold(Path(sys.argv[1]), 0, "alpha")
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def other_bot(python, user_data):
    """A process that holds the volume's lock."""
    process = python(f"import sys; sys.argv[1:] = [{str(user_data)!r}]\n{HOLD}")
    assert process.stdout.readline() == "held\n"
    return process


def release(held):
    for connection in held.values():
        connection.close()


def test_a_second_writer_is_refused_and_told_who_holds_the_volume(other_bot, user_data):
    with pytest.raises(Refused) as caught:
        database.hold(user_data, timeout=0.6)
    assert caught.value.code == EXIT_LOCKED
    assert "another bot (alpha on " in str(caught.value) and "this one waited 0.6 s and will not trade" in str(caught.value)


def test_one_lock_covers_live_and_dry_run(python, user_data):
    only_live = python(f"""
import time
from pathlib import Path
from bot import database
held = database.hold_one(Path({str(user_data)!r}), "live", 0)
print("held", flush=True)
time.sleep(600)
""")
    assert only_live.stdout.readline() == "held\n"
    with pytest.raises(Refused):
        database.hold(user_data, timeout=0)


def test_a_killed_writers_volume_is_taken_over(other_bot, python, user_data):
    waiting = python(f"""
import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(message)s")
from pathlib import Path
from bot import database
database.hold(Path({str(user_data)!r}), 60, "beta")
print("took over", database.holder(Path({str(user_data)!r})), flush=True)
""")
    assert "held by another bot (alpha on " in waiting.stdout.readline()
    other_bot.send_signal(signal.SIGKILL)
    assert waiting.stdout.readline().startswith("took over beta on ")


@pytest.mark.parametrize("mode", database.FILES)
def test_plain_sqlite_is_kept_out_too(other_bot, user_data, mode):
    plain = sqlite3.connect(user_data / database.FILES[mode], timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        plain.execute("CREATE TABLE t (a)")
    plain.close()


def test_the_lock_outlives_other_connections_of_its_process(python, user_data, trades):
    trades.write(user_data / database.FILES["dryrun"], 3)
    holder = python(f"""
import time
from pathlib import Path
from bot import backup, database
folder = Path({str(user_data)!r})
held = database.hold(folder, 0)
for _ in range(3):
    assert backup.back_up(folder, "dryrun", 5)
    connection = database.connect(folder / database.FILES["dryrun"])
    connection.execute("SELECT * FROM trades").fetchall()
    connection.close()
print("held", flush=True)
time.sleep(600)
""")
    assert holder.stdout.readline() == "held\n", holder.stderr.read()
    for mode in database.FILES:
        with pytest.raises(Refused):
            database.hold_one(user_data, mode, timeout=0)


def test_freqtrades_address_opens_the_same_database_in_the_same_process(user_data):
    held = database.hold(user_data, 0)
    held["dryrun"].execute("CREATE TABLE trades (id INTEGER)")
    assert database.url(user_data, "dryrun") == f"sqlite:///file:{user_data}/tradesv3.dryrun.sqlite?vfs=unix-excl&uri=true"
    address = database.url(user_data, "dryrun").removeprefix("sqlite:///")
    freqtrades = sqlite3.connect(address, uri=True, timeout=0)
    freqtrades.execute("INSERT INTO trades VALUES (1)")
    freqtrades.commit()
    freqtrades.close()
    assert held["dryrun"].execute("SELECT count(*) FROM trades").fetchone() == (1,)
    release(held)


def test_a_volume_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(Refused, match="can't be opened") as caught:
        database.hold(tmp_path / "missing", 0)
    assert caught.value.code == EXIT_DISK


def test_small_files_are_replaced_whole_and_private(user_data):
    database.write_atomically(user_data / "run" / "a.json", "1")
    database.write_atomically(user_data / "run" / "a.json", "2")
    assert (user_data / "run" / "a.json").read_text() == "2"
    assert os.listdir(user_data / "run") == ["a.json"]
    assert stat.S_IMODE((user_data / "run" / "a.json").stat().st_mode) == 0o600

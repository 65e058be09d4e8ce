"""Backups are whole, whatever happens while they are made."""

import random
import shutil
import signal
import sqlite3
import time

import pytest
from bot import backup, database

LOOP = """
import sys
from pathlib import Path
from bot import backup, database
folder = Path(sys.argv[1])
held = database.hold(folder, 30)
print("ready", flush=True)
while True:
    backup.back_up(folder, "dryrun", 5)
"""


@pytest.fixture
def path(user_data):
    return user_data / database.FILES["dryrun"]


def finished(user_data):
    return [user_data / backup.FOLDER / name for name in backup.names(user_data)]


def left_over(user_data):
    return sorted(file.name for file in (user_data / backup.FOLDER).iterdir() if not backup.NAME.fullmatch(file.name))


def test_nothing_to_back_up_yet(user_data, path):
    assert backup.back_up(user_data, "dryrun", 5) is None
    database.connect(path).close()
    assert backup.back_up(user_data, "dryrun", 5) is None and backup.names(user_data) == []


def test_a_backup_has_what_is_only_in_the_wal(user_data, path, trades):
    trades.write(path, 1)
    bot = database.connect(path)
    bot.execute("PRAGMA wal_autocheckpoint = 0")
    bot.execute("INSERT INTO trades (is_open) VALUES (1), (1)")
    shutil.copy(path, user_data / "copy.sqlite")  # no lock is at stake here
    assert trades.count(user_data / "copy.sqlite") == ("ok", 1)
    name = backup.back_up(user_data, "dryrun", 5)
    bot.close()
    assert trades.count(user_data / backup.FOLDER / name) == ("ok", 3)
    assert left_over(user_data) == []


def test_a_backup_reads_without_write_access(user_data, path, trades):
    trades.write(path, 2)
    name = backup.back_up(user_data, "dryrun", 5)
    only_read = sqlite3.connect(f"file:{user_data / backup.FOLDER / name}?mode=ro&immutable=1", uri=True)
    assert only_read.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert only_read.execute("SELECT count(*) FROM trades").fetchone() == (2,)
    only_read.close()


def test_killed_at_any_time_every_backup_is_whole(user_data, path, trades, python):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    trades.write(path, 400, filler=5000)
    for _ in range(6):
        process = python(f"import sys; sys.argv[1:] = [{str(user_data)!r}]\n{LOOP}")
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        time.sleep(chance.uniform(0, 0.15))  # not to wait for something: to kill at a random point
        process.send_signal(signal.SIGKILL)
        process.wait()
        for file in finished(user_data):
            assert trades.count(file) == ("ok", 400), file
    assert trades.count(path) == ("ok", 400)
    backup.back_up(user_data, "dryrun", 5)
    assert finished(user_data) and left_over(user_data) == []


def test_a_full_disk_leaves_the_older_backups_and_no_half_one(user_data, path, trades, python):
    trades.write(path, 50, filler=5000)
    before = backup.back_up(user_data, "dryrun", 5)
    # A limit on file sizes stands in for the full disk: to SQLite both are a failed write.
    process = python(f"""
import logging, resource, sys
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
from pathlib import Path
from bot import backup
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
print(backup.attempt(Path({str(user_data)!r}), "dryrun", 5), flush=True)
""")
    output, errors = process.communicate(timeout=30)
    assert output.startswith("ERROR no backup of the trades was made (") and output.endswith("False\n"), output + errors
    assert backup.names(user_data) == [before] and left_over(user_data) == []
    assert trades.count(user_data / backup.FOLDER / before) == ("ok", 50)


def test_a_damaged_database_is_noticed(user_data, path, trades):
    trades.write(path, 400, filler=5000)
    with open(path, "r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 4096 * 20)
    with pytest.raises(backup.Damaged):
        backup.back_up(user_data, "dryrun", 5)
    assert backup.names(user_data) == [] and left_over(user_data) == []


def names_of(days, times):
    return [f"dryrun-202601{day:02}T{hour:02}0000.000000Z.sqlite" for day in days for hour in times]


def test_old_backups_go_but_the_first_of_each_day_stays(user_data):
    folder = user_data / backup.FOLDER
    folder.mkdir()
    live = "live-20260101T000000.000000Z.sqlite"
    for name in [*names_of(range(1, 8), range(0, 24, 6)), live, "notes.txt"]:
        (folder / name).touch()
    backup.rotate(user_data, "dryrun", keep=3, protect=names_of([2], [6])[0])
    assert backup.names(user_data, "dryrun") == names_of([2], [6]) + names_of([5, 6], [0]) + names_of([7], [0, 6, 12, 18])
    assert backup.names(user_data, "live") == [live] and (folder / "notes.txt").exists()


def test_a_crash_loop_does_not_drop_yesterdays_backup(user_data, path, trades):
    (user_data / backup.FOLDER).mkdir()
    (user_data / backup.FOLDER / names_of([1], [0])[0]).touch()
    trades.write(path, 1)
    for _ in range(10):
        backup.back_up(user_data, "dryrun", 3)
    assert names_of([1], [0])[0] in backup.names(user_data) and len(backup.names(user_data)) == 5


def test_the_schedule_backs_up_on_time_and_at_once_when_asked(user_data, path, trades):
    trades.write(path, 1)
    schedule = backup.Schedule(user_data, "dryrun", keep=50, interval=3600)
    schedule.start()
    for wanted in (1, 2):
        schedule.now.set()
        wait_for(lambda wanted=wanted: len(backup.names(user_data)) == wanted)
    backup.Schedule(user_data, "dryrun", keep=50, interval=0.05).start()
    wait_for(lambda: len(backup.names(user_data)) >= 5)


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

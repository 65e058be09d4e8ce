"""A restore is whole or has not happened, and it is finished at the next start."""

import random
import signal
import time

import pytest
from bot import backup, database, restore
from bot.errors import EXIT_DATA, Refused

KEEP = 5


@pytest.fixture
def path(user_data):
    return user_data / database.FILES["dryrun"]


@pytest.fixture
def saved(user_data, path, trades):
    """A backup with 300 trades (about 1.5 MB); the database went on to 500 since."""
    trades.write(path, 300, filler=5000)
    name = backup.back_up(user_data, "dryrun", KEEP)
    trades.write(path, 500, filler=5000)
    return name


def start(user_data, mode="dryrun", keep=KEEP):
    """What the launcher does before freqtrade runs."""
    held = database.hold(user_data, 0)
    try:
        return restore.restore_if_asked(user_data, mode, keep, held)
    finally:
        for connection in held.values():
            connection.close()


def counts(user_data, trades):
    return sorted(trades.count(user_data / backup.FOLDER / name)[1] for name in backup.names(user_data))


def test_nothing_is_restored_unasked(user_data, path, saved, trades):
    assert start(user_data) is None and trades.count(path) == ("ok", 500)


def test_the_named_backup_is_restored_once_and_what_was_there_is_kept(user_data, path, saved, trades):
    restore.request(user_data, saved)
    assert start(user_data) == saved
    assert trades.count(path) == ("ok", 300) and counts(user_data, trades) == [300, 500]
    assert not (user_data / restore.REQUEST).exists()
    trades.write(path, 301)
    assert start(user_data) is None and trades.count(path) == ("ok", 301)


def test_trades_that_are_only_in_the_wal_do_not_come_back(user_data, path, saved, trades, python):
    # Killed, so that the WAL stays behind.
    process = python(f"""
import os
from pathlib import Path
from bot import database
bot = database.connect(Path({str(path)!r}))
bot.execute("PRAGMA wal_autocheckpoint = 0")
bot.execute("INSERT INTO trades (is_open) VALUES (1)")
os.kill(os.getpid(), 9)
""")
    process.wait()
    assert path.with_name(path.name + "-wal").stat().st_size > 0
    restore.request(user_data, saved)
    start(user_data)
    assert trades.count(path) == ("ok", 300) and counts(user_data, trades) == [300, 501]


def test_a_restore_into_an_empty_volume(user_data, path, saved, trades):
    path.unlink()
    restore.request(user_data, saved)
    assert start(user_data) == saved and trades.count(path) == ("ok", 300)


def test_an_unknown_backup_is_refused_and_the_known_ones_named(user_data, path, saved, trades):
    for name in ("nope", "../backups/" + saved, ""):
        (user_data / restore.REQUEST).write_text(name)
        with pytest.raises(Refused, match=f"no backup .*choose one of {saved}") as caught:
            start(user_data)
        assert caught.value.code == EXIT_DATA
    with pytest.raises(Refused, match="no backup 'other'"):
        restore.request(user_data, "other")
    assert trades.count(path) == ("ok", 500)


def test_a_backup_of_the_other_mode_is_refused(user_data, path, saved, trades):
    restore.request(user_data, saved)
    with pytest.raises(Refused, match="of the other mode: this bot runs with dry_run=false"):
        start(user_data, mode="live")
    assert trades.count(path) == ("ok", 500) and (user_data / restore.REQUEST).exists()


def test_a_damaged_backup_is_refused_and_nothing_changed(user_data, path, saved, trades):
    file = user_data / backup.FOLDER / saved
    file.write_bytes(file.read_bytes()[:100_000])
    restore.request(user_data, saved)
    with pytest.raises(Refused, match="is damaged"):
        start(user_data)
    assert trades.count(path) == ("ok", 500)


@pytest.mark.parametrize("damage", [b"garbage" * 1000, None])
def test_a_damaged_database_is_set_aside_and_restored_over(user_data, path, saved, trades, damage):
    if damage:
        path.write_bytes(damage)
    else:
        with open(path, "r+b") as file:
            file.seek(8 * 4096)
            file.write(b"\xff" * 4096 * 20)
    content = path.read_bytes()
    restore.request(user_data, saved)
    assert start(user_data) == saved and trades.count(path) == ("ok", 300)
    aside = list((user_data / backup.FOLDER).glob("damaged-dryrun-*.sqlite"))
    assert [file.read_bytes() for file in aside] == [content]


def test_the_backup_before_a_restore_does_not_rotate_the_wanted_one_away(user_data, path, saved, trades):
    for _ in range(3):
        backup.back_up(user_data, "dryrun", KEEP)
    restore.request(user_data, backup.names(user_data)[1])
    start(user_data, keep=1)
    assert trades.count(path) == ("ok", 500) and len(backup.names(user_data)) == 3


def test_killed_at_any_time_it_is_the_old_or_the_restored_one_and_ends_restored(user_data, path, saved, trades, python):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(6):
        trades.write(path, 500, filler=5000)
        restore.request(user_data, saved)
        process = python(f"""
from pathlib import Path
from bot import database, restore
folder = Path({str(user_data)!r})
held = database.hold(folder, 30)
print("ready", flush=True)
restore.restore_if_asked(folder, "dryrun", {KEEP}, held)
print("done", flush=True)
import time; time.sleep(600)
""")
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        time.sleep(chance.uniform(0, 0.12))  # not to wait for something: to kill at a random point
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = process.stdout.read() == "done\n"
        assert trades.count(path) in ([("ok", 300)] if done else [("ok", 300), ("ok", 500)])
        assert not (done and (user_data / restore.REQUEST).exists())
        start(user_data)
        assert trades.count(path) == ("ok", 300) and not (user_data / restore.REQUEST).exists()
        assert trades.count(user_data / backup.FOLDER / saved) == ("ok", 300)

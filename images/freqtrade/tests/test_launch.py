"""The launcher as a process, with a stand-in for freqtrade: order, exit codes, signals, what survives a kill."""

import json
import os
import random
import resource
import signal
import stat
import time

import pytest
from bot import backup, database


def lines(bot):
    return [json.loads(line) for line in bot.output]


def test_a_bot_starts_and_stops_cleanly(launch, root, environ):
    bot = launch("trade")
    bot.wait_for("trade 3 committed")
    config = root / "user_data" / "run" / "config.json"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert bot.end(signal.SIGTERM) == 130
    logged = lines(bot)
    assert {line["service"] for line in logged} == {"freqtrade"} and {line["bot"] for line in logged} == {"alpha"}
    order = ["write lock", "no backup", "starting freqtrade, strategy BreakoutStrategy, dry_run=True", "stub started", "trade 1 committed"]
    positions = [next(i for i, line in enumerate(logged) if words in line["message"]) for words in order]
    assert positions == sorted(positions)
    for name, value in environ.items():
        if name.startswith("FREQTRADE__"):
            assert value not in config.read_text() and (value not in bot.text() or name.endswith("USERNAME"))


def test_bad_settings_end_it_before_anything_is_written(launch, root):
    bot = launch("trade", BOT_CONFIG_JSON="{")
    assert bot.end() == 78
    assert len(lines(bot)) == 1 and lines(bot)[0]["level"] == "critical" and "not valid JSON" in lines(bot)[0]["message"]
    assert os.listdir(root / "user_data") == []


def test_an_unknown_command(launch):
    bot = launch("hodl")
    assert bot.end() == 64 and "use trade, backup, backups or restore NAME" in bot.text()


def test_a_config_that_freqtrade_refuses_is_no_success(launch):
    assert launch("trade", STUB="end").end() == 78


def test_a_second_bot_on_the_volume_never_trades(launch):
    first = launch("trade")
    first.wait_for("trade 1 committed")
    second = launch("trade", LOCK_TIMEOUT="1", BOT_NAME="beta")
    assert second.end() == 75
    assert "another bot (alpha on " in second.text() and "this one waited 1 s and will not trade" in second.text()
    assert "stub started" not in second.text()
    first.wait_for("committed", count=first.text().count("committed") + 3)


def test_a_bot_that_waits_for_the_lock_can_be_stopped(launch):
    launch("trade").wait_for("trade 1 committed")
    second = launch("trade", LOCK_TIMEOUT="600")
    second.wait_for("waiting for the write lock")
    assert second.end(signal.SIGTERM) == 130 and "stub started" not in second.text()


def test_killed_again_and_again_no_trade_is_lost(launch, root, trades):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    committed = 0
    for _ in range(5):
        bot = launch("trade")
        bot.wait_for("trade 1 committed" if not committed else "committed")
        time.sleep(chance.uniform(0, 0.2))  # not to wait for something: to kill at a random point
        bot.end(signal.SIGKILL)
        seen = [int(words.split()[1]) for words in (line["message"] for line in lines(bot)) if words.endswith("committed")]
        assert seen == list(range(committed + 1, committed + 1 + len(seen))) or seen[0] == committed + 2  # killed between commit and log
        committed = seen[-1]
    check, found = trades.count(root / "user_data" / database.FILES["dryrun"])
    assert check == "ok" and found in (committed, committed + 1)
    for name in backup.names(root / "user_data"):
        assert trades.count(root / "user_data" / backup.FOLDER / name)[0] == "ok"


def test_every_start_makes_a_backup_and_sigusr1_another(launch, root):
    first = launch("trade")
    first.wait_for("trade 1 committed")
    first.process.send_signal(signal.SIGUSR1)
    first.wait_for("backup dryrun-")
    first.process.send_signal(signal.SIGUSR1)
    first.wait_for("backup dryrun-", count=2)
    first.end(signal.SIGTERM)
    second = launch("trade")
    second.wait_for("trade ")
    assert len(backup.names(root / "user_data")) == 3
    assert second.text().index("backup dryrun-") < second.text().index("stub started")


def test_backups_are_made_at_the_interval(launch):
    launch("trade", BACKUP_INTERVAL="1").wait_for("backup dryrun-", count=2)


def test_restore_on_command_at_the_next_start(launch, root):
    first = launch("trade")
    first.wait_for("trade 5 committed")
    first.process.send_signal(signal.SIGUSR1)
    first.wait_for("backup dryrun-")
    name = backup.names(root / "user_data")[0]
    first.wait_for("trade 40 committed")
    refused = launch("restore", "dryrun-1")
    assert refused.end() == 65 and name in refused.text()
    assert launch("restore", name).end() == 0
    listed = launch("backups")
    assert listed.end() == 0 and listed.text() == name + "\n"
    first.end(signal.SIGTERM)
    second = launch("trade")
    second.wait_for("committed")
    assert f"restored the trades from {name}" in second.text()
    first_trade = next(line["message"] for line in lines(second) if "committed" in line["message"])
    assert 5 < int(first_trade.split()[1]) < 40


def test_a_one_off_backup_needs_the_lock(launch, root):
    bot = launch("trade")
    bot.wait_for("trade 1 committed")
    assert launch("backup").end() == 75
    bot.end(signal.SIGTERM)
    assert launch("backup").end() == 0 and len(backup.names(root / "user_data")) == 1


@pytest.mark.parametrize("command", [("backup",), ("restore", "dryrun-1")])
def test_a_servers_backups_are_its_own_business(launch, root, command):
    bot = launch(*command, FREQTRADE__DB_URL="postgresql://bot:hush-hush@db/trades")
    assert bot.end() == 64 and "backups of a database server are the server's own business" in bot.text()
    assert "hush" not in bot.text() and os.listdir(root / "user_data") == []


def test_a_damaged_database_is_refused_and_the_backups_named(launch, root):
    first = launch("trade")
    first.wait_for("trade 1 committed")
    first.end(signal.SIGTERM)
    launch("backup").end()
    (root / "user_data" / database.FILES["dryrun"]).write_bytes(b"garbage" * 1000)
    second = launch("trade")
    assert second.end() == 65
    (name,) = backup.names(root / "user_data")
    assert f"damaged (tradesv3.dryrun.sqlite: file is not a database); restore one of {name}" in second.text()


def test_a_full_volume_is_refused_before_the_bot_trades(launch, root):
    bot = launch("trade", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
    assert bot.end() == 74
    assert "can't be written" in bot.text() and "a bot that can't record its trades does not start" in bot.text()
    assert "stub started" not in bot.text()


def test_open_live_trades_are_not_forgotten_in_a_dry_run(launch, root, trades):
    trades.write(root / "user_data" / database.FILES["live"], 2)
    connection = database.connect(root / "user_data" / database.FILES["live"])
    connection.execute("UPDATE trades SET is_open = 1")
    connection.close()
    bot = launch("trade")
    bot.wait_for("committed")
    assert "2 live trades are still open in tradesv3.sqlite" in bot.text()


def test_live_and_dry_run_trades_never_mix(launch, root, environ, trades):
    dry = launch("trade")
    dry.wait_for("trade 1 committed")
    dry.end(signal.SIGTERM)
    live = launch(
        "trade",
        BOT_CONFIG_JSON=json.dumps({**json.loads(environ["BOT_CONFIG_JSON"]), "dry_run": False}),
        FREQTRADE__EXCHANGE__KEY="k-93ns7",
        FREQTRADE__EXCHANGE__SECRET="s-83hd6",
    )
    live.wait_for("trade 1 committed")
    live.end(signal.SIGTERM)
    assert trades.count(root / "user_data" / database.FILES["live"])[1] > 0


@pytest.mark.parametrize("stub, ends", [("silent", True), ("", False)])
def test_a_loop_that_stands_still_ends_the_bot(launch, stub, ends):
    bot = launch("trade", STUB=stub, STUCK_AFTER="1.5")
    if ends:
        assert bot.end() == 70 and "has not turned for" in bot.text()
    else:
        bot.wait_for("committed")
        until = time.monotonic() + 2
        while time.monotonic() < until:
            assert bot.process.poll() is None, bot.text()
            time.sleep(0.05)

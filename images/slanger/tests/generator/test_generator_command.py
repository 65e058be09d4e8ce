"""`python -m slanger alerts` as a person runs it: what it prints, where the key may come from, what it refuses."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys

import pytest
from botkit.signing import alert_is_signed
from generator_page import IMAGE, KEY, environment

pytestmark = pytest.mark.servers

GUIDE = IMAGE.parent.parent / "docs" / "alerts.md"
NEW = ["new", "--name", "macd-5m", "--route", "bracket", "--account", "paper", "--url", "https://hooks.example.com", "--notional", "100"]
NEW += ["--take-profit", "1%", "--stop-loss", "1%", "--symbols", "AAPL,MSFT", "--limit", "order_notional=500"]


def run(*arguments: str, key: str | None = KEY, text: str = "", **more) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "slanger", "alerts", *arguments]
    return subprocess.run(
        command, env=environment(key), input=text, capture_output=True, text=True, errors="surrogateescape", timeout=60, **more
    )


def test_new_prints_the_url_the_text_a_test_and_what_it_may_do():
    done = run(*NEW)
    assert done.returncode == 0 and KEY not in done.stdout + done.stderr
    text = done.stdout.partition("paste all of it\n\n")[2].partition("\n\nTest it")[0]
    body = json.loads(text)
    assert alert_is_signed([KEY], body["alert"], body["signature"])
    for piece in ("https://hooks.example.com/bracket Message", "curl -sS", "at most $500 an order", "Valid until ", "treat it as a secret"):
        assert piece in " ".join(done.stdout.split())


def test_what_new_makes_show_reads_back():
    made = json.loads(run(*NEW, "--format", "json").stdout)
    shown = run("show", "--format", "json", text=made["text"])
    answer = json.loads(shown.stdout)
    assert (shown.returncode, answer["signature"], answer["good"]) == (0, "valid", True)
    assert answer["summary"] == made["summary"] and answer["fixed"] == made["fixed"]


@pytest.mark.parametrize(
    "old, new, key, signature, code, says",
    [
        ("", "", None, "unchecked", 0, "set SLANGER_SIGNING_KEY to check it"),
        ("", "", "another-key-of-more-than-32-characters", "wrong", 1, "The signature is wrong for this key"),
        ('"order_notional": 500', '"order_notional": 50000', KEY, "wrong", 1, "$50,000 an order"),
        ('"signature"', '"was"', KEY, "missing", 0, "It is not signed"),
    ],
)
def test_show_tells_what_is_wrong_with_a_signature(old, new, key, signature, code, says):
    text = json.loads(run(*NEW, "--format", "json").stdout)["text"]
    assert old in text
    done = run("show", key=key, text=text.replace(old, new, 1))
    assert done.returncode == code and f"Signature: {signature}" in done.stdout and says in " ".join(done.stdout.split())


def test_show_tells_that_an_alert_has_expired():
    fixed = {"name": "old", "route": "market", "account": "paper", "expires": "2026-01-01T00:00:00Z"}
    done = run("show", text=json.dumps({"alert": fixed}))
    assert done.returncode == 1 and "It expired on 1 Jan 2026, 00:00 UTC: make a new one." in done.stdout


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "the body is not JSON"),
        ("[" * 100_000, "more than 100 objects"),
        ("9" * 5000, "not finite or too long"),
        ("[]", "not a JSON object"),
        ('{"signature": "x"}', "no fixed part `alert`"),
        ('{"alert": {}, "alert": {}}', "twice"),
        ('{"alert": {"name": "X"}}', "alert.name=X: use 1 to 32 of a-z"),
        ('{"alert": {"name": "x", "route": "market", "account": "a", "expires": "NaN"}}', "alert.expires=NaN: use an ISO 8601 time"),
        ("\udcff", "not valid UTF-8"),
    ],
)
def test_show_refuses_what_is_no_alert_in_one_sentence(text, says):
    done = run("show", text=text)
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr and done.stderr.count("\n") == 1


def test_every_wrong_option_is_a_line_with_the_option_s_name():
    done = run("new", "--name", "A b", "--route", "market", "--account", "paper", "--url", "x", "--limit", "order_notional=-1")
    assert (done.returncode, done.stdout) == (1, "")
    starts = [line.partition(":")[0] for line in done.stderr.splitlines()]
    assert starts == ["--name=A b", "--url=x", "--size", "--limit order_notional=-1"]
    assert "--limit=most=3: use KEY=VALUE" in run(*NEW, "--limit", "most=3").stderr


def test_an_option_can_t_be_shortened_into_another_one():
    assert run(*NEW[:-1], "--not", "5").returncode == 2


def test_the_key_may_come_from_a_file_that_only_its_owner_reads(tmp_path):
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(0o600)
    assert json.loads(run(*NEW, "--key-file", str(file), "--format", "json", key=None).stdout)["fixed"]["name"] == "macd-5m"
    file.chmod(0o644)
    done = run(*NEW, "--key-file", str(file), key=None)
    assert done.returncode == 1 and "others may read it: chmod 600" in done.stderr
    for option in (["--key-file", str(tmp_path / "none")], ["--key-fd", "-1"], ["--key-fd", "99"]):
        assert "it can't be read" in run(*NEW, *option, key=None).stderr


def test_the_key_may_come_from_a_descriptor():
    read, write = os.pipe()
    with os.fdopen(write, "w") as file:
        file.write(KEY)
    done = run(*NEW, "--key-fd", str(read), "--format", "json", key=None, pass_fds=[read])
    os.close(read)
    body = json.loads(json.loads(done.stdout)["text"])
    assert alert_is_signed([KEY], body["alert"], body["signature"])


def test_without_a_key_or_a_terminal_nothing_is_made():
    done = run(*NEW, key=None)
    assert (done.returncode, done.stdout) == (1, "") and "set SLANGER_SIGNING_KEY, or use --key-file" in done.stderr
    assert '"signature"' not in run(*NEW, "--unsigned", key=None).stdout


@pytest.mark.parametrize("key", ["short", "k" * 40 + " k", "k" * 40 + "\n"])
def test_a_key_that_the_webhook_would_refuse_is_refused_and_not_shown(key):
    done = run(*NEW, key=key)
    assert done.returncode == 1 and "at least 32 characters and no blanks" in done.stderr and key.strip() not in done.stderr


def test_a_typed_key_is_not_echoed(tmp_path):
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "slanger", "alerts", *NEW, "--format", "json"]
    with (tmp_path / "out").open("w+") as out:
        # A session of its own with the terminal as its controlling one: getpass asks there.
        process = subprocess.Popen(["setsid", "--ctty", *command], stdin=child, stdout=out, stderr=child, env=environment(None))
        os.close(child)
        seen = ""
        while "not shown" not in seen:
            seen += os.read(parent, 1000).decode()
        os.write(parent, f"{KEY}\n".encode())
        assert process.wait(60) == 0
        out.seek(0)
        body = json.loads(json.load(out)["text"])
    os.set_blocking(parent, False)
    try:
        seen += os.read(parent, 1000).decode()
    except OSError:
        pass  # Nothing more was written before the terminal closed.
    os.close(parent)
    assert KEY not in seen and alert_is_signed([KEY], body["alert"], body["signature"])


def test_the_guide_s_command_works_as_it_stands():
    line = re.search(r"^.*-m slanger (alerts new (?:.*\\\n)+.*)$", GUIDE.read_text(), re.MULTILINE)[1]
    done = run(*shlex.split(line.replace("\\\n", " "))[1:], "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["fixed"]["limits"] == {"order_notional": 500, "notional_per_day": 2000}


def test_key_makes_another_one_each_time_that_the_webhook_takes():
    keys = {run("key", key=None).stdout.strip() for _ in range(2)}
    assert len(keys) == 2 and all(len(key) == 64 and run(*NEW, key=key).returncode == 0 for key in keys)

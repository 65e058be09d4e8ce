"""Set-up's ground: the checkout's own Pulumi home, the virtual environment, the disk check, and commands that always end."""

import os
import stat
import time
from pathlib import Path

import pytest

from tools import venv
from tools.setup import clean, disk, home, progress, scratch
from tools.setup.progress import SetupError, Step, duration


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(home, "STATE", tmp_path)
    monkeypatch.setattr(home, "ENV_FILE", tmp_path / "env")
    monkeypatch.setattr(progress, "LOGS", tmp_path / "logs")
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_the_owners_alone_and_stay_the_same(checkout):
    old_mask = os.umask(0)
    try:
        home.write(None, None)
        first = (checkout / "passphrase").read_text()
        home.write(None, None)
    finally:
        os.umask(old_mask)
    assert len(first) >= 32 and (checkout / "passphrase").read_text() == first
    assert mode(checkout / "passphrase") == mode(checkout / "env") == 0o600


def test_environment_selects_the_local_home_whatever_the_user_has_set(checkout, monkeypatch):
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "the user's")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "the user's")
    monkeypatch.setenv("PULUMI_HOME", "/home/user/.pulumi")
    monkeypatch.setenv("PATH", "/usr/bin:/cli")
    home.write(Path("/cli"), "unix:///run/other.sock")
    values = home.environment(checkout / "env")
    assert values["PULUMI_HOME"] == str(checkout / "pulumi-home")
    assert values["PULUMI_BACKEND_URL"] == f"file://{checkout}/state"
    assert values["DOCKER_HOST"] == "unix:///run/other.sock"
    assert not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN"} & set(values)
    # The environment's Python first (the language host takes the first one), each folder once.
    assert values["PATH"] == f"{home.VENV}/bin:/cli:/usr/bin"


def test_the_default_engine_needs_no_variable_and_a_known_one_is_kept(checkout):
    home.write(None, "unix:///var/run/docker.sock")
    assert "DOCKER_HOST" not in home.read(checkout / "env")
    home.write(None, "tcp://127.0.0.1:5")
    home.write(None, None)
    assert home.read(checkout / "env")["DOCKER_HOST"] == "tcp://127.0.0.1:5"


def test_environment_without_set_up_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="run `make up` or `make test` first"):
        home.environment(tmp_path / "env")


def test_a_killed_run_leaves_no_usable_half_environment(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to("/bin/true")
    assert not venv.is_usable(tmp_path)
    (tmp_path / venv.COMPLETE).touch()
    assert venv.is_usable(tmp_path)
    (tmp_path / "bin/python").unlink()
    (tmp_path / "bin/python").symlink_to("/bin/false")
    assert not venv.is_usable(tmp_path)


def test_another_python_or_other_requirements_are_another_environment(tmp_path):
    assert len({venv.venv_dir(text, tmp_path, python) for text in (b"a", b"b") for python in ("3.11", "3.12")}) == 4


def test_the_link_follows_and_a_folder_of_the_users_is_not_overwritten(tmp_path):
    for target in ("one", "two", "two"):
        venv.link(tmp_path, tmp_path / target)
        assert (tmp_path / ".venv").readlink() == tmp_path / target
    (tmp_path / "other/.venv").mkdir(parents=True)
    with pytest.raises(SystemExit, match="is a folder of its own: move it away"):
        venv.link(tmp_path / "other", tmp_path / "one")


def test_too_little_disk_names_path_amount_and_fix(tmp_path):
    with pytest.raises(SetupError, match=rf"disk: {tmp_path} has .* GiB free and 1000000.0 GiB are needed: .*TRADESTACK_CACHE"):
        disk.check(Step(1, 1, "disk"), {tmp_path / "not/yet/there": 400000, tmp_path: 600000})


def test_a_command_that_hangs_is_ended_with_its_children(checkout):
    step, started = Step(1, 1, "slow"), time.monotonic()
    with pytest.raises(SetupError, match="waiting did not end within 0.5 s"):
        step.run("waiting", ["sh", "-c", f"sleep 60 & echo $! > {checkout}/child; wait"], timeout=0.5)
    assert time.monotonic() - started < 30
    child = int((checkout / "child").read_text())
    deadline = time.monotonic() + 20
    while Path(f"/proc/{child}/cmdline").exists() and b"sleep" in Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "the child outlived the command"
        time.sleep(0.05)


def test_a_command_that_fails_shows_the_end_of_its_output(checkout):
    with pytest.raises(SetupError, match=r"doing it failed with exit code 3: disk full \(all of it: .*slow\.log\)"):
        Step(1, 1, "slow").run("doing it", ["sh", "-c", "echo disk full; exit 3"], timeout=30)
    with pytest.raises(SetupError, match="No such file"):
        Step(1, 1, "slow").run("doing it", ["/no/such/program"], timeout=30)


def test_slow_work_gives_signs_of_life(capsys):
    with Step(3, 7, "pulumi").alive("building", every=0.05):
        deadline = time.monotonic() + 20
        printed = ""
        while printed.count("still building") < 2:
            printed += capsys.readouterr().out
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert "[3/7] pulumi … still building, 0.1 s" in printed


@pytest.mark.parametrize(("seconds", "text"), [(0.42, "0.4 s"), (59.4, "59 s"), (220, "3 min 40 s"), (3600, "60 min 0 s")])
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_cleaning_the_cache_leaves_other_things_in_that_folder(tmp_path):
    read_only = tmp_path / "pulumi/deep"
    read_only.mkdir(parents=True)
    (read_only / "file").touch()
    read_only.chmod(0o500)
    (tmp_path / "venv-abc").mkdir()
    (tmp_path / "thesis.txt").touch()
    clean.remove_cache(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_killed_run_left_is_swept_and_nothing_else(tmp_path):
    for name in (".tmp-a/deep", "base-images/.tmp-b", "base-images/kept", "venv-c"):
        (tmp_path / name).mkdir(parents=True)
    scratch.sweep(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["base-images", "base-images/kept", "venv-c"]

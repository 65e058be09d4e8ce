"""Set-up's browser: what is there is used, what is missing is named, and only root on Debian installs it."""

from pathlib import Path

import pytest

from tools.setup import browser
from tools.setup.progress import SetupError, Step


def program(folder: Path, name: str, script: str = "echo Chromium 156.0") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", browser.BROWSERS)
def test_a_browser_and_a_driver_that_are_there_are_used(path, name, capsys):
    program(path, name)
    program(path, browser.DRIVER)
    browser.choose(Step(1, 1, "browser"))
    assert browser.browser_program() == path / name and "Chromium 156.0" in capsys.readouterr().out


@pytest.mark.parametrize("root, distribution", [(False, "debian"), (True, "ubuntu"), (True, None)])
def test_what_is_missing_is_named_where_it_can_t_be_installed(path, monkeypatch, root, distribution):
    monkeypatch.setattr(browser, "is_root", lambda: root)
    monkeypatch.setattr(browser, "_distribution", lambda: distribution)
    with pytest.raises(SetupError, match="browser: chromium and chromium-driver missing: install Chromium or Google Chrome"):
        browser.choose(Step(1, 1, "browser"))
    program(path, "chromium")
    assert browser.missing_packages() == ["chromium-driver"]


def test_a_browser_that_does_not_run_is_told(path):
    program(path, "chromium", "exit 1")
    program(path, browser.DRIVER)
    with pytest.raises(SetupError, match="chromium does not run"):
        browser.choose(Step(1, 1, "browser"))


def test_root_on_debian_installs_exactly_what_is_missing(path, monkeypatch):
    asked: list[str] = []

    def install(step: Step, *packages: str) -> None:
        asked.extend(packages)
        program(path, "chromium")

    program(path, browser.DRIVER)
    monkeypatch.setattr(browser, "is_root", lambda: True)
    monkeypatch.setattr(browser, "_distribution", lambda: "debian")
    monkeypatch.setattr(browser, "apt_install", install)
    browser.choose(Step(1, 1, "browser"))
    assert asked == ["chromium"]

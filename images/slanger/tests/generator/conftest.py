"""The helpers of these tests on the path; the page's process and the browser."""

import sys
from pathlib import Path

import pytest

HERE = str(Path(__file__).resolve().parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from generator_page import KEY, Served


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The page of a process that has the signing key."""
    started = Served(KEY, tmp_path_factory.mktemp("page") / "log")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def keyless(tmp_path_factory):
    """The page of a process that has no signing key."""
    started = Served(None, tmp_path_factory.mktemp("page") / "log")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    # Only here: the other tests do without its package.
    from generator_chromium import start_browser

    driver = start_browser(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def form(browser, keyless):
    """The page in a wide window, fresh."""
    from generator_chromium import DESKTOP, Form

    yield Form(browser, keyless.url, DESKTOP)
    # A refused script, style or connection would stand here.
    assert [entry for entry in browser.get_log("browser") if "422" not in entry["message"]] == []

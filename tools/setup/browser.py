"""Chromium and its driver for the tests of the alert page: those that are there, else (root on Debian) Debian's."""

import platform
import shutil
from pathlib import Path

from .engine import apt_install
from .paths import is_root
from .progress import SetupError, Step, try_output

# Any of them does; the driver must be of the same version, which one package source sees to.
BROWSERS = ("chromium", "google-chrome", "chromium-browser")
DRIVER = "chromedriver"


def browser_program() -> Path | None:
    """The browser that is installed."""
    return next((Path(found) for name in BROWSERS if (found := shutil.which(name))), None)


def missing_packages() -> list[str]:
    """Debian's names of what is not there."""
    return [*([] if browser_program() else ["chromium"]), *([] if shutil.which(DRIVER) else ["chromium-driver"])]


def choose(step: Step) -> None:
    """Install what is missing. Raises SetupError."""
    missing = missing_packages()
    if missing:
        # Ubuntu's package of that name is a snap, which doesn't run in containers.
        if not is_root() or _distribution() != "debian":
            raise SetupError(
                f"browser: {' and '.join(missing)} missing: install Chromium or Google Chrome and its chromedriver, or run this as root on Debian"
            )
        apt_install(step, *missing)
    version = try_output([browser_program() or BROWSERS[0], "--version"], 60)
    if version is None:
        raise SetupError(f"browser: {browser_program()} does not run: install Chromium or Google Chrome anew")
    step.done(version.strip())


def _distribution() -> str | None:
    try:
        return platform.freedesktop_os_release()["ID"]
    except OSError:
        return None

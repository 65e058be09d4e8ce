"""Settings from the environment; every mistake is told at once, and no message shows a secret."""

import re
from collections.abc import Mapping

# sysexits.h: nothing but other settings will help.
EXIT_CONFIG = 78


class BadSettings(ValueError):
    """Settings that can't be used. The message names every variable, its value unless it is secret, and the fix."""


class Reader:
    """Variables of one server. A bad one gives a placeholder, so that all mistakes are found before `finish` raises."""

    def __init__(self, environment: Mapping[str, str], prefixes: tuple[str, ...], names: tuple[str, ...]) -> None:
        """`names`: every setting of the image; any other variable that begins with one of `prefixes` is a mistake."""
        self._environment = environment
        self._mistakes = [
            f"{name} is not a setting: use {', '.join(names)}"
            for name in sorted(environment)
            if name.startswith(prefixes) and name not in names
        ]

    def mistake(self, sentence: str) -> None:
        """A mistake that the caller found: it names the variable, the value and the fix."""
        self._mistakes.append(sentence)

    def text(self, name: str, pattern: str, fix: str, default: str | None = None) -> str:
        """Text that matches `pattern` as a whole; without a default it must be given."""
        value = self._environment.get(name, default)
        if value is None:
            self.mistake(f"{name} is not set: {fix}")
        elif not re.fullmatch(pattern, value):
            self.mistake(f"{name}={value[:80]!r}: {fix}")
        else:
            return value
        return ""

    def whole(self, name: str, low: int, high: int, unit: str, default: int | None = None) -> int:
        """A whole number from `low` to `high`."""
        fix = f"use a whole number from {low} to {high} ({unit})"
        text = self.text(name, r"[0-9]{1,9}", fix, None if default is None else str(default))
        if text and not low <= int(text) <= high:
            self.mistake(f"{name}={text}: {fix}")
        return int(text or low)

    def password(self, name: str) -> str:
        """16 to 200 printable ASCII characters without a space."""
        value = self._environment.get(name, "")
        if not value:
            self.mistake(f"{name} is not set: use 16 to 200 printable characters")
        elif not re.fullmatch(r"[!-~]{16,200}", value):
            self.mistake(f"{name} (secret, {len(value)} characters): use 16 to 200 printable ASCII characters without spaces")
        return value

    def finish(self) -> None:
        """Raises BadSettings if there was any mistake."""
        if self._mistakes:
            raise BadSettings("; ".join(self._mistakes))

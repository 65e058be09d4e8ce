"""Reads settings from the environment and tells every mistake at once."""

import re
from collections.abc import Mapping

# sysexits.h: nothing but other settings will help.
EXIT_CONFIG = 78


class BadSettings(ValueError):
    """Settings that can't be used. The message names every variable, its value unless it is secret, and the fix."""


class Reader:
    """Variables of one service. A bad one gives a placeholder, so that all mistakes are found before `finish` raises."""

    def __init__(self, environment: Mapping[str, str], prefix: str, names: tuple[str, ...]) -> None:
        """`names`: every variable with this prefix that the service knows; any other one is a mistake. `prefix`: such as BOARD_."""
        self._environment = environment
        known = sorted(set(names))
        self._mistakes = [
            f"{name} is not a setting: use {', '.join(known)}"
            for name in sorted(environment)
            if name.startswith(prefix) and name not in known
        ]

    def mistake(self, sentence: str) -> None:
        """A mistake that the caller found: it names the variable, the value and the fix."""
        self._mistakes.append(sentence)

    def given(self, name: str) -> bool:
        return name in self._environment

    def text(self, name: str, fix: str, pattern: str = r".+", default: str | None = None) -> str:
        """Text that matches `pattern` as a whole. `fix` says what to use, such as `use a URL`; without a default it must be given."""
        value = self._environment.get(name, default)
        if value is None:
            self.mistake(f"{name} is not set: {fix}")
        elif not re.fullmatch(pattern, value, re.DOTALL):
            self.mistake(f"{name}={shown(value)}: {fix}")
        else:
            return value
        return ""

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number from `low` to `high`."""
        text = self.text(name, f"use a whole number from {low} to {high}", r"-?[0-9]{1,15}", str(default))
        if text and not low <= int(text) <= high:
            self.mistake(f"{name}={text}: use a whole number from {low} to {high}")
        return int(text or default)

    def items(self, name: str, default: str = "") -> tuple[str, ...]:
        """A comma-separated list; spaces around an item don't count, and empty text is an empty list."""
        value = self._environment.get(name, default)
        return tuple(item.strip() for item in value.split(",")) if value.strip() else ()

    def secret(self, name: str, fix: str, pattern: str = r"\S+", optional: bool = False) -> str:
        """A secret: no message shows it. "" if it is optional and not set."""
        value = self._environment.get(name)
        if value is None:
            if not optional:
                self.mistake(f"{name} is not set: {fix}")
        elif not re.fullmatch(pattern, value):
            self.mistake(f"{name} (secret, {len(value)} characters): {fix}")
        else:
            return value
        return ""

    def finish(self) -> None:
        """Raises BadSettings if there was any mistake."""
        if self._mistakes:
            raise BadSettings("; ".join(self._mistakes))


def shown(value: str) -> str:
    """A value as messages show it: in quotes, and not more than 100 characters."""
    return repr(value if len(value) <= 100 else value[:100] + "…")

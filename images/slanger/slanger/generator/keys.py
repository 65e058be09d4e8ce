"""The signing key, from where nobody else reads it: the environment, a file, a file descriptor, or typed without echo."""

import getpass
import os
import re
import secrets
import sys
from collections.abc import Mapping

from botkit.signing import MIN_KEY_LENGTH

VARIABLE = "SLANGER_SIGNING_KEY"
NEW_KEY_BYTES = 48  # 64 letters


class BadKey(ValueError):
    """No signing key, or one that can't be used. The message never has the key."""


def new_key() -> str:
    """A new signing key, for SLANGER_SIGNING_KEY."""
    return secrets.token_urlsafe(NEW_KEY_BYTES)


def checked_key(key: str, source: str) -> str:
    """Raises BadKey for one that the webhook would refuse."""
    if not re.fullmatch(rf"\S{{{MIN_KEY_LENGTH},}}", key):
        raise BadKey(f"{source}: a signing key has at least {MIN_KEY_LENGTH} characters and no blanks: make one with `alerts key`")
    return key


def read_key(environment: Mapping[str, str], key_file: str | None, key_fd: int | None, ask: bool) -> str | None:
    """The key from a file, a descriptor, the environment, or asked for at the terminal; None if there is none. Raises BadKey."""
    if key_file is not None:
        return _from(key_file, f"--key-file={key_file}")
    if key_fd is not None:
        return _from(key_fd, f"--key-fd={key_fd}")
    if environment.get(VARIABLE):
        return checked_key(environment[VARIABLE], VARIABLE)
    if ask and sys.stdin.isatty():
        return checked_key(getpass.getpass("Signing key (not shown): "), "the key that was typed")
    return None


def _from(source: str | int, name: str) -> str:
    try:
        with open(source, encoding="utf-8") as file:
            if isinstance(source, str) and os.fstat(file.fileno()).st_mode & 0o077:
                raise BadKey(f"{name}: others may read it: chmod 600 {source}")
            text = file.read(4096)
    except (OSError, ValueError) as error:
        raise BadKey(f"{name}: it can't be read: {error}") from None
    return checked_key(text.removesuffix("\n"), name)

"""Refusals as Alpaca words them: HTTP status, numeric code, message and sometimes more fields.

Codes and wordings are those that users of the real API report; sources in README.md.
"""


class Refusal(Exception):
    """A request that Alpaca would refuse. `more` holds the extra fields of the JSON answer."""

    def __init__(self, status: int, code: int | None, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body = {**more, **({} if code is None else {"code": code}), "message": message}


def invalid(message: str, **more: object) -> Refusal:
    """Values that are understood but break a rule."""
    return Refusal(422, 42210000, message, **more)


def malformed(message: str) -> Refusal:
    """A value that can't be read, is missing, or is not unique."""
    return Refusal(422, 40010001, message)


def forbidden(message: str, **more: object) -> Refusal:
    """A valid order that this account may not send now."""
    return Refusal(403, 40310000, message, **more)


def missing(message: str) -> Refusal:
    return Refusal(404, 40410000, message)

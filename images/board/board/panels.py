"""What the page asks for: each panel's parameters, checked, and its data."""

from typing import Any

from board.settings import Settings
from board.shared import Answer


class Panels:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def answer(self, name: str, parameters: dict[str, str]) -> Answer:
        """Raises ValueError with a sentence for the person."""
        return Answer({}, 0)

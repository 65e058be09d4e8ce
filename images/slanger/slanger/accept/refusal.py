"""Why a request is refused, in the words that its sender reads."""


class Refused(Exception):
    """HTTP status and one sentence that names the key, the value and the fix, and tells nothing that the sender doesn't know."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence

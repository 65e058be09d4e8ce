"""`make list`: what is asked for becomes beancleaner's own command, and half a question changes nothing."""

import pytest

from tools.stack.engine import StackError
from tools.stack.lists import change_of


@pytest.mark.parametrize(
    ("name", "add", "remove", "replace", "words"),
    [
        ("", "", "", None, []),
        ("holds", "KO PG", "", None, ["add", "holds", "KO", "PG"]),
        ("holds", "", "KO,PG", None, ["remove", "holds", "KO", "PG"]),
        ("holds", "", "", "KO", ["set", "holds", "KO"]),
        # Empty text is an empty list: nothing is kept. That is not the same as no SET at all.
        ("holds", "", "", "", ["set", "holds"]),
    ],
)
def test_options_become_the_words_of_beancleaners_command(name: str, add: str, remove: str, replace: str | None, words: list[str]) -> None:
    assert change_of(name, add, remove, replace) == words


@pytest.mark.parametrize(
    ("name", "add", "remove", "replace"), [("holds", "", "", None), ("", "KO", "", None), ("holds", "KO", "PG", None), ("", "", "", "")]
)
def test_half_a_change_is_refused(name: str, add: str, remove: str, replace: str | None) -> None:
    with pytest.raises(StackError, match="give NAME and one of ADD, REMOVE and SET"):
        change_of(name, add, remove, replace)

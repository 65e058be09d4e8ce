"""A whole trading day on a local stack, undisturbed and with every service interrupted: the books agree to the share."""

import re

import pytest

from tests.local.conftest import Checkout
from tools.day.chaos import HURT

pytestmark = [pytest.mark.docker, pytest.mark.engine]
EACH = 6


def counts(said: str) -> dict[str, int]:
    """Numbers of the last line that has them."""
    (*_, last) = [line for line in said.splitlines() if line.startswith("signals=")]
    return {name: int(number) for name, number in re.findall(r"([a-z]+)=([0-9]+)", last)}


def test_a_day_passes_in_minutes_and_its_books_agree(data_stack: Checkout) -> None:
    said = data_stack.make("day", "RESET=1")
    seen = counts(said)
    assert seen["differences"] == 0, said
    # A cross became an order with its trailing stop, positions were closed before the bell, the one on the list was kept.
    assert seen["signals"] > 0 and seen["entries"] > 3 and seen["closes"] >= 2 and seen["kept"] == 1, said
    assert seen["orders"] > seen["entries"] and seen["fills"] > seen["entries"], said


def test_interrupted_services_order_nothing_twice_and_miss_no_close(data_stack: Checkout) -> None:
    said = data_stack.make("chaos-day", f"EACH={EACH}")
    seen = counts(said)
    assert seen["differences"] == 0, said
    assert seen["interrupts"] >= len(HURT) * EACH // 2, said  # a service that is just restarting can't be killed once more
    assert seen["entries"] > 3 and seen["closes"] >= 2 and seen["kept"] == 1, said

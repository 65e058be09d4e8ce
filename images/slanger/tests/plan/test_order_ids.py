"""client_order_id: the same for the same alert, within the broker's length, and told apart by alert."""

import pytest
from plan_cases import KEY, alert, order
from slanger.execute.order_ids import alert_tag, belongs_to, client_order_id


@pytest.mark.parametrize(
    ("market", "expected"),
    [
        ({"comment": "Long entry", "interval": "5"}, f"Long_entry-5-my_alert-{KEY}-enter"),
        ({"interval": "1D"}, f"1D-my_alert-{KEY}-enter"),
        ({}, f"my_alert-{KEY}-enter"),
        ({"comment": "ü—日本", "interval": "5"}, f"5-my_alert-{KEY}-enter"),
        ({"comment": "a-b\n\"c' {{x}} d.e_f"}, f"a_b_c_x_d.e_f-my_alert-{KEY}-enter"),
    ],
)
def test_comment_and_interval(market, expected):
    assert client_order_id(alert("market", market=market), "enter") == expected


def test_the_longest_one():
    longest = client_order_id(alert("market", name="n" * 32, market={"comment": "c" * 500, "interval": "i" * 10}), "enter")
    assert len(longest) <= 128 and longest.endswith(f"-{'n' * 32}-{KEY}-enter")


def test_roles():
    ids = {client_order_id(alert("market"), role) for role in ("close", "enter", "trail")}
    assert len(ids) == 3
    with pytest.raises(ValueError, match="close, enter, trail"):
        client_order_id(alert("market"), "exit")


def test_back_to_the_alert():
    def of(name, **market):
        return order("buy", 1, client_order_id=client_order_id(alert("market", name=name, market=market), "enter"))

    assert belongs_to(of("my-alert", comment="x"), "my-alert")
    # An alert whose name ends in another's, and a comment that pretends to be a name.
    assert not belongs_to(of("my-alert"), "alert")
    assert not belongs_to(of("other", comment=f"my_alert-{KEY}-enter"), "my-alert")
    assert not belongs_to(of("alert", interval="my"), "my-alert")
    assert not belongs_to(order("buy", 1), "my-alert")
    assert not belongs_to(order("buy", 1, client_order_id="enter"), "my-alert")
    assert alert_tag("my-alert") == "my_alert"

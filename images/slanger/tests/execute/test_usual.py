"""Alerts that become orders when nothing goes wrong: each route's steps at the broker, and how many calls they cost."""


def test_a_market_alert_becomes_one_order(run, queue, paper):
    worker = run(queue, paper)
    key = queue.alert("AAPL", qty=2)
    queue.wait_empty()
    (order,) = paper.of(key)
    assert (order["symbol"], order["side"], order["type"], order["qty"], order["status"]) == ("AAPL", "buy", "market", "2", "filled")
    (line,) = worker.lines(message="ordered")
    assert (line["key"], line["orders"][0]["client_order_id"]) == (key, order["client_order_id"])
    assert worker.terminate() == 0

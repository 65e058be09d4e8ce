"""Rules as text: what is understood, and how each mistake is told."""

import json
from datetime import time
from decimal import Decimal

import pytest
from beancleaner.rule_text import BadRules, read_rules
from beancleaner.rules import Bound, Keep, Rule, What, When

FULL = """
keep:
  symbols: [BRK.B, btcusd]
  lists: [earnings_list, dividend_aristocrats]
rules:
  - name: before-the-bell
    close: all
    when: {minutes_before_close: 1, weekdays: [mon, tue, wed, thu, fri]}
  - name: losers
    close:
      class: us_equity
      symbols: [ON, NO, Y]
      tags: [Long entry]
      strategies: [my alert]
      loss_percent: ">= 5"
      profit_dollars: ["<= 10", ">= -1000"]
      minutes_held: ">= 30"
      trailing_percent: 2.5
    when: {time: 12:59, window: 5}
    keep: {symbols: [A]}
  - {name: coins, close: {class: crypto}, when: always}
"""


def test_everything_there_is():
    rules = read_rules(FULL)
    assert rules.keep == Keep(frozenset({"BRK.B", "BTCUSD"}), ("earnings_list", "dividend_aristocrats"))
    bell, losers, coins = rules.rules
    assert bell == Rule(name="before-the-bell", what=What(), when=When(weekdays=frozenset(range(5)), before_close=1))
    assert losers.what == What(
        asset_class="us_equity",
        symbols=frozenset({"ON", "NO", "Y"}),
        tags=frozenset({"Long_entry"}),
        strategies=frozenset({"my_alert"}),
        bounds=(
            Bound("profit_dollars", False, Decimal(10)),
            Bound("profit_dollars", True, Decimal(-1000)),
            Bound("profit_percent", False, Decimal(-5)),
            Bound("minutes_held", True, Decimal(30)),
        ),
        trailing_percent=Decimal("2.5"),
    )
    assert losers.when == When(at=time(12, 59), window=5) and losers.keep == Keep(frozenset({"A"}))
    assert coins.when.always and rules.need_history and rules.trail


def test_json_is_taken_too():
    rules = {"keep": {"symbols": []}, "rules": [{"name": "a", "close": {"profit_percent": ">= 5"}, "when": {"time": "12:59"}}]}
    assert read_rules(json.dumps(rules)).rules[0].when.at == time(12, 59)


GOOD = "keep: {symbols: []}\nrules:\n"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", ["line 1: use keep and rules; it is empty"]),
        ("[", ["line 1: no YAML"]),
        ("keep: {symbols: []}\nrules: [\n  }", ["line 3: no YAML"]),
        ("- a", ["line 1: use a mapping with keep, rules"]),
        ("rules: []", ["line 1, keep: say what is never closed", "line 1, rules: use a list"]),
        ("keep: {}\nrules: x", ["line 1, keep: use symbols, lists or both", "line 2, rules='x': use a list"]),
        ("keep: {symbols: AAPL}\nrules: x", ["line 1, keep.symbols='AAPL': use a list such as [AAPL"]),
        ("keep: {symbols: ['A,B']}\nrules: x", ["line 1, keep.symbols[0]='A,B': use a share"]),
        ("keep: {lists: ['a b']}\nrules: x", ["line 1, keep.lists[0]='a b': use the name of a Redis set"]),
        (GOOD + " - {name: a, close: all, when: always, when: always}", ["line 3, rules[0].when: given twice"]),
        (GOOD + " - {name: a, close: all, when: always}\n - {name: a, close: all, when: always}", ["line 4, rules[1].name='a': another"]),
        (GOOD + " - {name: a b, close: all, when: always}", ["line 3, rules[0].name='a b': use 1 to 40"]),
        (GOOD + " - {}", ["rules[0].name: give it", "rules[0].close: say what", "rules[0].when: say when"]),
        (GOOD + " - {name: a, close: none, when: never}", ["rules[0].close='none': use `all`", "rules[0].when='never': use `always`"]),
        (GOOD + " - {name: a, close: {}, when: {}}", ["rules[0].close: use `all`", "rules[0].when: use `always`"]),
        (GOOD + " - {name: a, close: {class: etf}, when: always}", ["rules[0].close.class='etf': use us_equity or crypto"]),
        (GOOD + " - {name: a, close: {symbols: []}, when: always}", ["rules[0].close.symbols: an empty list fits nothing"]),
        (GOOD + " - {name: a, close: {profit_percent: 5}, when: always}", ["rules[0].close.profit_percent='5': use \">= \""]),
        (GOOD + " - {name: a, close: {profit_percent: '> 5'}, when: always}", ["rules[0].close.profit_percent='> 5'"]),
        (GOOD + " - {name: a, close: {trailing_percent: 100}, when: always}", ["rules[0].close.trailing_percent='100': use a number"]),
        (GOOD + " - {name: a, close: {trailing_percent: 0}, when: always}", ["rules[0].close.trailing_percent='0'"]),
        (GOOD + " - {name: a, close: {tags: ['--']}, when: always}", ["rules[0].close.tags[0]='--'"]),
        (GOOD + " - {name: a, close: {profit: '>= 5'}, when: always}", ["line 3, rules[0].close.profit: no such key; use class"]),
        (GOOD + " - {name: a, close: all, when: {time: '25:00'}}", ["rules[0].when.time='25:00': use HH:MM"]),
        (GOOD + " - {name: a, close: all, when: {time: '9:30'}}", ["rules[0].when.time='9:30'"]),
        (GOOD + " - {name: a, close: all, when: {time: '16:00'}}", ["rules[0].when.time: 16:00: shares are closed"]),
        (GOOD + " - {name: a, close: all, when: {minutes_before_close: 0}}", ["minutes_before_close='0': use whole minutes"]),
        (GOOD + " - {name: a, close: all, when: {minutes_before_close: 1, time: '10:00'}}", ["use one of them"]),
        (GOOD + " - {name: a, close: all, when: {window: 5}}", ["rules[0].when.window='5': needs time"]),
        (GOOD + " - {name: a, close: all, when: {weekdays: [monday]}}", ["rules[0].when.weekdays[0]='monday': use mon"]),
        (GOOD + " - {name: a, close: {class: us_equity}, when: {weekdays: [sat]}}", ["shares don't trade on these days"]),
        ("a: " * 2000, ["line 1"]),
        ("[" * 1200, ["YAML"]),
        ("x" * 70_000, ["70000 characters"]),
    ],
)
def test_mistakes_are_told_with_line_and_key(text, sentences):
    with pytest.raises(BadRules) as refused:
        read_rules(text)
    for sentence in sentences:
        assert sentence in str(refused.value)


def test_all_mistakes_are_told_at_once():
    text = FULL.replace("class: us_equity", "class: stocks").replace("12:59", "24:59").replace("always", "sometimes")
    with pytest.raises(BadRules) as refused:
        read_rules(text)
    assert [one.split(",")[0] for one in str(refused.value).split("; ") if one.startswith("line")] == ["line 11", "line 19", "line 21"]


def test_a_time_outside_the_session_is_for_coins():
    rule = " - {name: a, close: {class: crypto}, when: {time: 23:55, weekdays: [sat]}}"
    assert read_rules(GOOD + rule).rules[0].when.at == time(23, 55)

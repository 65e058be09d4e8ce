"""The filters, a table; and answers that are not as documented."""

from datetime import date

import pytest
from earnyearn.selection import Choice, Filters, OddAnswer, limited, rated, screened, table_of
from hypothesis import given
from hypothesis import strategies as st

FIRST, LAST = date(2026, 11, 25), date(2026, 11, 30)
GOOD = {
    "symbol": "AAPL",
    "date": "2026-11-25",
    "hour": "amc",
    "epsEstimate": 1.7,
    "revenueEstimate": 9e10,
    "epsActual": None,
    "quarter": 3,
    "year": 2026,
}


def filters(**changed):
    return Filters(**{"days": 5, "least_eps": 0.0, "least_revenue": 250e6, "needs_buy": True, "most_symbols": 30, **changed})


def one(chosen=None, **changed):
    (found,) = screened({"earningsCalendar": [{**GOOD, **changed}]}, chosen or filters(), FIRST, LAST)
    return found


@pytest.mark.parametrize(
    ("changed", "why_not"),
    [
        ({}, ""),
        ({"epsEstimate": 0}, ""),
        ({"revenueEstimate": 250_000_000}, ""),
        ({"date": "2026-11-30"}, ""),
        ({"symbol": "T"}, ""),
        ({"symbol": "BRK.B"}, ""),
        ({"symbol": "GOOGL"}, ""),
        ({"epsActual": 1.8, "hour": "bmo"}, ""),
        ({"epsEstimate": -0.01}, "EPS estimate below 0"),
        ({"revenueEstimate": 249_999_999.99}, "revenue estimate below 250 M"),
        ({"epsEstimate": None}, "no estimate of EPS"),
        ({"revenueEstimate": None}, "no estimate of revenue"),
        ({"epsEstimate": None, "revenueEstimate": None}, "no estimate of EPS and revenue"),
        ({"epsEstimate": "1.7"}, "no estimate of EPS"),
        ({"epsEstimate": True}, "no estimate of EPS"),
        ({"epsEstimate": float("nan")}, "no estimate of EPS"),
        ({"revenueEstimate": float("inf")}, "no estimate of revenue"),
        ({"revenueEstimate": 10**400}, "no estimate of revenue"),
        ({"symbol": "HSBC.L"}, "not listed"),
        ({"symbol": "7203.T"}, "not listed"),
        ({"symbol": "SIEGY"}, "not listed"),
        ({"symbol": "NSRGF"}, "not listed"),
        ({"symbol": "aapl"}, "not listed"),
        ({"symbol": "AAPL\n"}, "a row without a symbol"),
        ({"symbol": "ABCDEF"}, "not listed"),
        ({"symbol": "BTC/USD"}, "not listed"),
        ({"symbol": "-"}, "not listed"),
        ({"date": "2026-11-24"}, "reports outside"),
        ({"date": "2026-12-01"}, "reports outside"),
        ({"date": None}, "reports outside"),
        ({"date": 20261125}, "reports outside"),
        ({"date": "soon"}, "reports outside"),
    ],
)
def test_each_filter(changed, why_not):
    found = one(**changed) if changed.get("symbol") != "AAPL\n" else None
    if found is None:
        rows = [GOOD, {**GOOD, **changed}]
        found = screened({"earningsCalendar": rows}, filters(), FIRST, LAST)[-1]
    assert found.why_not.startswith(why_not) and bool(found.why_not) == bool(why_not)


def test_other_limits():
    assert one(filters(least_eps=-1.5), epsEstimate=-1.5).why_not == ""
    assert one(filters(least_eps=0.5), epsEstimate=0.49).why_not == "EPS estimate below 0.5"
    assert one(filters(least_revenue=1e9), revenueEstimate=9.9e8).why_not == "revenue estimate below 1,000 M"


def rating(strong_buy, buy, hold, sell, strong_sell, period="2026-11-01"):
    return {"strongBuy": strong_buy, "buy": buy, "hold": hold, "sell": sell, "strongSell": strong_sell, "period": period, "symbol": "AAPL"}


@pytest.mark.parametrize(
    ("answer", "why_not", "told"),
    [
        ([rating(3, 3, 5, 0, 0)], "", "6 of 11 buy"),
        ([rating(0, 1, 0, 0, 0)], "", "1 of 1 buy"),
        ([rating(3, 2, 5, 0, 0)], "not more than half", "5 of 10 buy"),
        ([rating(0, 0, 5, 5, 5)], "not more than half", "0 of 15 buy"),
        ([rating(0, 0, 0, 0, 0)], "not more than half", "0 of 0 buy"),
        ([], "no analyst's ratings", "none"),
        # The newest month counts, wherever it stands.
        ([rating(9, 9, 0, 0, 0, "2026-10-01"), rating(0, 1, 9, 0, 0)], "not more than half", "1 of 10 buy"),
        ([rating(0, 1, 9, 0, 0), rating(9, 9, 0, 0, 0, "2026-10-01")], "not more than half", "1 of 10 buy"),
        ({"error": "x"}, "ratings are not as", "?"),
        (None, "ratings are not as", "?"),
        ([5], "ratings are not as", "?"),
        ([{}], "ratings are not as", "?"),
        ([rating("3", 3, 5, 0, 0)], "ratings are not as", "?"),
        ([rating(3, None, 5, 0, 0)], "ratings are not as", "?"),
        ([rating(True, 3, 5, 0, 0)], "ratings are not as", "?"),
        ([rating(-3, 9, 5, 0, 0)], "ratings are not as", "?"),
    ],
)
def test_ratings(answer, why_not, told):
    found = rated(one(), answer)
    assert found.why_not.startswith(why_not) and bool(found.why_not) == bool(why_not) and found.ratings == told


def test_a_symbol_comes_once():
    rows = [
        GOOD,
        {**GOOD, "date": "2026-11-27"},
        {**GOOD, "symbol": "KO", "epsEstimate": None},
        {**GOOD, "symbol": "KO", "date": "2026-11-26"},
    ]
    found = screened({"earningsCalendar": rows}, filters(), FIRST, LAST)
    assert [(choice.symbol, choice.day, choice.why_not) for choice in found] == [("AAPL", "2026-11-25", ""), ("KO", "2026-11-26", "")]


def test_substrings_are_other_symbols():
    rows = [{**GOOD, "symbol": symbol} for symbol in ("AAPL", "A", "L", "T", "AA", "AAP")]
    assert {choice.symbol for choice in screened({"earningsCalendar": rows}, filters(), FIRST, LAST)} == {
        "AAPL",
        "A",
        "L",
        "T",
        "AA",
        "AAP",
    }


def test_the_largest_are_kept():
    rows = [{**GOOD, "symbol": symbol, "revenueEstimate": size * 1e9} for symbol, size in (("A", 1), ("B", 3), ("C", 2), ("D", 3))]
    found = limited(screened({"earningsCalendar": rows}, filters(), FIRST, LAST), filters(most_symbols=2))
    assert [(choice.symbol, bool(choice.why_not)) for choice in found] == [("B", False), ("D", False), ("C", True), ("A", True)]
    assert found[-1].why_not == "2 symbols with larger revenue are in"


@pytest.mark.parametrize(
    "answer", [None, [], {}, "", 5, {"earningsCalendar": None}, {"earningsCalendar": {}}, {"earningsCalendar": [1, None, {}]}]
)
def test_an_odd_calendar_is_no_list(answer):
    with pytest.raises(OddAnswer):
        screened(answer, filters(), FIRST, LAST)


def test_odd_rows_cost_their_own_place_alone():
    rows = [GOOD, None, 5, [], {}, {"symbol": None}, {"symbol": ""}, {"symbol": "X" * 100}, {"symbol": "KO"}]
    found = screened({"earningsCalendar": rows}, filters(), FIRST, LAST)
    assert [choice.symbol for choice in found if not choice.why_not] == ["AAPL"]
    assert screened({"earningsCalendar": []}, filters(), FIRST, LAST) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["AAPL", "2026-11-25"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*GOOD, "earningsCalendar"]), inner, max_size=6),
    max_leaves=30,
)


@given(st.lists(st.dictionaries(st.sampled_from(list(GOOD)), json_values, max_size=8) | json_values, max_size=6), json_values)
def test_whatever_comes_nothing_odd_gets_in(rows, ratings):
    try:
        found = screened({"earningsCalendar": rows}, filters(), FIRST, LAST)
    except OddAnswer:
        return
    for choice in found:
        assert choice.why_not or (choice.eps >= 0 and choice.revenue >= 250e6 and choice.symbol.isascii())
        if not choice.why_not:
            rated(choice, ratings)
    assert "symbol" in table_of(found)


def test_the_table():
    rows = [GOOD, {**GOOD, "symbol": "KO", "epsEstimate": None}]
    first, second = screened({"earningsCalendar": rows}, filters(), FIRST, LAST)
    assert isinstance(first, Choice)
    assert table_of([second, rated(first, [rating(3, 3, 5, 0, 0)])]).split("\n") == [
        "symbol  reports      eps   revenue  ratings",
        "AAPL    2026-11-25  1.70  90,000 M  6 of 11 buy  in",
        "KO      2026-11-25     -  90,000 M  -            out: no estimate of EPS",
    ]

"""Dates from the first day asked for, Finnhub's formats, and a file that is as its README says."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from finnhub_replay.answers import BadAnswers, calendar, months_before, read_answers, recommendations, weekdays_after
from finnhub_replay.settings import ANSWERS

ROW = {"date", "epsActual", "epsEstimate", "hour", "quarter", "revenueActual", "revenueEstimate", "symbol", "year"}
RATING = {"buy", "hold", "period", "sell", "strongBuy", "strongSell", "symbol"}


@pytest.fixture(scope="module")
def answers():
    return read_answers(ANSWERS)


@pytest.mark.parametrize("first", [date(2026, 11, 25), date(2026, 11, 28), date(2028, 2, 29), date(2026, 12, 31)])
def test_every_day_has_earnings(answers, first):
    rows = calendar(answers, first, first, "", False)["earningsCalendar"]
    assert {row["date"] for row in rows} == {first.isoformat()} and len(rows) >= 5
    week = calendar(answers, first, first + timedelta(days=5), "", False)["earningsCalendar"]
    assert all(set(row) == ROW for row in week) and len(week) > len(rows)
    assert all(date.fromisoformat(row["date"]).weekday() < 5 or row["date"] == first.isoformat() for row in week)


@pytest.mark.parametrize(
    ("first", "count", "expected"),
    [((2026, 11, 27), 0, (2026, 11, 27)), ((2026, 11, 27), 1, (2026, 11, 30)), ((2026, 11, 28), 1, (2026, 11, 30)), ((2026, 11, 25), 5, (2026, 12, 2))],
)  # fmt: skip
def test_weekdays(first, count, expected):
    assert weekdays_after(date(*first), count) == date(*expected)


def test_months():
    assert months_before(date(2026, 1, 31), 1) == date(2025, 12, 1) and months_before(date(2026, 12, 31), 0) == date(2026, 12, 1)


def test_one_symbol_and_international(answers):
    first, last = date(2026, 11, 25), date(2026, 11, 30)
    assert {row["symbol"] for row in calendar(answers, first, last, "A", False)["earningsCalendar"]} == {"A"}
    usual, all_of_them = (
        {row["symbol"] for row in calendar(answers, first, last, "", abroad)["earningsCalendar"]} for abroad in (False, True)
    )
    assert all_of_them - usual == {"HSBC.L"}


def test_ratings(answers):
    rows = recommendations(answers, "AAPL", date(2026, 11, 25))
    assert [row["period"] for row in rows] == ["2026-11-01", "2026-10-01"] and all(set(row) == RATING for row in rows)
    assert recommendations(answers, "L", date(2026, 11, 25)) == []


def test_the_paper_broker_knows_the_symbols(answers):
    text = (Path(__file__).resolve().parents[2] / "alpaca-paper/alpaca_paper/assets.py").read_text()
    known = set(re.findall(r'"([A-Z.]{1,6})": \("(?:NASDAQ|NYSE|ARCA)"', text))
    assert {row["symbol"] for row in answers.earnings} - known == {"SIEGY", "HSBC.L"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"earnings": [{}], "recommendations": {}}', '{"earnings": [], "recommendations": []}'])
def test_a_bad_file_is_refused(tmp_path, text):
    path = tmp_path / "answers.json"
    path.write_text(text)
    with pytest.raises(BadAnswers, match="FINNHUB_REPLAY_ANSWERS="):
        read_answers(path)
    with pytest.raises(BadAnswers, match="No such file"):
        read_answers(tmp_path / "none.json")

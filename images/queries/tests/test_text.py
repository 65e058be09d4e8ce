"""Filling in: nothing of a value gets out of its literal, whatever it holds; bad values are refused by name."""

import json
import re
import string
from collections.abc import Iterator
from string import Template

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queries import FILES, LEVELS, MOST_POINTS, BadValue, Query, fill, load

QUERIES = [query for file in FILES for query in load(file).values()]
OWN = [query for query in QUERIES if query.placeholders - {"time", "interval"}]
BOT, LINES = load("bots")["trades"], load("services")["lines"]
# More of what could break out than chance would try.
TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("`'\"/\\$(){}[]|\n\r\t;-. ")), max_size=60)
# What InfluxQL and LogQL take as one thing: a string, a name, a regular expression, a comment; the rest letter by letter.
TOKENS = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|(?<=~ )/(?:\\/|[^/])*/|--.*|#.*|/\*|.", re.DOTALL)


def values(query: Query, text: str) -> dict[str, str]:
    return {name: "error" if name == "level" else text for name in query.placeholders - {"time", "interval"}}


def shape(filled: str, query: Query, text: str) -> list[str]:
    """The tokens, what is in a literal taken out where a value may be in it."""
    holds_value = re.compile(r"^(/\^.*\$/|`.*`)$", re.DOTALL)
    return ["literal" if holds_value.match(token) else token for token in TOKENS.findall(filled)]


@given(TEXTS)
def test_a_value_stays_a_value(text: str) -> None:
    for query in OWN:
        harmless = shape(fill(query, 0, 60_000, 10, **values(query, "x")), query, "x")
        assert shape(fill(query, 0, 60_000, 10, **values(query, text)), query, text) == harmless


@given(TEXTS)
def test_what_is_filled_in_is_letters_digits_and_escapes(text: str) -> None:
    """Without a quote, a backtick, a slash, a line's end: no literal of either language ends there."""
    for name in ("bot", "service", "search"):
        query = Query(file="f", name="n", title="t", source="loki", query=f"${name}", chart="logs")
        filled = fill(query, 0, 1, 1, **{name: text})
        assert re.fullmatch(r"(?:[A-Za-z0-9_ \-.*+()?:|]|\\x\{[0-9a-f]{1,6}\})*", filled)
        filled.encode()


def as_python(pattern: str) -> str:
    """Go's \\x{…} as Python's."""
    return re.sub(r"\\x\{([0-9a-f]+)\}", lambda found: re.escape(chr(int(found[1], 16))), pattern)


@given(TEXTS.filter(bool))
def test_it_matches_the_value_and_the_whole_value_only(text: str) -> None:
    pattern = fill(Query(file="f", name="n", title="t", source="loki", query="$bot", chart="logs"), 0, 1, 1, bot=text)
    kept = text.encode("utf-8", "replace").decode()
    assert re.fullmatch(as_python(pattern), kept)
    assert not re.fullmatch(as_python(pattern), kept + "x") and not re.fullmatch(as_python(pattern), kept[:-1])


@given(TEXTS, TEXTS, TEXTS, st.booleans())
def test_a_search_finds_a_text_in_a_json_line(before: str, text: str, after: str, ascii_only: bool) -> None:
    pattern = fill(Query(file="f", name="n", title="t", source="loki", query="$search", chart="logs"), 0, 1, 1, search=text)
    kept = [one.encode("utf-8", "replace").decode() for one in (before, text, after)]
    assert re.search(as_python(pattern), json.dumps({"message": "".join(kept)}, ensure_ascii=ascii_only))
    assert re.search(as_python(pattern), "".join(kept)), "a line that is no JSON"


def mistaken() -> Iterator[tuple[Query, dict, str]]:
    yield BOT, {}, "bots.trades: bot: is missing"
    yield BOT, {"bot": "a", "pair": "b"}, "pair: this query has no such placeholder; it has bot"
    yield load("costs")["tasks"], {"bot": "a"}, "bot: this query has no such placeholder; it has none"
    yield BOT, {"bot": "a" * 1001}, "bot: give a text of at most 1000 characters"
    yield BOT, {"bot": None}, "bot: give a text"
    yield BOT, {"bot": 7}, "bot: give a text"
    yield LINES, {"bot": "", "service": "", "search": "", "level": "loud"}, "level='loud': use one of debug, info"
    yield BOT, {"bot": "a", "time": "b"}, "time: this query has no such placeholder"


@pytest.mark.parametrize(("query", "given_values", "message"), list(mistaken()))
def test_bad_values_are_refused_by_name(query, given_values, message) -> None:
    with pytest.raises(BadValue, match=re.escape(message)):
        fill(query, 0, 60_000, 10, **given_values)


@pytest.mark.parametrize(
    ("start", "end", "interval", "message"),
    [
        (5, 5, 10, "the start must be earlier than the end"),
        (-5, 5, 10, "the start must be earlier"),
        (0, 10**17, 10, "the start must be earlier"),
        (0, 60_000, 0, "interval_s=0: use 1 or more"),
        (0, 60_000, 1.5, "give whole numbers"),
        ("0", 60_000, 10, "give whole numbers"),
        (True, 60_000, 10, "give whole numbers"),
        (0, 7 * 86_400_000, 10, f"more than {MOST_POINTS} points a series; use 55 or more"),
    ],
)
def test_bad_times_are_refused(start, end, interval, message) -> None:
    with pytest.raises(BadValue, match=re.escape(message)):
        fill(load("bots")["profit"], start, end, interval, bot="")


def test_the_least_interval_that_is_named_is_taken() -> None:
    assert "time(55s)" in fill(load("bots")["profit"], 0, 7 * 86_400_000, 55, bot="")


def test_what_is_so_now_looks_at_the_end_only() -> None:
    assert "time >= 400000ms AND time < 1000000ms" in fill(load("bots")["state"], 0, 1_000_000, 10)
    assert "time >= 0ms AND time < 1000ms" in fill(load("bots")["state"], 900, 1000, 10)


def test_nothing_means_all() -> None:
    assert '"bot" =~ /^.*$/' in fill(BOT, 0, 1, 1, bot="")
    assert fill(LINES, 0, 1, 1, bot="", service="", level="", search="") == (
        '{service=~`.+`, bot=~`.*`} |~ `(?i)` | json level="level" | level=~`.*` | drop __error__, __error_details__'
    )


def test_a_level_has_the_worse_ones() -> None:
    filled = {level: fill(LINES, 0, 1, 1, bot="", service="", level=level, search="") for level in LEVELS}
    for place, level in enumerate(LEVELS):
        assert [one for one in LEVELS if re.search(rf"\b{one}\b", filled[level])] == list(LEVELS[place:])


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.file}.{query.name}")
def test_a_query_reads_only_and_is_bounded(query: Query) -> None:
    filled = fill(query, 0, 60_000, 10, **values(query, "x"))
    assert ";" not in filled and Template(filled).is_valid() is ("$" not in filled)
    if query.source == "influxdb":
        # What InfluxDB 2 takes through its 1.x API too: one SELECT, no INTO; each FROM a measurement of this database.
        assert filled.startswith("SELECT ") and " INTO " not in filled
        for part in re.findall(r'FROM (\("?|"\w+")', filled):
            assert part == "(" or part.strip('"').replace("_", "").isalpha()
        assert filled.count("time >=") == filled.count("SELECT")
        assert ("LIMIT 200" in filled and "ORDER BY time DESC" in filled) or re.search(r"(last|mean|max|sum|count|difference)\(", filled)
    elif query.chart != "logs":
        assert filled.count("[10s]") == 1


@pytest.mark.parametrize("character", list(string.punctuation))
def test_nothing_special_is_left_in_a_value(character) -> None:
    for name in ("bot", "search"):
        query = Query(file="f", name="n", title="t", source="loki", query=f"${name}", chart="logs")
        pattern = re.compile(as_python(fill(query, 0, 1, 1, **{name: f"a{character}b"})))
        assert pattern.fullmatch(f"a{character}b")
        assert not any(pattern.fullmatch(other) for other in ("aXb", "ab", "a", "b", "aab", "abb"))

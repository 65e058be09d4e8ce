"""The query files say what the contract of `load` promises; each mistake in one is named."""

import pytest
from queries import FILES, BadQueryFile, load
from queries.files import read

GOOD = 'title = "T"\nsource = "influxdb"\nchart = "line"\nquery = "SELECT a FROM b WHERE $time"\n'


def test_all_files_load() -> None:
    for file in FILES:
        queries = load(file)
        assert queries and all((query.file, query.name) == (file, name) and query.title for name, query in queries.items())
        assert all(query.unit in ("", "percent", "USD", "s") for query in queries.values())
        assert all("\n" not in query.query for query in queries.values())


def test_another_file_is_refused() -> None:
    with pytest.raises(BadQueryFile, match="'logs': no such query file; use one of bots, orders, strategies, services, costs"):
        load("logs")
    with pytest.raises(BadQueryFile):
        load("../queries/bots")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\n" + GOOD.replace("title", "titel"), r"x.toml \[a\] title: is missing; x.toml \[a\] titel: unknown; use title"),
        ("[a]\n" + GOOD.replace('"influxdb"', '"redis"'), r"source='redis': use one of influxdb, loki"),
        ("[a]\n" + GOOD.replace('"line"', '"pie"'), r"chart='pie': use one of line, bars"),
        ("[a]\n" + GOOD.replace("$time", "$times"), r"query: \$times is no placeholder; use time, interval"),
        ("[a]\n" + GOOD.replace("$time", "x"), r"has no \$time"),
        ("[a]\n" + GOOD.replace("$time", "$time AND c =~ /x$/"), r"must be written \$\$"),
        ("[a]\nlatest = 0\n" + GOOD, "latest=0: use seconds"),
        ("[a]\nlatest = true\n" + GOOD, "latest=True: must be a whole number"),
        ("[a]\nunit = 5\n" + GOOD, "unit=5: must be text"),
        ("[A]\n" + GOOD, "lower-case"),
        ("a = 5", "must be a table"),
        ("[a", "x.toml: Expected"),
    ],
)
def test_a_mistake_is_named(text, message) -> None:
    with pytest.raises(BadQueryFile, match=message):
        read("x", text)

"""`lists`: what people see of the lists that keep positions, and how they change one without anybody reading half of it."""

import threading

import pytest
from beancleaner.lists import BadChange, changed_list
from beancleaner.names import key_of

RULES = "keep: {lists: [long, earnings_list]}\nrules: [{name: noon, close: all, when: {time: '12:59'}}]"


def changed(action, before, *symbols):
    given = {key_of(one): one for one in symbols}
    return set(changed_list(action, "long", frozenset(before), given)[0])


@pytest.mark.parametrize(
    ("action", "before", "symbols", "after"),
    [
        ("add", {"A"}, ["AAPL", "L"], {"A", "AAPL", "L"}),
        ("add", {"A"}, ["A"], {"A"}),
        ("add", set(), ["A"], {"A"}),
        ("add", {"-"}, ["A"], {"A"}),
        ("add", {"BTCUSD"}, ["BTC/USD"], {"BTCUSD"}),
        ("remove", {"A", "AAPL"}, ["A"], {"AAPL"}),
        ("remove", {"A", "AAPL"}, ["AAP"], {"A", "AAPL"}),
        ("remove", {"BTCUSD", "A"}, ["BTC/USD"], {"A"}),
        ("remove", {"A"}, ["A"], {"-"}),
        ("remove", {"-"}, ["A"], {"-"}),
        ("set", {"A", "T"}, ["KO", "PG"], {"KO", "PG"}),
        ("set", {"A", "T"}, [], {"-"}),
        ("set", set(), ["KO"], {"KO"}),
        ("set", {"no symbol"}, ["KO"], {"KO"}),
    ],
)
def test_changes(action, before, symbols, after):
    assert changed(action, before, *symbols) == after


@pytest.mark.parametrize(("action", "before"), [("remove", set()), ("remove", {"A", "no symbol"}), ("add", {"no symbol"})])
def test_a_list_that_cannot_be_read_is_not_made_an_empty_one(action, before):
    with pytest.raises(BadChange, match="use lists set long"):
        changed(action, before, "A")


def lists(world, *words):
    process = world.start(RULES, "lists", *words)
    return process.end(), process.text.strip()


@pytest.mark.servers
def test_people_see_and_change_them(world):
    client = world.redis.client
    code, text = lists(world)
    assert code == 1 and "long: nothing is closed: the list long is missing or empty in Redis" in text
    assert lists(world, "add", "long", "t", "NYSE:KO") == (0, "KO: added\nT: added\nlong: 2: KO T")
    assert lists(world, "set", "earnings_list") == (0, "earnings_list: 0, an empty list: it keeps nothing")
    assert lists(world) == (0, "long: 2: KO T\nearnings_list: 0, an empty list: it keeps nothing")
    assert lists(world, "remove", "long", "T", "AAPL") == (0, "AAPL: was not on it\nT: removed\nlong: 1: KO")
    assert (client.smembers("long"), client.smembers("earnings_list")) == ({"KO"}, {"-"})


@pytest.mark.servers
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "long", "AAPL", "no symbol"), "long is not changed: 'no symbol': use a US share"),
        (("add", "lnog", "AAPL"), "lnog: is no list of the rules; use long, earnings_list"),
        (("add", "long"), "lists add long: use lists, lists add NAME"),
        (("drop", "long", "A"), "lists drop long A: use lists, lists add NAME"),
    ],
)
def test_mistakes_change_nothing(world, words, said):
    world.redis.client.sadd("long", "KO")
    code, text = lists(world, *words)
    assert code == 78 and text.startswith(said) and len(text.splitlines()) == 1
    assert world.redis.client.smembers("long") == {"KO"} and set(world.redis.client.keys()) == {"long"}


@pytest.mark.servers
def test_without_redis_it_says_so(world):
    world.redis.end()
    code, text = lists(world, "add", "long", "AAPL")
    assert code == 1 and text.startswith("Redis: ") and "red/is word" not in text


@pytest.mark.servers
def test_nobody_reads_half_of_a_change_and_no_change_is_lost(world):
    """Eight people at once, while somebody looks all the time."""
    client, seen, over = world.redis.client, set(), threading.Event()
    client.sadd("long", *(f"OLD{number}" for number in range(200)))

    def look():
        while not over.is_set():
            seen.add(frozenset(client.smembers("long")))

    looking = threading.Thread(target=look)
    looking.start()
    processes = [world.start(RULES, "lists", "add", "long", f"NEW{number}") for number in range(8)]
    assert [one.end() for one in processes] == [0] * 8
    over.set()
    looking.join()
    assert all(len(one) >= 200 for one in seen), sorted(map(len, seen))
    assert {f"NEW{number}" for number in range(8)} < client.smembers("long") and client.scard("long") == 208

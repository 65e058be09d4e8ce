"""The path inside a candle and the book round the price, at many instants."""

import itertools
import random

import pytest
from exchange_replay.prices import best, book, corners, moving, quantity, quote_volume, tick_size

LENGTH = 60_000

CANDLES = [
    (5330, 5330, 5288, 5290, 43140197869504),
    (100, 100, 100, 100, 0),
    (1, 3, 1, 2, 7),
    (9840000, 9947660, 9828605, 9947660, 182054447418),
    (200, 300, 100, 200, 10**9),
    (10**13, 10**13 + 500, 10**13 - 500, 10**13 - 1, 10**8),
    (500, 500, 100, 100, 60_001),
    (100, 500, 100, 500, 59_999),
]


@pytest.mark.parametrize("opened, high, low, close, volume", CANDLES)
def test_a_moving_candle_goes_from_its_open_over_both_extremes_to_what_was_recorded(opened, high, low, close, volume):
    path = corners(opened, high, low, close)
    chance = random.Random(1)
    instants = sorted({0, 1, LENGTH - 2, LENGTH - 1, *(chance.randrange(LENGTH) for _ in range(2000))})
    bars = [moving(path, volume, instant, LENGTH, 1)[0] for instant in instants]
    assert bars[0][:4] == (opened,) * 4
    assert bars[-1] == (opened, high, low, close, volume, quote_volume(path, volume, LENGTH), 4 if volume else 0)
    for earlier, later in itertools.pairwise(bars):
        assert low <= later.low <= later.close <= later.high <= high
        assert later.high == max(earlier.high, later.high) and later.low == min(earlier.low, later.low)
        assert later.volume >= earlier.volume and later.quote >= earlier.quote and later.trades >= earlier.trades
        assert later.low * later.volume // 10**8 <= later.quote <= later.high * (later.volume + 1) // 10**8


@pytest.mark.parametrize("opened, high, low, close, first", [(2, 4, 1, 3, "low"), (3, 4, 1, 2, "high"), (2, 4, 1, 2, "low")])
def test_the_price_stands_at_both_extremes_and_falls_towards_the_low(opened, high, low, close, first):
    seen = [(bar.close, falling) for bar, falling in (moving(corners(opened, high, low, close), 1, at, LENGTH, 1) for at in range(LENGTH))]
    prices = [price for price, _ in seen]
    assert low in prices and high in prices
    assert (prices.index(low) < prices.index(high)) == (first == "low")
    assert seen[100][1] == (first == "low")


def test_prices_stay_on_the_tick():
    path = corners(5000, 9000, 1000, 7000)
    assert all(moving(path, 1, at, LENGTH, 1000)[0].close % 1000 == 0 for at in range(0, LENGTH, 7))


@pytest.mark.parametrize(
    "prices, tick",
    [([5330, 5288], 1), ([9840000, 9947660], 10), ([10_000 * 10**8], 10**8), ([3, 10], 1), ([5 * 10**12, 2 * 10**12 + 10**6], 10**6)],
)
def test_the_tick_is_the_step_of_the_recorded_prices_but_never_a_coarse_one(prices, tick):
    assert tick_size(prices) == tick


@pytest.mark.parametrize("falling", [True, False])
@pytest.mark.parametrize("price, tick", [(1, 1), (2, 1), (5330, 1), (9947660, 10), (10**13, 10**6), (3 * 10**8, 10**4)])
def test_the_book_encloses_the_price_on_the_tick_with_something_at_every_level(price, tick, falling):
    bids, asks = book("ETHBTC", price, falling, tick, 10**11, 50)
    bid, ask, step = best(price, falling, tick)
    assert bids[0] == (bid, quantity("ETHBTC", bid, 0, 10**11)) and asks[0] == (ask, quantity("ETHBTC", ask, 0, 10**11))
    assert bid <= price <= ask and bid < ask
    assert [level[0] for level in bids] == sorted({level[0] for level in bids}, reverse=True)
    assert [level[0] for level in asks] == sorted({level[0] for level in asks})
    assert all(level > 0 and level % tick == 0 and amount >= 10**10 for level, amount in bids + asks)
    assert len(asks) == 50 and (len(bids) == 50 or bids[-1][0] <= step)


def test_a_pair_without_any_volume_still_has_a_book():
    bids, asks = book("ETHBTC", 5000, True, 1, 0, 5)
    assert all(amount > 0 for _, amount in bids + asks)

"""What the broker is asked for: bars of shares as of today's shares, those of coins as they are."""

import asyncio

from purrstream.rest import Rest


def test_bars_of_shares_are_adjusted_for_splits():
    """Else the night of a split would be a fall that never was."""
    asked = {}

    class Client:
        async def call(self, method, path, *_, params, data):
            asked[path] = dict(params)
            return {"bars": {}, "next_page_token": None}

    async def scenario():
        rest = Rest(Client(), "iex")
        await rest.bars(["AAPL", "BTC/USD"], "2026-12-09T14:30:00Z", "2026-12-09T15:30:00Z")
        # The make-up of the history store reads these.
        return [one async for one in rest.pages(["KO"], "2026-12-09T14:30:00Z", "2026-12-09T15:30:00Z")]

    asyncio.run(scenario())
    assert asked["/v2/stocks/bars"]["symbols"] == "KO" and asked["/v2/stocks/bars"]["adjustment"] == "split"
    assert "adjustment" not in asked["/v1beta3/crypto/us/bars"]

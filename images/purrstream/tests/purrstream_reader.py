"""A process as a strategy would be: follows bars, writes each one down before it takes the next."""

import asyncio
import os
from datetime import datetime

from botkit.bus import Bus
from botkit.following import Follower
from botkit.logs import log_to_stdout
from botkit.market import Market


async def main():
    given = {name: os.environ[f"READER_{name}"] for name in ("NAME", "FILE", "REDIS_URL", "PURRSTREAM_URL", "SYMBOLS", "SINCE")}
    bus = Bus(given["REDIS_URL"])
    async with Market(given["PURRSTREAM_URL"]) as market:
        follower = Follower(bus, market, given["NAME"], given["SYMBOLS"].split(","), datetime.fromisoformat(given["SINCE"]))
        with open(given["FILE"], "w", buffering=1) as file:
            async for bar in follower.bars():
                print(bar.symbol, bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume, file=file)


log_to_stdout("reader")
asyncio.run(main())

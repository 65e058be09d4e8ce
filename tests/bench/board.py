"""`python -m tests.bench.board`: how soon the board paints with 50 bots, when all of them are there, and what 20 open pages cost.

Bots are local ones that answer as a recorded one; stores are not there, so that the figures are the page's and the board's own.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
for folder in (
    "images/board/tests",
    "images/board",
    "images/bot-metrics/tests",
    "images/bot-metrics",
    "images/botkit",
    "images/botkit/tests",
):
    sys.path.insert(0, str(ROOT / folder))

from board_chromium import DESKTOP, PHONE, Page, start_browser  # noqa: E402
from board_world import Bots, Served, vendored  # noqa: E402

from tests.bench.webhook_processes import cpu_seconds, rss_mib  # noqa: E402

BOTS, ROUNDS, PAGES, SECONDS = 50, 5, 20, 20
PAINT = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime || 0"


def opened(browser, address: str, size: tuple[int, int]) -> tuple[float, float]:
    """(ms to the first contentful paint, ms until every bot runs) of a page that is opened anew, its cache emptied."""
    browser.execute_cdp_cmd("Network.clearBrowserCache", {})
    page = Page(browser, address, size)
    page.wait(lambda: page.js("return document.querySelectorAll('#bot-rows .mark.good').length") == BOTS)
    there = page.js("return performance.now()")
    return page.wait(lambda: page.js(PAINT)), there


async def watched(served: Served) -> int:
    """Bytes that PAGES pages were sent in SECONDS."""

    async def one(session: aiohttp.ClientSession) -> int:
        got, end = 0, time.monotonic() + SECONDS
        async with session.ws_connect(f"{served.url}/api/live", headers={"Origin": served.url}, max_msg_size=2**24) as socket:
            while time.monotonic() < end:
                got += len((await socket.receive()).data or "")
        return got

    async with aiohttp.ClientSession() as session:
        return sum(await asyncio.gather(*(one(session) for _ in range(PAGES))))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bots = Bots(BOTS)
        served = Served(Path(folder, "log"), bots=bots.settings, vendor=str(vendored()))
        browser = start_browser(Path(folder, "chromium"))
        try:
            figures = {
                name: [opened(browser, served.url, size) for _ in range(ROUNDS)] for name, size in (("1280", DESKTOP), ("360", PHONE))
            }
            browser.get("about:blank")
            asked, cpu = sum(len(bot.asked) for bot in bots.bots.values()), cpu_seconds(served.process.pid)
            sent = asyncio.run(watched(served))
            asked = sum(len(bot.asked) for bot in bots.bots.values()) - asked
            cpu = cpu_seconds(served.process.pid) - cpu
            rss = rss_mib(served.process.pid)
        finally:
            browser.quit()
            served.stop()
            bots.stop()
    print(f"Board with {BOTS} bots, headless Chromium, {ROUNDS} openings with an empty cache (ms)")
    print("| width | first paint, median | worst | all bots shown, median | worst |\n|---|---|---|---|---|")
    for name, rounds in figures.items():
        paint, there = ([one[place] for one in rounds] for place in (0, 1))
        print(f"| {name} | {statistics.median(paint):.0f} | {max(paint):.0f} | {statistics.median(there):.0f} | {max(there):.0f} |")
    print(f"{PAGES} pages open: {asked / SECONDS:.0f} questions to bots a second, {100 * cpu / SECONDS:.0f} % of a core, {rss:.0f} MiB, "
          f"{sent / PAGES / SECONDS / 1024:.1f} KiB/s a page (before compression)")  # fmt: skip
    print(json.dumps({"first_paint_ms": {name: max(one[0] for one in rounds) for name, rounds in figures.items()}}))


if __name__ == "__main__":
    main()

"""`make cost STACK=dev`: what a stack will cost for 30 days, from its plan, before anything is deployed."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.cost import prices, table
from tools.cost.estimate import estimate
from tools.cost.plan import from_preview
from tools.cost.preview import config_of, default_environment, preview
from tools.cost.prices import CostError
from tools.cost.resources import bill


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make cost", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument(
        "--assume", action="append", default=[], metavar="KEY=VALUE", help="replace an assumption; may be given several times"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument(
        "--plan", type=Path, help="a file with the output of `pulumi preview --json --show-sames`, in place of running the preview"
    )
    options = parser.parse_args(arguments)
    try:
        book = prices.assuming(prices.load(), options.assume)
        tracked = config_of(options.stack)
        prices.check_region(book, tracked.get("config", {}).get("aws:region", "not set"))
        plan = json.loads(options.plan.read_text()) if options.plan else preview(options.stack, tracked, default_environment())
        report = estimate(bill(from_preview(plan)), book, options.stack)
    except (CostError, OSError, json.JSONDecodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(report, indent=2) if options.format == "json" else table.text(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())

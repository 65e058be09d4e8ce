"""What every chaos run begins and ends with: its seed, and a stack (`chaos`) that nothing of an earlier run is left of, destroyed at the end."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tools.stack.down import destroy
from tools.stack.engine import CHAOS, exists
from tools.stack.ports import free_port

PORT_KEYS = ("publishedPort", "logRouterPort")


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--seed`, `--keep`."""
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true", help="leave the stack up afterwards, to look at it; `make down` takes it away")


def with_free_ports(block: Any) -> Any:
    """Configuration with another port wherever it names one (or None), however deep: the stack that it was copied from may be up beside this one."""
    if isinstance(block, dict):
        return {key: free_port() if key in PORT_KEYS else with_free_ports(value) for key, value in block.items()}
    return [with_free_ports(one) for one in block] if isinstance(block, list) else block


@contextmanager
def throwaway_stack(options: argparse.Namespace) -> Iterator[int]:
    """The run's seed, which is printed first."""
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}", flush=True)
    if exists(CHAOS):
        destroy(CHAOS, show=False)  # what a run that was killed left behind
    try:
        yield seed
    except BaseException as problem:
        print(f"the run failed: {problem!r}", flush=True)  # destroying the stack may fail, too
        raise
    finally:
        if not options.keep:
            destroy(CHAOS, show=False)  # why a run failed is the last that is to be read

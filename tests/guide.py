"""docs/add-a-bot.md as what a person does with it: commands to run, files to write, blocks to find in the stack's file, in the page's order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "add-a-bot.md"
SERVICE, STRATEGY = "Your own strategy service", "Your own Freqtrade strategy"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITE = re.compile(r"Write into `([^`]+)`:\s*$")
NUMBER = re.compile(r"^\*\*([0-9]+)\.\*\* ", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    line: str


@dataclass(frozen=True)
class File:
    path: str
    content: str


@dataclass(frozen=True)
class Block:
    """YAML that the stack's file has by now."""

    text: str


def section(title: str) -> str:
    return PAGE.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]


def steps(title: str) -> Iterator[tuple[int, Command | File | Block]]:
    """(the step's number, what is to be done), in order. AssertionError for a block that nobody could follow."""
    text = section(title)
    for found in FENCE.finditer(text):
        kind, content = found.groups()
        before = text[: found.start()]
        number = int(NUMBER.findall(before)[-1])
        if kind == "sh":
            yield from ((number, Command(line)) for line in content.splitlines())
        elif kind == "yaml":
            yield number, Block(content)
        else:
            named = WRITE.search(before)
            assert named, f"step {number}: which file is this block of {kind}?"
            yield number, File(named[1], content)

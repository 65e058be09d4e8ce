"""The guide's steps without a stack: what it shows is what the commands make, and what it has people write works."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from settings import BotSettings
from tests.guide import SERVICE, STRATEGY, Block, Command, File, steps
from tests.unit.test_new_service import checkout, run  # noqa: F401
from tools.new_service import __main__ as service
from tools.new_service import strategy

# The first that is free, which on a busy machine is another one.
PORT = re.compile(r"publishedPort: 18\d\d\d")
MAKE = {
    "make new-service NAME=mine": lambda root: service.create("mine", root),
    "make new-strategy NAME=trend": lambda root: strategy.create("trend", root),
}


@pytest.mark.parametrize("title", [SERVICE, STRATEGY])
def test_the_steps_are_numbered_and_ten_at_most(title: str) -> None:
    numbers = [number for number, _ in steps(title)]
    assert numbers == sorted(numbers) and set(numbers) == set(range(1, max(numbers) + 1)) and max(numbers) <= 10


@pytest.mark.parametrize("title", [SERVICE, STRATEGY])
def test_followed_as_far_as_it_needs_no_stack(checkout: Path, title: str) -> None:  # noqa: F811
    """Files are written, blocks are found as shown, tests pass, style is clean; what needs Docker is left to tests/local/test_guide.py."""
    done = []
    for _, step in steps(title):
        if isinstance(step, Command) and step.line in MAKE:
            done.append(MAKE[step.line](checkout))
        elif isinstance(step, Command) and "pytest" in step.line:
            words = shlex.split(step.line)
            assert words[:2] == [".venv/bin/python", "-m"]
            done.append(run(checkout, *words[2:], "-p", "no:cacheprovider"))
            assert " passed" in done[-1] and "failed" not in done[-1]
        elif isinstance(step, File):
            path = checkout / step.path
            assert path.is_file(), f"{step.path}: the command before makes it"
            path.write_text(step.content)
            run(checkout, "ruff", "check", "--no-cache", str(path))
            run(checkout, "ruff", "format", "--no-cache", "--check", str(path))
        elif isinstance(step, Block):
            assert PORT.sub("", step.text.split("\n", 2)[2]) in PORT.sub("", (checkout / "Pulumi.local.yaml").read_text()), "word for word"
    assert done
    if title == STRATEGY:
        bot = yaml.safe_load((checkout / "Pulumi.local.yaml").read_text())["config"]["tradestack:bots"][-1]
        BotSettings.model_validate({**bot, "imageContext": str(checkout / "images" / "freqtrade")})


def test_a_block_that_is_of_no_file_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# X\n\n## Y\n\n**1.** Do this.\n\n```python\nx = 1\n```\n\n## Z\n")
    monkeypatch.setattr("tests.guide.PAGE", page)
    with pytest.raises(AssertionError, match="step 1: which file"):
        list(steps("Y"))

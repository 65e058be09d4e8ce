"""`make new-service` and `make new-strategy`: what they make works at once; what they refuse leaves nothing behind."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from settings import BotSettings
from settings_services import ServiceSettings
from tools.new_service import __main__ as service
from tools.new_service import strategy, template
from tools.new_service.stack_file import with_block
from tools.stack.engine import StackError

ROOT = Path(__file__).parents[2]
NAMES = ["mine", "my-2nd-own", "zeta" + "-y23456" * 4]
# The template's own name is in them.
LIKE_THE_TEMPLATE = ["example2", "my-example", "example-of-example"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the commands read of a checkout."""
    caches = shutil.ignore_patterns(*template.CACHES)
    for name in ("images/example", "images/freqtrade"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=caches)
    for name in ("images/botkit", "tools"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("pyproject.toml", "Pulumi.local.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_a_new_service_is_the_template_under_its_name(checkout: Path, name: str) -> None:
    before = content(checkout)
    said = service.create(name, checkout)
    after = content(checkout)
    made = {path: text for path, text in after.items() if path not in before}
    assert {path for path in before if before[path] != after[path]} == {"Pulumi.local.yaml"}
    assert len(made) == len([path for path in before if path.startswith("images/example/")])
    assert all(path.startswith(f"images/{name}/") and "example" not in path for path in made)
    assert not [path for path, text in made.items() if b"example" in text.lower() or b"new-service" in text]
    assert f"images/{name}" in said and "make up" in said
    block = yaml.safe_load(after["Pulumi.local.yaml"])["config"]["tradestack:services"][-1]
    prefix = name.upper().replace("-", "_")
    assert ServiceSettings.model_validate(block).name == name and all(key.startswith(f"{prefix}_") for key in block["environment"])


@pytest.mark.parametrize("name", LIKE_THE_TEMPLATE)
def test_a_name_with_the_template_s_in_it_is_put_in_once(checkout: Path, name: str) -> None:
    """Every line is that of a service with another name of as many characters and words, so that lines wrap as they do there."""
    other = name.replace("example", "exemple")
    made = {}
    for one in (name, other):
        service.create(one, checkout)
        made[one] = {path: text.decode() for path, text in content(checkout / "images" / one).items()}
    there = {
        path.replace("exemple", "example"): text.replace("exemple", "example").replace("EXEMPLE", "EXAMPLE")
        for path, text in made[other].items()
    }
    assert made[name] == there


@pytest.mark.parametrize("name", [*NAMES, *LIKE_THE_TEMPLATE])
def test_its_tests_pass_at_once_and_its_style_is_clean(checkout: Path, name: str) -> None:
    service.create(name, checkout)
    folder = str(checkout / "images" / name)
    for command in (["ruff", "check", "--no-cache", folder], ["ruff", "format", "--no-cache", "--check", folder]):
        run(checkout, *command)
    assert " passed" in run(checkout, "pytest", "-q", "-p", "no:cacheprovider", folder, "-m", "not servers and not docker")


def run(folder: Path, *module: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("", "NAME is missing"),
        ("Mine", "NAME=Mine: use 1 to 32 lower-case letters"),
        ("my_own", "hyphens"),
        ("-mine", "beginning with a letter"),
        ("mine-", "not ending with a hyphen"),
        ("2nd", "beginning with a letter"),
        ("a" * 33, "1 to 32"),
        ("../mine", "lower-case letters"),
        ("mine\n", "lower-case letters"),
        ("webhook", "the stack itself"),
        ("purrstream", "the stack itself"),
        ("data-redis", "the stack itself"),
        ("sample", "tradestack:bots has one"),
        ("example", "images/example is there already"),
        ("class", "a word of Python's own"),
        ("json", "a Python module json"),
        ("yaml", "a Python module yaml"),
        ("tools", "a Python module tools"),
        ("bot", "a Python module bot"),
    ],
)
def test_a_bad_name_is_refused_and_nothing_is_written(checkout: Path, name: str, named: str) -> None:
    before = content(checkout)
    with pytest.raises(StackError) as refused:
        service.create(name, checkout)
    assert named in str(refused.value) and "\n" not in str(refused.value).replace(name, "")
    assert content(checkout) == before


def test_the_second_of_a_name_is_refused(checkout: Path) -> None:
    service.create("mine", checkout)
    before = content(checkout)
    for create in (service.create, strategy.create):
        with pytest.raises(StackError, match="tradestack:services has one"):
            create("mine", checkout)
    assert content(checkout) == before


@pytest.mark.parametrize("create", [service.create, strategy.create])
@pytest.mark.parametrize("broken", ["os.rename", "os.replace", "shutil.copymode"])
def test_what_fails_leaves_nothing_behind(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, create: Callable[[str, Path], str], broken: str
) -> None:
    def fails(*_: object) -> None:
        raise OSError("no space left")

    before, folders = content(checkout), sorted(checkout.rglob("*"))
    monkeypatch.setattr(f"tools.new_service.files.{broken}", fails)
    with pytest.raises(OSError, match="no space left"):
        create("mine", checkout)
    assert content(checkout) == before and sorted(checkout.rglob("*")) == folders


BLOCK = "- name: mine\n  needs: [bars] # why\n"
HEAD = "# Mine.\nconfig:\n  tradestack:host: docker # here\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD, HEAD + "  tradestack:services:\n    - name: mine\n      needs: [bars] # why\n"),
        (HEAD[:-1], HEAD + "  tradestack:services:\n    - name: mine\n      needs: [bars] # why\n"),
        (
            HEAD
            + "  tradestack:services:\n    - name: a # its\n      environment: { A: 'x' }\n\n  # Of the board.\n  tradestack:board: {}\n",
            HEAD
            + "  tradestack:services:\n    - name: a # its\n      environment: { A: 'x' }\n    - name: mine\n      needs: [bars] # why\n"
            "\n  # Of the board.\n  tradestack:board: {}\n",
        ),
        (
            HEAD + "  tradestack:services:\n  - {name: a}\n  tradestack:board: {}\n",
            HEAD + "  tradestack:services:\n  - {name: a}\n  - name: mine\n    needs: [bars] # why\n  tradestack:board: {}\n",
        ),
        (
            HEAD + "\n# The end.\n\nencryptionsalt: x\n",
            HEAD + "  tradestack:services:\n    - name: mine\n      needs: [bars] # why\n\n# The end.\n\nencryptionsalt: x\n",
        ),
        (
            "config:\n    tradestack:services:\n        - name: a\n          text: |\n            # no comment\n",
            "config:\n    tradestack:services:\n        - name: a\n          text: |\n            # no comment\n"
            "        - name: mine\n          needs: [bars] # why\n",
        ),
    ],
    ids=["first", "no line end", "in between", "not indented", "more after it", "text at the end"],
)
def test_a_block_is_added_and_every_other_byte_stays(text: str, expected: str) -> None:
    assert with_block(text, "services", BLOCK) == expected


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "  tradestack:services: []\n",
        HEAD + "  tradestack:services:\n",
        HEAD + "  tradestack:services: {a: b}\n",
        "config: {}\n",
        "",
        "a: b\n",
    ],
)
def test_a_file_that_a_person_wrote_otherwise_is_refused(text: str) -> None:
    with pytest.raises(StackError, match="Pulumi.local.yaml: "):
        with_block(text, "services", BLOCK)


def test_a_new_strategy_is_a_class_and_a_bot_that_runs_it(checkout: Path) -> None:
    before = content(checkout)
    said = strategy.create("my-trend", checkout)
    after = content(checkout)
    assert {path for path in after if after[path] != before.get(path)} == {"Pulumi.local.yaml", "images/freqtrade/strategies/my_trend.py"}
    text = after["images/freqtrade/strategies/my_trend.py"].decode()
    assert "class MyTrendStrategy(IStrategy):" in text and "Breakout" not in text
    bot = yaml.safe_load(after["Pulumi.local.yaml"])["config"]["tradestack:bots"][-1]
    accepted = BotSettings.model_validate({**bot, "imageContext": str(checkout / "images" / "freqtrade")})
    assert accepted.name == "my-trend" and accepted.strategy == "MyTrendStrategy" and str(accepted.published_port) in said
    second = strategy.create("second", checkout)
    assert f"127.0.0.1:{accepted.published_port}" not in second


def test_a_new_strategy_takes_a_port_that_nobody_has(checkout: Path) -> None:
    with socket.socket() as used:
        used.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            used.bind(("127.0.0.1", strategy.FIRST_PORT))
            used.listen()
        except OSError:
            pass  # somebody has it already
        assert f"127.0.0.1:{strategy.FIRST_PORT}" not in strategy.create("trend", checkout)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("", "NAME is missing"),
        ("My", "lower-case"),
        ("sample", "tradestack:bots"),
        ("board", "the stack itself"),
        ("breakout", "is there already"),
    ],
)
def test_a_strategy_s_bad_name_is_refused(checkout: Path, name: str, named: str) -> None:
    before = content(checkout)
    with pytest.raises(StackError, match=named):
        strategy.create(name, checkout)
    assert content(checkout) == before


def test_a_strategy_s_class_is_one_of_its_own(checkout: Path) -> None:
    (checkout / "images/freqtrade/strategies/other.py").write_text("class TrendStrategy(IStrategy):\n    pass\n")
    with pytest.raises(StackError, match="class TrendStrategy"):
        strategy.create("trend", checkout)

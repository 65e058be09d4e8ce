"""A stack's file is read as Pulumi reads it, and written again means the same: a symbol that YAML 1.1 takes for a truth is another share."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.stack import local_config
from tools.stack.stack_file import read

# What `pulumi config` 3.250 makes of them.
VALUES: dict[str, Any] = {
    "ON": "ON", "no": "no", "y": "y", "12:59": "12:59", "25:00:01": "25:00:01", "TRUE": True, "false": False, "~": None, "null": None,
    "2": 2, "-2": -2, "010": 8, "0x10": 16, "0o10": 8, "5.50": 5.5, ".5": 0.5, "1E5": 100000, "1.5e3": 1500, "'TRUE'": "TRUE", '"2"': "2",
    ">= 5": ">= 5", "1.2.3": "1.2.3", "AAPL": "AAPL", "2026-01-02": "2026-01-02", "1_000": "1_000", "-": "-", "e5": "e5", "": None,
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_a_value_is_what_pulumi_makes_of_it(text: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    written = f'"{text}"' if text in (">= 5", "-") else text
    file.write_text(f"config:\n  x: {written}\n")
    assert read(file)["config"]["x"] == VALUES[text]
    file.write_text(yaml.safe_dump(read(file)))
    assert read(file)["config"]["x"] == VALUES[text], "written and read again"


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("# nothing yet\n")
    assert read(tmp_path / "Pulumi.dev.yaml") == {}


def test_the_local_stack_keeps_what_it_is_told_to_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_config, "ROOT", tmp_path)
    (tmp_path / "Pulumi.local.yaml").write_text("config:\n  tradestack:beancleaner:\n    rules: {keep: {symbols: [ON, NO]}}\n")
    wanted = local_config.tracked()["config"]["tradestack:beancleaner"]["rules"]
    assert wanted == {"keep": {"symbols": ["ON", "NO"]}}

"""`make secrets`: what is made up is what the bot's own container accepts, whatever the bot is called."""

import sys
from pathlib import Path
from typing import Any

import pytest

from components.freqtrade_bot import SECRET_VARIABLES
from tools.stack import secrets

ROOT = Path(__file__).parents[2]


def made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bot: str) -> dict[str, str]:
    """What `fill` sets for a bot without credentials: freqtrade's variable -> value."""
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(f"config:\n  tradestack:bots:\n    - name: {bot}\n")
    given: dict[str, str] = {}

    def config_set(stack: str, *arguments: str, given_=given, **options: Any) -> str:
        (path,) = (one for one in arguments if one.startswith("tradestack:secrets["))
        given_[path.rpartition(".")[2]] = options["given"]
        return ""

    monkeypatch.setattr(secrets, "config_file", lambda stack: file)
    monkeypatch.setattr(secrets, "pulumi", config_set)
    assert secrets.fill("dev") == len(secrets.KEYS)
    return {SECRET_VARIABLES[key]: given[name] for key, name in secrets.KEYS.items()}


@pytest.mark.parametrize("bot", ["sample", "example", "your-bot", "a"])
def test_the_container_accepts_them(monkeypatch, tmp_path, bot):
    variables = made_up(monkeypatch, tmp_path, bot)
    monkeypatch.syspath_prepend(str(ROOT / "images" / "freqtrade"))
    before = set(sys.modules)
    try:
        from bot import settings

        assert list(settings._secret_mistakes(variables, True)) == []
    finally:
        for name in set(sys.modules) - before:
            if name == "bot" or name.startswith("bot."):
                del sys.modules[name]

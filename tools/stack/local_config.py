"""The configuration of a stack of this machine: what the repository says, plus base images, plus secrets made up here."""

import json
from pathlib import Path
from typing import Any

import yaml

from settings_data import made_up_data_secrets
from settings_section import DATA, SECRET_BLOCKS
from settings_services import service_secret_keys
from tools.stack import secrets, stack_file
from tools.stack.engine import LOCAL, ROOT, config_file, ensure_stack

BASE_IMAGES = ROOT / ".tradestack" / "base-images.json"


def merged(wanted: dict[str, Any], generated: dict[str, Any], base_images: dict[str, str]) -> dict[str, Any]:
    """What to write: what is wanted wins, but for what exists only here (salt, secrets of what still exists, base images)."""
    config = dict(wanted.get("config") or {})
    names = {bot.get("name") for bot in config.get("tradestack:bots") or [] if isinstance(bot, dict)}
    names |= {name for name in SECRET_BLOCKS if config.get(f"tradestack:{name}") is not None}
    names |= set(service_secret_keys(config))
    kept = (generated.get("config") or {}).get("tradestack:secrets") or {}
    kept = {name: value for name, value in kept.items() if name in names}
    if isinstance(block := config.get(f"tradestack:{DATA}"), dict) and DATA in kept:
        needed = made_up_data_secrets(block)
        # What was made up for a store that is gone goes with it; a URL that somebody typed stays, and is told about.
        kept[DATA] = {key: value for key, value in kept[DATA].items() if key in needed or key.endswith("Url")}
    if kept:
        config["tradestack:secrets"] = kept
    stand_ins = {official: used for official, used in base_images.items() if official != used}
    if stand_ins:
        config["tradestack:baseImages"] = {**stand_ins, **(config.get("tradestack:baseImages") or {})}
    result = {**wanted, "config": config}
    if "encryptionsalt" in generated:
        result["encryptionsalt"] = generated["encryptionsalt"]
    return result


def tracked() -> dict[str, Any]:
    """Pulumi.local.yaml."""
    return stack_file.read(ROOT / f"Pulumi.{LOCAL}.yaml")


def write(stack: str = LOCAL, wanted: dict[str, Any] | None = None) -> Path:
    """Bring a stack's generated file up to date, with every secret that it needs; returns its path. `wanted` defaults to Pulumi.local.yaml."""
    ensure_stack(stack)
    target = config_file(stack)
    generated = stack_file.read(target) if target.exists() else {}
    base_images = json.loads(BASE_IMAGES.read_text()) if BASE_IMAGES.exists() else {}
    # Encrypted secrets inside, and the passphrase lies beside it: readable by its owner only.
    target.touch(mode=0o600, exist_ok=True)
    target.write_text(yaml.safe_dump(merged(wanted or tracked(), generated, base_images), sort_keys=False))
    secrets.fill(stack)
    return target

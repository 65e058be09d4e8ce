"""What the documents say exists: commands, links, files, configuration keys, TaskSpec fields; and CI stores no AWS key."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from components.task import TaskSpec
from components.webhook_service import WebhookServiceArgs
from settings import BotSettings, Settings, parse
from settings_beancleaner import BeancleanerSettings
from settings_data import made_up_data_secrets
from settings_market import EarnyearnSettings, FinnhubReplaySettings, PurrstreamSettings
from settings_section import HostKind
from settings_services import ServiceSettings
from settings_webhook import WebhookSettings
from tools.setup.versions import pinned

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
STRATEGIES = ROOT / "images" / "freqtrade" / "strategies"
# Written as code and meant as a file of this repository: the first part of the path is a tracked top-level name.
TOP = "components|images|tools|tests|docs|settings\\.py|Makefile|requirements\\.txt|Pulumi\\.[a-z]+\\.yaml|\\.ci|\\.github|\\.devcontainer"
MADE_BY_READERS = {
    "images/freqtrade/strategies/trend.py",
    *("images/mine", "images/mine/README.md", "images/mine/mine/strategy.py", "images/mine/tests/test_strategy.py"),
}
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def blocks(text: str, language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(text) if kind == language]


def code(text: str) -> list[str]:
    """Inline code and the lines of fenced blocks."""
    inline = re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))
    return inline + [line for _, body in BLOCK.findall(text) for line in body.splitlines()]


def anchors(text: str) -> set[str]:
    """GitHub's anchors of the headings."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(text: str, folder: Path) -> list[str]:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", text)):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        if path and not (folder / path).exists():
            broken.append(target)
        elif anchor and anchor not in anchors((folder / path).read_text() if path else text):
            broken.append(target)
    return broken


def unknown_targets(text: str, makefile: str) -> set[str]:
    known = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    said = {name for piece in code(text) for name in re.findall(r"(?:^|[\s(])make ([a-z][a-z-]*)", piece)}
    return said - known


def missing_files(text: str) -> set[str]:
    words = {word.rstrip(".,:;") for piece in code(text) for word in re.split(r"[\s\"'()]+", piece)}
    named = {word for word in words if re.fullmatch(rf"(?:\./)?(?:{TOP})(?:/[\w.*/-]+)?/?", word)}
    return {word for word in named - MADE_BY_READERS if not (ROOT / word).exists()}


def unknown_keys(values: dict[str, Any], model: type[BaseModel], path: str = "") -> list[str]:
    """Keys that the model doesn't have, and sections inside it (lists of bots too)."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    found = [path + key for key in values if key not in fields]
    for key, value in values.items():
        inner = next((one for one in _models(fields[key].annotation)), None) if key in fields else None
        for one in value if isinstance(value, list) else [value]:
            if inner and isinstance(one, dict):
                found += unknown_keys(one, inner, f"{path}{key}.")
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def documented(text: str) -> dict[str, Any]:
    """The `tradestack:` keys of a configuration snippet, without their prefix."""
    config = (yaml.safe_load(text) or {}).get("config", {})
    return {key.removeprefix("tradestack:"): value for key, value in config.items()}


@every_document
def test_commands_exist(document: Path) -> None:
    assert unknown_targets(document.read_text(), (ROOT / "Makefile").read_text()) == set()


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    assert broken_links(document.read_text(), document.parent) == []


@every_document
def test_files_exist(document: Path) -> None:
    assert missing_files(document.read_text()) == set()


@every_document
def test_configuration_keys_are_known(document: Path) -> None:
    for snippet in blocks(document.read_text(), "yaml"):
        assert unknown_keys(documented(snippet), Settings) == []


@every_document
def test_complete_bots_are_accepted(document: Path, tmp_path: Path) -> None:
    """With the strategies that there are, and those that the page has people write."""
    (tmp_path / "strategies").mkdir()
    written = "\n".join([*blocks(document.read_text(), "python"), *(file.read_text() for file in STRATEGIES.glob("*.py"))])
    (tmp_path / "strategies" / "all.py").write_text(written)
    for snippet in blocks(document.read_text(), "yaml"):
        for bot in documented(snippet).get("bots", []):
            BotSettings.model_validate({"imageContext": str(tmp_path), **bot})


def test_the_checks_see_mistakes() -> None:
    text = "`make nothing` [a](none.md) [b](#none) `tools/none.py`\n\n# Heading\n"
    assert unknown_targets(text, "up: ## x\n") == {"nothing"}
    assert broken_links(text, ROOT) == ["none.md", "#none"]
    assert missing_files(text) == {"tools/none.py"}
    assert unknown_keys({"bots": [{"naem": "x"}], "cluster": {"x": 1}, "y": 1}, Settings) == ["y", "bots.naem", "cluster.x"]


def test_readme_has_the_two_commands() -> None:
    shell = "\n".join(blocks((ROOT / "README.md").read_text(), "sh"))
    assert re.search(r"^make up\b", shell, re.MULTILINE) and re.search(r"^make test\b", shell, re.MULTILINE)


@pytest.mark.parametrize(("kind", "model"), [("bot", BotSettings), ("service", ServiceSettings)])
def test_every_key_of_a_bot_and_of_a_service_is_explained(kind: str, model: type[BaseModel]) -> None:
    section = (ROOT / "docs/add-a-bot.md").read_text().split(f"## The keys of a {kind}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert explained == {field.alias for field in model.model_fields.values()}


MARKET_BLOCKS = {
    "purrstream": PurrstreamSettings,
    "earnyearn": EarnyearnSettings,
    "finnhubReplay": FinnhubReplaySettings,
    "beancleaner": BeancleanerSettings,
}


@pytest.mark.parametrize("block", MARKET_BLOCKS)
def test_every_key_of_a_block_around_the_market_is_explained(block: str) -> None:
    section = (ROOT / "docs/market-services.md").read_text().split(f"\n### {block}\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    explained = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(explained) == sorted(field.alias for field in MARKET_BLOCKS[block].model_fields.values())


def test_the_stack_around_the_market_on_aws_is_accepted_with_the_secrets_that_its_commands_set() -> None:
    section = (ROOT / "docs/market-services.md").read_text().split("\n### On AWS\n")[1].split("\n## ")[0]
    (block,), commands = blocks(section, "yaml"), "\n".join(blocks(section, "sh"))
    raw = documented(block)
    secrets = {"webhook": {"signingKey": "x" * 43}}  # `make secrets` makes it up
    for name, key in re.findall(r"--secret --path 'tradestack:secrets\.(\w+)\.(\w+)'", commands):
        secrets.setdefault(name, {})[key] = "x" * 32
    secrets["data"] = {key: f"{key:x<48}" for key in made_up_data_secrets(raw["data"])}
    assert parse({**raw, "secrets": secrets}, "dev").host == HostKind.FARGATE


def test_every_key_of_the_webhook_is_explained_at_its_component() -> None:
    own = {"broker"}  # which url, key and secret: the stack's own broker or Alpaca
    fields = {name for name in WebhookSettings.model_fields if name not in own}
    assert fields <= set(WebhookServiceArgs.__annotations__)


def test_the_parity_table_names_every_field_once() -> None:
    section = (ROOT / "docs/architecture.md").read_text().split("## Parity")[1].split("\n## ")[0]
    named = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(named) == sorted(field.name for field in dataclasses.fields(TaskSpec))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_pinned_and_store_no_key(workflow: Path) -> None:
    text = workflow.read_text()
    jobs = yaml.safe_load(text)["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)
    assert "secrets." not in text and not re.search(r"aws-(secret-)?access-key|AKIA", text, re.IGNORECASE)
    assert yaml.safe_load(text)["permissions"] == {}
    allowed = {("contents", "read"), ("id-token", "write"), ("pull-requests", "write")}
    assert all(set(job["permissions"].items()) <= allowed for job in jobs.values())


def test_deployment_uses_oidc_and_the_pinned_pulumi() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())["jobs"]
    assert "head.repo.full_name == github.repository" in jobs["preview"]["if"]
    assert jobs["up"]["environment"] and jobs["up"]["concurrency"]["cancel-in-progress"] is False
    for name, job in jobs.items():
        actions = {step["uses"].split("@")[0]: step.get("with", {}) for step in job["steps"] if "uses" in step}
        assert actions["aws-actions/configure-aws-credentials"]["role-to-assume"].startswith("${{ vars.")
        assert actions["pulumi/actions"]["pulumi-version"] == pinned("pulumi"), name
        if name == "up":  # it builds for arm64
            assert {"docker/setup-qemu-action", "docker/setup-buildx-action"} <= actions.keys()


def test_ci_runs_the_readme_s_test_command() -> None:
    steps = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]["test"]["steps"]
    assert steps[-1] == {"run": ".ci/run"} and "make test\n" in (ROOT / ".ci/run").read_text()


def test_devcontainer_has_docker_python_and_the_ports_of_board_bot_and_webhook() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    local = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    assert any("docker-in-docker" in feature for feature in container["features"])
    assert re.search(r"python:3\.1[1-9]", container["image"])
    reached = [local["tradestack:board"], *local["tradestack:bots"], local["tradestack:webhook"]]
    assert container["forwardPorts"] == [block["publishedPort"] for block in reached]
    assert container["postCreateCommand"].endswith("tools.setup up")

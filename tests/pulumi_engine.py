"""The real Pulumi engine on a throwaway program: a project in a folder of its own, preview/up/refresh/destroy, and what the engine did.

`pulumi`, its plugins and the Python environment come from PATH and PULUMI_HOME, as set-up exports them. State and config are the
folder's own.
"""

import json
import os
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PASSPHRASE = "only for tests"
TIMEOUT = 600
"""Seconds that one engine command may take: a bound for a hang, not a target."""


@dataclass(frozen=True)
class Step:
    """One step of the engine: what it did (`create`, `same`, `update`, `replace`, …) to which resource."""

    op: str
    type: str
    name: str
    replace_keys: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Properties in which the provider saw a difference."""


@dataclass(frozen=True)
class Result:
    """What one engine command did."""

    command: str
    code: int
    output: str
    """What a person would have seen (stdout and stderr)."""
    steps: tuple[Step, ...]
    errors: tuple[str, ...]
    """Messages of the engine's error diagnostics."""
    changes: Mapping[str, int]
    """Operation -> number of resources, without `same`."""

    def ops(self, name: str) -> set[str]:
        """Operations on the resource with this name."""
        return {step.op for step in self.steps if step.name == name}

    @property
    def error(self) -> str:
        return "\n".join(self.errors)


@dataclass
class Project:
    """A Pulumi program in a folder of its own, with one stack whose state is a file in it."""

    folder: Path
    name: str = "trial"
    stack: str = "test"
    environment: dict[str, str] = field(default_factory=dict)
    """Added to this process's environment."""

    def program(self, text: str) -> None:
        """Replace `__main__.py`."""
        (self.folder / "__main__.py").write_text(textwrap.dedent(text))

    def preview(self, *options: str, fails: bool = False) -> Result:
        return self._engine("preview", *options, fails=fails)

    def up(self, *options: str, fails: bool = False) -> Result:
        return self._engine("up", "--yes", "--skip-preview", *options, fails=fails)

    def refresh(self, *options: str, fails: bool = False) -> Result:
        return self._engine("refresh", "--yes", "--skip-preview", *options, fails=fails)

    def destroy(self, *options: str, fails: bool = False) -> Result:
        return self._engine("destroy", "--yes", "--skip-preview", *options, fails=fails)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets shown."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets").stdout)

    def state(self) -> list[dict[str, Any]]:
        """The resources in the state, as they are stored: secrets encrypted."""
        return json.loads(self.pulumi("stack", "export").stdout)["deployment"].get("resources", [])

    def resource(self, name: str) -> dict[str, Any]:
        """The one resource in the state with this name."""
        found = [r for r in self.state() if r["urn"].split("::")[-1] == name]
        assert len(found) == 1, f"{len(found)} resources are named {name!r}: {[r['urn'] for r in self.state()]}"
        return found[0]

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run the CLI in the project's folder. Raises AssertionError with its output when it fails and `check` is true."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--stack", self.stack],
            cwd=self.folder,
            env=self._env(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        assert not check or done.returncode == 0, f"pulumi {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def _engine(self, *arguments: str, fails: bool) -> Result:
        log = self.folder / "events.json"
        log.unlink(missing_ok=True)
        done = self.pulumi(*arguments, "--color", "never", "--diff", "--event-log", str(log), check=False)
        events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        result = _result(arguments[0], done.returncode, done.stdout + done.stderr, events)
        assert (result.code != 0) == fails, f"pulumi {arguments[0]}: exit code {result.code}\n{result.output}"
        return result

    def _env(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        return {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.folder}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            # The CLI knows --event-log only with this.
            "PULUMI_DEBUG_COMMANDS": "1",
            "PYTHONPATH": path,
            **self.environment,
        }


def _result(command: str, code: int, output: str, events: list[dict]) -> Result:
    steps, errors, changes = [], [], {}
    for event in events:
        if "resourcePreEvent" in event:
            meta = event["resourcePreEvent"]["metadata"]
            steps.append(
                Step(meta["op"], meta["type"], meta["urn"].split("::")[-1], tuple(meta.get("keys") or ()), tuple(meta.get("diffs") or ()))
            )
        elif "diagnosticEvent" in event and event["diagnosticEvent"]["severity"] == "error":
            errors.append(event["diagnosticEvent"]["message"].strip())
        elif "summaryEvent" in event:
            changes = {op: count for op, count in event["summaryEvent"]["resourceChanges"].items() if op != "same"}
    return Result(command, code, output, tuple(steps), tuple(errors), changes)


@contextmanager
def project(
    folder: Path,
    program: str,
    config: Optional[Mapping[str, Any]] = None,
    secrets: Optional[Mapping[str, str]] = None,
    environment: Optional[Mapping[str, str]] = None,
    name: str = "trial",
    stack: str = "test",
) -> Iterator[Project]:
    """A project in `folder` with this program text and config (keys without a namespace get the project's). Destroyed at the end,
    whatever happened; a destroy that fails is an error, so that nothing is left behind unseen."""
    if shutil.which("pulumi") is None:
        raise RuntimeError("pulumi is not on PATH: run these tests through `make test`, or put the CLI that set-up made first on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    made = Project(folder, name, stack, dict(environment or {}))
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": name, "runtime": "python"}))
    values = {key if ":" in key else f"{name}:{key}": value for key, value in (config or {}).items()}
    (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": values}))
    made.program(program)
    made.pulumi("stack", "init")
    try:
        for key, value in (secrets or {}).items():
            made.pulumi("config", "set", "--secret", key, value)
        yield made
    finally:
        made.destroy()


@pytest.fixture
def pulumi_project(tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """Start projects: `pulumi_project(program_text, config={...}, secrets={...})`; each is destroyed after the test."""
    opened = []
    try:

        def start(program: str, **options: Any) -> Project:
            context = project(tmp_path / f"project{len(opened)}", program, **options)
            opened.append(context)
            return context.__enter__()

        yield start
    finally:
        failures = []
        for context in reversed(opened):
            try:
                context.__exit__(None, None, None)
            except (AssertionError, subprocess.TimeoutExpired) as failure:
                failures.append(str(failure))
        if failures:
            pytest.fail("\n".join(failures))

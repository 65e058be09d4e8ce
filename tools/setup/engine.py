"""The Docker engine: the one that runs, else (root on Debian or Ubuntu) Debian's, installed and started with a data root of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import docker

from .paths import is_root
from .progress import SetupError, Step, try_output

READY_LIMIT = 90.0
DEFAULT_SOCKET = Path("/var/run/docker.sock")
LABEL = "tradestack.project"


@dataclass(frozen=True)
class Layout:
    """Paths of an engine that set-up starts. `TRADESTACK_DOCKER_ROOT` moves the data, `TRADESTACK_DOCKER_RUN` the rest and the socket."""

    data_root: Path
    run: Path
    socket: Path
    arguments: tuple[str, ...] = ()

    @property
    def pid_file(self) -> Path:
        return self.run / "dockerd.pid"

    @property
    def log(self) -> Path:
        return self.run / "dockerd.log"


def layout() -> Layout:
    """Layout from the environment."""
    own_run = os.environ.get("TRADESTACK_DOCKER_RUN")
    run = Path(own_run or "/var/run/tradestack-docker")
    data_root = Path(os.environ.get("TRADESTACK_DOCKER_ROOT") or "/var/lib/tradestack-docker")
    return Layout(data_root, run, run / "docker.sock" if own_run else DEFAULT_SOCKET)


def client(host: str | None, timeout: float = 60) -> docker.DockerClient:
    """Client for an engine's address; None: the default socket."""
    return docker.DockerClient(base_url=host or f"unix://{DEFAULT_SOCKET}", timeout=timeout)


def problem(host: str | None, limit: float = 10) -> str | None:
    """None when the engine at `host` answers, else why not."""
    try:
        engine = docker.DockerClient(base_url=host or f"unix://{DEFAULT_SOCKET}", timeout=limit)
        try:
            engine.ping()
        finally:
            engine.close()
    except (docker.errors.DockerException, OSError) as error:
        cause = error.__context__ or error
        if "Permission denied" in str(error) or isinstance(cause, PermissionError):
            return "permission denied"
        return str(error)
    return None


def candidates(ours: Layout) -> list[str]:
    """Addresses where an engine may run: DOCKER_HOST alone when it is set, else the usual sockets and the client's context."""
    if os.environ.get("DOCKER_HOST"):
        return [os.environ["DOCKER_HOST"]]
    addresses = [f"unix://{DEFAULT_SOCKET}", f"unix://{ours.socket}", f"unix:///run/user/{os.getuid()}/docker.sock"]
    if not DEFAULT_SOCKET.exists():
        addresses += (try_output(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], 10) or "").split()
    return [address for address in dict.fromkeys(addresses) if not address.startswith("unix://") or Path(address[7:]).exists()]


def choose(step: Step) -> str:
    """Address of a running engine (a DOCKER_HOST value), started when need be. Raises SetupError."""
    ours = layout()
    problems = {}
    for address in candidates(ours):
        why = problem(address)
        if why is None:
            step.done(f"the running engine at {address}")
            return address
        problems[address] = why
    if host := os.environ.get("DOCKER_HOST"):
        raise SetupError(f"docker: no engine answers at DOCKER_HOST={host} ({problems.get(host)}): start it or unset DOCKER_HOST")
    if "permission denied" in problems.values() and not is_root():
        raise SetupError("docker: you may not use the engine: run `sudo usermod -aG docker $USER` and log in again")
    dockerd = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin")
    if not is_root():
        fix = "start Docker" if dockerd else "install Docker and start it"
        raise SetupError(f"docker: no engine is running, and only root can start one: {fix}, or run this as root")
    if dockerd is None:
        install(step)
        dockerd = shutil.which("dockerd", path="/usr/sbin:/usr/bin:/usr/local/bin") or "dockerd"
    if Path("/run/systemd/system").is_dir() and try_output(["systemctl", "start", "docker"], 60) is not None and problem(None) is None:
        step.done("the system's engine, started by systemd")
        return f"unix://{DEFAULT_SOCKET}"
    start(step, ours, dockerd)
    step.done(f"engine started, data in {ours.data_root}")
    return f"unix://{ours.socket}"


def install(step: Step) -> None:
    """Debian's docker.io. Raises SetupError."""
    if shutil.which("apt-get") is None:
        raise SetupError("docker: no engine is installed, and only on Debian and Ubuntu it can be done here: install Docker and start it")
    apt_install(step, "docker.io", "iptables")
    # Since Debian 13 the client is a package of its own. Set-up does without it; people don't.
    if shutil.which("docker") is None and try_output(["apt-cache", "show", "docker-cli"], 60):
        apt_install(step, "docker-cli")


def apt_install(step: Step, *packages: str) -> None:
    """Install Debian packages. Raises SetupError."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # The lock's limit: a fresh machine's own unattended upgrade may hold it for a while.
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-y", "-qq"]
    step.run("apt-get update", [*apt, "update"], timeout=600, env=env)
    step.run(f"installing {' and '.join(packages)}", [*apt, "install", "--no-install-recommends", *packages], timeout=1200, env=env)


def running_pid(ours: Layout) -> int | None:
    """Process id of the engine that set-up started, if it still runs (an id may belong to another program after a restart)."""
    try:
        pid = int(ours.pid_file.read_text())
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if str(ours.data_root).encode() in arguments else None


def clear_leftovers(ours: Layout) -> None:
    """Remove what a killed engine left: with its old id in a file a new one refuses to start, or waits for a containerd that is gone."""
    ours.pid_file.unlink(missing_ok=True)
    containerd = ours.run / "exec" / "containerd" / "containerd.pid"
    try:
        alive = b"containerd" in Path(f"/proc/{int(containerd.read_text())}/cmdline").read_bytes()
    except (OSError, ValueError):
        alive = False
    if alive:
        # Without its engine it is only in the way; its containers' shims live on and the new containerd finds them.
        _end(int(containerd.read_text()), 10)
    containerd.unlink(missing_ok=True)
    for leftover in (*containerd.parent.glob("*.sock*"), ours.socket):
        if leftover.is_socket() and not _listens(leftover):
            leftover.unlink()


def start(step: Step, ours: Layout, dockerd: str, limit: float = READY_LIMIT) -> int:
    """Start an engine and wait until it answers; returns its process id. Raises SetupError with the log's end."""
    pid = running_pid(ours)
    if pid is None:
        clear_leftovers(ours)
        ours.run.mkdir(parents=True, exist_ok=True)
        ours.data_root.mkdir(parents=True, exist_ok=True)
        command = [
            dockerd,
            "--data-root",
            ours.data_root,
            "--exec-root",
            ours.run / "exec",
            "--pidfile",
            ours.pid_file,
            "-H",
            f"unix://{ours.socket}",
        ]
        with open(ours.log, "w") as log:
            process = subprocess.Popen(
                [*map(str, command), *ours.arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
            )
        pid = process.pid
        (ours.run / "started.json").write_text(json.dumps({"pid": pid, "data_root": str(ours.data_root)}))
    deadline = time.monotonic() + limit
    with step.alive("starting the engine"):
        while why := problem(f"unix://{ours.socket}", 5):
            ended = not _is_alive(pid)
            if ended or time.monotonic() > deadline:
                end = "; ".join(ours.log.read_text(errors="replace").strip().splitlines()[-3:])
                what = "ended at once" if ended else f"did not answer within {limit:.0f} s ({why})"
                raise SetupError(f"docker: the engine {what}: {end} (all of it: {ours.log})")
            time.sleep(0.2)
    return pid


def stop(ours: Layout) -> str:
    """Stop the engine if set-up started it and no container runs on it, be it another checkout's. Returns what was done, or why not."""
    if os.environ.get("TRADESTACK_KEEP_ENGINE"):
        return "the engine keeps running: TRADESTACK_KEEP_ENGINE is set"
    pid = running_pid(ours)
    if pid is None:
        return "no engine that set-up started is running"
    engine = client(f"unix://{ours.socket}", 20)
    running = [container.name for container in engine.containers.list()]
    engine.close()
    if running:
        return f"the engine keeps running: containers run on it ({', '.join(sorted(running)[:5])})"
    if not _end(pid, 60):
        return f"the engine (process {pid}) does not end: see {ours.log}"
    return "engine stopped"


def _end(pid: int, limit: float) -> bool:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    deadline = time.monotonic() + limit
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.waitpid(pid, os.WNOHANG)  # Reap it if it is a child of this process; a zombie answers signals.
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True

"""Kill a container's first process with SIGKILL from outside, as the kernel would: Docker sees a crash and restarts it by its policy."""

import os
import signal
from typing import Any


def kill_container(container: Any) -> None:
    """SIGKILL to the container's PID 1. Without the right to signal it, a helper container in the host's PID namespace does it.

    Raises ProcessLookupError when the container has no process now.
    """
    container.reload()
    pid = container.attrs["State"]["Pid"]
    if not pid:
        raise ProcessLookupError(f"{container.name} is not running")  # a signal to process 0 goes to our own process group
    try:
        os.kill(pid, signal.SIGKILL)
    except PermissionError:
        container.client.containers.run(
            container.image.id,
            entrypoint=["python3", "-c", f"import os, signal; os.kill({pid}, signal.SIGKILL)"],
            user="0:0",
            pid_mode="host",
            network_mode="none",
            cap_drop=["ALL"],
            cap_add=["KILL"],
            remove=True,
        )

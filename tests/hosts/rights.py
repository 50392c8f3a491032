"""What a machine must allow for hosts of one's own: namespaces, and links between them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

ISOLATION: Final = ("unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child")
"""Runs a command in namespaces of its own. When it ends, or whoever started it, the kernel removes all in them."""
_PROGRAMS: Final = ("unshare", "nsenter", "ip", "mount")
_TRIAL: Final = """
mount -t tmpfs none /run && ip netns add trial && ip link add switch type bridge &&
ip link add port type veth peer name eth0 netns trial && ip link set port master switch
"""


def refused() -> str | None:
    """Return why this machine allows no hosts of one's own, in one line; None if it does."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are a matter of Linux"
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not found: install iproute2 and util-linux"
    if os.geteuid() != 0:
        return "namespaces of the network need root"
    return _tried([*ISOLATION, "sh", "-c", _TRIAL])


def _tried(command: Sequence[str]) -> str | None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    said = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
    return f"namespaces of the network are refused here ({said})"

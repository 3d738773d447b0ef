"""Keeps the memory of this process, which holds tokens, out of files and of other processes' hands.

A core dump would write every token to a disk. The limit on its size is not asked where the system pipes dumps
to a program, as systemd does; so on Linux the process is made undumpable too. That also keeps other processes
of the same user from its memory and its environment, debuggers included; root is not kept out.
"""

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def forbid_dumps() -> None:
    """For the rest of the process; to be called before a secret is read. What the system does not offer is
    left out."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

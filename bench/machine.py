"""What the bench ran on, as lines for the report: figures without it mean nothing."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from bench.process import executable

_PACKAGES = ("uvicorn", "httptools", "uvloop", "starlette", "httpx", "msgspec")
_TOOLS = {"nginx": "-v", "wrk": "-v", "envoy": "--version"}


def describe() -> list[str]:
    """Processor and kernel; Python and its packages; the other tools that are installed."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    tools = ", ".join(
        f"{name} {_version(path, option)}"
        for name, option in _TOOLS.items()
        if (path := executable(name)) is not None
    )
    lines = [
        f"{os.cpu_count()} x {_processor()}, {_memory()}, {_system()}",
        f"{platform.python_implementation()} {platform.python_version()}, {packages}",
    ]
    return [*lines, tools] if tools else lines


def _system() -> str:
    return f"{platform.system()} {platform.release().partition('-')[0]}"  # without what a builder adds


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def _version(*command: str) -> str:
    """The first thing that looks like a version; wrk says its own beside an exit status of 1."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    found = re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)
    return found[0] if found else "of unknown version"

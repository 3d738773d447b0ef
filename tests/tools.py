"""Programs that tests start and that not every machine has: a server, a browser, a linter.

Where one is missing the test is left out, and the report says what it wanted. On CI nothing may be left out,
so there the same test fails.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest


def tool(name: str, package: str) -> str:
    """The path of a program, of this environment or of the system. `package` says where to get it, as in
    "Debian: nginx"."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        missing(name, package)
    return found


def missing(name: str, package: str) -> NoReturn:
    """Leave the test out, or fail it on CI."""
    reason = f"left out: {name} is not installed ({package})"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

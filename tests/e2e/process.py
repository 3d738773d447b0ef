"""Gateway commands as processes of their own, the way an operator runs them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.waiting import until

START = 60.0  # seconds, on a machine that is busy with other tests
COMMAND = (sys.executable, "-m", "gateway")
ADDRESS = re.compile(r"listens on\s+([a-z]+:[^\s\"]+)")


@dataclass(frozen=True)
class Running:
    """A command that runs. What it writes goes to files, so that no full pipe stops it."""

    process: subprocess.Popen[bytes]
    stdout: Path
    stderr: Path
    caller: Caller

    @property
    def log(self) -> str:
        return self.stdout.read_text()

    def stop(self, signal_number: int) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(PATIENCE)


@contextmanager
def running(
    directory: Path,
    *arguments: str,
    environ: Mapping[str, str],
    announced: str = "stdout",
    command: tuple[str, ...] = COMMAND,
    readiness: int = 200,
) -> Iterator[Running]:
    """A gateway command that answers, ended at the latest at the end of the block. Its address is read from
    what it announces on `announced`. `readiness` is the status that says how far it gets by itself."""
    out, err = directory / "stdout", directory / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, *arguments], stdout=stdout, stderr=stderr, env=clean(environ), cwd=directory
        )
    try:
        address = until(lambda: _address(process, directory / announced), "the gateway listens", START)
        caller = Caller(address)
        until(lambda: caller.get("/readyz").status == readiness, "it says whether it is ready")
        yield Running(process, out, err, caller)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)


def _address(process: subprocess.Popen[bytes], page: Path) -> str:
    assert process.poll() is None, (page.parent / "stderr").read_text()
    found = ADDRESS.search(page.read_text())
    return found[1].rstrip(";") if found else ""


@contextmanager
def serving(
    directory: Path, settings: Mapping[str, Any], environ: Mapping[str, str], readiness: int = 200
) -> Iterator[Running]:
    """`gateway serve` with these settings in a file."""
    arguments = "serve", "--config", str(config_file(directory, settings))
    with running(directory, *arguments, environ=environ, readiness=readiness) as gateway:
        yield gateway


def config_file(directory: Path, settings: Mapping[str, Any]) -> Path:
    path = directory / "config.yaml"
    path.write_text(yaml.safe_dump(dict(settings)))
    return path


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


def run(*arguments: str, directory: Path, environ: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end."""
    ended = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        env=clean(environ or {}),
        cwd=directory,
        timeout=PATIENCE,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """This process' environment without what would change a gateway, and with `environ`."""
    usual = {
        name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "PLATFORM_"))
    }
    return {**usual, "PYTHONPATH": str(Path(__file__).parents[2]), **environ}

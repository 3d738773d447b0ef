"""Load on one address for some seconds: by wrk where it is installed, else by our own driver."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cases import Case
from bench.process import BenchError, executable, python, tool

_SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, slots=True)
class Tally:
    """What the callers saw. Times in seconds."""

    calls: int
    seconds: float
    p50: float
    p99: float
    failed: int  # calls that broke or had another status than 200


Command = Callable[[str, Case, int], Sequence[str]]
"""The load as a command, of an address, a case and whole seconds; its last line is a Tally as JSON."""


def wrk(url: str, case: Case, seconds: int) -> Sequence[str]:
    options = ["-t1", f"-c{case.callers}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_SCRIPT)]
    words = [case.path, case.content_type, case.body.decode(), str(case.bodies)]
    return [tool("wrk"), *options, url, "--", *words]


def driver(url: str, case: Case, seconds: int) -> Sequence[str]:
    numbers = (str(case.bodies), str(case.callers), str(seconds))
    return python("bench.driver", url + case.path, case.content_type, case.body.decode(), *numbers)


def installed() -> Command:
    return wrk if executable("wrk") else driver


def run(command: Command, url: str, case: Case, seconds: int) -> Tally:
    """Raises BenchError when a call failed: then nobody knows what was measured."""
    words = command(url, case, seconds)
    done = subprocess.run(words, capture_output=True, text=True, timeout=seconds + 30, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise BenchError(f"{words[0]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    tally = Tally(**json.loads(lines[-1]))
    if tally.failed or not tally.calls:
        raise BenchError(f"{tally.failed} of {tally.calls} calls failed ({case.name}, {url})")
    return tally

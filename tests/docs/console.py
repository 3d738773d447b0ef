"""Console blocks of a page, run as a reader would type them: in order, in one folder, and
what they print is compared.

    <!-- run: sh -->                      its commands begin with `$ `; the lines below one are what it
                                          prints, where `…` stands for anything
    <!-- run: sh, stays: http://... -->   its one command goes on until the page ends; the next block waits
                                          until the address answers

The ports that a page names are exchanged for free ones.
"""

import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.waiting import until

SLOWEST = 300  # seconds: the set-up of a fresh clone
_BLOCK = re.compile(
    r"^<!-- run: sh(?:, stays: (?P<stays>\S+))? -->\n+```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_HEREDOC = re.compile(r"<<'?(\w+)'?")


@dataclass(frozen=True)
class Command:
    """What a reader types, and what the page says it prints ("" where it says nothing)."""

    text: str
    expected: str


@dataclass(frozen=True)
class Block:
    commands: tuple[Command, ...]
    stays: str | None  # the address that answers once the command is up


def blocks(page: str) -> list[Block]:
    """The blocks of a page that are marked to be run."""
    found = [Block(tuple(_commands(match["text"])), match["stays"]) for match in _BLOCK.finditer(page)]
    assert len(found) == page.count("<!-- run: sh"), "a mark is not followed by a block"
    return found


def _commands(text: str) -> Iterator[Command]:
    lines = text.splitlines()
    while lines:
        first = lines.pop(0)
        assert first.startswith("$ "), f"a command was expected, not {first!r}"
        typed = [first[2:]]
        if (marker := _HEREDOC.search(first)) is not None:
            while typed[-1] != marker[1]:
                typed.append(lines.pop(0))
        while typed[-1].endswith("\\"):
            typed.append(lines.pop(0))
        printed = []
        while lines and not lines[0].startswith("$ "):
            printed.append(lines.pop(0))
        yield Command("\n".join(typed), "\n".join(printed))


@dataclass
class Shell:
    """Where a page is tried: its folder changes with `cd`, its ports are exchanged for `ports`."""

    directory: Path
    environ: Mapping[str, str]
    words: Mapping[str, str]  # what stands on the page, and what is typed instead
    _running: ExitStack = field(default_factory=ExitStack)

    def run(self, block: Block) -> None:
        """Raises AssertionError where a command fails or prints something else."""
        if block.stays is not None:
            [command] = block.commands
            self._running.enter_context(self._staying(command, self._typed(block.stays)))
            return
        for command in block.commands:
            self._run(command)

    def close(self) -> None:
        """End what stays."""
        self._running.close()

    def _run(self, command: Command) -> None:
        where = self.directory / ".where"
        script = f"{self._typed(command.text)}\nstatus=$?; pwd >'{where}'; exit $status"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.directory,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=SLOWEST,
            check=False,
        )
        assert done.returncode == 0, f"{command.text}\n{done.stdout}\n{done.stderr}"
        self.directory = Path(where.read_text().strip())
        where.unlink()
        if command.expected:
            assert _pattern(self._typed(command.expected)).fullmatch(done.stdout.strip("\n")), (
                f"{command.text}\nprinted\n{done.stdout}\ninstead of\n{command.expected}"
            )

    @contextmanager
    def _staying(self, command: Command, address: str) -> Iterator[None]:
        log = self.directory / f".stays-{abs(hash(address))}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["bash", "-c", self._typed(command.text)],
                cwd=self.directory,
                env=self.environ,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            until(lambda: process.poll() is not None or _answers(address), f"{address} answers", SLOWEST)
            assert process.poll() is None, log.read_text()
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(SLOWEST)

    def _typed(self, text: str) -> str:
        for word, instead in self.words.items():
            text = text.replace(word, instead)
        return text


def _pattern(expected: str) -> re.Pattern[str]:
    return re.compile(re.escape(expected).replace("…", ".*?"), re.DOTALL)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False

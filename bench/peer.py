"""What the bench knows of a peer: how it is started, and which calls it can take."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.cases import TOKEN, Case

CONFIGS = Path(__file__).with_name("peers")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer runs in this run of the bench."""

    folder: Path  # its own, for configuration and logs
    port: int  # to listen on, at 127.0.0.1
    upstream: str  # the platform's address, without a path

    def write(self, template: str, **words: str) -> Path:
        """A configuration from bench/peers, with its @words@ filled in. Returns where it is."""
        text = (CONFIGS / template).read_text()
        known = {
            "folder": str(self.folder),
            "port": str(self.port),
            "upstream": self.upstream,
            "upstream_port": str(urlsplit(self.upstream).port),
            "token": TOKEN,
        }
        for word, value in (known | words).items():
            text = text.replace(f"@{word}@", value)
        path = self.folder / template
        path.write_text(text)
        return path

    def environ(self) -> Mapping[str, str]:
        """Ours, without settings of a gateway that somebody exported, and with what peers read from it."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        return ours | {"PLATFORM_TOKEN": TOKEN, "UPSTREAM": self.upstream}


@dataclass(frozen=True, slots=True)
class Peer:
    """Something that stands between applications and the platform, or is the floor for what does."""

    name: str
    about: str  # one line for the report
    command: Callable[[Place], list[str]]  # writes what it needs into the place's folder
    cases: tuple[Case, ...]
    missing: Callable[[], str | None] = lambda: None  # what is not installed here

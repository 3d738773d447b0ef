"""What the bench knows of a peer: how it is started, and which calls it can take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.cases import TOKEN, Case
from bench.process import environ

CONFIGS = Path(__file__).with_name("peers")


@dataclass(frozen=True, slots=True)
class Upstream:
    """The platform of a run. Its addresses are without a path."""

    address: str
    tls_address: str
    authority: Path  # who signed its certificate, as PEM


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer runs in this run of the bench."""

    folder: Path  # its own, for configuration and logs
    port: int  # to listen on, at 127.0.0.1
    upstream: Upstream

    def write(self, template: str, **words: str) -> Path:
        """A configuration from bench/peers, with its @words@ filled in. Returns where it is."""
        text = (CONFIGS / template).read_text()
        known = {
            "folder": str(self.folder),
            "port": str(self.port),
            "upstream": self.upstream.address,
            "upstream_port": str(urlsplit(self.upstream.address).port),
            "tls_upstream": self.upstream.tls_address,
            "tls_upstream_port": str(urlsplit(self.upstream.tls_address).port),
            "authority": str(self.upstream.authority),
            "token": TOKEN,
        }
        for word, value in (words | known).items():  # a word may stand for one that is known
            text = text.replace(f"@{word}@", value)
        path = self.folder / template
        path.write_text(text)
        return path

    def environ(self) -> Mapping[str, str]:
        """With what peers read from it."""
        return {**environ(), "PLATFORM_TOKEN": TOKEN, "UPSTREAM": self.upstream.address}


@dataclass(frozen=True, slots=True)
class Peer:
    """Something that stands between applications and the platform, or is the floor for what does."""

    name: str
    about: str  # one line for the report
    command: Callable[[Place], list[str]]  # writes what it needs into the place's folder
    cases: tuple[Case, ...]
    missing: Callable[[], str | None] = lambda: None  # what is not installed here

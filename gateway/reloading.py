"""When a changed configuration is read again: on a signal, on request, and when its file has changed.

One reload at a time; whoever asks while one runs gets the next, which reads what is there then. A file is
taken when it has stood still for one look: an editor that writes in place leaves half a file for a moment,
and half a file can be a valid configuration. Refuses to know what a configuration changes: that is
`Gateway.apply`, which takes the new one whole or raises and leaves the old one whole.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import SettingsError
from gateway.occurrence import event
from gateway.settings import loading
from gateway.settings.loading import Configuration
from gateway.settings.notices import notices

log = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two looks at the file."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """Where a configuration comes from. To be made before it is read, so that no later change goes
    unseen."""

    path: Path
    environ: Mapping[str, str]
    first: bytes | None  # the digest of its content at that time

    @classmethod
    def at(cls, path: Path, environ: Mapping[str, str]) -> "ConfigFile":
        return cls(path, environ, _digest(path))

    def read(self) -> Configuration:
        """Raises SettingsError with every problem, a missing file included."""
        return loading.read(self.path, self.environ)

    def version(self) -> Hashable:
        """Cheap to ask, and different whenever the content may be. The path is followed at every look:
        Kubernetes swaps a symbolic link."""
        try:
            stat = os.stat(self.path)
        except OSError:
            return None
        return stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size

    def digest(self) -> bytes | None:
        """What tells contents apart; None when there is nothing to read."""
        return _digest(self.path)


class Reloader:
    """Reads `file` again and hands it to `apply`, which says whether anything changed.

    `ended` is told of every reload whether it was successful.
    """

    def __init__(
        self,
        file: ConfigFile,
        apply: Callable[[Configuration], Awaitable[bool]],
        ended: Callable[[bool], None],
        interval: float = INTERVAL,
    ) -> None:
        self._file = file
        self._apply = apply
        self._ended = ended
        self._interval = interval
        self._version = file.version()
        self._digest = file.first
        self._is_settling = True
        self._asked = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    async def reload(self) -> bool:
        """Take what the file says now. Returns whether it is another configuration than the one in use.

        Raises SettingsError with every problem; they are in the log then, and nothing has changed.
        """
        async with self._reloading:
            successful = False
            try:
                # The digest first: what changes in between is then seen by the next look.
                self._digest = await asyncio.to_thread(self._file.digest)
                changed = await self._take(await asyncio.to_thread(self._file.read))
                successful = True
            except SettingsError as error:
                for problem in error.problems:
                    log.error(
                        "the configuration was refused, the old one stays: %s",
                        problem,
                        extra=event("reload_refused", place=problem.place, key=problem.key),
                    )
                raise
            finally:
                self._ended(successful)
        log.info(
            "the configuration was read again: %s",
            "it is in use" if changed else "nothing changed",
            extra=event("reloaded", changed=changed),
        )
        return changed

    def request(self) -> None:
        """Reload soon, in the background."""
        self._asked.set()

    def start(self) -> None:
        self._watching = asyncio.create_task(self._watch(), name="watch the configuration")

    async def aclose(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _take(self, configuration: Configuration) -> bool:
        try:
            changed = await self._apply(configuration)
        except SettingsError as error:
            raise SettingsError(tuple(configuration.placed(problem) for problem in error.problems)) from error
        if changed:
            for notice in notices(configuration):
                log.warning("%s", notice)
        return changed

    async def _watch(self) -> None:
        while True:
            try:
                if await self._is_due():
                    await self.reload()
            except SettingsError:
                continue  # it is in the log already
            except Exception:  # the owner of the task: one bad reload must not end the watching
                log.exception("the configuration could not be read again")

    async def _is_due(self) -> bool:
        """Wait for a request, or for the next look at the file. Whether to reload now."""
        try:
            async with asyncio.timeout(self._interval):
                await self._asked.wait()
        except TimeoutError:
            return await self._has_changed()
        self._asked.clear()
        return True

    async def _has_changed(self) -> bool:
        """Whether the file has not the content that the last reload met, and has stopped changing."""
        version = await asyncio.to_thread(self._file.version)
        was_settling, self._is_settling = self._is_settling, version != self._version
        self._version = version
        if self._is_settling or not was_settling:
            return False
        return await asyncio.to_thread(self._file.digest) != self._digest


def _digest(path: Path) -> bytes | None:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None

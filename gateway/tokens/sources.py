"""Where tokens are kept: the environment and files.

A source only reads. When to read again, what to do with a bad value and who is told is the keeper's business.
"""

import asyncio
import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import ClassVar, Protocol

from gateway.errors import TokenMissingError
from gateway.tokens.secret import Secret

LARGEST_FILE = 64 * 1024
"""Bytes. A path that was mistyped, say to a device or a log, must not be read to its end."""


class TokenSource(Protocol):
    """One place that holds one token."""

    may_come_later: ClassVar[bool]
    """Whether the gateway may start before the token is there."""

    def describe(self) -> str:
        """The place in an operator's words, as in `file /run/secrets/token`; never the value."""
        ...

    async def read(self) -> Secret:
        """The token as it is now. Raises TokenMissingError when there is no usable one."""
        ...

    async def version(self) -> Hashable:
        """Cheap to ask, and different whenever the token may be another one.

        None when the token cannot change while the process runs. Never raises: a place that cannot be
        looked at has a version of its own.
        """
        ...


class EnvSource:
    """A variable of the environment."""

    may_come_later: ClassVar[bool] = False

    def __init__(self, variable: str, environ: Mapping[str, str]) -> None:
        self._variable = variable
        self._environ = environ

    def describe(self) -> str:
        return f"env {self._variable}"

    async def read(self) -> Secret:
        value = self._environ.get(self._variable)
        if value is None:
            raise TokenMissingError(f"{self.describe()}: the variable is not set")
        # Bytes that are no UTF-8 arrive from the operating system as lone surrogates (PEP 383).
        return Secret.parse(value.encode("utf-8", "surrogateescape"), self.describe())

    async def version(self) -> Hashable:
        return None


class FileSource:
    """A file, as Docker and Kubernetes mount secrets.

    The path is resolved at every look: Kubernetes replaces a secret by swapping a symbolic link to a
    directory, so the file itself never changes.
    """

    may_come_later: ClassVar[bool] = False

    def __init__(self, path: Path) -> None:
        self._path = path

    def describe(self) -> str:
        return f"file {self._path}"

    async def read(self) -> Secret:
        try:
            raw = await asyncio.to_thread(self._content)
        except IsADirectoryError as failure:
            raise TokenMissingError(f"{self.describe()}: is a folder, and no file with a token") from failure
        except OSError as failure:
            raise TokenMissingError(f"{self.describe()}: {failure.strerror or 'cannot be read'}") from failure
        if len(raw) > LARGEST_FILE:
            raise TokenMissingError(f"{self.describe()}: larger than {LARGEST_FILE} bytes, so not a token")
        return Secret.parse(raw, self.describe())

    async def version(self) -> Hashable:
        return await asyncio.to_thread(self._identity)

    def _content(self) -> bytes:
        with self._path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)

    def _identity(self) -> tuple[int, ...]:
        try:
            stat = os.stat(self._path)
        except OSError:
            return ()
        return stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size

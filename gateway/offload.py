"""Work on bodies that would hold the loop for too long, done beside it.

What a body costs is told before anything is parsed: by its bytes, and by what a parser would make a value of.
What costs little is done at once, handing it over would cost more. The rest goes to a process of its own
(`annex`), one body at a time: a thread would hold the interpreter lock for as long as one call into C takes,
which for 10 MB are tens of milliseconds. Work that is a copy or a hash goes to a thread.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from gateway.annex import Annex, TooMuchWorkError

UNCOUNTED = 8 * 1024
"""Bytes up to which a body is cheap whatever it consists of: two milliseconds at worst."""

AT_ONCE = 256 * 1024
"""What may be done on the loop, in bytes of plain text: about two milliseconds."""

VALUE, ELEMENT = 32, 80
"""What a value of JSON costs to make, and half an element of XML, in bytes of plain text."""

PATIENCE = 60.0
"""Seconds that a body waits for those before it and for itself: more than one alone may take."""

_NO_VALUE = bytes(set(range(256)) - set(b",[{"))
_XML = (b"<", b"\xef")  # also behind a byte order mark

P = ParamSpec("P")
T = TypeVar("T")


class BusyError(TooMuchWorkError):
    """Too many large bodies are waiting already."""


def cost(body: bytes) -> int:
    """What reading a body costs, in bytes of plain text; counted only where it makes a difference."""
    if not UNCOUNTED < len(body) <= AT_ONCE:
        return len(body)
    if body.lstrip()[:1] in _XML:
        return len(body) + ELEMENT * body.count(b"<")
    return len(body) + VALUE * len(body.translate(None, _NO_VALUE))  # in one pass, not three


def is_cheap(body: bytes) -> bool:
    """Whether reading it can be done at once, on the loop; so it is with nearly every body."""
    return cost(body) <= AT_ONCE


class Offload:
    """Chooses where work is done, by what it costs. Owns the process beside this one."""

    def __init__(self, annex: Annex | None = None) -> None:
        self._annex = annex or Annex()
        self._line = ThreadPoolExecutor(1, "annex")  # its thread starts with the first body

    async def run(
        self, work: Callable[Concatenate[bytes, P], T], body: bytes, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`work(body, *args)`, a function of a module. Raises TooMuchWorkError, and what it raises."""
        if is_cheap(body):
            return work(body, *args, **kwargs)
        return await self.beside(work, body, *args)

    async def aside(self, is_large: bool, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Work that can go to a thread only."""
        return await asyncio.to_thread(work, *args, **kwargs) if is_large else work(*args, **kwargs)

    async def beside(self, work: Callable[..., T], body: bytes, *args: Any) -> T:
        """The same for a body that is known not to be cheap."""
        waiting = asyncio.get_running_loop().run_in_executor(self._line, self._annex.do, work, body, *args)
        try:
            async with asyncio.timeout(PATIENCE):
                result: T = await waiting
        except TimeoutError:
            raise BusyError("too many large bodies are waiting to be read") from None
        return result

    def close(self) -> None:
        self._line.shutdown(wait=False, cancel_futures=True)
        self._annex.close()

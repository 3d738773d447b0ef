"""Faults on demand: what can go wrong between the platform and its caller.

A fault strikes the next `count` calls of a method, before the method runs or after it ran. This module only
keeps the list and says what becomes of an answer; `sandbox` waits, and `web` writes to the connection.
"""

import gzip
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from threading import Lock

from gateway.sandbox.codes import Code
from gateway.sandbox.replies import Answer, Outcome, Raw, Reply, Reset

ANY = "*"
_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\r\n"
_GARBAGE = b"\x16\x03\x01 this is not HTTP\r\n\r\n"


class Kind(StrEnum):
    """What happens."""

    REFUSE = "refuse"  # the connection is reset as soon as it is accepted, before a byte is read
    RESET = "reset"  # TCP RST instead of an answer
    STALL = "stall"  # nothing, until released
    SLOW = "slow"  # `ms` milliseconds late
    HTML = "html"  # a front server's page with HTTP status `status`
    GARBAGE = "garbage"  # bytes that are not HTTP, then the connection is closed
    TOO_SHORT = "too_short"  # Content-Length says more than is sent before the connection is closed
    TOO_LONG = "too_long"  # more is sent than Content-Length says
    ERROR = "error"  # the platform's own error `code`
    BOMB = "bomb"  # a few bytes of gzip that stand for 100 MiB, asked for or not
    ECHO = "echo"  # the token appears in the reply, as careless error texts do


class When(StrEnum):
    """BEFORE: the platform received the call and did not run it. AFTER: it ran it, and the answer is hit."""

    BEFORE = "before"
    AFTER = "after"


_ONLY_BEFORE = frozenset({Kind.REFUSE, Kind.ERROR})
_ONLY_AFTER = frozenset({Kind.TOO_SHORT, Kind.TOO_LONG, Kind.ECHO})


@dataclass(frozen=True, slots=True)
class Fault:
    """`count` calls of `api_method` (`*` is any) are struck; None is all until a reset. `when` is BEFORE
    unless the kind only makes sense with an answer.
    """

    kind: Kind
    api_method: str = ANY
    when: When | None = None
    count: int | None = 1
    ms: int = 1000
    status: int = 502
    code: int = Code.INTERNAL.value

    def __post_init__(self) -> None:
        Code(self.code)
        if self.count is not None and self.count < 1:
            raise ValueError("count is less than 1")
        if self.kind in _ONLY_BEFORE and self.when is When.AFTER:
            raise ValueError(f"{self.kind} happens before the call only")
        if self.kind in _ONLY_AFTER and self.when is When.BEFORE:
            raise ValueError(f"{self.kind} happens after the call only")
        if self.kind is Kind.REFUSE and self.api_method != ANY:
            raise ValueError("a refused connection has no method yet")

    @property
    def moment(self) -> When:
        return self.when or (When.AFTER if self.kind in _ONLY_AFTER else When.BEFORE)

    def strikes(self, api_method: str) -> bool:
        return self.kind is not Kind.REFUSE and self.api_method in (ANY, api_method)


def instead_of(reply: Reply | None, fault: Fault, token: str) -> Outcome | None:
    """What the caller gets in place of `reply`, which is None before the method ran.

    None when the fault only costs time, and for the platform's own error, which is not a broken answer.
    """
    match fault.kind:
        case Kind.RESET:
            return Reset()
        case Kind.HTML:
            return Answer(fault.status, (("content-type", "text/html"),), _HTML)
        case Kind.GARBAGE:
            return Raw(_GARBAGE)
        case Kind.BOMB:
            return Answer(200, (("content-type", "application/json"), ("content-encoding", "gzip")), _bomb())
        case Kind.TOO_SHORT if reply:
            return Raw(_written(reply.answer(), 64))
        case Kind.TOO_LONG if reply:
            return Raw(_written(reply.answer(), -8))
        case Kind.ECHO if reply:
            said = f"{reply.fields['error_text']} (token {token})"
            return replace(reply, fields={**reply.fields, "error_text": said}).answer()
        case _:
            return None


@cache
def _bomb() -> bytes:
    return gzip.compress(b'{"error": 0, "padding": "' + b" " * (100 * 1024 * 1024) + b'"}', mtime=0)


def _written(answer: Answer, difference: int) -> bytes:
    """The response with a Content-Length that is wrong by `difference`."""
    content_length = len(answer.body) + difference
    head = [f"HTTP/1.1 {answer.status} OK", *(f"{name}: {value}" for name, value in answer.headers)]
    return "\r\n".join([*head, f"content-length: {content_length}", "", ""]).encode() + answer.body


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that hit a call. A stalled one waits for `released`: true lets it go on, false ends it.

    The future is one that any thread may set: the sandbox of a synchronous test has a thread of its own.
    """

    fault: Fault
    released: "Future[bool]"


class Faults:
    """The faults waiting for calls, oldest first. At most one strikes a call. For use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: list[Fault] = []
        self._stalled: list[tuple[str, Future[bool]]] = []  # the method that was called, and its end

    def __iter__(self) -> Iterator[Fault]:
        """Those still waiting, `count` being what is left of each."""
        return iter(tuple(self._armed))

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._armed += faults

    def take(self, api_method: str) -> Strike | None:
        """The fault that strikes this call, used up by one."""
        return self._take(api_method, lambda fault: fault.strikes(api_method))

    def take_refusal(self) -> bool:
        """Whether this connection is to be refused."""
        return self._take(ANY, lambda fault: fault.kind is Kind.REFUSE) is not None

    def _take(self, api_method: str, is_meant: Callable[[Fault], bool]) -> Strike | None:
        with self._lock:
            for index, fault in enumerate(self._armed):
                if is_meant(fault):
                    if fault.count == 1:
                        del self._armed[index]
                    elif fault.count is not None:
                        self._armed[index] = replace(fault, count=fault.count - 1)
                    return self._strike(api_method, fault)
        return None

    def _strike(self, api_method: str, fault: Fault) -> Strike:
        released: Future[bool] = Future()
        if fault.kind is Kind.STALL:
            self._stalled.append((api_method, released))
        return Strike(fault, released)

    def release(self, api_method: str = ANY) -> None:
        """Lets the stalled calls of a method go on, or all. Faults that still wait for calls stay."""
        self._end_stalls(api_method, go_on=True)

    def clear(self) -> None:
        """Forgets all faults; stalled calls end with a reset connection."""
        with self._lock:
            self._armed.clear()
        self.end_stalls()

    def end_stalls(self) -> None:
        """Ends every stalled call with a reset connection, as when the platform goes down."""
        self._end_stalls(ANY, go_on=False)

    def _end_stalls(self, api_method: str, *, go_on: bool) -> None:
        with self._lock:
            ended = [stalled for stalled in self._stalled if api_method in (ANY, stalled[0])]
            self._stalled = [stalled for stalled in self._stalled if stalled not in ended]
        for _, released in ended:
            released.set_result(go_on)

"""What the sandbox received, and what became of it, so that "it ran once" is something to assert."""

from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock

from gateway.sandbox.values import Fields

_KEPT = 1000
_BODY_KEPT = 64 * 1024


class Fate(StrEnum):
    """What became of a call."""

    RUNNING = "running"
    EXECUTED = "executed"  # the method ran, with whatever code
    REPLAYED = "replayed"  # a repeat got the first one's answer
    REFUSED = "refused"  # answered before the method ran: 400, 401, 403, 415, 501
    DROPPED = "dropped"  # a fault took its place


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request as it came. `query` and `headers` in their order, header names in lower case."""

    api_method: str
    target: bytes
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes
    origin: str

    def header(self, name: str) -> str | None:
        """The header's value; of a repeated one the first."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Call:
    """One received call. `token` is the token's name; `token_places` says where one came: body, header,
    query.

    `params` are the decoded parameters without the token; `fate` and `code` are set when it is over. A `code`
    of None means that no answer in the platform's shape was sent.
    """

    sequence: int
    incoming: Incoming
    checksum: str
    request_id: str | None
    params: Fields
    token: str | None = None
    token_places: tuple[str, ...] = ()
    fate: Fate = Fate.RUNNING
    code: int | None = None

    @property
    def api_method(self) -> str:
        return self.incoming.api_method


class Calls:
    """The last thousand calls, in the order they arrived. Bodies are kept up to 64 KiB.

    It may be read from another thread than the sandbox's: every change replaces one frozen record.
    """

    def __init__(self) -> None:
        self._calls: OrderedDict[int, Call] = OrderedDict()
        self._last = 0
        self._announced = 0
        self._lock = Lock()
        self._milestones: list[tuple[int, Future[None]]] = []

    def __iter__(self) -> Iterator[Call]:
        return iter(tuple(self._calls.values()))

    def __len__(self) -> int:
        return len(self._calls)

    def of(self, api_method: str) -> tuple[Call, ...]:
        return tuple(call for call in self if call.api_method == api_method)

    def executed(self, api_method: str) -> tuple[Call, ...]:
        """Those whose method really ran."""
        return tuple(call for call in self.of(api_method) if call.fate is Fate.EXECUTED)

    def arrived(self, count: int) -> "Future[None]":
        """Done as soon as `count` calls have arrived since the start or the last reset; for any thread."""
        future: Future[None] = Future()
        with self._lock:
            self._milestones.append((count, future))
        self._reach()
        return future

    def announce(self) -> None:
        """Counts one more call as arrived."""
        with self._lock:
            self._announced += 1
        self._reach()

    def receive(self, incoming: Incoming, checksum: str, request_id: str | None) -> int:
        """Notes a call; the number by which `change` finds it."""
        self._last += 1
        kept = replace(incoming, body=incoming.body[:_BODY_KEPT])
        self._calls[self._last] = Call(self._last, kept, checksum, request_id, params={})
        if len(self._calls) > _KEPT:
            self._calls.popitem(last=False)
        return self._last

    def admit(self, sequence: int, params: Fields, token: str, places: tuple[str, ...]) -> None:
        if call := self._calls.get(sequence):
            self._calls[sequence] = replace(call, params=params, token=token, token_places=places)

    def finish(self, sequence: int, fate: Fate, code: int | None) -> None:
        if call := self._calls.get(sequence):
            self._calls[sequence] = replace(call, fate=fate, code=code)

    def clear(self) -> None:
        """Numbers go on from where they are: a call that still runs must not be taken for a new one."""
        self._calls.clear()
        with self._lock:
            self._announced = 0

    def _reach(self) -> None:
        with self._lock:
            reached = [future for count, future in self._milestones if count <= self._announced]
            self._milestones = [entry for entry in self._milestones if entry[0] > self._announced]
        for future in reached:
            future.set_result(None)

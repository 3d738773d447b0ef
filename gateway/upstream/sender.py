"""Sends a call: waits for a free place, makes the attempt, and says what came of it as one value.

The value is shared whole by all who wait for it, a failure included; so a failure is no exception here.
Refuses to know who is waiting: what is under way goes on when its caller leaves.
"""

from collections.abc import Callable

import httpx
import msgspec

from gateway import errors
from gateway.codec.body import BodyLimits
from gateway.records import AttemptRecord
from gateway.upstream.admission import Admission
from gateway.upstream.client import AttemptError, Outgoing, attempt, record
from gateway.upstream.reply import Reply


class Outcome(msgspec.Struct, frozen=True):
    """What came of a call: a reply, or why there is none. Times in seconds.

    Seen by the garbage collector: it may hold an exception, and whose traceback leads back to it.
    """

    reply: Reply | None = None
    failure: AttemptError | errors.CallError | None = None
    attempts: int = 0
    queue_seconds: float = 0.0
    upstream_seconds: float = 0.0


class Sender:
    """One account's way to its platform."""

    def __init__(
        self,
        account: str,
        transport: httpx.AsyncBaseTransport,
        admission: Admission,
        limits: BodyLimits,
        observe: Callable[[AttemptRecord], None],
        clock: Callable[[], float],
    ) -> None:
        """`clock` is the running loop's; `observe` gets a record of every attempt."""
        self._account = account
        self._transport = transport
        self._admission = admission
        self._limits = limits
        self._observe = observe
        self._clock = clock

    async def send(self, outgoing: Outgoing, deadline: float) -> Outcome:
        """Never raises for what the platform or the network does."""
        arrived = self._clock()
        try:
            async with self._admission:
                started = self._clock()
                result = await self._attempt(outgoing, deadline)
        except errors.CallError as refused:
            return Outcome(failure=refused, queue_seconds=self._clock() - arrived)
        seconds = self._clock() - started
        self._observe(record(outgoing, self._account, seconds, result))
        return Outcome(
            reply=result if isinstance(result, Reply) else None,
            failure=result if isinstance(result, AttemptError) else None,
            attempts=1,
            queue_seconds=started - arrived,
            upstream_seconds=seconds,
        )

    async def _attempt(self, outgoing: Outgoing, deadline: float) -> Reply | AttemptError:
        try:
            return await attempt(self._transport, outgoing, deadline, self._limits)
        except AttemptError as error:
            return error

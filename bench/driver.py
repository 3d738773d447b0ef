"""Load without wrk: callers on kept connections, each sending its next call when the last one is answered.

    python -m bench.driver URL CONTENT_TYPE BODY_TEMPLATE BODIES CALLERS SECONDS

Prints one JSON line: calls, seconds, p50 and p99 in seconds, failed. A process of its own, so that its CPU is
in nobody's figures.
"""

import asyncio
import json
import math
import sys
from collections.abc import Sequence
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop


class Caller(asyncio.Protocol):
    """One caller. What it saw is in `seconds`, one number per answered call, and in `failed`."""

    def __init__(self, requests: Sequence[bytes], end: float) -> None:
        self.seconds: list[float] = []
        self.failed = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._end = end
        self._clock = asyncio.get_running_loop().time

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without being a subclass
        self._call()

    def _call(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._started = self._clock()
        self._transport.write(self._requests[len(self.seconds) % len(self._requests)])

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        now = self._clock()
        self.seconds.append(now - self._started)
        self.failed += self._parser.get_status_code() != 200
        if now < self._end:
            self._call()
        else:
            self.over.set_result(None)
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.over.done():
            self.failed += 1
            self.over.set_result(None)


async def load(url: str, content_type: str, bodies: Sequence[bytes], callers: int, seconds: float) -> str:
    """One line about `seconds` of load. Raises OSError when nobody listens."""
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: {content_type}\r\n"
    requests = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    loop = asyncio.get_running_loop()
    started = loop.time()
    # Each caller has bodies of its own, so that no two send the same one at a time; unless there are too few.
    made = [partial(Caller, requests[at::callers] or requests, started + seconds) for at in range(callers)]
    host, port = parts.hostname or "", parts.port or 80
    all_of_them = [(await loop.create_connection(make, host, port))[1] for make in made]
    await asyncio.gather(*(caller.over for caller in all_of_them))
    return _line(all_of_them, loop.time() - started)


def _line(callers: Sequence[Caller], seconds: float) -> str:
    times = sorted(time for caller in callers for time in caller.seconds)
    return json.dumps(
        {
            "calls": len(times),
            "seconds": seconds,
            "p50": _percentile(times, 0.50),
            "p99": _percentile(times, 0.99),
            "failed": sum(caller.failed for caller in callers),
        }
    )


def _percentile(times: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of ascending times."""
    return times[max(math.ceil(share * len(times)) - 1, 0)] if times else 0.0


def main() -> None:
    url, content_type, template, bodies, callers, seconds = sys.argv[1:]
    distinct = [template.replace("%06d", f"{number:06d}").encode() for number in range(int(bodies))]
    print(uvloop.run(load(url, content_type, distinct, int(callers), float(seconds))))


if __name__ == "__main__":
    main()
